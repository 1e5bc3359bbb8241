// Native histograms as storage takes them from targets: without empty buckets, and no finer than allowed.

import { contentFault } from './histogram-check.js';
import {
  bucketIndices,
  SCHEMA_MAX,
  SCHEMA_MIN,
  type Span,
  type StoredHistogram,
  spanBuckets,
  spansOf,
} from './stored-histogram.js';

/** Growth from bucket to bucket of the finest schema: where a smaller one is asked for. */
const FINEST_FACTOR = 1.00271;

/** Leaves out empty buckets, but for up to `emptyKept` in a row between others: they cost less than a span. */
export function compactHistogram(histogram: StoredHistogram, emptyKept = 0): StoredHistogram {
  const { positiveSpans, positive, negativeSpans, negative } = histogram;
  const above = compactSide(positiveSpans, positive, emptyKept);
  const below = compactSide(negativeSpans, negative, emptyKept);
  if (above === undefined && below === undefined) return histogram;
  return {
    ...histogram,
    ...(above && { positiveSpans: above.spans, positive: above.counts }),
    ...(below && { negativeSpans: below.spans, negative: below.counts }),
  };
}

interface Side {
  readonly spans: readonly Span[];
  readonly counts: Float64Array;
}

/** undefined where nothing changes. */
function compactSide(spans: readonly Span[], counts: Float64Array, emptyKept: number): Side | undefined {
  const isCompact =
    !counts.includes(0) && spans.every(({ offset, length }, i) => length > 0 && (i === 0 || offset > emptyKept));
  if (isCompact || !isSound(spans, counts)) return undefined;
  const indices = bucketIndices(spans);
  const kept: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0) continue;
    const index = indices[i]!;
    const next = kept.length === 0 ? index : kept.at(-1)! + 1;
    for (let empty = next; index - next <= emptyKept && empty < index; empty++) {
      kept.push(empty);
      values.push(0);
    }
    kept.push(index);
    values.push(counts[i]!);
  }
  return { spans: spansOf(kept), counts: Float64Array.from(values) };
}

/** Otherwise it is refused later. */
function isSound(spans: readonly Span[], counts: Float64Array): boolean {
  return spanBuckets(spans) === counts.length && spans.every(({ offset }, i) => i === 0 || offset >= 0);
}

/** Whether buckets grow by a factor, so that neighbours can be joined. */
function isExponential({ schema }: StoredHistogram): boolean {
  return schema >= -9 && schema <= 52;
}

/** The finest schema whose buckets grow by at least this factor. */
export function schemaOfFactor(factor: number): number {
  // Not -0.
  const schema = 0 + Math.floor(-Math.log2(Math.log2(factor <= 1 ? FINEST_FACTOR : factor)));
  return Math.min(SCHEMA_MAX, Math.max(SCHEMA_MIN, schema));
}

/** Joins buckets until the schema is no finer than this one. */
export function coarsenTo(histogram: StoredHistogram, schema: number): StoredHistogram {
  const by = histogram.schema - schema;
  if (!isExponential(histogram) || by <= 0) return histogram;
  const above = joinSide(histogram.positiveSpans, histogram.positive, by);
  const below = joinSide(histogram.negativeSpans, histogram.negative, by);
  return {
    ...histogram,
    schema,
    positiveSpans: above.spans,
    positive: above.counts,
    negativeSpans: below.spans,
    negative: below.counts,
  };
}

/** One of the schemas beyond the finest that is stored, 9 to 52, as one of that; others as they are. */
export function withUsableSchema(histogram: StoredHistogram): StoredHistogram {
  if (histogram.schema <= SCHEMA_MAX || contentFault(histogram) !== undefined) return histogram;
  return coarsenTo(histogram, SCHEMA_MAX);
}

/** Joins buckets until there are no more than this; undefined where that cannot be. */
export function limitBuckets(histogram: StoredHistogram, bucketsMax: number): StoredHistogram | undefined {
  let limited = histogram;
  while (limited.positive.length + limited.negative.length > bucketsMax) {
    if (!isExponential(limited) || limited.schema <= SCHEMA_MIN) return undefined;
    limited = coarsenTo(limited, limited.schema - 1);
  }
  return limited;
}

/** Bucket i ends at 2^(i / 2^schema): each step of the schema joins two into the one with the upper one's end. */
function joinSide(spans: readonly Span[], counts: Float64Array, by: number): Side {
  const indices = bucketIndices(spans);
  const joined: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    const index = Math.floor((indices[i]! - 1) / 2 ** by) + 1;
    if (joined.at(-1) === index) values[values.length - 1]! += counts[i]!;
    else {
      joined.push(index);
      values.push(counts[i]!);
    }
  }
  return { spans: spansOf(joined), counts: Float64Array.from(values) };
}
