// Native histograms as Prometheus 3.5 has them, where newer versions mean something else
// to: a difference is explained if our own answer in this way is the same as theirs.
//
//   other custom bounds    are a reset; newer versions compare at the bounds in common
//   lost buckets           behind all that are left are not seen where an empty one comes first
//   statistics            of histograms, without their buckets, forget whether bounds were custom
//   a negative factor      leaves the hint as it was; newer versions make it a gauge
//   a mean                 runs from sample to sample, and infinite ones become NaN;
//                          newer versions divide a sum
//
// Must be imported behind wobble.ts, which changes some of the same.

import { addHistograms, type Buckets, FloatHistogram, subtractHistograms } from '../../../../src/model/histogram.js';
import { HistogramMean } from '../../../../src/promql/exec/histogram-sum.js';

let isOlder = false;
let seesLeast = false;

/** Runs `work`, beside which no other queries run, as 3.5 would. */
export async function asOlder<T>(work: () => Promise<T>): Promise<T> {
  isOlder = true;
  try {
    return await work();
  } finally {
    isOlder = false;
  }
}

/** The same, but that no reset is seen which chunks may hide: who has no buckets at all may have lost some behind an empty one. */
export async function asBlindest<T>(work: () => Promise<T>): Promise<T> {
  seesLeast = true;
  try {
    return await asOlder(work);
  } finally {
    seesLeast = false;
  }
}

const { isResetAfter, multiply, divide } = FloatHistogram.prototype;

FloatHistogram.prototype.isResetAfter = function (previous) {
  if (!isOlder || this.hint === 'not_reset') return isResetAfter.call(this, previous);
  const rebound = this.isCustom && String(this.bounds) !== String(previous.bounds);
  return rebound || isResetAfter.call(this, asSeenFrom(this, previous));
};

/** Without the buckets of `previous` that 3.5 does not come to. In between, chunks hold empty ones, mostly. */
function asSeenFrom(next: FloatHistogram, previous: FloatHistogram): FloatHistogram {
  if (next.schema !== previous.schema || next.zeroThreshold !== previous.zeroThreshold) return previous;
  return previous.with({
    positive: upToEmpty(previous.positive, next.positive.indices.at(-1)),
    negative: upToEmpty(previous.negative, next.negative.indices.at(-1)),
  });
}

function upToEmpty(buckets: Buckets, last: number | undefined): Buckets {
  if (last === undefined) return seesLeast ? { indices: [], counts: [] } : buckets;
  if (buckets.indices.includes(last + 1)) return buckets;
  const kept = buckets.indices.filter((index) => index <= last).length;
  return { indices: buckets.indices.slice(0, kept), counts: buckets.counts.slice(0, kept) };
}

FloatHistogram.prototype.multiply = function (factor) {
  return hintedAs(this, multiply.call(this, factor));
};

FloatHistogram.prototype.divide = function (divisor) {
  return hintedAs(this, divide.call(this, divisor));
};

function hintedAs({ hint }: FloatHistogram, result: FloatHistogram): FloatHistogram {
  return isOlder && result.hint !== hint ? result.with({ hint }) : result;
}

const statistics = Object.getOwnPropertyDescriptor(FloatHistogram.prototype, 'statistics')!.get!;

Object.defineProperty(FloatHistogram.prototype, 'statistics', {
  get(this: FloatHistogram) {
    const whole = statistics.call(this) as FloatHistogram;
    return isOlder ? whole.with({ schema: 0 }) : whole;
  },
});

const { add } = HistogramMean.prototype;
const mean = Object.getOwnPropertyDescriptor(HistogramMean.prototype, 'mean')!.get!;
const runningMeans = new WeakMap<HistogramMean, FloatHistogram>();

HistogramMean.prototype.add = function (histogram) {
  const before = runningMeans.get(this) ?? this.state.sum;
  if (!add.call(this, histogram)) return false;
  if (!isOlder) return true;
  const { count } = this.state;
  const change = subtractHistograms(histogram.divide(count), before.divide(count));
  runningMeans.set(this, addHistograms(before, change!.histogram)!.histogram);
  return true;
};

Object.defineProperty(HistogramMean.prototype, 'mean', {
  get(this: HistogramMean) {
    return runningMeans.get(this) ?? (mean.call(this) as FloatHistogram);
  },
});
