// Names of metrics and labels, as a translation strategy makes them of those of OpenTelemetry.
//
//   name         unit    kind            with suffixes, escaped      with suffixes only
//   http.dur     ms      gauge           http_dur_milliseconds       http.dur_milliseconds
//   requests     1/s     counter         requests_per_second_total   requests_per_second_total
//   fill         1       gauge           fill_ratio                  fill_ratio

import type { OtlpMetric } from './model.js';

export interface NameStyle {
  /** Unit, `total` and `ratio` are appended. */
  readonly withSuffixes: boolean;
  /** What older names may not have becomes an underscore. */
  readonly escaped: boolean;
}

/** Words of units; others stay as they are. */
const UNITS: ReadonlyMap<string, string> = new Map<string, string>([
  ...([
    ['d', 'days'],
    ['h', 'hours'],
    ['min', 'minutes'],
    ['s', 'seconds'],
  ] as const),
  ...([
    ['ms', 'milliseconds'],
    ['us', 'microseconds'],
    ['ns', 'nanoseconds'],
  ] as const),
  ...([
    ['By', 'bytes'],
    ['KiBy', 'kibibytes'],
    ['MiBy', 'mebibytes'],
    ['GiBy', 'gibibytes'],
    ['TiBy', 'tibibytes'],
  ] as const),
  ...([
    ['KBy', 'kilobytes'],
    ['MBy', 'megabytes'],
    ['GBy', 'gigabytes'],
    ['TBy', 'terabytes'],
  ] as const),
  ...([
    ['m', 'meters'],
    ['V', 'volts'],
    ['A', 'amperes'],
    ['J', 'joules'],
    ['W', 'watts'],
    ['g', 'grams'],
  ] as const),
  ...([
    ['Cel', 'celsius'],
    ['Hz', 'hertz'],
    ['1', ''],
    ['%', 'percent'],
  ] as const),
]);

/** Behind a slash. */
const PER_UNITS: ReadonlyMap<string, string> = new Map<string, string>([
  ...([
    ['s', 'second'],
    ['m', 'minute'],
    ['h', 'hour'],
    ['d', 'day'],
  ] as const),
  ...([
    ['w', 'week'],
    ['mo', 'month'],
    ['y', 'year'],
  ] as const),
]);

export function metricName(metric: OtlpMetric, { withSuffixes, escaped }: NameStyle): string {
  if (!escaped) return withSuffixes ? suffixed(metric) : metric.name;
  const name = withSuffixes
    ? words(metric).join('_')
    : metric.name
        .split(/[^a-zA-Z0-9:_]/u)
        .filter(isText)
        .join('_');
  return /^\d/.test(name) ? `_${name}` : name;
}

/** The name as it is, with what its unit and kind add. */
function suffixed(metric: OtlpMetric): string {
  const { unit, per } = unitOf(metric.unit);
  return [metric.name, ...[unit, per].filter(isText), ...kindSuffix(metric)].join('_');
}

/** Words of letters, digits and colons; each suffix once, at the end. */
function words(metric: OtlpMetric): string[] {
  const all = metric.name.split(/[^a-zA-Z0-9:]/u).filter(isText);
  const given = unitOf(metric.unit);
  let unit = cleaned(given.unit);
  let per = cleaned(given.per);
  if (all.includes(unit)) unit = '';
  per = per === 'per_' ? '' : per.replace(/_$/, '');
  if (all.includes(per)) per = '';
  if (per !== '') unit = unit.replace(/_$/, '');
  const named = [...all, ...[unit, per].filter(isText)];
  const suffix = kindSuffix(metric);
  return [...named.filter((word) => !suffix.includes(word)), ...suffix];
}

/** Units in braces are notes. */
function unitOf(text: string): { unit: string; per: string } {
  const slash = text.indexOf('/');
  const main = trimmed(slash < 0 ? text : text.slice(0, slash));
  const behind = trimmed(slash < 0 ? '' : text.slice(slash + 1));
  const per = behind === '' ? '' : (PER_UNITS.get(behind) ?? behind);
  return { unit: UNITS.get(main) ?? main, per: per === '' ? '' : `per_${per}` };
}

function trimmed(unit: string): string {
  const text = unit.trim();
  return /[{}]/.test(text) ? '' : text;
}

function cleaned(unit: string): string {
  return unit
    .replace(/[^a-zA-Z0-9:]/gu, '_')
    .replace(/__+/g, '_')
    .replace(/^_/, '');
}

/** Gauges of the unit 1 are ratios; counters of it mostly count things. */
function kindSuffix(metric: OtlpMetric): string[] {
  if (metric.kind === 'sum' && metric.isMonotonic) return ['total'];
  return metric.kind === 'gauge' && metric.unit === '1' ? ['ratio'] : [];
}

function isText(word: string): boolean {
  return word !== '';
}

/** A label's name; one that could not begin so gets a word in front. */
export function labelName(name: string, escaped: boolean, style: LabelStyle): string {
  if (!escaped || name === '') return name;
  let label = name.replace(/[^a-zA-Z0-9]/gu, '_');
  if (!style.preservesUnderscores) label = label.replace(/__+/g, '_');
  if (/^\d/.test(label)) return `key_${label}`;
  return style.prefixesUnderscore && /^_(?!_)/.test(label) ? `key${label}` : label;
}

export interface LabelStyle {
  /** `_x` becomes `key_x`. */
  readonly prefixesUnderscore: boolean;
  /** Otherwise several in a row become one. */
  readonly preservesUnderscores: boolean;
}
