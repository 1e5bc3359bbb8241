// Quantiles, fractions and moments of native histograms.
//
// Within an exponential bucket observations are taken to be spread evenly on a
// logarithmic scale; within custom buckets and the zero bucket, linearly.

import type { Bucket, FloatHistogram } from '../../../model/histogram.js';
import { fractionBelow } from '../../../model/histogram-trim.js';
import { log2 } from '../../../model/logarithm.js';
import { KahanSum } from '../kahan.js';

export type NativeRemark =
  | 'histogram_quantile has NaN observations, result is NaN'
  | 'histogram_quantile has NaN observations, result is skewed higher'
  | 'histogram_fraction has NaN observations, which are excluded from all fractions';

type Remark = (remark: NativeRemark) => void;

export function nativeQuantile(phi: number, histogram: FloatHistogram, remark: Remark): number {
  if (phi < 0) return -Infinity;
  if (phi > 1) return Infinity;
  if (histogram.count === 0 || Number.isNaN(phi)) return Number.NaN;

  // NaN observations count but are in no bucket: then ranks hold from below only.
  const nan = Number.isNaN(histogram.sum);
  const forward = nan || phi < 0.5;
  let rank = (forward ? phi : 1 - phi) * histogram.count;
  const buckets = [...histogram.buckets()];
  if (!forward) buckets.reverse();

  let count = 0;
  let bucket: Bucket = { lower: 0, upper: 0, count: 0 };
  let next = 0;
  while (next < buckets.length) {
    bucket = buckets[next++]!;
    count += bucket.count;
    if (count >= rank) break;
  }
  if (!histogram.isCustom) bucket = withNaturalBounds(histogram, bucket);
  else {
    if (bucket.lower === -Infinity) {
      if (bucket.upper <= 0) return bucket.upper;
      bucket = { ...bucket, lower: 0 };
    } else if (bucket.upper === Infinity) {
      return bucket.lower;
    }
  }
  count = Math.min(count, histogram.count);
  if (count < rank) {
    if (!nan) return bucket.upper;
    remark('histogram_quantile has NaN observations, result is NaN');
    return Number.NaN;
  }
  rank = forward ? rank - (count - bucket.count) : count - rank;
  if (nan) {
    for (const rest of buckets.slice(next)) count += rest.count;
    if (count < histogram.count) remark('histogram_quantile has NaN observations, result is skewed higher');
  }
  return valueAt(histogram, bucket, rank / bucket.count);
}

/** The bucket around zero of a histogram with observations on one side of zero only ends at zero. */
function withNaturalBounds(histogram: FloatHistogram, bucket: Bucket): Bucket {
  if (bucket.lower > 0 || bucket.upper < 0) return bucket;
  const hasPositive = histogram.positive.counts.length > 0;
  const hasNegative = histogram.negative.counts.length > 0;
  if (hasPositive && !hasNegative) return { ...bucket, lower: 0 };
  if (hasNegative && !hasPositive) return { ...bucket, upper: 0 };
  return bucket;
}

function valueAt(histogram: FloatHistogram, { lower, upper }: Bucket, fraction: number): number {
  if (histogram.isCustom || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = log2(Math.abs(lower));
  const logUpper = log2(Math.abs(upper));
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * fraction);
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)));
}

export function nativeFraction(lower: number, upper: number, histogram: FloatHistogram, remark: Remark): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  let total = histogram.count;
  const buckets = [...histogram.buckets()].map((bucket) => withNaturalBounds(histogram, bucket));
  if (Number.isNaN(histogram.sum)) {
    total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    if (total < histogram.count) {
      remark('histogram_fraction has NaN observations, which are excluded from all fractions');
    }
  }
  const rankOf = (value: number): number => {
    let below = 0;
    for (const bucket of buckets) {
      if (bucket.lower >= value) return below;
      if (bucket.upper > value) return below + partBelow(histogram, bucket, value);
      below += bucket.count;
    }
    return total;
  };
  return (Math.min(rankOf(upper), total) - Math.min(rankOf(lower), total)) / histogram.count;
}

function partBelow(histogram: FloatHistogram, bucket: Bucket, value: number): number {
  // Nothing can be said within a bucket that has no lower end: all of it counts.
  if (bucket.lower === -Infinity) return bucket.count;
  const linear = histogram.isCustom || (bucket.lower <= 0 && bucket.upper >= 0);
  return bucket.count * fractionBelow(bucket, value, linear);
}

const squares = new KahanSum();

/** Estimated from the middle of each bucket. */
export function nativeVariance(histogram: FloatHistogram): number {
  const mean = histogram.sum / histogram.count;
  squares.reset();
  for (const { lower, upper, count } of histogram.buckets()) {
    const delta = middleOf(histogram, lower, upper) - mean;
    squares.add(count * delta * delta);
  }
  return squares.total / histogram.count;
}

function middleOf(histogram: FloatHistogram, lower: number, upper: number): number {
  if (histogram.isCustom) return (upper + lower) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  const middle = Math.sqrt(upper * lower);
  return upper < 0 ? -middle : middle;
}
