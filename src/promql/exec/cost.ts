// How much work a plan is above its readings, once it is known how many rows they have.
//
// The unit is a cell that an operator looks at: some five to twenty nanoseconds. Numbers of
// rows are upper bounds where operators leave rows out.

import type { Plan } from '../plan/plan.js';
import {
  gridOf,
  type IsDeclined,
  inPlaceOf,
  placedInputs,
  type Reading,
  type ReadingOptions,
  readingOf,
} from './readings.js';
import type { Steps } from './source.js';

/** Labels of a row are looked at, hashed and copied: about as much as so many cells. */
const ROW_CELLS = 32;

/** A native histogram in a cell: some microseconds in each operator. */
const HISTOGRAM_CELLS = 128;

/** What a point of a subquery costs in each window that it is in, by function; 1 where nothing is said. */
const POINT_CELLS = new Map([
  // Searched only where the extreme has gone out of the window, and then a nanosecond a point.
  ['min_over_time', 1 / 8],
  ['max_over_time', 1 / 8],
  ['count_over_time', 0],
  ['present_over_time', 0],
  ['absent_over_time', 0],
  ['first_over_time', 0],
  ['last_over_time', 0],
]);

/** What a reading brought. */
export interface ReadingSize {
  readonly rows: number;
  /** Of raw samples: how many. */
  readonly samples: number;
  /** Of rows and groups: cells with native histograms. */
  readonly histograms: number;
}

export function costOf(
  plan: Plan,
  steps: Steps,
  options: ReadingOptions,
  sizeOf: (reading: Reading) => ReadingSize,
  isDeclined: IsDeclined = () => false,
): number {
  let cost = 0;
  /** Gives the node's rows. */
  const visit = (node: Plan, at: Steps): number => {
    const reading = readingOf(node, at, options);
    const other = inPlaceOf(node, reading, isDeclined);
    if (other !== undefined) return visit(other, at);
    const inputs = placedInputs(node, at).map((input) => visit(input.plan, input.steps));
    const size = reading === undefined ? undefined : sizeOf(reading);
    const rows = rowsOf(node, at, inputs, size);
    cost += rows * (at.count + ROW_CELLS);
    if (size !== undefined) cost += size.samples + size.histograms * HISTOGRAM_CELLS;
    // Each window of a subquery goes over its points; the points are the input's cells.
    const grid = gridOf(node, at);
    if (grid !== undefined) cost += rows * (grid.count + at.count * pointsOf(node));
    return rows;
  };
  visit(plan, steps);
  return cost;
}

function rowsOf(plan: Plan, steps: Steps, inputs: readonly number[], size: ReadingSize | undefined): number {
  if (size !== undefined) return size.rows;
  const most = inputs.reduce((a, b) => Math.max(a, b), 1);
  // A value may be another at each step.
  if (plan.kind === 'aggregate' && plan.op === 'count_values') return most * steps.count;
  if (plan.kind === 'binary') return inputs.reduce((a, b) => a + b, 0);
  return most;
}

/** What the points in one window of a node's subquery cost. */
function pointsOf(plan: Plan): number {
  if ((plan.kind !== 'window' && plan.kind !== 'matrix') || plan.range.kind !== 'subquery') return 0;
  const each = plan.kind === 'window' ? (POINT_CELLS.get(plan.fn) ?? 1) : 1;
  return (each * plan.range.windowMs) / plan.range.stepMs;
}
