// Functions that look at how one sample follows another, whatever their types:
// irate and idelta at the last two, resets and changes at all.

import { type FloatHistogram, subtractHistograms } from '../../../model/histogram.js';
import { startedAnew } from './rates.js';
import type { Window } from './window.js';

/** One sample of either type. */
interface Sample {
  timeMs: number;
  value: number;
  histogram: FloatHistogram | undefined;
  start: number;
}

export function irate(window: Window): boolean {
  return lastTwo(window, true);
}

export function idelta(window: Window): boolean {
  return lastTwo(window, false);
}

function lastTwo(window: Window, isRate: boolean): boolean {
  if (window.floatCount + window.histogramCount < 2) return false;
  const walk = new Backwards(window);
  const last = walk.next();
  const previous = walk.next();
  const seconds = (last.timeMs - previous.timeMs) / 1000;
  if (seconds === 0) return false;
  const anew = isRate && startedAnew(previous.start, previous.timeMs, last.start, last.timeMs);

  if (last.histogram === undefined && previous.histogram === undefined) {
    const reset = isRate && (last.value < previous.value || anew);
    const change = reset ? last.value : last.value - previous.value;
    return window.float(isRate ? change / seconds : change);
  }
  if (last.histogram === undefined || previous.histogram === undefined) {
    window.note('mixed-types');
    return false;
  }
  return lastTwoHistograms(window, previous.histogram, last.histogram, { isRate, anew, seconds });
}

function lastTwoHistograms(
  window: Window,
  previous: FloatHistogram,
  last: FloatHistogram,
  { isRate, anew, seconds }: { isRate: boolean; anew: boolean; seconds: number },
): boolean {
  if (isRate && (last.hint === 'gauge' || previous.hint === 'gauge')) window.note('not-counter');
  if (!isRate && (last.hint !== 'gauge' || previous.hint !== 'gauge')) window.note('not-gauge');
  let result = last;
  if (!isRate || (!anew && !last.isResetAfter(previous))) {
    const difference = subtractHistograms(last, previous);
    if (difference === undefined) {
      window.note('mixed-schemas');
      return false;
    }
    if (difference.reconciled) window.note('reconciled-subtraction');
    result = difference.histogram;
  }
  if (isRate) result = result.divide(seconds);
  return window.native(result.with({ hint: 'gauge' }));
}

export function resets(window: Window): boolean {
  return countSteps(
    window,
    (previous, next) =>
      next.value < previous.value || startedAnew(previous.start, previous.timeMs, next.start, next.timeMs),
    (previous, next) =>
      startedAnew(previous.start, previous.timeMs, next.start, next.timeMs) ||
      next.histogram!.isResetAfter(previous.histogram!),
  );
}

export function changes(window: Window): boolean {
  return countSteps(
    window,
    (previous, next) => next.value !== previous.value && !(Number.isNaN(next.value) && Number.isNaN(previous.value)),
    (previous, next) => !next.histogram!.equals(previous.histogram!),
  );
}

type Happens = (previous: Sample, next: Sample) => boolean;

/** Counts the steps from one sample to the next for which a predicate holds; a change of type always counts. */
function countSteps(window: Window, betweenFloats: Happens, betweenHistograms: Happens): boolean {
  const walk = new Forwards(window);
  let previous = walk.next({ timeMs: 0, value: 0, histogram: undefined, start: 0 });
  if (previous === undefined) return false;
  let next: Sample = { timeMs: 0, value: 0, histogram: undefined, start: 0 };
  let count = 0;
  while (walk.next(next) !== undefined) {
    const wasFloat = previous.histogram === undefined;
    const isFloat = next.histogram === undefined;
    if (wasFloat !== isFloat) count++;
    else if (isFloat ? betweenFloats(previous, next) : betweenHistograms(previous, next)) count++;
    [previous, next] = [next, previous];
  }
  return window.float(count);
}

/** Samples of both types in the order of time. */
class Forwards {
  readonly #window: Window;
  #float: number;
  #histogram: number;

  constructor(window: Window) {
    this.#window = window;
    this.#float = window.from;
    this.#histogram = window.histogramFrom;
  }

  /** Fills `into` with the next sample; undefined at the end. */
  next(into: Sample): Sample | undefined {
    const window = this.#window;
    const hasFloat = this.#float < window.to;
    const hasHistogram = this.#histogram < window.histogramTo;
    if (!hasFloat && !hasHistogram) return undefined;
    if (hasFloat && (!hasHistogram || window.times[this.#float]! < window.histogramTimes[this.#histogram]!)) {
      floatAt(window, this.#float++, into);
    } else {
      histogramAt(window, this.#histogram++, into);
    }
    return into;
  }
}

/** The same from the newest on. */
class Backwards {
  readonly #window: Window;
  #float: number;
  #histogram: number;

  constructor(window: Window) {
    this.#window = window;
    this.#float = window.to;
    this.#histogram = window.histogramTo;
  }

  /** The next older sample, which must be there. */
  next(): Sample {
    const window = this.#window;
    const into: Sample = { timeMs: 0, value: 0, histogram: undefined, start: 0 };
    const hasFloat = this.#float > window.from;
    const hasHistogram = this.#histogram > window.histogramFrom;
    if (hasFloat && (!hasHistogram || window.times[this.#float - 1]! > window.histogramTimes[this.#histogram - 1]!)) {
      floatAt(window, --this.#float, into);
    } else {
      histogramAt(window, --this.#histogram, into);
    }
    return into;
  }
}

function floatAt(window: Window, index: number, into: Sample): void {
  into.timeMs = window.times[index]!;
  into.value = window.values[index]!;
  into.histogram = undefined;
  into.start = window.starts === undefined ? 0 : window.starts[index]!;
}

function histogramAt(window: Window, index: number, into: Sample): void {
  into.timeMs = window.histogramTimes[index]!;
  into.value = 0;
  into.histogram = window.histograms[index];
  into.start = window.histogramStarts === undefined ? 0 : window.histogramStarts[index]!;
}
