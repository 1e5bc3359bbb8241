// and, or, unless.

import type { SetOp, VectorMatching } from '../../syntax/ast.js';
import { blankColumns, copyCell, joinSameRows } from '../columns.js';
import type { OperatorContext, Pace } from '../operator.js';
import { ABSENT, type Columns } from '../source.js';
import { type VectorValue, vector } from '../value.js';
import { groupMatches, type MatchGroup } from './matching.js';

export function combineSets(
  op: SetOp,
  left: VectorValue,
  right: VectorValue,
  matching: VectorMatching,
  { pace }: OperatorContext,
): VectorValue {
  const groups = groupMatches(left.columns.labels, right.columns.labels, matching);
  if (op === 'or') return union(left, right, groups, pace);
  const wanted = op === 'and' ? 1 : 0;
  const kept = keepCells(left.columns, groups, (group) => anyPresent(right.columns, group.right), 'left', wanted, pace);
  return vector(kept, left.drops);
}

/** The left side, and of the right one what has no match there. */
function union(left: VectorValue, right: VectorValue, groups: readonly MatchGroup[], pace: Pace): VectorValue {
  const rest = keepCells(right.columns, groups, (group) => anyPresent(left.columns, group.left), 'right', 0, pace);
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
  const drops = new Map<string, number>();
  const marks = [...marksOf(left), ...marksOf(right)];
  labels.forEach((row, i) => {
    const key = row.join('\xff');
    if (!drops.has(key)) drops.set(key, marks[i]!);
  });
  return vector(
    joined,
    Uint8Array.from(joined.labels, (row) => drops.get(row.join('\xff'))!),
  );
}

function marksOf({ columns, drops }: VectorValue): Uint8Array {
  return drops ?? new Uint8Array(columns.labels.length);
}

/** Per step, whether any of the rows has a value. */
function anyPresent({ steps, present }: Columns, rows: readonly number[]): Uint8Array {
  const any = new Uint8Array(steps);
  for (const row of rows) {
    for (let step = 0; step < steps; step++) if (present[row * steps + step] !== ABSENT) any[step] = 1;
  }
  return any;
}

/** The cells of one side at whose step the mask of their group is `wanted`. */
function keepCells(
  columns: Columns,
  groups: readonly MatchGroup[],
  maskOf: (group: MatchGroup) => Uint8Array,
  side: 'left' | 'right',
  wanted: number,
  pace: Pace,
): Columns {
  const { labels, steps, present } = columns;
  const kept = blankColumns(labels, steps);
  for (const group of groups) {
    const mask = maskOf(group);
    for (const row of group[side]) {
      pace.spend(steps);
      for (let step = 0; step < steps; step++) {
        const cell = row * steps + step;
        if (present[cell] !== ABSENT && mask[step] === wanted) copyCell(columns, cell, kept, cell);
      }
    }
  }
  return kept;
}
