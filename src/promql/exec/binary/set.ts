// and, or, unless.

import type { SetOp, VectorMatching } from '../../syntax/ast.js';
import { blankColumns, copyCell, joinSameRows } from '../columns.js';
import { LabelIndex } from '../label-index.js';
import type { OperatorContext, Pace } from '../operator.js';
import { ABSENT, type Columns } from '../source.js';
import { type VectorValue, vector } from '../value.js';
import { type Matches, matchRows } from './matching.js';

export function combineSets(
  op: SetOp,
  left: VectorValue,
  right: VectorValue,
  matching: VectorMatching,
  { pace }: OperatorContext,
): VectorValue {
  const matches = matchRows(left.columns.labels, right.columns.labels, matching);
  if (op === 'or') return union(left, right, matches, pace);
  const taken = busyGroups(right.columns, matches.ofRight, matches.count, pace);
  const kept = keepCells(left.columns, matches.ofLeft, taken, op === 'and' ? 1 : 0, pace);
  return vector(kept, left.drops);
}

/** The left side, and of the right one what has no match there. */
function union(left: VectorValue, right: VectorValue, matches: Matches, pace: Pace): VectorValue {
  const taken = busyGroups(left.columns, matches.ofLeft, matches.count, pace);
  const rest = keepCells(right.columns, matches.ofRight, taken, 0, pace);
  const labels = [...left.columns.labels, ...rest.labels];
  const both = blankColumns(labels, rest.steps);
  const split = left.columns.labels.length * rest.steps;
  both.values.set(left.columns.values);
  both.values.set(rest.values, split);
  both.present.set(left.columns.present);
  both.present.set(rest.present, split);
  for (const [cell, histogram] of left.columns.histograms ?? []) both.histograms.set(cell, histogram);
  for (const [cell, histogram] of rest.histograms ?? []) both.histograms.set(split + cell, histogram);

  const joined = joinSameRows(both);
  if (left.drops === undefined && right.drops === undefined) return vector(joined);
  const marks = [...marksOf(left), ...marksOf(right)];
  if (joined === both) return vector(joined, Uint8Array.from(marks));
  return vector(joined, joinedMarks(both, marks));
}

/** Joined rows come in the order in which an index numbers them, and have the mark of the row that begins first. */
function joinedMarks({ labels, steps, present }: Columns, marks: readonly number[]): Uint8Array {
  const index = new LabelIndex();
  const rows: { mark: number; begins: number }[] = [];
  labels.forEach((row, i) => {
    const found = present.subarray(i * steps, (i + 1) * steps).findIndex((cell) => cell !== ABSENT);
    const one = { mark: marks[i]!, begins: found < 0 ? steps : found };
    const number = index.add(row);
    if (number === rows.length || one.begins < rows[number]!.begins) rows[number] = one;
  });
  return Uint8Array.from(rows, ({ mark }) => mark);
}

function marksOf({ columns, drops }: VectorValue): Uint8Array {
  return drops ?? new Uint8Array(columns.labels.length);
}

/** Per group and step, whether any of its rows has a value. */
function busyGroups({ labels, steps, present }: Columns, groupOf: Int32Array, count: number, pace: Pace): Uint8Array {
  const busy = new Uint8Array(count * steps);
  for (let row = 0, cell = 0; row < labels.length; row++) {
    pace.spend(steps);
    const group = groupOf[row]! * steps;
    for (let step = 0; step < steps; step++, cell++) if (present[cell] !== ABSENT) busy[group + step] = 1;
  }
  return busy;
}

/** The cells whose group is marked as `wanted` at their step. */
function keepCells(columns: Columns, groupOf: Int32Array, marks: Uint8Array, wanted: number, pace: Pace): Columns {
  const { labels, steps, present } = columns;
  const kept = blankColumns(labels, steps);
  for (let row = 0, cell = 0; row < labels.length; row++) {
    pace.spend(steps);
    const group = groupOf[row]! * steps;
    for (let step = 0; step < steps; step++, cell++) {
      if (present[cell] !== ABSENT && marks[group + step] === wanted) copyCell(columns, cell, kept, cell);
    }
  }
  return kept;
}
