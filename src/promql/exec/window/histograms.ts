// rate, increase, delta, sum_over_time and avg_over_time over native histograms.
//
// The same shapes as over floats in rates.ts and extended.ts, bucket by bucket.

import { addHistograms, FloatHistogram, subtractHistograms } from '../../../model/histogram.js';
import { type AddingRemarks, HistogramMean, HistogramSum } from '../histogram-sum.js';
import { lastIndex } from './extended.js';
import { startedAnew, startOverlaps, stretchOf, windowSeconds } from './rates.js';
import type { Window } from './window.js';

export function rateHistograms(window: Window): boolean {
  return extrapolate(window, true, true);
}

export function increaseHistograms(window: Window): boolean {
  return extrapolate(window, true, false);
}

export function deltaHistograms(window: Window): boolean {
  return extrapolate(window, false, false);
}

function extrapolate(window: Window, isCounter: boolean, perSecond: boolean): boolean {
  const { histogramTimes: times, histograms, histogramFrom: from, histogramTo: to, histogramStarts: starts } = window;
  let growth: FloatHistogram | undefined;
  if (to - from > 1) {
    growth = growthOf(window, isCounter);
    if (growth === undefined) return false;
  }
  const stretch = stretchOf(window, {
    firstMs: times[from]!,
    lastMs: times[to - 1]!,
    gaps: to - 1 - from,
    isCounter,
    first: histograms[from]!.count,
    growth: growth?.count ?? 0,
    firstStartMs: isCounter && starts !== undefined ? starts[from]! : 0,
  });
  if (stretch === undefined) return false;
  if (stretch.fromStart) growth = growth === undefined ? histograms[from] : plus(window, growth, histograms[from]!);
  if (growth === undefined) return false;
  return window.native(growth.multiply(perSecond ? stretch.factor / windowSeconds(window) : stretch.factor));
}

/** Last less first, with what was counted before each reset in between. */
function growthOf(window: Window, isCounter: boolean): FloatHistogram | undefined {
  const { histogramTimes: times, histograms, histogramFrom: from, histogramTo: to, histogramStarts: starts } = window;
  const last = histograms[to - 1]!;
  const second = histograms[from + 1]!;
  let first = histograms[from]!;
  if (isCounter && (first.hint === 'gauge' || last.hint === 'gauge')) window.note('not-counter');
  if (!isCounter && (first.hint !== 'gauge' || last.hint !== 'gauge')) window.note('not-gauge');
  const anew = (i: number) => starts !== undefined && startedAnew(starts[i - 1]!, times[i - 1]!, starts[i]!, times[i]!);

  // Reset right behind the first sample: its layout does not matter, only that it counts as zero.
  if (isCounter && (anew(from + 1) || second.isResetAfter(first))) {
    first = new FloatHistogram({ schema: second.schema, bounds: second.bounds });
  }
  for (let i = from + 1; i < to; i++) {
    if (!isCounter && i < to - 1) continue;
    if (i < to - 1 && histograms[i]!.hint === 'gauge') window.note('not-counter');
    if (histograms[i]!.isCustom === first.isCustom) continue;
    window.note('mixed-schemas');
    return undefined;
  }

  let growth = minus(window, last, first);
  if (growth === undefined) return undefined;
  if (isCounter) {
    let previous = first;
    let overlapped = false;
    for (let i = from + 1; i < to; i++) {
      if (!overlapped && starts !== undefined && startOverlaps(starts[i - 1]!, times[i - 1]!, starts[i]!)) {
        window.note('start-overlap');
        overlapped = true;
      }
      if (anew(i) || histograms[i]!.isResetAfter(previous)) {
        growth = plus(window, growth, previous);
        if (growth === undefined) return undefined;
      }
      previous = histograms[i]!;
    }
  }
  return growth.with({ hint: 'gauge' });
}

export function extendedRateHistograms(window: Window): boolean {
  const growth = extendedGrowth(window, true);
  return growth !== undefined && window.native(growth.divide(windowSeconds(window)));
}

export function extendedIncreaseHistograms(window: Window): boolean {
  const growth = extendedGrowth(window, true);
  return growth !== undefined && window.native(growth);
}

export function extendedDeltaHistograms(window: Window): boolean {
  const growth = extendedGrowth(window, false);
  return growth !== undefined && window.native(growth);
}

function extendedGrowth(window: Window, isCounter: boolean): FloatHistogram | undefined {
  const { histogramTimes: times, histograms, histogramFrom: first, smoothed, startMs, endMs } = window;
  const last = lastIndex(times, first, window.histogramTo, endMs);
  if (times[last]! <= startMs || (smoothed && times[first]! > endMs)) return undefined;
  if (!isUniform(window, first, last, isCounter)) return undefined;

  const cutsLeft = smoothed && times[first]! < startMs;
  const left = cutsLeft ? between(window, first, startMs, isCounter) : histograms[first];
  const cutsRight = smoothed && last > first && times[last]! > endMs;
  const right = cutsRight ? between(window, last - 1, endMs, isCounter) : histograms[last];
  if (left === undefined || right === undefined) return undefined;
  if (!isCounter && (left.hint !== 'gauge' || right.hint !== 'gauge')) window.note('not-gauge');

  let growth = minus(window, right, left);
  if (isCounter) {
    // `left` stands for the first sample, or for the second where the way there crossed a reset.
    const crossed = cutsLeft && histograms[first + 1]!.isResetAfter(histograms[first]!);
    let previous = crossed ? histograms[first + 1]! : left;
    const inner = first + (crossed ? 2 : 1);
    if (inner <= last) {
      for (let i = inner; i < last; i++) {
        if (growth !== undefined && histograms[i]!.isResetAfter(previous)) growth = plus(window, growth, previous);
        previous = histograms[i]!;
      }
      if (growth !== undefined && right.isResetAfter(previous)) growth = plus(window, growth, previous);
    }
  }
  return growth?.with({ hint: 'gauge' });
}

/** Exponential and custom buckets do not mix; a gauge among counters is worth a remark. */
function isUniform(window: Window, first: number, last: number, isCounter: boolean): boolean {
  const { histograms } = window;
  for (let i = first; i <= last; i++) {
    if (histograms[i]!.isCustom !== histograms[first]!.isCustom) {
      window.note('mixed-schemas');
      return false;
    }
    if (isCounter && histograms[i]!.hint === 'gauge') window.note('not-counter');
  }
  return true;
}

function between(window: Window, index: number, timeMs: number, isCounter: boolean): FloatHistogram | undefined {
  const { histogramTimes: times, histograms } = window;
  return interpolateHistograms(
    { timeMs: times[index]!, histogram: histograms[index]! },
    { timeMs: times[index + 1]!, histogram: histograms[index + 1]! },
    timeMs,
    isCounter,
    window,
  );
}

interface Point {
  readonly timeMs: number;
  readonly histogram: FloatHistogram;
}

interface Remarks {
  note(kind: 'mixed-schemas' | 'reconciled-addition' | 'reconciled-subtraction'): void;
}

/** undefined, with a remark, where the two cannot be combined. */
export function interpolateHistograms(
  before: Point,
  after: Point,
  timeMs: number,
  isCounter: boolean,
  remarks: Remarks,
): FloatHistogram | undefined {
  if (timeMs === before.timeMs) return before.histogram;
  if (timeMs === after.timeMs) return after.histogram;
  const fraction = (timeMs - before.timeMs) / (after.timeMs - before.timeMs);
  if (isCounter && after.histogram.isResetAfter(before.histogram)) return after.histogram.multiply(fraction);
  const change = minus(remarks, after.histogram, before.histogram);
  return change && plus(remarks, change.multiply(fraction), before.histogram);
}

function minus(remarks: Remarks, a: FloatHistogram, b: FloatHistogram): FloatHistogram | undefined {
  const result = subtractHistograms(a, b);
  if (result === undefined) remarks.note('mixed-schemas');
  else if (result.reconciled) remarks.note('reconciled-subtraction');
  return result?.histogram;
}

function plus(remarks: Remarks, a: FloatHistogram, b: FloatHistogram): FloatHistogram | undefined {
  const result = addHistograms(a, b);
  if (result === undefined) remarks.note('mixed-schemas');
  else if (result.reconciled) remarks.note('reconciled-addition');
  return result?.histogram;
}

export function sumHistograms(window: Window): boolean {
  const sum = new HistogramSum(window.histograms[window.histogramFrom]!);
  return foldRest(window, sum) && remarkOn(window, sum) && window.native(sum.total);
}

export function avgHistograms(window: Window): boolean {
  const mean = new HistogramMean(window.histograms[window.histogramFrom]!);
  return foldRest(window, mean) && remarkOn(window, mean.remarks) && window.native(mean.mean);
}

function foldRest(window: Window, into: { add(histogram: FloatHistogram): boolean }): boolean {
  for (let i = window.histogramFrom + 1; i < window.histogramTo; i++) {
    if (into.add(window.histograms[i]!)) continue;
    window.note('mixed-schemas');
    return false;
  }
  return true;
}

function remarkOn(window: Window, remarks: AddingRemarks): true {
  if (remarks.sawReset && remarks.sawNotReset) window.note('reset-collision');
  if (remarks.reconciled) window.note('reconciled-aggregation');
  return true;
}
