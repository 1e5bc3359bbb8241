// rate, increase, delta, irate, idelta, resets, changes over floats.
//
// rate, increase and delta extrapolate: what the samples in the window show is
// stretched to the window's bounds where samples reach close to them, by half a
// sample gap where they do not, and never below a counter's zero.
//
//   startMs          first                       last          endMs
//   ├────────────────●──────────●──────────●─────●─────────────┤
//   └ toStart ───────┘└──────── sampled ─────────┘└──── toEnd ─┘

import type { Window } from './window.js';

/** Samples reach "close" to a bound when the way there is less than this many average gaps. */
const CLOSE_GAPS = 1.1;

export function rate(window: Window): boolean {
  return extrapolate(window, true, true);
}

export function increase(window: Window): boolean {
  return extrapolate(window, true, false);
}

export function delta(window: Window): boolean {
  return extrapolate(window, false, false);
}

function extrapolate(window: Window, isCounter: boolean, perSecond: boolean): boolean {
  const { values, times, from, to } = window;
  const last = to - 1;
  let growth = values[last]! - values[from]!;
  if (isCounter) growth = addResets(window, growth);

  const stretch = stretchOf(window, {
    firstMs: times[from]!,
    lastMs: times[last]!,
    gaps: last - from,
    isCounter,
    first: values[from]!,
    growth,
    firstStartMs: isCounter && window.starts !== undefined ? window.starts[from]! : 0,
  });
  if (stretch === undefined) return false;
  if (stretch.fromStart) growth += values[from]!;
  return window.float(growth * (perSecond ? stretch.factor / windowSeconds(window) : stretch.factor));
}

/** Adds what a counter had counted before each of its resets in the window, one by one, which fixes the rounding. */
function addResets(window: Window, growth: number): number {
  const { values, times, starts, from, to } = window;
  let previous = values[from]!;
  let overlapped = false;
  for (let i = from + 1; i < to; i++) {
    const value = values[i]!;
    if (starts === undefined) {
      if (value < previous) growth += previous;
    } else {
      if (!overlapped && startOverlaps(starts[i - 1]!, times[i - 1]!, starts[i]!)) {
        window.note('start-overlap');
        overlapped = true;
      }
      if (value < previous || startedAnew(starts[i - 1]!, times[i - 1]!, starts[i]!, times[i]!)) growth += previous;
    }
    previous = value;
  }
  return growth;
}

export interface Stretched {
  /** What to multiply the growth seen with. */
  readonly factor: number;
  /** The counter began inside the window, from zero: the first sample is growth too. */
  readonly fromStart: boolean;
}

/** The extent of the samples in a window, for floats and histograms alike. */
export interface Extent {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Samples less one. */
  readonly gaps: number;
  readonly isCounter: boolean;
  /** The counter's first value, and its growth over the window. */
  readonly first: number;
  readonly growth: number;
  /** When the first sample's counter started; 0 where unknown. */
  readonly firstStartMs: number;
}

/** How far the growth between the first and the last sample is extrapolated; undefined where they are too few. */
export function stretchOf(window: Window, extent: Extent): Stretched | undefined {
  const { firstMs, lastMs, gaps } = extent;
  let sampled = (lastMs - firstMs) / 1000;
  const gap = gaps > 0 ? sampled / gaps : 0;
  const threshold = gap * CLOSE_GAPS;
  const startMs = extent.firstStartMs;
  const fromStart = startMs !== 0 && startMs > window.startMs && startMs < firstMs;

  let toStart = (firstMs - window.startMs) / 1000;
  if (fromStart) {
    toStart = 0;
    sampled = (lastMs - startMs) / 1000;
  } else if (gaps === 0) {
    return undefined;
  } else {
    if (toStart >= threshold) toStart = gap / 2;
    // Back to where the counter would have been zero, not further.
    if (extent.isCounter && extent.growth > 0 && extent.first >= 0) {
      const toZero = sampled * (extent.first / extent.growth);
      if (toZero < toStart) toStart = toZero;
    }
  }

  let toEnd = (window.endMs - lastMs) / 1000;
  if (toEnd >= threshold) toEnd = gap / 2;
  return { factor: sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled, fromStart };
}

export function windowSeconds(window: Window): number {
  return (window.endMs - window.startMs) / 1000;
}

/** Whether the start timestamps of two samples that follow each other say that the counter began anew in between. */
export function startedAnew(previousStart: number, previousMs: number, start: number, timeMs: number): boolean {
  if (start === 0 || start >= timeMs || start < previousMs) return false;
  if (start > previousMs) return true;
  // The start is the previous sample: a delta, unless that one's own start is not known.
  return previousStart !== 0 && previousStart < previousMs;
}

export function startOverlaps(previousStart: number, previousMs: number, start: number): boolean {
  return start !== 0 && start < previousMs && start !== previousStart;
}
