// Whether a histogram goes into an open chunk, and what both need for it.
//
//   chunk    buckets   1 2 3 _ 5        as its layout has them, with the counts of its newest sample
//   sample   buckets   1 2 _ 4 5
//
// Buckets that the chunk lacks have it written anew, with empty ones there. A bucket that the sample lacks, and that is
// empty in the chunk, is added to the sample; one that was in use says that the counter began anew. Gauges go up and down,
// so that both are given whatever they lack. This is what Prometheus's appenders do, down to the spans that come of it.

import { CUSTOM_SCHEMA } from '../../model/histogram.js';
import {
  bucketIndices,
  isStaleHistogram,
  type Span,
  type StoredHistogram,
  sameFloats,
  sameSpans,
  spansOf,
} from '../../model/stored-histogram.js';
import { type HistogramLayout, ResetHeader } from './histogram-layout.js';

/** A chunk being written. */
export interface OpenChunk {
  readonly header: ResetHeader;
  readonly layout: HistogramLayout;
  /** Its newest sample. */
  readonly last: StoredHistogram;
}

export type Fit =
  /** It goes in as `sample`; where the chunk has to be written anew before, `spans` are those of its layout then. */
  | { readonly fits: true; readonly sample: StoredHistogram; readonly recode: boolean }
  /** A new chunk must begin; `isReset` where the counter has begun anew. */
  | { readonly fits: false; readonly isReset: boolean };

const RESET: Fit = { fits: false, isReset: true };
const OTHER: Fit = { fits: false, isReset: false };

/** The sample is of the chunk's kind, integer or float. */
export function fitInto(chunk: OpenChunk, sample: StoredHistogram): Fit {
  const isGauge = sample.hint === 'gauge';
  if (isGauge !== (chunk.header === ResetHeader.Gauge)) return OTHER;
  if (sample.hint === 'reset') return RESET;
  if (isStaleHistogram(sample)) return { fits: true, sample, recode: false };
  if (isStaleHistogram(chunk.last)) return OTHER;
  const { layout, last } = chunk;
  if (!isGauge && sample.count < last.count) return RESET;
  if (sample.schema !== layout.schema || sample.zeroThreshold !== layout.zeroThreshold) return OTHER;
  if (sample.schema === CUSTOM_SCHEMA && !sameFloats(sample.bounds, layout.bounds)) return isGauge ? OTHER : RESET;
  if (!isGauge && sample.zeroCount < last.zeroCount) return RESET;

  const positive = fitSide(layout.positiveSpans, last.positive, sample.positiveSpans, sample.positive, isGauge);
  const negative = fitSide(layout.negativeSpans, last.negative, sample.negativeSpans, sample.negative, isGauge);
  if (positive === undefined || negative === undefined) return RESET;
  const chunkLacks = positive.chunkLacks || negative.chunkLacks;
  const sampleLacks = positive.sampleLacks || negative.sampleLacks;
  if (!sampleLacks) return { fits: true, sample, recode: chunkLacks };
  // Without buckets that the chunk lacks, its own spans are what both have; a gauge's spans are made anew in any case.
  const spansFor = (side: SideFit, chunkSpans: readonly Span[], sampleSpans: readonly Span[]) => {
    if (isGauge) return spansOf(side.all ?? bucketIndices(chunkSpans));
    if (!chunkLacks) return chunkSpans;
    return side.sampleLacks ? spansOf(side.all!) : sampleSpans;
  };
  const expanded = {
    ...sample,
    positiveSpans: spansFor(positive, layout.positiveSpans, sample.positiveSpans),
    negativeSpans: spansFor(negative, layout.negativeSpans, sample.negativeSpans),
    positive: expand(sample.positiveSpans, sample.positive, positive),
    negative: expand(sample.negativeSpans, sample.negative, negative),
  };
  return { fits: true, sample: expanded, recode: chunkLacks };
}

/** A sample of a chunk that is written anew, with the buckets of another. */
export function expandTo(sample: StoredHistogram, target: StoredHistogram): StoredHistogram {
  if (isStaleHistogram(sample)) return sample;
  return {
    ...sample,
    positiveSpans: target.positiveSpans,
    negativeSpans: target.negativeSpans,
    positive: spread(sample.positive, bucketIndices(sample.positiveSpans), bucketIndices(target.positiveSpans)),
    negative: spread(sample.negative, bucketIndices(sample.negativeSpans), bucketIndices(target.negativeSpans)),
  };
}

interface SideFit {
  readonly chunkLacks: boolean;
  readonly sampleLacks: boolean;
  /** The buckets of both; undefined where they are the same. */
  readonly all: ArrayLike<number> | undefined;
}

/** undefined where a count went down, or a bucket in use is gone: never of a gauge. */
function fitSide(
  chunkSpans: readonly Span[],
  before: Float64Array,
  sampleSpans: readonly Span[],
  after: Float64Array,
  isGauge: boolean,
): SideFit | undefined {
  if (sameSpans(chunkSpans, sampleSpans)) {
    if (!isGauge) for (let i = 0; i < before.length; i++) if (before[i]! > after[i]!) return undefined;
    return { chunkLacks: false, sampleLacks: false, all: undefined };
  }
  const old = bucketIndices(chunkSpans);
  const own = bucketIndices(sampleSpans);
  const all: number[] = [];
  let chunkLacks = false;
  let sampleLacks = false;
  for (let i = 0, j = 0; i < old.length || j < own.length; ) {
    const [left, right] = [old[i] ?? Infinity, own[j] ?? Infinity];
    all.push(Math.min(left, right));
    if (left === right) {
      if (!isGauge && before[i]! > after[j]!) return undefined;
      i++;
      j++;
    } else if (left < right) {
      if (!isGauge && before[i]! !== 0) return undefined;
      sampleLacks = true;
      i++;
    } else {
      chunkLacks = true;
      j++;
    }
  }
  return { chunkLacks, sampleLacks, all };
}

function expand(spans: readonly Span[], counts: Float64Array, { sampleLacks, all }: SideFit): Float64Array {
  return sampleLacks ? spread(counts, bucketIndices(spans), all!) : counts;
}

/** Counts of the buckets `from`, in their places among `to`. */
function spread(counts: Float64Array, from: ArrayLike<number>, to: ArrayLike<number>): Float64Array {
  const wide = new Float64Array(to.length);
  for (let i = 0, j = 0; j < to.length; j++) if (to[j] === from[i]) wide[j] = counts[i++]!;
  return wide;
}
