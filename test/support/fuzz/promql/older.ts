// Native histograms as Prometheus 3.5 has them, where newer versions mean something else
// to: a difference is explained if our own answer in this way is the same as theirs.
//
//   other custom bounds    are a reset; newer versions compare at the bounds in common
//   lost buckets           behind all that are left are not seen where an empty one comes first
//   statistics             of histograms without their buckets forget whether bounds were custom;
//                          and not everywhere are they without
//   a negative factor      leaves the hint as it was; newer versions make it a gauge
//   a mean                 runs from sample to sample, and infinite ones become NaN;
//                          newer versions divide a sum
//
// Must be imported behind wobble.ts, which changes some of the same.

import { addHistograms, type Buckets, FloatHistogram, subtractHistograms } from '../../../../src/model/histogram.js';
import { HistogramMean } from '../../../../src/promql/exec/histogram-sum.js';

/** What 3.5 does in one place and not in another. */
export interface OlderOptions {
  /** Statistics are taken from whole histograms: of all selectors but the first, and where that is all of the query. */
  readonly keepsBuckets?: boolean;
  /** No reset is seen that chunks may hide: who has no buckets at all may have lost some behind an empty one. */
  readonly seesLeast?: boolean;
  /** Every reset is seen, because chunks hide none. */
  readonly seesMost?: boolean;
}

/** undefined where histograms are as we have them. */
let older: OlderOptions | undefined;

/** Runs `work`, beside which no other queries run, as 3.5 would. */
export async function asOlder<T>(work: () => Promise<T>, options: OlderOptions = {}): Promise<T> {
  older = options;
  try {
    return await work();
  } finally {
    older = undefined;
  }
}

const { isResetAfter, multiply, divide } = FloatHistogram.prototype;

FloatHistogram.prototype.isResetAfter = function (previous) {
  if (older === undefined || this.hint === 'not_reset') return isResetAfter.call(this, previous);
  const rebound = this.isCustom && String(this.bounds) !== String(previous.bounds);
  return rebound || isResetAfter.call(this, older.seesMost ? previous : asSeenFrom(this, previous));
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
  if (last === undefined) return older?.seesLeast ? { indices: [], counts: [] } : buckets;
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
  return older !== undefined && result.hint !== hint ? result.with({ hint }) : result;
}

const statistics = Object.getOwnPropertyDescriptor(FloatHistogram.prototype, 'statistics')!.get!;

Object.defineProperty(FloatHistogram.prototype, 'statistics', {
  get(this: FloatHistogram) {
    if (older?.keepsBuckets) return this;
    const bare = statistics.call(this) as FloatHistogram;
    return older === undefined ? bare : bare.with({ schema: 0 });
  },
});

const { add } = HistogramMean.prototype;
const mean = Object.getOwnPropertyDescriptor(HistogramMean.prototype, 'mean')!.get!;
const runningMeans = new WeakMap<HistogramMean, FloatHistogram>();

HistogramMean.prototype.add = function (histogram) {
  const before = runningMeans.get(this) ?? this.state.sum;
  if (!add.call(this, histogram)) return false;
  if (older === undefined) return true;
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
