// `{{schema:1 sum:4 count:3 buckets:[1 2] offset:1}}`: a native histogram in a script.

import { type Buckets, type CounterHint, denseBuckets, FloatHistogram } from '../../../src/model/histogram.js';
import { parseFloatText } from '../../../src/model/number.js';
import { ScriptError } from './series.js';

export interface HistogramLiteral {
  readonly histogram: FloatHistogram;
  /** Whether `counter_reset_hint` is written. */
  readonly hasHint: boolean;
}

const FIELD = /([a-z_]+):(\[[^\]]*\]|[^\s\]]+)/gi;

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

function toNumber(text: string): number {
  const value = parseFloatText(text);
  if (typeof value !== 'number') throw new ScriptError(`bad number in a histogram: ${text}`);
  return value;
}
