// The `…_over_time` functions over floats: one window folded into one number.

import { KahanMean, KahanSum } from '../kahan.js';
import { quantileOf } from '../quantile.js';
import type { Window } from './window.js';

// Accumulators are reused from window to window; each function resets what it takes.
const total = new KahanSum();
const average = new KahanMean();
const running = new KahanSum();

export function sumOverTime(window: Window): boolean {
  const { values, from, to } = window;
  total.reset();
  for (let i = from; i < to; i++) total.add(values[i]!);
  return window.float(total.total);
}

export function avgOverTime(window: Window): boolean {
  const { values, from, to } = window;
  average.reset();
  for (let i = from; i < to; i++) average.add(values[i]!);
  return window.float(average.mean);
}

export function countOverTime(window: Window): boolean {
  return window.float(window.floatCount + window.histogramCount);
}

export function presentOverTime(window: Window): boolean {
  return window.float(1);
}

/** NaN only where there is nothing else. */
export function minOverTime(window: Window): boolean {
  const { values, to } = window;
  let at = window.extreme;
  for (let i = window.unsearched; i < to; i++) if (values[i]! < values[at]! || Number.isNaN(values[at]!)) at = i;
  return window.float(values[window.searched(at)]!);
}

export function maxOverTime(window: Window): boolean {
  const { values, to } = window;
  let at = window.extreme;
  for (let i = window.unsearched; i < to; i++) if (values[i]! > values[at]! || Number.isNaN(values[at]!)) at = i;
  return window.float(values[window.searched(at)]!);
}

/** In seconds; of several least samples the newest. */
export function tsOfMinOverTime(window: Window): boolean {
  const { values, from, to } = window;
  let at = from;
  for (let i = from; i < to; i++) if (values[i]! <= values[at]! || Number.isNaN(values[at]!)) at = i;
  return window.float(window.times[at]! / 1000);
}

export function tsOfMaxOverTime(window: Window): boolean {
  const { values, from, to } = window;
  let at = from;
  for (let i = from; i < to; i++) if (values[i]! >= values[at]! || Number.isNaN(values[at]!)) at = i;
  return window.float(window.times[at]! / 1000);
}

export function stdvarOverTime(window: Window): boolean {
  return window.float(variance(window));
}

export function stddevOverTime(window: Window): boolean {
  return window.float(Math.sqrt(variance(window)));
}

/** Of the population, by Welford's recurrence. */
function variance(window: Window): number {
  const { values, from, to } = window;
  const mean = running;
  mean.reset();
  total.reset();
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    const delta = value - mean.total;
    mean.add(delta / (i - from + 1));
    total.add(delta * (value - mean.total));
  }
  return total.total / (to - from);
}

export function quantileOverTime(window: Window): boolean {
  return window.float(quantileOf(window.args[0]!, window.values.slice(window.from, window.to)));
}

/** Median of the distances from the median. */
export function madOverTime(window: Window): boolean {
  const values = window.values.slice(window.from, window.to);
  if (values.some(Number.isNaN)) return window.float(Number.NaN);
  const median = quantileOf(0.5, values);
  for (let i = 0; i < values.length; i++) values[i] = Math.abs(values[i]! - median);
  return window.float(quantileOf(0.5, values));
}

export function firstOverTime(window: Window): boolean {
  if (window.histogramCount === 0 || (window.floatCount > 0 && firstFloatMs(window) < firstHistogramMs(window))) {
    return window.float(window.values[window.from]!);
  }
  return window.native(window.histograms[window.histogramFrom]!);
}

export function lastOverTime(window: Window): boolean {
  if (window.histogramCount === 0 || (window.floatCount > 0 && lastFloatMs(window) > lastHistogramMs(window))) {
    return window.float(window.values[window.to - 1]!);
  }
  return window.native(window.histograms[window.histogramTo - 1]!);
}

export function tsOfFirstOverTime(window: Window): boolean {
  return window.float(Math.min(firstFloatMs(window), firstHistogramMs(window)) / 1000);
}

export function tsOfLastOverTime(window: Window): boolean {
  return window.float(Math.max(lastFloatMs(window), lastHistogramMs(window)) / 1000);
}

function firstFloatMs(window: Window): number {
  return window.floatCount > 0 ? window.times[window.from]! : Infinity;
}

function firstHistogramMs(window: Window): number {
  return window.histogramCount > 0 ? window.histogramTimes[window.histogramFrom]! : Infinity;
}

function lastFloatMs(window: Window): number {
  return window.floatCount > 0 ? window.times[window.to - 1]! : -Infinity;
}

function lastHistogramMs(window: Window): number {
  return window.histogramCount > 0 ? window.histogramTimes[window.histogramTo - 1]! : -Infinity;
}
