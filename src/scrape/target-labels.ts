// From what discovery says about a target to the labels and the URL it is scraped with.
//
//   target and group labels   →  with the job's defaults: the discovered labels
//   discovered labels         →  relabel_configs: dropped, or
//                             →  checked, without __meta_*, with an instance: the target's labels
//   target's labels           →  without any __*: the labels its series get
//
// The labels between, which start with two underscores, say how to scrape: address,
// scheme, path, parameters, interval and timeout.

import { DurationError, formatDuration, parseDuration } from '../model/duration.js';
import { filterLabels, type Labels, labelsOf, valueOf as labelValue, pairsOf } from '../model/labels.js';
import { isUtf8, type NameScheme } from '../model/names.js';
import { quote } from '../model/quote.js';
import { LabelsBuilder } from '../relabel/builder.js';
import { relabelBuilder } from '../relabel/relabel.js';
import type { RelabelRule } from '../relabel/rule.js';

/** What of a job's configuration makes its targets. A ScrapeConfig is one. */
export interface TargetTemplate {
  readonly jobName: string;
  readonly scrapeIntervalMs: number;
  readonly scrapeTimeoutMs: number;
  readonly metricsPath: string;
  readonly scheme: string;
  readonly params: ReadonlyMap<string, readonly string[]>;
  readonly relabelConfigs: readonly RelabelRule[];
  readonly metricNameValidationScheme: NameScheme;
}

/** A target ready to be scraped. */
export interface ScrapeTarget {
  readonly kind: 'target';
  /** Before relabelling, for the targets page. */
  readonly discovered: Labels;
  /** Its identity: after relabelling, internal labels included. Equal ones are one target. */
  readonly internal: Labels;
  /** What its series get. */
  readonly labels: Labels;
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Where its labels say other than its job. */
  readonly scrapeNativeHistograms?: boolean;
  readonly alwaysScrapeClassicHistograms?: boolean;
  readonly convertClassicHistogramsToNhcb?: boolean;
}

export type TargetOutcome =
  | ScrapeTarget
  | { readonly kind: 'dropped'; readonly discovered: Labels }
  | { readonly kind: 'invalid'; readonly discovered: Labels; readonly error: string };

const ADDRESS = '__address__';
const PARAM_PREFIX = '__param_';

/** Builds one target of a group; the target's own labels win over the group's. */
export function buildTarget(template: TargetTemplate, targetLabels: Labels, groupLabels: Labels): TargetOutcome {
  const discovered = discoveredLabels(template, targetLabels, groupLabels);
  const builder = new LabelsBuilder(discovered);
  const scheme = template.metricNameValidationScheme;
  if (!relabelBuilder(builder, template.relabelConfigs, { scheme })) return { kind: 'dropped', discovered };

  const address = builder.get(ADDRESS);
  const timing = parseTiming(builder.get('__scrape_interval__'), builder.get('__scrape_timeout__'));
  const histograms = parseHistogramLabels(builder);
  const error = address === '' ? 'no address' : (addressFault(address) ?? timing.error ?? histograms.error);
  if (error !== undefined) return { kind: 'invalid', discovered, error };

  for (const [name] of builder.entries()) if (name.startsWith('__meta_')) builder.delete(name);
  if (builder.get('instance') === '') builder.set('instance', address);
  const internal = builder.labels();
  const bad = internal.findIndex((text, i) => i % 2 === 1 && !isUtf8(text));
  if (bad >= 0) {
    const what = `${quote(internal[bad - 1]!)}: ${quote(internal[bad]!)}`;
    return { kind: 'invalid', discovered, error: `invalid label value for ${what}` };
  }
  return {
    kind: 'target',
    discovered,
    internal,
    labels: filterLabels(internal, (name) => !name.startsWith('__')),
    url: targetUrl(internal, template.params),
    intervalMs: timing.intervalMs,
    timeoutMs: timing.timeoutMs,
    ...histograms.options,
  };
}

/** Labels as discovery and the job give them, before any rule. */
export function discoveredLabels(template: TargetTemplate, targetLabels: Labels, groupLabels: Labels): Labels {
  const labels = new Map<string, string>();
  for (const given of [groupLabels, targetLabels]) {
    for (let i = 0; i < given.length; i += 2) labels.set(given[i]!, given[i + 1]!);
  }
  const defaults: [name: string, value: string][] = [
    ['job', template.jobName],
    ['__scrape_interval__', formatDuration(template.scrapeIntervalMs)],
    ['__scrape_timeout__', formatDuration(template.scrapeTimeoutMs)],
    ['__metrics_path__', template.metricsPath],
    ['__scheme__', template.scheme],
    ...[...template.params].map(([name, values]): [string, string] => [PARAM_PREFIX + name, values[0] ?? '']),
  ];
  for (const [name, value] of defaults) if ((labels.get(name) ?? '') === '') labels.set(name, value);
  return labelsOf(labels);
}

/** Why an address cannot be scraped: a URL is not a host. Undefined for a good one. */
export function addressFault(address: string): string | undefined {
  return address.includes('/') ? `${quote(address)} is not a valid hostname` : undefined;
}

interface Timing {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly error?: string;
}

function parseTiming(interval: string, timeout: string): Timing {
  const times = { intervalMs: 0, timeoutMs: 0 };
  for (const [key, name, text] of [
    ['intervalMs', 'interval', interval],
    ['timeoutMs', 'timeout', timeout],
  ] as const) {
    try {
      times[key] = parseDuration(text);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      return { ...times, error: `error parsing scrape ${name}: ${error.message}` };
    }
    if (times[key] === 0) return { ...times, error: `scrape ${name} cannot be 0` };
  }
  if (times.timeoutMs <= times.intervalMs) return times;
  const both = `(${quote(timeout)} > ${quote(interval)})`;
  return { ...times, error: `scrape timeout cannot be greater than scrape interval ${both}` };
}

const HISTOGRAM_LABELS = [
  ['convertClassicHistogramsToNhcb', 'convert classic histograms to nhcb', '__convert_classic_histograms_to_nhcb__'],
  ['alwaysScrapeClassicHistograms', 'always scrape classic histograms', '__always_scrape_classic_histograms__'],
  ['scrapeNativeHistograms', 'scrape native histograms', '__scrape_native_histograms__'],
] as const;

type HistogramOptions = Partial<Record<(typeof HISTOGRAM_LABELS)[number][0], boolean>>;

/** Go's words for true and false. */
const BOOLS = new Map<string, boolean>([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

function parseHistogramLabels(builder: LabelsBuilder): { readonly options: HistogramOptions; readonly error?: string } {
  const options: HistogramOptions = {};
  for (const [option, what, label] of HISTOGRAM_LABELS) {
    const text = builder.get(label);
    if (text === '') continue;
    const value = BOOLS.get(text);
    if (value === undefined) {
      return { options, error: `error parsing ${what}: strconv.ParseBool: parsing ${quote(text)}: invalid syntax` };
    }
    options[option] = value;
  }
  return { options };
}

/** The URL of a target: its first value of each parameter may be a label, further ones are the job's. */
function targetUrl(internal: Labels, params: ReadonlyMap<string, readonly string[]>): string {
  const query = new Map([...params].map(([name, values]) => [name, [...values]]));
  for (const [label, value] of pairsOf(internal)) {
    if (!label.startsWith(PARAM_PREFIX)) continue;
    const name = label.slice(PARAM_PREFIX.length);
    query.set(name, [value, ...(query.get(name) ?? []).slice(1)]);
  }
  const pairs = [...query.keys()].sort().flatMap((name) => query.get(name)!.map((value) => [name, value]));
  const search = pairs.map(([name, value]) => `${queryEscape(name!)}=${queryEscape(value!)}`).join('&');
  const path = labelValue(internal, '__metrics_path__');
  const rooted = path === '' || path.startsWith('/') ? path : `/${path}`;
  const base = `${labelValue(internal, '__scheme__')}://${labelValue(internal, ADDRESS)}${pathEscape(rooted)}`;
  return search === '' ? base : `${base}?${search}`;
}

/** As Go's url.QueryEscape: a blank is `+`. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

/** As Go's URL prints a path: what separates parts of a URL is escaped. */
function pathEscape(path: string): string {
  return encodeURI(path).replace(/[?#]/g, (character) => (character === '?' ? '%3F' : '%23'));
}
