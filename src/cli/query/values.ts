// What queries answer, as people read it and as JSON, in the forms of Prometheus's Go client.
//
//   promql   up{job="a"} => 1 @[1700000000]          json   [{"metric":{"__name__":"up","job":"a"},"value":[1700000000,"1"]}]

import { compareStrings } from '../../model/labels.js';
import { formatFloat, formatGeneral, parseFloatText } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import { ApiError } from './api.js';

export type Metric = Readonly<Record<string, string>>;
type Pair = readonly [seconds: number, value: string];

export interface ApiHistogram {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [rule: number, lower: string, upper: string, count: string])[];
}
type HistogramPair = readonly [seconds: number, histogram: ApiHistogram];

export interface ApiSample {
  readonly metric: Metric;
  readonly value?: Pair;
  readonly histogram?: HistogramPair;
}

export interface ApiSeries {
  readonly metric: Metric;
  readonly values?: readonly Pair[];
  readonly histograms?: readonly HistogramPair[];
}

export type ApiValue =
  | { readonly resultType: 'vector'; readonly result: readonly ApiSample[] }
  | { readonly resultType: 'matrix'; readonly result: readonly ApiSeries[] }
  | { readonly resultType: 'scalar' | 'string'; readonly result: Pair };

/** Throws ApiError where it is none. */
export function valueOf(data: unknown): ApiValue {
  const value = data as ApiValue | undefined;
  if (value?.resultType === 'vector' || value?.resultType === 'matrix') return value;
  if (value?.resultType === 'scalar' || value?.resultType === 'string') return value;
  throw new ApiError('bad_response', `unexpected value type ${quote(String(value?.resultType))}`);
}

/** How the answers of queries are printed. */
export interface Printer {
  value(value: ApiValue): string;
  /** Label sets; undefined where there is nothing to print. */
  series(series: readonly Metric[]): string | undefined;
  names(names: readonly string[]): string | undefined;
}

export const PRINTERS: Readonly<Record<'promql' | 'json', Printer>> = {
  promql: {
    value: valueText,
    series: (series) => joined(series.map(labelSetText)),
    names: joined,
  },
  json: {
    value: valueJson,
    series: (series) => `[${series.map(metricJson).join(',')}]`,
    names: (names) => `[${names.map(stringJson).join(',')}]`,
  },
};

function joined(lines: readonly string[]): string | undefined {
  return lines.length === 0 ? undefined : lines.join('\n');
}

// ---- For people

function valueText(value: ApiValue): string {
  switch (value.resultType) {
    case 'vector':
      return value.result.map(({ metric, ...pairs }) => `${metricText(metric)} => ${sampleText(pairs)}`).join('\n');
    case 'matrix':
      return [...value.result]
        .sort((a, b) => compareMetrics(a.metric, b.metric))
        .map(seriesText)
        .join('\n');
    case 'scalar':
      return `scalar: ${floatText(value.result[1])} @[${timeText(value.result[0])}]`;
    case 'string':
      return value.result[1];
  }
}

function sampleText({ value, histogram }: Omit<ApiSample, 'metric'>): string {
  return histogram === undefined ? pairText(value!) : histogramPairText(histogram);
}

function seriesText({ metric, values = [], histograms = [] }: ApiSeries): string {
  return `${metricText(metric)} =>\n${[...values.map(pairText), ...histograms.map(histogramPairText)].join('\n')}`;
}

function pairText([seconds, value]: Pair): string {
  return `${floatText(value)} @[${timeText(seconds)}]`;
}

function histogramPairText([seconds, { count, sum, buckets = [] }]: HistogramPair): string {
  const shown = buckets.map(([rule, lower, upper, size]) => {
    const bounds = `${formatGeneral(floatOf(lower))},${formatGeneral(floatOf(upper))}`;
    return `${rule === 1 || rule === 3 ? '[' : '('}${bounds}${rule === 0 || rule === 3 ? ']' : ')'}:${floatText(size)}`;
  });
  const sizes = `Count: ${decimalText(count)}, Sum: ${decimalText(sum)}`;
  return `${sizes}, Buckets: [${shown.join(' ')}] @[${timeText(seconds)}]`;
}

/** `up{job="a"}`, `{job="a"}` */
export function metricText(metric: Metric): string {
  const name = metric.__name__;
  const labels = namesOf(metric).filter((label) => label !== '__name__');
  if (labels.length === 0) return name ?? '{}';
  return `${name ?? ''}{${labels
    .map((label) => `${label}=${quote(metric[label]!)}`)
    .sort(compareStrings)
    .join(', ')}}`;
}

/** `{__name__="up", job="a"}` */
export function labelSetText(metric: Metric): string {
  return `{${namesOf(metric)
    .map((label) => `${label}=${quote(metric[label]!)}`)
    .join(', ')}}`;
}

/** Fewer labels first; then by the first name, in order, that only one has or whose values differ. */
export function compareMetrics(a: Metric, b: Metric): number {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareStrings);
  const sizes = Object.keys(a).length - Object.keys(b).length;
  if (sizes !== 0) return sizes;
  for (const name of names) {
    const [left, right] = [a[name], b[name]];
    if (left === right) continue;
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    return compareStrings(left, right);
  }
  return 0;
}

// ---- For programs

function valueJson(value: ApiValue): string {
  switch (value.resultType) {
    case 'vector': {
      const samples = value.result.map(({ metric, value: pair, histogram }) => {
        const shown =
          histogram === undefined ? `"value":${pairJson(pair!)}` : `"histogram":${histogramJson(histogram)}`;
        return `{"metric":${metricJson(metric)},${shown}}`;
      });
      return `[${samples.join(',')}]`;
    }
    case 'matrix':
      return `[${value.result.map(seriesJson).join(',')}]`;
    case 'scalar':
      return pairJson(value.result);
    case 'string':
      return `[${timeText(value.result[0])},${stringJson(value.result[1])}]`;
  }
}

function seriesJson({ metric, values = [], histograms = [] }: ApiSeries): string {
  const floats = `,"values":[${values.map(pairJson).join(',')}]`;
  const others = histograms.length === 0 ? '' : `,"histograms":[${histograms.map(histogramJson).join(',')}]`;
  return `{"metric":${metricJson(metric)}${values.length === 0 && others !== '' ? '' : floats}${others}}`;
}

function pairJson([seconds, value]: Pair): string {
  return `[${timeText(seconds)},"${floatText(value)}"]`;
}

function histogramJson([seconds, { count, sum, buckets }]: HistogramPair): string {
  const shown = buckets?.map(
    ([rule, ...bounds]) => `[${rule},${bounds.map((text) => `"${floatText(text)}"`).join(',')}]`,
  );
  const list = shown === undefined ? 'null' : `[${shown.join(',')}]`;
  return `[${timeText(seconds)},{"count":"${floatText(count)}","sum":"${floatText(sum)}","buckets":${list}}]`;
}

function metricJson(metric: Metric): string {
  return `{${namesOf(metric)
    .map((name) => `${stringJson(name)}:${stringJson(metric[name]!)}`)
    .join(',')}}`;
}

/** As Go writes strings: what could end a script of a page is escaped. */
export function stringJson(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

// ---- Numbers

function namesOf(metric: Metric): readonly string[] {
  return Object.keys(metric).sort(compareStrings);
}

function timeText(seconds: number): string {
  return formatFloat(Math.round(seconds * 1000) / 1000);
}

function floatText(text: string): string {
  return formatFloat(floatOf(text));
}

/** With six decimals. */
function decimalText(text: string): string {
  const value = floatOf(text);
  return Number.isFinite(value) ? value.toFixed(6) : formatFloat(value);
}

/** Throws ApiError. */
export function floatOf(text: string): number {
  const value = parseFloatText(text);
  if (typeof value === 'number') return value;
  throw new ApiError('bad_response', `strconv.ParseFloat: parsing ${quote(text)}: invalid ${value}`);
}
