// deriv, predict_linear, double_exponential_smoothing: a line or a trend through a window.

import { executionError } from '../../errors.js';
import { KahanSum } from '../kahan.js';
import type { Window } from './window.js';

const sumX = new KahanSum();
const sumY = new KahanSum();
const sumXY = new KahanSum();
const sumX2 = new KahanSum();

/** Change per second, by least squares. */
export function deriv(window: Window): boolean {
  if (window.floatCount < 2) return false;
  // Times relative to the first sample: absolute ones would cost digits.
  fitLine(window, window.times[window.from]!);
  return window.float(slope);
}

/** Arguments: seconds to look ahead; milliseconds by which the evaluation time lies behind the window's end. */
export function predictLinear(window: Window): boolean {
  if (window.floatCount < 2) return false;
  const [ahead, shiftMs = 0] = window.args as [number, number?];
  fitLine(window, window.endMs + shiftMs);
  return window.float(slope * ahead + intercept);
}

let slope = 0;
let intercept = 0;

/** Least squares over the window's floats; the intercept is the line's value at `originMs`. */
function fitLine(window: Window, originMs: number): void {
  const { times, values, from, to } = window;
  const count = to - from;
  sumX.reset();
  sumY.reset();
  sumXY.reset();
  sumX2.reset();
  let constant = true;
  for (let i = from; i < to; i++) {
    const x = (times[i]! - originMs) / 1000;
    const y = values[i]!;
    if (y !== values[from]! && i > from) constant = false;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumX2.add(x * x);
  }
  if (constant) {
    const finite = Math.abs(values[from]!) !== Infinity;
    slope = finite ? 0 : Number.NaN;
    intercept = finite ? values[from]! : Number.NaN;
    return;
  }
  const x = sumX.total;
  const y = sumY.total;
  const covariance = sumXY.total - (x * y) / count;
  const variance = sumX2.total - (x * x) / count;
  slope = covariance / variance;
  intercept = y / count - (slope * x) / count;
}

/** Holt's linear method. Arguments: smoothing factor and trend factor, both between 0 and 1. */
export function doubleExponentialSmoothing(window: Window): boolean {
  const [smoothing, trendFactor] = window.args as [number, number];
  checkFactor('smoothing', 'sf', smoothing);
  checkFactor('trend', 'tf', trendFactor);
  const { values, from, to } = window;
  if (to - from < 2) return false;
  let previous = 0;
  let smoothed = values[from]!;
  let trend = values[from + 1]! - values[from]!;
  for (let i = from + 1; i < to; i++) {
    if (i > from + 1) trend = trendFactor * (smoothed - previous) + (1 - trendFactor) * trend;
    previous = smoothed;
    smoothed = smoothing * values[i]! + (1 - smoothing) * (smoothed + trend);
  }
  return window.float(smoothed);
}

function checkFactor(name: string, short: string, factor: number): void {
  if (factor <= 0 || factor >= 1) {
    throw executionError(`invalid ${name} factor. Expected: 0 < ${short} < 1, got: ${factor.toFixed(6)}`);
  }
}
