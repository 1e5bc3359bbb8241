// Native histograms as Prometheus 3.5 has them, where newer versions mean something else
// to: a difference is explained if our own answer in this way is the same as theirs.
//
//   resets                 are seen by the buckets of chunks (older-resets.ts)
//   statistics             of histograms without their buckets forget whether bounds were custom;
//                          and not everywhere are they without
//   a negative factor      leaves the hint as it was; newer versions make it a gauge
//   a mean                 runs from sample to sample, and infinite ones become NaN;
//                          newer versions divide a sum
//
// Must be imported behind wobble.ts, which changes some of the same.

import { addHistograms, FloatHistogram, subtractHistograms } from '../../../../src/model/histogram.js';
import { HistogramMean } from '../../../../src/promql/exec/histogram-sum.js';
import { isCertainReset, isLikelyReset } from './older-resets.js';

/** What 3.5 does in one place and not in another. */
export interface OlderOptions {
  /** Statistics are taken from whole histograms: of all selectors but the first, and where that is all of the query. */
  readonly keepsBuckets?: boolean;
  /** Every reset is seen that chunks can show. */
  readonly seesMost?: boolean;
  /** Of the resets that chunks may hide only the one of this number is seen. */
  readonly sees?: number;
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
  const { sees, seesMost = false } = older;
  return sees === undefined ? isLikelyReset(this, previous, seesMost) : isCertainReset(this, previous, sees);
};

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
