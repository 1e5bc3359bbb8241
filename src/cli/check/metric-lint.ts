// What is odd about metrics: names, units, types and help that go against Prometheus's naming advice, in its linter's words.

import type { TextFamily, TextType } from '../../exposition/families.js';
import { compareStrings } from '../../model/labels.js';
import { quote } from '../../model/quote.js';

export interface Oddity {
  readonly metric: string;
  readonly text: string;
}

/** By metric, then by text. */
export function lintFamilies(families: readonly TextFamily[]): readonly Oddity[] {
  const found = families.flatMap((family) => {
    return LINTS.flatMap((lint) => [...lint(family)]).map((text) => ({ metric: family.name, text }));
  });
  return found.sort((a, b) => compareStrings(a.metric, b.metric) || compareStrings(a.text, b.text));
}

type Lint = (family: TextFamily) => Iterable<string>;

const LINTS: readonly Lint[] = [help, unit, counter, reserved, typeInName, colon, camelCase, unitShort, twice];

function* help({ help: text }: TextFamily): Iterable<string> {
  if (text === undefined) yield 'no help text';
}

// ---- Units

/** Units as they should be. */
const BASES: ReadonlySet<string> = new Set(
  'amperes bytes celsius grams joules kelvin meters metres seconds volts'.split(' '),
);

const OTHERS: ReadonlyMap<string, string> = new Map([
  ...[...BASES].map((base) => [base, base] as const),
  ...['minutes', 'hours', 'days', 'weeks'].map((name) => [name, 'seconds'] as const),
  ['kelvins', 'kelvin'],
  ...['fahrenheit', 'rankine'].map((name) => [name, 'celsius'] as const),
  ...['inches', 'yards', 'miles'].map((name) => [name, 'meters'] as const),
  ['bits', 'bytes'],
  ['calories', 'joules'],
  ...['pounds', 'ounces'].map((name) => [name, 'grams'] as const),
]);

const PREFIXES = 'pico nano micro milli centi deci deca hecto kilo kibi mega mibi giga gibi tera tebi peta pebi'.split(
  ' ',
);

const SHORT_UNITS = 's ms us ns sec b kb mb gb tb pb m h d'.split(' ');

function* unit({ name }: TextFamily): Iterable<string> {
  for (const word of name.split('_')) {
    const prefix = PREFIXES.find((one) => word.startsWith(one) && OTHERS.has(word.slice(one.length)));
    const base = OTHERS.get(word) ?? (prefix && OTHERS.get(word.slice(prefix.length)));
    if (base === undefined) continue;
    if (base !== word) yield `use base unit ${quote(base)} instead of ${quote(word)}`;
    return;
  }
}

function* unitShort({ name }: TextFamily): Iterable<string> {
  for (const short of SHORT_UNITS) if (hasPart(name, short)) yield 'metric names should not contain abbreviated units';
}

// ---- Types

function* counter({ name, type }: TextFamily): Iterable<string> {
  const isTotal = name.endsWith('_total');
  if (type === 'counter' && !isTotal) yield 'counter metrics should have "_total" suffix';
  if (type !== 'counter' && type !== 'untyped' && isTotal) {
    yield 'non-counter metrics should not have "_total" suffix';
  }
}

/** Names and labels that belong to histograms and summaries. */
function* reserved({ name, type, metrics }: TextFamily): Iterable<string> {
  if (type === 'untyped') return;
  const isHistogram = type === 'histogram';
  const isSummary = type === 'summary';
  if (!isHistogram && name.endsWith('_bucket')) yield 'non-histogram metrics should not have "_bucket" suffix';
  if (!isHistogram && !isSummary) {
    for (const suffix of ['_count', '_sum']) {
      if (!name.endsWith(suffix)) continue;
      yield `non-histogram and non-summary metrics should not have "${suffix}" suffix`;
    }
  }
  for (const [label] of metrics.flatMap(({ labels }) => labels)) {
    if (!isHistogram && label === 'le') yield 'non-histogram metrics should not have "le" label';
    if (!isSummary && label === 'quantile') yield 'non-summary metrics should not have "quantile" label';
  }
}

const TYPES: readonly TextType[] = ['counter', 'gauge', 'summary', 'histogram', 'gauge_histogram'];

function* typeInName({ name }: TextFamily): Iterable<string> {
  for (const type of TYPES) if (hasPart(name, type)) yield `metric name should not include type '${type}'`;
}

// ---- Form

function* colon({ name }: TextFamily): Iterable<string> {
  if (name.includes(':')) yield "metric names should not contain ':'";
}

const CAMEL_CASE = /[a-z][A-Z]/;

function* camelCase({ name, metrics }: TextFamily): Iterable<string> {
  if (CAMEL_CASE.test(name)) yield "metric names should be written in 'snake_case' not 'camelCase'";
  for (const [label] of metrics.flatMap(({ labels }) => labels)) {
    if (CAMEL_CASE.test(label)) yield "label names should be written in 'snake_case' not 'camelCase'";
  }
}

/** Once for each metric that comes again. */
function* twice({ metrics }: TextFamily): Iterable<string> {
  const left = new Map<string, number>();
  const keys = metrics.map(({ labels }) => JSON.stringify(labels));
  for (const key of keys) left.set(key, (left.get(key) ?? 0) + 1);
  for (const count of left.values()) for (let i = 1; i < count; i++) yield 'metric not unique';
}

function hasPart(name: string, part: string): boolean {
  const lower = name.toLowerCase();
  return lower.includes(`_${part}_`) || lower.endsWith(`_${part}`);
}
