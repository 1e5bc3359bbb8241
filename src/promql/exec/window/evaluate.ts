// A range function over one whole series: all steps at once, into one row of columns.

import type { FloatHistogram } from '../../../model/histogram.js';
import { type Labels, METRIC_NAME, TYPE_LABEL, valueOf } from '../../../model/labels.js';
import { lacksCounterName } from '../../counters.js';
import { FLOAT, HISTOGRAM, type Note, type NoteKind, type Steps } from '../source.js';
import { RANGE_FUNCTIONS, type RangeFunction, type WindowFunction } from './table.js';
import { type SeriesSamples, Window } from './window.js';

export interface WindowCall {
  /** A name of table.ts. */
  readonly fn: string;
  readonly windowMs: number;
  /** Where windows end; a stepMs of 0 repeats one window, as `@` does. */
  readonly steps: Steps;
  /** Arguments that are the same at all steps, or one column of them per argument. */
  readonly args: readonly (number | Float64Array)[];
  /** How the selector reaches beyond its window, and how far. */
  readonly extend?: { readonly mode: 'anchored' | 'smoothed'; readonly lookbackMs: number };
  /** Whether remarks about counters go by type labels. */
  readonly typeLabels?: boolean;
}

/** Where a row goes: cells from `offset` on. */
export interface Row {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly histograms: Map<number, FloatHistogram>;
  readonly offset: number;
}

/** Fills a row and gives the count of cells that have a value. Remarks go to `note`. */
export function evaluateWindows(
  call: WindowCall,
  series: SeriesSamples,
  row: Row,
  note: (kind: NoteKind) => void,
): number {
  const fn = RANGE_FUNCTIONS.get(call.fn);
  if (fn === undefined) throw new Error(`no range function ${call.fn}`);
  const apply = call.extend === undefined ? plainly(fn) : extended(fn);
  const { startMs, stepMs, count } = call.steps;
  const behindMs = call.extend === undefined ? 0 : call.extend.lookbackMs;
  const aheadMs = call.extend?.mode === 'smoothed' ? behindMs : 0;
  const window = new Window(series, note);
  window.smoothed = aheadMs > 0;

  let found = 0;
  for (let step = 0; step < count; step++) {
    const endMs = startMs + step * stepMs;
    const beginMs = endMs - call.windowMs;
    window.slide(beginMs, endMs, beginMs - behindMs, endMs + aheadMs);
    if (window.floatCount === 0 && window.histogramCount === 0) continue;
    for (let i = 0; i < call.args.length; i++) {
      const arg = call.args[i]!;
      window.args[i] = typeof arg === 'number' ? arg : arg[step]!;
    }
    if (!apply(window)) continue;
    found++;
    const cell = row.offset + step;
    if (window.histogram === undefined) {
      row.values[cell] = window.value;
      row.present[cell] = FLOAT;
    } else {
      row.histograms.set(cell, window.histogram);
      row.present[cell] = HISTOGRAM;
      window.histogram = undefined;
    }
  }
  return found;
}

function plainly(fn: RangeFunction): WindowFunction {
  const { floats, histograms, mixed } = fn;
  return (window) => {
    if (window.histogramCount === 0) return floats(window);
    if (window.floatCount === 0) return histograms?.(window) ?? false;
    if (mixed === 'both') return floats(window);
    window.note(mixed === 'floats' ? 'histograms-ignored' : 'mixed-types');
    return mixed === 'floats' && floats(window);
  };
}

/** Windows whose indices begin at the newest sample at or before the left bound, or at the first one behind it. */
function extended(fn: RangeFunction): WindowFunction {
  const { floats, histograms } = fn.extended!;
  return (window) => {
    if (fn.mixed === 'neither' && window.floatCount > 0 && window.histogramCount > 0) {
      window.note('mixed-types');
      return false;
    }
    const { from, histogramFrom } = window;
    const found = anchor(window) && (window.floatCount > 0 ? floats(window) : histograms(window));
    window.from = from;
    window.histogramFrom = histogramFrom;
    return found;
  };
}

/** Moves the indices to the anchor; false where no sample is later than the left bound. */
function anchor(window: Window): boolean {
  const { times, histogramTimes, startMs, to, histogramTo } = window;
  let float = window.from;
  let histogram = window.histogramFrom;
  while (float < to && times[float]! <= startMs) float++;
  while (histogram < histogramTo && histogramTimes[histogram]! <= startMs) histogram++;
  if (float === to && histogram === histogramTo) return false;

  const floatMs = float > window.from ? times[float - 1]! : -Infinity;
  const histogramMs = histogram > window.histogramFrom ? histogramTimes[histogram - 1]! : -Infinity;
  if (floatMs > -Infinity && floatMs >= histogramMs) float--;
  else if (histogramMs > -Infinity) histogram--;
  window.from = float;
  window.histogramFrom = histogram;
  return true;
}

/** What a series's rate() deserves to have said, going by its name or, with `typed`, by its type label. */
export function counterNote(labels: Labels, typed: boolean): Note | undefined {
  const metric = valueOf(labels, METRIC_NAME);
  if (!typed) return lacksCounterName(metric) ? { kind: 'no-counter-name', metric } : undefined;
  const type = valueOf(labels, TYPE_LABEL);
  return metric === '' || type === 'counter' || type === 'histogram'
    ? undefined
    : { kind: 'no-counter-type', metric, type };
}

/** The remarks that the rows of such a function deserve, whose labels still have their names. */
export function counterNameNotes(labels: readonly Labels[]): Note[] {
  const metrics = new Set(labels.map((row) => valueOf(row, METRIC_NAME)).filter(lacksCounterName));
  return [...metrics].map((metric) => ({ kind: 'no-counter-name', metric }));
}

/** The functions whose results make that remark. */
export function needsCounterName(fn: string): boolean {
  return fn === 'rate' || fn === 'increase';
}
