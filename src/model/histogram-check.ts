// What a histogram must be to be stored, in Prometheus's words where it is not.

import { CUSTOM_SCHEMA } from './histogram.js';
import {
  isStaleHistogram,
  isUsableSchema,
  SCHEMA_MAX,
  SCHEMA_MIN,
  type Span,
  type StoredHistogram,
  spanBuckets,
} from './stored-histogram.js';

/** Why a histogram cannot be stored; undefined where it can. */
export function histogramFault(histogram: StoredHistogram): string | undefined {
  if (isStaleHistogram(histogram)) return undefined;
  return schemaFault(histogram) ?? contentFault(histogram);
}

/** The same of its schema alone. */
export function schemaFault({ schema }: StoredHistogram): string | undefined {
  if (isUsableSchema(schema)) return undefined;
  return `histogram has an invalid schema, which must be between ${SCHEMA_MIN} and ${SCHEMA_MAX} for exponential buckets, or ${CUSTOM_SCHEMA} for custom buckets, got schema ${schema}`;
}

/** The same of all but its schema, which may become a usable one yet. */
export function contentFault(histogram: StoredHistogram): string | undefined {
  const { schema, isFloat, count, zeroCount, positive, negative, zeroThreshold } = histogram;
  const layout = schema === CUSTOM_SCHEMA ? customFault(histogram) : undefined;
  if (layout !== undefined) return layout;
  if (!(zeroThreshold >= 0)) return 'histogram has a negative zero threshold';
  const side =
    sideFault('negative', histogram.negativeSpans, negative) ??
    sideFault('positive', histogram.positiveSpans, positive);
  if (side !== undefined) return side;
  if (zeroCount < 0)
    return `zero bucket has observation count of ${zeroCount}: histogram has a bucket whose observation count is negative`;
  if (count < 0) return `observation count is ${count}: histogram's observation count is negative`;
  const sum = zeroCount + total(positive) + total(negative);
  // Observations of NaN are counted, and in no bucket.
  const mayExceed = Number.isNaN(Number(sumOf(histogram)));
  if (!isFloat && (mayExceed ? sum > count : sum !== count)) {
    return `${sum} observations found in buckets, but the Count field is ${count}: histogram's observation count should equal the number of observations found in the buckets (in absence of NaN)`;
  }
  return undefined;
}

function sumOf({ sumBits }: StoredHistogram): number {
  const isNan = (sumBits & 0x7ff0000000000000n) === 0x7ff0000000000000n && (sumBits & 0xfffffffffffffn) !== 0n;
  return isNan ? Number.NaN : 0;
}

function customFault({
  bounds,
  zeroCount,
  zeroThreshold,
  negative,
  positiveSpans,
}: StoredHistogram): string | undefined {
  for (let i = 0; i < bounds.length; i++) {
    if (!Number.isFinite(bounds[i]!)) return 'histogram custom bounds must be finite';
    if (i > 0 && bounds[i]! <= bounds[i - 1]!) return 'histogram custom bounds must be in strictly increasing order';
  }
  if (zeroCount !== 0) return 'custom buckets: must have zero count of 0';
  if (zeroThreshold !== 0) return 'custom buckets: must have zero threshold of 0';
  if (negative.length > 0) return 'custom buckets: must not have negative buckets';
  let end = 0;
  for (const { offset, length } of positiveSpans) end += offset + length;
  return end > bounds.length + 1 ? 'histogram custom bounds are too few' : undefined;
}

function sideFault(side: string, spans: readonly Span[], counts: Float64Array): string | undefined {
  const bad = spans.findIndex(({ offset }, i) => i > 0 && offset < 0);
  if (bad >= 0)
    return `${side} side: span number ${bad + 1} with offset ${spans[bad]!.offset}: histogram has a span whose offset is negative`;
  if (spanBuckets(spans) !== counts.length) {
    return `${side} side: spans need ${spanBuckets(spans)} buckets, have ${counts.length} buckets: histogram spans specify different number of buckets than provided`;
  }
  const less = counts.findIndex((count) => count < 0);
  if (less < 0) return undefined;
  return `${side} side: bucket number ${less + 1} has observation count of ${counts[less]}: histogram has a bucket whose observation count is negative`;
}

function total(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
