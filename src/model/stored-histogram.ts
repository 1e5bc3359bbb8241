// A native histogram as storage has it: in chunks, in the log, in protobuf messages.
//
// Which buckets there are is said by spans, runs of neighbours: `offset` buckets are left out (from bucket 0 on in
// the first span), `length` follow.
//
//   spans (2, 3) (1, 2)      buckets  _ _ 2 3 4 _ 6 7
//
// Buckets may be empty: storage keeps them, since spans stay the same from sample to sample so. Counts are those of
// each bucket alone, whatever the format makes of them (chunks, log and protobuf have differences of integer ones).
// The sum is kept as bits: it is what says that a sample is a stale marker. Not changed once made.

import { type Buckets, type CounterHint, CUSTOM_SCHEMA, FloatHistogram } from './histogram.js';

export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface StoredHistogram {
  /** Integer counts are exact up to 2^53. */
  readonly isFloat: boolean;
  readonly hint: CounterHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sumBits: bigint;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  /** As many as the spans are long together. */
  readonly positive: Float64Array;
  readonly negative: Float64Array;
  /** Upper bounds without +Inf, of schema -53 only. */
  readonly bounds: readonly number[];
}

export const NO_SPANS: readonly Span[] = [];
export const NO_COUNTS = new Float64Array(0);

/** The sum of a stale marker. */
export const STALE_SUM = 0x7ff0000000000002n;

export function isStaleHistogram({ sumBits }: Pick<StoredHistogram, 'sumBits'>): boolean {
  return sumBits === STALE_SUM;
}

const cell = new Float64Array(1);
const cellBits = new BigUint64Array(cell.buffer);

export function bitsOf(value: number): bigint {
  cell[0] = value;
  return cellBits[0]!;
}

/** The float of these bits; of a stale marker it is some NaN. */
export function floatOf(bits: bigint): number {
  cellBits[0] = bits;
  return cell[0]!;
}

/** The marker that ends a series whose samples are histograms. */
export function staleHistogram(isFloat: boolean): StoredHistogram {
  return {
    isFloat,
    hint: 'unknown',
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: 0,
    sumBits: STALE_SUM,
    positiveSpans: NO_SPANS,
    negativeSpans: NO_SPANS,
    positive: NO_COUNTS,
    negative: NO_COUNTS,
    bounds: [],
  };
}

/** What a histogram was when it began: empty, and of the same layout, so that both fit into one chunk. */
export function zeroOf({ isFloat, schema, zeroThreshold, bounds }: StoredHistogram): StoredHistogram {
  return { ...staleHistogram(isFloat), hint: 'reset', schema, zeroThreshold, sumBits: 0n, bounds };
}

/** Buckets that spans are long together. */
export function spanBuckets(spans: readonly Span[]): number {
  let count = 0;
  for (const { length } of spans) count += length;
  return count;
}

/** The buckets of spans, ascending. */
export function bucketIndices(spans: readonly Span[]): Int32Array {
  const indices = new Int32Array(spanBuckets(spans));
  let at = 0;
  let bucket = 0;
  for (const { offset, length } of spans) {
    bucket += offset;
    for (let i = 0; i < length; i++) indices[at++] = bucket++;
  }
  return indices;
}

/** The fewest spans of these buckets, which ascend. */
export function spansOf(indices: ArrayLike<number>): Span[] {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (let i = 0; i < indices.length; i++) {
    const bucket = indices[i]!;
    const last = spans.at(-1);
    if (last !== undefined && bucket === next) last.length++;
    else spans.push({ offset: bucket - next, length: 1 });
    next = bucket + 1;
  }
  return spans;
}

/** As query results have it: counts as floats, empty buckets left out. */
export function floatHistogramOf(stored: StoredHistogram): FloatHistogram {
  const { hint, schema, bounds, count, zeroThreshold, zeroCount } = stored;
  return new FloatHistogram({
    hint,
    schema,
    bounds,
    count,
    sum: floatOf(stored.sumBits),
    zeroThreshold,
    zeroCount,
    positive: bucketsOf(stored.positiveSpans, stored.positive),
    negative: bucketsOf(stored.negativeSpans, stored.negative),
  });
}

function bucketsOf(spans: readonly Span[], all: Float64Array): Buckets {
  const indices: number[] = [];
  const counts: number[] = [];
  let at = 0;
  let bucket = 0;
  for (const { offset, length } of spans) {
    bucket += offset;
    for (let i = 0; i < length; i++, bucket++) {
      const count = all[at++]!;
      if (count === 0) continue;
      indices.push(bucket);
      counts.push(count);
    }
  }
  return { indices, counts };
}

/** A float histogram as storage takes it: of results of rules, and of tests. */
export function storedHistogramOf(histogram: FloatHistogram): StoredHistogram {
  const { hint, schema, bounds, count, sum, zeroThreshold, zeroCount, positive, negative } = histogram;
  return {
    isFloat: true,
    hint,
    schema,
    bounds,
    count,
    sumBits: bitsOf(sum),
    zeroThreshold,
    zeroCount,
    positiveSpans: spansOf(positive.indices),
    negativeSpans: spansOf(negative.indices),
    positive: Float64Array.from(positive.counts),
    negative: Float64Array.from(negative.counts),
  };
}

/** Bit for bit, hints aside. */
export function sameStored(a: StoredHistogram, b: StoredHistogram): boolean {
  if (isStaleHistogram(a) && isStaleHistogram(b)) return a.isFloat === b.isFloat;
  return (
    a.isFloat === b.isFloat &&
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    a.sumBits === b.sumBits &&
    Object.is(a.count, b.count) &&
    Object.is(a.zeroCount, b.zeroCount) &&
    sameFloats(a.bounds, b.bounds) &&
    sameSpans(a.positiveSpans, b.positiveSpans) &&
    sameSpans(a.negativeSpans, b.negativeSpans) &&
    sameFloats(a.positive, b.positive) &&
    sameFloats(a.negative, b.negative)
  );
}

export function sameSpans(a: readonly Span[], b: readonly Span[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  return a.every(({ offset, length }, i) => offset === b[i]!.offset && length === b[i]!.length);
}

export function sameFloats(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

/** Schemas that are known: exponential ones, and the one with bounds of its own. */
/** The coarsest and the finest. */
export const SCHEMA_MIN = -4;
export const SCHEMA_MAX = 8;
/** Reserved for finer ones; a server of today makes them coarser. */
const SCHEMA_RESERVED_MAX = 52;

export function isKnownSchema(schema: number): boolean {
  return schema === CUSTOM_SCHEMA || (schema >= -9 && schema <= SCHEMA_RESERVED_MAX);
}

export function isUsableSchema(schema: number): boolean {
  return schema === CUSTOM_SCHEMA || (schema >= SCHEMA_MIN && schema <= SCHEMA_MAX);
}
