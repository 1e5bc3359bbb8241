// Partial aggregates: what a shard gives for an aggregated fragment, and how the
// shares of several shards become one answer.
//
// A share has the labels of its groups, and per cell (group, step; index
// group * steps + step) a byte of `present` and one number in each state column:
//
//   sum              sum, compensation            Kahan pair
//   avg              sum, compensation, count     or mean, compensation, count where
//                                                 `present` is RUNNING
//   min, max         value
//   count            count
//   group            -
//   stddev, stdvar   mean, m2, count              Welford; m2 = sum of squared distances
//
// Merging two shares of one cell takes a constant time; sums stay Kahan pairs
// until the end. Where there are native histograms, a share has more: see
// histogram-shares.ts.

import { keyOf, type Labels } from '../../model/labels.js';
import { hasHistograms } from './columns.js';
import { type Groups, groupRows } from './grouping.js';
import { foldHistograms, type HistogramShares, mergeHistograms, settleHistograms } from './histogram-shares.js';
import { Notes } from './notes.js';
import type { Pace } from './operator.js';
import { ABSENT, type Columns, FLOAT, type FragmentAggregate, type Note } from './source.js';

export type PartialOp = FragmentAggregate['op'];

/** The `present` of an avg cell whose sum would overflow: its first column is a running mean. */
export const RUNNING = 2;

export interface PartialAggregate {
  readonly op: PartialOp;
  readonly labels: readonly Labels[];
  readonly steps: number;
  readonly present: Uint8Array;
  /** State columns in the order above. */
  readonly state: readonly Float64Array[];
  /** sum and avg: the cells that native histograms went into. */
  readonly histograms?: HistogramShares;
  /** Remarks about the rows that were folded. */
  readonly notes?: readonly Note[];
}

const STATE_COLUMNS: Record<PartialOp, number> = {
  sum: 2,
  avg: 3,
  min: 1,
  max: 1,
  count: 1,
  group: 0,
  stddev: 3,
  stdvar: 3,
};

/** Folds all rows into their groups, row after row. */
export function foldColumns(columns: Columns, aggregate: FragmentAggregate): PartialAggregate {
  return foldRows(columns, aggregate.op, groupRows(columns.labels, aggregate));
}

export function foldRows(columns: Columns, op: PartialOp, groups: Groups, pace?: Pace): PartialAggregate {
  const { steps } = columns;
  const partial = emptyPartial(op, groups.labels, steps);
  const fold = FOLD[op];
  for (let row = 0; row < columns.labels.length; row++) {
    pace?.spend(steps);
    fold(partial, groups.ofRow[row]! * steps, columns, row * steps);
  }
  return hasHistograms(columns) ? { ...partial, ...foldHistograms(partial, columns, groups, pace) } : partial;
}

function emptyPartial(op: PartialOp, labels: readonly Labels[], steps: number): PartialAggregate {
  const cells = labels.length * steps;
  return {
    op,
    labels,
    steps,
    present: new Uint8Array(cells),
    state: Array.from({ length: STATE_COLUMNS[op] }, () => new Float64Array(cells)),
  };
}

/** Folds one row of floats, whose first cell is `from`, into the group whose first cell is `into`. */
type Fold = (partial: PartialAggregate, into: number, columns: Columns, from: number) => void;

const FOLD: Record<PartialOp, Fold> = {
  sum({ steps, present, state }, into, columns, from) {
    const [sums, compensations] = state as [Float64Array, Float64Array];
    for (let step = 0; step < steps; step++) {
      if (columns.present[from + step] !== FLOAT) continue;
      const cell = into + step;
      if (present[cell] === ABSENT) {
        present[cell] = FLOAT;
        sums[cell] = columns.values[from + step]!;
      } else {
        kahanAdd(sums, compensations, cell, columns.values[from + step]!);
      }
    }
  },

  avg(partial, into, columns, from) {
    for (let step = 0; step < partial.steps; step++) {
      if (columns.present[from + step] === FLOAT) addToMean(partial, into + step, columns.values[from + step]!);
    }
  },

  min({ steps, present, state }, into, columns, from) {
    const least = state[0]!;
    for (let step = 0; step < steps; step++) {
      if (columns.present[from + step] !== FLOAT) continue;
      addToLeast(present, least, into + step, columns.values[from + step]!);
    }
  },

  max({ steps, present, state }, into, columns, from) {
    const most = state[0]!;
    for (let step = 0; step < steps; step++) {
      if (columns.present[from + step] !== FLOAT) continue;
      addToMost(present, most, into + step, columns.values[from + step]!);
    }
  },

  count({ steps, present, state }, into, columns, from) {
    const counts = state[0]!;
    for (let step = 0; step < steps; step++) {
      if (columns.present[from + step] !== FLOAT) continue;
      counts[into + step]!++;
      present[into + step] = FLOAT;
    }
  },

  group({ steps, present }, into, columns, from) {
    for (let step = 0; step < steps; step++) {
      if (columns.present[from + step] === FLOAT) present[into + step] = FLOAT;
    }
  },

  stddev: foldVariance,
  stdvar: foldVariance,
};

function addToMean({ present, state }: PartialAggregate, cell: number, value: number): void {
  const [sums, compensations, counts] = state as [Float64Array, Float64Array, Float64Array];
  const count = ++counts[cell]!;
  if (present[cell] === ABSENT) {
    present[cell] = FLOAT;
    sums[cell] = value;
    return;
  }
  if (present[cell] === FLOAT) {
    if (Math.abs(sums[cell]! + value) !== Infinity) {
      kahanAdd(sums, compensations, cell, value);
      return;
    }
    present[cell] = RUNNING;
    sums[cell]! /= count - 1;
    compensations[cell]! /= count - 1;
  }
  const kept = (count - 1) / count;
  sums[cell]! *= kept;
  compensations[cell]! *= kept;
  kahanAdd(sums, compensations, cell, value / count);
}

function addToLeast(present: Uint8Array, least: Float64Array, cell: number, value: number): void {
  if (present[cell] === ABSENT || value < least[cell]! || Number.isNaN(least[cell]!)) least[cell] = value;
  present[cell] = FLOAT;
}

function addToMost(present: Uint8Array, most: Float64Array, cell: number, value: number): void {
  if (present[cell] === ABSENT || value > most[cell]! || Number.isNaN(most[cell]!)) most[cell] = value;
  present[cell] = FLOAT;
}

function foldVariance({ steps, present, state }: PartialAggregate, into: number, columns: Columns, from: number): void {
  const [means, m2s, counts] = state as [Float64Array, Float64Array, Float64Array];
  for (let step = 0; step < steps; step++) {
    if (columns.present[from + step] !== FLOAT) continue;
    const cell = into + step;
    const value = columns.values[from + step]!;
    const count = ++counts[cell]!;
    if (present[cell] === ABSENT) {
      present[cell] = FLOAT;
      means[cell] = value;
      m2s[cell] = Number.isFinite(value) ? 0 : Number.NaN;
      continue;
    }
    const delta = value - means[cell]!;
    means[cell]! += delta / count;
    m2s[cell]! += delta * (value - means[cell]!);
  }
}

function kahanAdd(sums: Float64Array, compensations: Float64Array, cell: number, value: number): void {
  const sum = sums[cell]!;
  const next = sum + value;
  if (next === Infinity || next === -Infinity) compensations[cell] = 0;
  else if (Math.abs(sum) >= Math.abs(value)) compensations[cell]! += sum - next + value;
  else compensations[cell]! += value - next + sum;
  sums[cell] = next;
}

/** Joins the shares of several shards; the order of groups is that in which they are first met. */
export function mergePartials(partials: readonly PartialAggregate[]): PartialAggregate {
  if (partials.length === 1) return partials[0]!;
  const indices = new Map<string, number>();
  const labels: Labels[] = [];
  const targets = partials.map((partial) =>
    Int32Array.from(partial.labels, (group) => {
      const key = keyOf(group);
      let index = indices.get(key);
      if (index === undefined) {
        index = labels.push(group) - 1;
        indices.set(key, index);
      }
      return index;
    }),
  );
  const { op, steps } = partials[0]!;
  const merged = emptyPartial(op, labels, steps);
  partials.forEach((partial, i) => {
    for (let group = 0; group < partial.labels.length; group++) {
      const into = targets[i]![group]! * steps;
      for (let step = 0; step < steps; step++) mergeCell(merged, into + step, partial, group * steps + step);
    }
  });
  if (partials.every(({ histograms, notes }) => histograms === undefined && notes === undefined)) return merged;
  const notes = new Notes(partials.flatMap((partial) => partial.notes ?? []));
  const histograms: HistogramShares = new Map();
  partials.forEach((partial, i) => {
    mergeHistograms(histograms, partial, targets[i]!, notes);
  });
  return { ...merged, histograms, notes: notes.list };
}

function mergeCell(into: PartialAggregate, cell: number, from: PartialAggregate, source: number): void {
  if (from.present[source] === ABSENT) return;
  if (into.present[cell] === ABSENT) {
    into.present[cell] = from.present[source]!;
    into.state.forEach((column, i) => {
      column[cell] = from.state[i]![source]!;
    });
    return;
  }
  MERGE[into.op](into, cell, from, source);
}

type Merge = (into: PartialAggregate, cell: number, from: PartialAggregate, source: number) => void;

const MERGE: Record<PartialOp, Merge> = {
  sum: mergeSums,
  avg: mergeMeans,
  min: (into, cell, from, source) => addToLeast(into.present, into.state[0]!, cell, from.state[0]![source]!),
  max: (into, cell, from, source) => addToMost(into.present, into.state[0]!, cell, from.state[0]![source]!),
  count: (into, cell, from, source) => {
    into.state[0]![cell]! += from.state[0]![source]!;
  },
  group: () => {},
  stddev: mergeVariances,
  stdvar: mergeVariances,
};

function mergeSums(into: PartialAggregate, cell: number, from: PartialAggregate, source: number): void {
  const [sums, compensations] = into.state;
  kahanAdd(sums!, compensations!, cell, from.state[0]![source]!);
  if (Number.isFinite(sums![cell])) compensations![cell]! += from.state[1]![source]!;
}

function mergeMeans(into: PartialAggregate, cell: number, from: PartialAggregate, source: number): void {
  const [sums, compensations, counts] = into.state;
  const [otherSums, otherCompensations, otherCounts] = from.state;
  const count = counts![cell]!;
  const otherCount = otherCounts![source]!;
  const plain = into.present[cell] === FLOAT && from.present[source] === FLOAT;
  if (plain && Math.abs(sums![cell]! + otherSums![source]!) !== Infinity) {
    mergeSums(into, cell, from, source);
  } else {
    const own = into.present[cell] === RUNNING ? 1 : 1 / count;
    const other = from.present[source] === RUNNING ? 1 : 1 / otherCount;
    const total = count + otherCount;
    const mean = sums![cell]! * own;
    const otherMean = otherSums![source]! * other;
    const lost = compensations![cell]! * own * (count / total);
    const otherLost = otherCompensations![source]! * other * (otherCount / total);
    sums![cell] = mean * (count / total);
    compensations![cell] = lost;
    kahanAdd(sums!, compensations!, cell, otherMean * (otherCount / total));
    if (Number.isFinite(sums![cell])) compensations![cell]! += otherLost;
    into.present[cell] = RUNNING;
  }
  counts![cell] = count + otherCount;
}

/** Chan, Golub and LeVeque's pairwise update. */
function mergeVariances(into: PartialAggregate, cell: number, from: PartialAggregate, source: number): void {
  const [means, m2s, counts] = into.state;
  const count = counts![cell]!;
  const otherCount = from.state[2]![source]!;
  const total = count + otherCount;
  const delta = from.state[0]![source]! - means![cell]!;
  means![cell]! += delta * (otherCount / total);
  m2s![cell]! += from.state[1]![source]! + delta * delta * ((count * otherCount) / total);
  counts![cell] = total;
}

/** The answer: state columns become values. Takes the share's arrays. */
export function finishPartial(partial: PartialAggregate): Columns {
  const { op, labels, steps, present, state } = partial;
  const values = op === 'group' ? Float64Array.from(present, (mark) => Number(mark !== ABSENT)) : state[0]!;
  FINISH[op]?.(partial, values);
  const floats = { labels: [...labels], steps, values, present };
  if (partial.histograms === undefined && partial.notes === undefined) return floats;
  const notes = new Notes(partial.notes);
  const histograms = settleHistograms(floats, partial.histograms ?? new Map(), notes);
  return { ...floats, histograms, notes: notes.list };
}

/** Turns state into values, in place of the first state column. Cells without a value hold zeroes all over. */
type Finish = (partial: PartialAggregate, values: Float64Array) => void;

const FINISH: Partial<Record<PartialOp, Finish>> = {
  sum({ state }, values) {
    const compensations = state[1]!;
    for (let cell = 0; cell < values.length; cell++) values[cell]! += compensations[cell]!;
  },

  avg({ present, state }, values) {
    const [, compensations, counts] = state as [Float64Array, Float64Array, Float64Array];
    for (let cell = 0; cell < values.length; cell++) {
      if (present[cell] === ABSENT) continue;
      const count = present[cell] === RUNNING ? 1 : counts[cell]!;
      values[cell] = values[cell]! / count + compensations[cell]! / count;
      present[cell] = FLOAT;
    }
  },

  stddev(partial, values) {
    finishVariance(partial, values);
    for (let cell = 0; cell < values.length; cell++) values[cell] = Math.sqrt(values[cell]!);
  },

  stdvar: finishVariance,
};

function finishVariance({ present, state }: PartialAggregate, values: Float64Array): void {
  const [, m2s, counts] = state as [Float64Array, Float64Array, Float64Array];
  for (let cell = 0; cell < values.length; cell++) {
    if (present[cell] !== ABSENT) values[cell] = m2s[cell]! / counts[cell]!;
  }
}
