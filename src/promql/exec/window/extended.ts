// rate, increase and delta of `anchored` and `smoothed` selectors, over floats.
//
// Nothing is extrapolated. The window takes a value at each of its bounds:
//
//   anchored   the newest sample at or before the left bound (or the first one
//              inside), and the newest at or before the right bound
//   smoothed   a value between the two samples around a bound, by linear interpolation
//
// The window's indices begin at the sample at or before the left bound, if there
// is one, and for `smoothed` end behind the first one after the right bound.

import { windowSeconds } from './rates.js';
import type { Window } from './window.js';

export function extendedRate(window: Window): boolean {
  return extended(window, true) && window.float(window.value / windowSeconds(window));
}

export function extendedIncrease(window: Window): boolean {
  return extended(window, true);
}

export function extendedDelta(window: Window): boolean {
  return extended(window, false);
}

function extended(window: Window, isCounter: boolean): boolean {
  const { times, values, startMs, endMs } = window;
  let first = window.from;
  let last = lastIndex(times, first, window.to, endMs);
  const { smoothed } = window;
  if (times[last]! <= startMs || (smoothed && times[first]! > endMs)) return false;

  const left = smoothed && times[first]! < startMs ? valueAt(window, first, startMs, isCounter) : values[first]!;
  const right =
    smoothed && last > window.from && times[last]! > endMs
      ? valueAt(window, last - 1, endMs, isCounter)
      : values[last]!;
  let growth = right - left;
  if (isCounter) {
    // Resets at the bounds are in `left` and `right` already.
    if (times[first]! <= startMs) first++;
    if (times[last]! >= endMs) last--;
    let previous = left;
    for (let i = first; i <= last; i++) {
      if (values[i]! < previous) growth += previous;
      previous = values[i]!;
    }
    if (right < previous) growth += previous;
  }
  return window.float(growth);
}

/** The first index at or after `endMs`; the last one of the window where there is none. */
export function lastIndex(times: Float64Array, from: number, to: number, endMs: number): number {
  let index = from;
  while (index < to - 1 && times[index]! < endMs) index++;
  return index;
}

/** Between sample `index` and the next one; a counter that was reset in between grew from zero. */
function valueAt(window: Window, index: number, timeMs: number, isCounter: boolean): number {
  return interpolate(
    { timeMs: window.times[index]!, value: window.values[index]! },
    { timeMs: window.times[index + 1]!, value: window.values[index + 1]! },
    timeMs,
    isCounter,
  );
}

interface Point {
  readonly timeMs: number;
  readonly value: number;
}

export function interpolate(before: Point, after: Point, timeMs: number, isCounter: boolean): number {
  const base = isCounter && after.value < before.value ? 0 : before.value;
  return base + ((after.value - base) * (timeMs - before.timeMs)) / (after.timeMs - before.timeMs);
}
