// Cutting a native histogram at a value: `h </ v` keeps what lies below, `h >/ v` what lies above.
//
// The bucket that the value falls into is divided by interpolation, as for
// quantiles: on a logarithmic scale in exponential buckets, linearly in custom
// ones and in the zero bucket. The sum is estimated anew from where the middle of
// each bucket's rest lies.

import { type Bucket, type Buckets, denseBuckets, type FloatHistogram } from './histogram.js';
import { log2 } from './logarithm.js';

type Side = 'lower' | 'upper';

/** What stays of a bucket, and the value its observations are estimated at. */
interface Rest {
  readonly count: number;
  readonly middle: number;
}

/** `upper` cuts off what is above the value. Gives the histogram itself where nothing is cut off. */
export function trimHistogram(histogram: FloatHistogram, value: number, side: Side): FloatHistogram {
  const trim = new Trim(value, side, histogram.isCustom);
  const bounds = (index: number) => histogram.boundsOf(index);
  const positive = trim.side(histogram.positive, bounds);
  const negative = trim.side(histogram.negative, (index) => {
    const { lower, upper } = bounds(index);
    return { lower: -upper, upper: -lower };
  });
  let { zeroCount } = histogram;
  if (zeroCount > 0) {
    zeroCount = trim.zero({
      lower:
        histogram.positive.counts.length > 0 && histogram.negative.counts.length === 0 ? 0 : -histogram.zeroThreshold,
      upper:
        histogram.negative.counts.length > 0 && histogram.positive.counts.length === 0 ? 0 : histogram.zeroThreshold,
      count: zeroCount,
    });
  }
  return trim.changed ? histogram.with({ positive, negative, zeroCount, count: trim.count, sum: trim.sum }) : histogram;
}

class Trim {
  changed = false;
  count = 0;
  sum = 0;

  constructor(
    readonly value: number,
    readonly cut: Side,
    readonly linear: boolean,
  ) {}

  side(buckets: Buckets, boundsOf: (index: number) => { lower: number; upper: number }): Buckets {
    const counts = buckets.counts.map((count, i) => {
      const bucket = { ...boundsOf(buckets.indices[i]!), count };
      return this.#keep(count, this.#restOf(bucket));
    });
    return denseBuckets({ indices: buckets.indices, counts });
  }

  zero(bucket: Bucket): number {
    const { lower, upper, count } = bucket;
    const from = this.cut === 'upper' ? lower : Math.min(Math.max(this.value, lower), upper);
    const to = this.cut === 'upper' ? Math.max(Math.min(this.value, upper), lower) : upper;
    // A zero bucket without width lies wholly on one side of the value.
    const fraction = upper > lower ? (to - from) / (upper - lower) : Number(this.#keepsAll(bucket));
    return this.#keep(count, { count: count * fraction, middle: fraction === 0 ? 0 : (from + to) / 2 });
  }

  #keep(before: number, rest: Rest): number {
    if (rest.count !== before) this.changed = true;
    this.count += rest.count;
    if (rest.count !== 0) this.sum += rest.middle * rest.count;
    return rest.count;
  }

  #keepsAll({ lower, upper }: Bucket): boolean {
    return this.cut === 'upper' ? upper <= this.value : lower >= this.value;
  }

  #restOf(bucket: Bucket): Rest {
    const { lower, upper, count } = bucket;
    if (this.#keepsAll(bucket)) return { count, middle: this.#middle(lower, upper) };
    const outside = this.cut === 'upper' ? lower >= this.value : upper <= this.value;
    if (outside) return { count: 0, middle: 0 };
    if (lower === -Infinity || upper === Infinity) return this.#restOfOpen(bucket);
    const below = count * fractionBelow(bucket, this.value, this.linear);
    return this.cut === 'upper'
      ? { count: below, middle: this.#middle(lower, this.value) }
      : { count: count - below, middle: this.#middle(this.value, upper) };
  }

  /** A bucket without an end, cut in two: nothing is known of the distribution in it. */
  #restOfOpen({ lower, upper, count }: Bucket): Rest {
    const { value } = this;
    if (lower !== -Infinity) return this.cut === 'upper' ? { count: 0, middle: 0 } : { count, middle: value };
    // The first bucket, if its end is positive, is taken to begin at zero.
    if (this.cut === 'upper') {
      if (value > 0 && upper > 0 && upper !== Infinity) return { count: (count * value) / upper, middle: value / 2 };
      return upper <= 0 ? { count, middle: value } : { count: 0, middle: 0 };
    }
    if (value >= 0 && upper !== Infinity) return { count: count * (1 - value / upper), middle: (value + upper) / 2 };
    return { count: 0, middle: 0 };
  }

  #middle(lower: number, upper: number): number {
    if (lower === -Infinity) return upper === Infinity ? 0 : upper > 0 ? upper / 2 : upper;
    if (upper === Infinity) return lower;
    if (this.linear) return (lower + upper) / 2;
    const mean = Math.sqrt(Math.abs(lower * upper));
    return upper > 0 ? mean : -mean;
  }
}

/** The share of a bucket's observations below a value inside of it. */
export function fractionBelow({ lower, upper }: Bucket, value: number, linear: boolean): number {
  if (linear) return (value - lower) / (upper - lower);
  const [from, to, at] = [lower, upper, value].map((bound) => log2(Math.abs(bound))) as [number, number, number];
  return value > 0 ? (at - from) / (to - from) : 1 - (at - to) / (from - to);
}
