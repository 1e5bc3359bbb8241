// Every range function: what it does with floats, with native histograms, and with both in one window.

import {
  avgOverTime,
  countOverTime,
  firstOverTime,
  lastOverTime,
  madOverTime,
  maxOverTime,
  minOverTime,
  presentOverTime,
  quantileOverTime,
  stddevOverTime,
  stdvarOverTime,
  sumOverTime,
  tsOfFirstOverTime,
  tsOfLastOverTime,
  tsOfMaxOverTime,
  tsOfMinOverTime,
} from './aggregates.js';
import { extendedDelta, extendedIncrease, extendedRate } from './extended.js';
import {
  avgHistograms,
  deltaHistograms,
  extendedDeltaHistograms,
  extendedIncreaseHistograms,
  extendedRateHistograms,
  increaseHistograms,
  rateHistograms,
  sumHistograms,
} from './histograms.js';
import { delta, increase, rate } from './rates.js';
import { deriv, doubleExponentialSmoothing, predictLinear } from './regression.js';
import { changes, idelta, irate, resets } from './steps.js';
import type { Window } from './window.js';

/** Puts its answer into the window and says whether there is one. */
export type WindowFunction = (window: Window) => boolean;

export interface RangeFunction {
  /** For a window with at least one float. */
  readonly floats: WindowFunction;
  /** For a window of histograms alone; none: no answer. */
  readonly histograms?: WindowFunction;
  /**
   * A window of both: `both` lets `floats` see everything, `floats` leaves the histograms out with a
   * remark, `neither` remarks and answers nothing.
   */
  readonly mixed: 'both' | 'floats' | 'neither';
  /** The same for selectors that are `anchored` or `smoothed`. */
  readonly extended?: { readonly floats: WindowFunction; readonly histograms: WindowFunction };
  readonly modifiers: readonly ('anchored' | 'smoothed')[];
  /** Where rows keep their metric name. */
  readonly keepsName: boolean;
}

function overFloats(floats: WindowFunction): RangeFunction {
  return { floats, mixed: 'floats', modifiers: [], keepsName: false };
}

function overBoth(fn: WindowFunction, more: Partial<RangeFunction> = {}): RangeFunction {
  return { floats: fn, histograms: fn, mixed: 'both', modifiers: [], keepsName: false, ...more };
}

function overEither(
  floats: WindowFunction,
  histograms: WindowFunction,
  more: Partial<RangeFunction> = {},
): RangeFunction {
  return { floats, histograms, mixed: 'neither', modifiers: [], keepsName: false, ...more };
}

export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map([
  [
    'rate',
    overEither(rate, rateHistograms, {
      modifiers: ['anchored', 'smoothed'],
      extended: { floats: extendedRate, histograms: extendedRateHistograms },
    }),
  ],
  [
    'increase',
    overEither(increase, increaseHistograms, {
      modifiers: ['anchored', 'smoothed'],
      extended: { floats: extendedIncrease, histograms: extendedIncreaseHistograms },
    }),
  ],
  [
    'delta',
    overEither(delta, deltaHistograms, {
      modifiers: ['anchored', 'smoothed'],
      extended: { floats: extendedDelta, histograms: extendedDeltaHistograms },
    }),
  ],
  ['irate', overBoth(irate)],
  ['idelta', overBoth(idelta)],
  ['resets', overBoth(resets, { modifiers: ['anchored'], extended: { floats: resets, histograms: resets } })],
  ['changes', overBoth(changes, { modifiers: ['anchored'], extended: { floats: changes, histograms: changes } })],
  ['sum_over_time', overEither(sumOverTime, sumHistograms)],
  ['avg_over_time', overEither(avgOverTime, avgHistograms)],
  ['count_over_time', overBoth(countOverTime)],
  ['present_over_time', overBoth(presentOverTime)],
  ['absent_over_time', overBoth(presentOverTime)],
  ['first_over_time', overBoth(firstOverTime, { keepsName: true })],
  ['last_over_time', overBoth(lastOverTime, { keepsName: true })],
  ['ts_of_first_over_time', overBoth(tsOfFirstOverTime)],
  ['ts_of_last_over_time', overBoth(tsOfLastOverTime)],
  ['min_over_time', overFloats(minOverTime)],
  ['max_over_time', overFloats(maxOverTime)],
  ['ts_of_min_over_time', overFloats(tsOfMinOverTime)],
  ['ts_of_max_over_time', overFloats(tsOfMaxOverTime)],
  ['stddev_over_time', overFloats(stddevOverTime)],
  ['stdvar_over_time', overFloats(stdvarOverTime)],
  ['quantile_over_time', overFloats(quantileOverTime)],
  ['mad_over_time', overFloats(madOverTime)],
  ['deriv', overFloats(deriv)],
  ['predict_linear', overFloats(predictLinear)],
  [
    'double_exponential_smoothing',
    // It checks its factors before it looks for floats.
    { ...overFloats(doubleExponentialSmoothing), histograms: doubleExponentialSmoothing },
  ],
]);
