// Histograms of OTLP as native ones.
//
//   exponential, scale 0   bucket i spans (2^i, 2^(i+1)]      native, schema 0   bucket i spans (2^(i-1), 2^i]
//   scale 9                two buckets are one                                   of schema 8
//   explicit bounds        bucket i, from bound to bound                         the same, schema -53

import { type CounterHint, CUSTOM_SCHEMA } from '../../model/histogram.js';
import { compactHistogram } from '../../model/histogram-shape.js';
import {
  bitsOf,
  NO_COUNTS,
  NO_SPANS,
  type Span,
  type StoredHistogram,
  staleHistogram,
} from '../../model/stored-histogram.js';
import type { ExponentialBuckets, ExponentialPoint, HistogramPoint, Temporality } from './model.js';

const SCHEMA_MIN = -4;
const SCHEMA_MAX = 8;
/** Which observations count as zero is not taken from the point, as in Prometheus. */
const ZERO_THRESHOLD = 1e-128;
/** Empty buckets that may stand between others. */
const EMPTY_KEPT = 2;
/** Buckets on one side of zero. */
const BUCKETS_MAX = 1 << 16;

/** The histogram, or why there is none. */
export function exponentialHistogram(point: ExponentialPoint, temporality: Temporality): StoredHistogram | string {
  if (point.scale < SCHEMA_MIN) {
    return `cannot convert exponential to native histogram. Scale must be >= ${SCHEMA_MIN}, was ${point.scale}`;
  }
  if (point.isStale) return staleHistogram(false);
  const down = Math.min(31, Math.max(0, point.scale - SCHEMA_MAX));
  const positive = buckets(point.positive, down);
  const negative = buckets(point.negative, down);
  if (positive === undefined || negative === undefined)
    return `an exponential histogram has over ${BUCKETS_MAX} buckets`;
  return compactHistogram(
    {
      ...{ isFloat: false, hint: hintOf(temporality), schema: Math.min(point.scale, SCHEMA_MAX) },
      ...{ zeroThreshold: ZERO_THRESHOLD, zeroCount: point.zeroCount, count: point.count },
      ...{ sumBits: bitsOf(point.sum ?? 0), bounds: [] },
      ...{ positiveSpans: positive.spans, positive: positive.counts },
      ...{ negativeSpans: negative.spans, negative: negative.counts },
    },
    EMPTY_KEPT,
  );
}

/** One with bounds of its own. */
export function customHistogram(point: HistogramPoint, temporality: Temporality): StoredHistogram | string {
  if (point.isStale) return staleHistogram(false);
  const { counts, bounds, count, sum } = point;
  return compactHistogram(
    {
      ...{ isFloat: false, hint: hintOf(temporality), schema: CUSTOM_SCHEMA },
      ...{ zeroThreshold: 0, zeroCount: 0, count, sumBits: bitsOf(sum ?? 0), bounds },
      positiveSpans: counts.length === 0 ? NO_SPANS : [{ offset: 0, length: counts.length }],
      positive: Float64Array.from(counts),
      ...{ negativeSpans: NO_SPANS, negative: NO_COUNTS },
    },
    EMPTY_KEPT,
  );
}

/** What each interval measured alone is no counter. */
function hintOf(temporality: Temporality): CounterHint {
  return temporality === 'delta' ? 'gauge' : 'unknown';
}

/** Dense, 2^down of the point's in each; undefined where there are too many. */
function buckets(
  { offset, counts }: ExponentialBuckets,
  down: number,
): { spans: readonly Span[]; counts: Float64Array } | undefined {
  if (counts.length === 0) return { spans: NO_SPANS, counts: NO_COUNTS };
  const placeOf = (i: number) => (offset + i) >> down;
  const first = placeOf(0);
  const length = placeOf(counts.length - 1) - first + 1;
  if (length > BUCKETS_MAX || length < 1) return undefined;
  const dense = new Float64Array(length);
  counts.forEach((count, i) => {
    dense[placeOf(i) - first]! += count;
  });
  return { spans: [{ offset: first + 1, length }], counts: dense };
}
