// The last bit of Math's functions and of sums of native histograms, made to wobble:
// what Go's library and V8's do not agree on, nor versions of Prometheus. An answer that
// changes with it cannot be compared.
//
// Must be the first import of whatever uses it: who reads Math.sin once at the start
// is to read ours.

import { FloatHistogram } from '../../../../src/model/histogram.js';
import { HistogramSum } from '../../../../src/promql/exec/histogram-sum.js';

const NAMES = [
  ...['acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'cos', 'cosh', 'exp', 'log', 'log10', 'log2'],
  ...['sin', 'sinh', 'tan', 'tanh', 'atan2', 'pow'],
] as const;

/** How many units in the last place results are off at most; 0 leaves them alone. */
let units = 0;
let turn = 0;

/** Off by all of the units, or a part of them, in turns. */
function factor(): number {
  turn = (turn * 5 + 3) % 16;
  return 1 + units * Number.EPSILON * ((1 + (turn % 5)) / 5);
}

type Floats = (...args: number[]) => number;

for (const name of NAMES) {
  const exact = (Math as unknown as Record<string, Floats>)[name]!;
  (Math as unknown as Record<string, Floats>)[name] = (...args) =>
    units === 0 ? exact(...args) : exact(...args) * factor();
}

const { divide } = FloatHistogram.prototype;
FloatHistogram.prototype.divide = function (divisor) {
  return wobbled(divide.call(this, divisor));
};

const total = Object.getOwnPropertyDescriptor(HistogramSum.prototype, 'total')!.get!;
Object.defineProperty(HistogramSum.prototype, 'total', {
  get(this: HistogramSum) {
    return wobbled(total.call(this) as FloatHistogram);
  },
});

function wobbled(histogram: FloatHistogram): FloatHistogram {
  return units === 0 ? histogram : histogram.map((value) => value * factor());
}

/** Runs `work` with results a few units in the last place too large or too small. */
export async function wobbling<T>(by: number, work: () => Promise<T>): Promise<T> {
  units = by;
  turn = 0;
  try {
    return await work();
  } finally {
    units = 0;
  }
}
