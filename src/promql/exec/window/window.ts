// A window sliding over one series: what every range function reads.
//
//   samples  ──┬────┬────┬────┬────┬────┬────┬──▶ time
//              0   from            to-1  to
//   window       (startMs ─────────── endMs]      left-open, right-closed
//
// Floats and native histograms stand apart, each oldest first; times strictly
// increase over both. Stale markers have been left out. One Window serves a
// whole series: only the four indices and two times change from step to step.

import type { FloatHistogram } from '../../../model/histogram.js';
import type { NoteKind } from '../source.js';

/** One series's samples. Arrays may be longer than the counts; `starts` are start timestamps, 0 where unknown. */
export interface SeriesSamples {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly count: number;
  readonly starts?: Float64Array;
  readonly histogramTimes?: Float64Array;
  readonly histograms?: readonly FloatHistogram[];
  readonly histogramStarts?: Float64Array;
}

const NO_TIMES = new Float64Array(0);
const NO_HISTOGRAMS: readonly FloatHistogram[] = [];

export class Window {
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly starts: Float64Array | undefined;
  readonly histogramTimes: Float64Array;
  readonly histograms: readonly FloatHistogram[];
  readonly histogramStarts: Float64Array | undefined;

  /** Floats in the window: `from` included, `to` excluded. */
  from = 0;
  to = 0;
  histogramFrom = 0;
  histogramTo = 0;
  startMs = 0;
  endMs = 0;
  /** Whether the selector is `smoothed`: then indices reach behind the right bound. See extended.ts. */
  smoothed = false;
  /** Scalar arguments of the function besides the window. */
  readonly args: number[] = [];

  /** Where a function that wants one sample of a window found it, and up to where it looked. */
  #extreme = -1;
  #searchedTo = 0;

  /** What the function found: a float or, where it is set, a histogram. */
  value = 0;
  histogram: FloatHistogram | undefined;

  readonly #series: SeriesSamples;
  readonly #note: (kind: NoteKind) => void;

  constructor(series: SeriesSamples, note: (kind: NoteKind) => void) {
    this.#series = series;
    this.#note = note;
    this.times = series.times;
    this.values = series.values;
    this.starts = series.starts;
    this.histogramTimes = series.histogramTimes ?? NO_TIMES;
    this.histograms = series.histograms ?? NO_HISTOGRAMS;
    this.histogramStarts = series.histogramStarts;
  }

  /** Moves the window; both bounds only ever move forward. The indices cover (reachStartMs, reachEndMs]. */
  slide(startMs: number, endMs: number, reachStartMs: number, reachEndMs: number): void {
    this.startMs = startMs;
    this.endMs = endMs;
    this.to = advance(this.times, this.to, this.#series.count, reachEndMs);
    this.from = advance(this.times, this.from, this.to, reachStartMs);
    if (this.histograms.length === 0) return;
    this.histogramTo = advance(this.histogramTimes, this.histogramTo, this.histograms.length, reachEndMs);
    this.histogramFrom = advance(this.histogramTimes, this.histogramFrom, this.histogramTo, reachStartMs);
  }

  /** The sample found in the window before while it is in this one, else the first. */
  get extreme(): number {
    return Math.max(this.#extreme, this.from);
  }

  /** From here on samples are to be compared with it. */
  get unsearched(): number {
    return this.#extreme < this.from ? this.from + 1 : this.#searchedTo;
  }

  /** Keeps what was found in the whole window for the next one, and gives it. */
  searched(extreme: number): number {
    this.#extreme = extreme;
    this.#searchedTo = this.to;
    return extreme;
  }

  get floatCount(): number {
    return this.to - this.from;
  }

  get histogramCount(): number {
    return this.histogramTo - this.histogramFrom;
  }

  /** Answers with a float: `return window.float(x)`. */
  float(value: number): boolean {
    this.value = value;
    this.histogram = undefined;
    return true;
  }

  /** Answers with a histogram, which the window takes. */
  native(histogram: FloatHistogram): boolean {
    this.histogram = histogram;
    return true;
  }

  /** Leaves a remark about this series for the query's annotations. */
  note(kind: NoteKind): void {
    this.#note(kind);
  }
}

/** The first index from `index` on, below `end`, whose time is later than `bound`; `end` where there is none. */
function advance(times: Float64Array, index: number, end: number, bound: number): number {
  while (index < end && times[index]! <= bound) index++;
  return index;
}
