// Range functions that are evaluated here rather than in a source: over subqueries,
// with arguments that change from step to step, and of extended selectors.

import type { FloatHistogram } from '../../model/histogram.js';
import { METRIC_NAME, valueOf } from '../../model/labels.js';
import type { RawRange, WindowPlan } from '../plan/plan.js';
import { ColumnsBuilder } from './columns.js';
import type { Pace } from './operator.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM, type RawSeries, type Steps } from './source.js';
import { counterNote, evaluateWindows, needsCounterName, type WindowCall } from './window/evaluate.js';

/** Samples over which windows slide, with the marks of delayed name removal where there are any. */
export interface RangeValue {
  readonly series: readonly RawSeries[];
  readonly drops?: Uint8Array;
}

/** When the windows of a range end: at the steps, shifted, or all at the one time of `@`. */
export function windowEnds(steps: Steps, offsetMs: number, atMs: number | undefined): Steps {
  if (atMs !== undefined) return { startMs: atMs - offsetMs, stepMs: 0, count: steps.count };
  return { ...steps, startMs: steps.startMs - offsetMs };
}

export function lastEnd({ startMs, stepMs, count }: Steps): number {
  return startMs + stepMs * (count - 1);
}

/** The stretch of time (endMs - windowMs, endMs] that all windows of a raw range cover together. */
export function coverage(range: RawRange, ends: Steps, lookbackMs: number): { windowMs: number; endMs: number } {
  const { extend } = range.selection;
  const behindMs = extend === undefined ? 0 : lookbackMs;
  const aheadMs = extend === 'smoothed' ? lookbackMs : 0;
  const endMs = lastEnd(ends) + aheadMs;
  return { windowMs: endMs - (ends.startMs - range.windowMs - behindMs), endMs };
}

/** The steps of a subquery's input: multiples of its own step, wherever the query begins. */
export function subqueryGrid(ends: Steps, windowMs: number, stepMs: number): Steps {
  const firstMs = Math.floor((ends.startMs - windowMs) / stepMs) * stepMs + stepMs;
  const count = Math.max(0, Math.floor((lastEnd(ends) - firstMs) / stepMs) + 1);
  return { startMs: firstMs, stepMs, count };
}

/** What a subquery's input gives, as samples at the times of its steps. */
export function columnsToSeries(columns: Columns, grid: Steps): RawSeries[] {
  return columns.labels.map((labels, row) => {
    const times: number[] = [];
    const values: number[] = [];
    const histogramTimes: number[] = [];
    const histograms: FloatHistogram[] = [];
    for (let step = 0; step < grid.count; step++) {
      const cell = row * grid.count + step;
      const timeMs = grid.startMs + step * grid.stepMs;
      if (columns.present[cell] === FLOAT) {
        times.push(timeMs);
        values.push(columns.values[cell]!);
      } else if (columns.present[cell] === HISTOGRAM) {
        histogramTimes.push(timeMs);
        histograms.push(withoutResetHint(columns.histograms!.get(cell)!));
      }
    }
    const series = { labels, times: Float64Array.from(times), values: Float64Array.from(values) };
    if (histograms.length === 0) return series;
    return { ...series, histogramTimes: Float64Array.from(histogramTimes), histograms };
  });
}

/** Between a subquery's points there may be samples that nobody saw: hints about neighbours do not hold. */
function withoutResetHint(histogram: FloatHistogram): FloatHistogram {
  return histogram.hint === 'reset' || histogram.hint === 'not_reset' ? histogram.with({ hint: 'unknown' }) : histogram;
}

/** All windows of all series; rows without any result are left out. `rows` says which series each row is. */
export function applyWindows(
  plan: WindowPlan,
  range: RangeValue,
  call: WindowCall,
  pace: Pace,
): { columns: Columns; rows: number[] } {
  const { count } = call.steps;
  const out = new ColumnsBuilder(count, range.series.length);
  const rows: number[] = [];
  range.series.forEach((series, index) => {
    pace.spend(count + series.times.length);
    const metric = valueOf(series.labels, METRIC_NAME);
    const offset = out.row(series.labels);
    const { values, present, histograms } = out;
    const found = evaluateWindows(
      call,
      { ...series, count: series.times.length },
      { values, present, histograms, offset },
      (kind) => out.note({ kind, metric }),
    );
    if (found === 0) {
      out.dropRow();
      return;
    }
    rows.push(index);
    const note = needsCounterName(plan.fn) ? counterNote(series.labels, call.typeLabels === true) : undefined;
    if (note !== undefined && present.subarray(offset, offset + count).includes(FLOAT)) out.note(note);
  });
  return { columns: out.finish(), rows };
}

/** Steps at which some row has a value. */
export function busySteps({ steps, present }: Columns): Uint8Array {
  const busy = new Uint8Array(steps);
  for (let cell = 0; cell < present.length; cell++) if (present[cell] !== ABSENT) busy[cell % steps] = 1;
  return busy;
}
