// Range functions that are evaluated here rather than in a source: over subqueries,
// with arguments that change from step to step, and of extended selectors.

import type { FloatHistogram } from '../../model/histogram.js';
import { METRIC_NAME, valueOf } from '../../model/labels.js';
import type { RawRange, WindowPlan } from '../plan/plan.js';
import { ColumnsBuilder, hasHistograms } from './columns.js';
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
  const gridTimes = new Float64Array(grid.count);
  for (let step = 0; step < grid.count; step++) gridTimes[step] = grid.startMs + step * grid.stepMs;
  const mayHaveHistograms = hasHistograms(columns);
  return columns.labels.map((labels, row) => {
    const first = row * grid.count;
    const cells = columns.present.subarray(first, first + grid.count);
    if (!mayHaveHistograms) return { labels, ...rowFloats(columns.values, first, cells, gridTimes) };
    const floats = copiedFloats(columns.values, first, cells, gridTimes);
    return cells.includes(HISTOGRAM)
      ? { labels, ...floats, ...rowHistograms(columns, first, gridTimes) }
      : { labels, ...floats };
  });
}

type Floats = Pick<RawSeries, 'times' | 'values'>;

/** The floats of a row without histograms. Those that follow each other without a gap, as nearly all do, are lent as they are. */
function rowFloats(values: Float64Array, first: number, cells: Uint8Array, gridTimes: Float64Array): Floats {
  const from = cells.indexOf(FLOAT);
  if (from < 0) return NO_FLOATS;
  const gap = cells.indexOf(ABSENT, from);
  const to = gap < 0 ? cells.length : gap;
  if (to < cells.length && cells.indexOf(FLOAT, to) >= 0) return copiedFloats(values, first, cells, gridTimes);
  return { times: gridTimes.subarray(from, to), values: values.subarray(first + from, first + to) };
}

function copiedFloats(values: Float64Array, first: number, cells: Uint8Array, gridTimes: Float64Array): Floats {
  let count = 0;
  for (let step = 0; step < cells.length; step++) if (cells[step] === FLOAT) count++;
  const floats = { times: new Float64Array(count), values: new Float64Array(count) };
  for (let step = 0, at = 0; at < count; step++) {
    if (cells[step] !== FLOAT) continue;
    floats.times[at] = gridTimes[step]!;
    floats.values[at++] = values[first + step]!;
  }
  return floats;
}

const NO_FLOATS: Floats = { times: new Float64Array(0), values: new Float64Array(0) };

function rowHistograms(
  { histograms }: Columns,
  first: number,
  gridTimes: Float64Array,
): Pick<RawSeries, 'histogramTimes' | 'histograms'> {
  const found: FloatHistogram[] = [];
  const times: number[] = [];
  gridTimes.forEach((timeMs, step) => {
    const histogram = histograms?.get(first + step);
    if (histogram === undefined) return;
    found.push(withoutResetHint(histogram));
    times.push(timeMs);
  });
  return { histogramTimes: Float64Array.from(times), histograms: found };
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
