// `{{schema:1 sum:4 count:3 buckets:[1 2] offset:1}}`: a native histogram in the notation of tests.

import { type Buckets, type CounterHint, denseBuckets, FloatHistogram } from '../../model/histogram.js';
import { formatGeneral, parseFloatText } from '../../model/number.js';
import { NotationError } from './notation-error.js';

export interface HistogramLiteral {
  readonly histogram: FloatHistogram;
  /** Whether `counter_reset_hint` is written. */
  readonly hasHint: boolean;
}

const FIELD = /([a-z_]+):(\[[^\]]*\]|[^\s\]]+)/gi;

/** Throws NotationError. */
export function parseHistogram(text: string): HistogramLiteral {
  const fields = new Map<string, string>();
  for (const [, key, value] of text.slice(2, -2).matchAll(FIELD)) fields.set(key!, value!);
  const number = (key: string) => toNumber(fields.get(key) ?? '0');
  const numbers = (key: string) =>
    (fields.get(key) ?? '').replace(/[[\]]/g, ' ').split(/\s+/).filter(Boolean).map(toNumber);
  const buckets = (key: string, offset: string): Buckets => {
    const counts = numbers(key);
    return denseBuckets({ indices: counts.map((_, i) => i + number(offset)), counts });
  };
  const histogram = new FloatHistogram({
    schema: number('schema'),
    bounds: numbers('custom_values'),
    sum: number('sum'),
    count: number('count'),
    zeroCount: number('z_bucket'),
    zeroThreshold: number('z_bucket_w'),
    positive: buckets('buckets', 'offset'),
    negative: buckets('n_buckets', 'n_offset'),
    hint: (fields.get('counter_reset_hint') ?? 'unknown') as CounterHint,
  });
  return { histogram, hasHint: fields.has('counter_reset_hint') };
}

/** The text of a histogram: the same for equal ones. Buckets between the first and the last that have something are all written. */
export function formatHistogram(histogram: FloatHistogram): string {
  const { schema, count, sum, zeroCount, zeroThreshold, bounds, isCustom, hint } = histogram;
  const fields: string[] = [];
  const add = (key: string, value: number) => {
    if (value !== 0) fields.push(`${key}:${formatGeneral(value)}`);
  };
  add('schema', schema);
  add('count', count);
  add('sum', sum);
  add('z_bucket', zeroCount);
  add('z_bucket_w', zeroThreshold);
  if (isCustom) fields.push(`custom_values:[${bounds.map(formatGeneral).join(' ')}]`);
  if (hint !== 'unknown') fields.push(`counter_reset_hint:${hint}`);
  const addBuckets = (prefix: string, buckets: Buckets) => {
    const { indices, counts } = withoutGaps(buckets);
    if (counts.length === 0) return;
    add(`${prefix}offset`, indices[0]!);
    fields.push(`${prefix}buckets:[${counts.map(formatGeneral).join(' ')}]`);
  };
  addBuckets('', histogram.positive);
  addBuckets('n_', histogram.negative);
  return `{{${fields.join(' ')}}}`;
}

function withoutGaps({ indices, counts }: Buckets): Buckets {
  const filled = indices.flatMap((index, i) => (counts[i] === 0 ? [] : [[index, counts[i]!] as const]));
  if (filled.length === 0) return { indices: [], counts: [] };
  const byIndex = new Map(filled);
  const [first, last] = [Math.min(...byIndex.keys()), Math.max(...byIndex.keys())];
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return { indices: all, counts: all.map((index) => byIndex.get(index) ?? 0) };
}

function toNumber(text: string): number {
  const value = parseFloatText(text);
  if (typeof value !== 'number') throw new NotationError(`bad number in a histogram: ${text}`);
  return value;
}
