// topk, bottomk, limitk, limit_ratio: some of the rows of each group, step by step.

import type { Labels } from '../../model/labels.js';
import { executionError } from '../errors.js';
import type { Span } from '../syntax/ast.js';
import type { Annotations } from './annotations.js';
import { blankColumns, copyCell } from './columns.js';
import { compareValues } from './functions/order.js';
import { type Grouping, groupRows } from './grouping.js';
import { hashLabels } from './label-hash.js';
import { ABSENT, type Columns, HISTOGRAM } from './source.js';
import { rowsOf, type ScalarValue, type VectorValue, vector } from './value.js';

export type RankOp = 'topk' | 'bottomk' | 'limitk' | 'limit_ratio';

export interface Ranking {
  readonly op: RankOp;
  readonly grouping: Grouping;
  readonly param: ScalarValue;
  /** Rows of an instant query come out by rank. */
  readonly instant: boolean;
  readonly paramPos: Span;
  readonly pos: Span;
}

export function rank(ranking: Ranking, operand: VectorValue, annotations: Annotations): VectorValue {
  const { columns } = operand;
  const { op } = ranking;
  const picked = blankColumns(columns.labels, columns.steps);
  const members = rowsByGroup(columns, ranking.grouping);
  const order: number[] = [];
  const pick = pickerOf(ranking, columns, annotations);
  for (const rows of members) {
    for (let step = 0; step < columns.steps; step++) {
      const chosen = pick(rows, step);
      for (const row of chosen) copyCell(columns, row * columns.steps + step, picked, row * columns.steps + step);
      if (columns.steps === 1) order.push(...chosen);
    }
  }
  const result = vector(picked, operand.drops);
  return ranking.instant && (op === 'topk' || op === 'bottomk') ? rowsOf(result, order) : result;
}

function rowsByGroup(columns: Columns, grouping: Grouping): number[][] {
  const groups = groupRows(columns.labels, grouping);
  const members: number[][] = groups.labels.map(() => []);
  groups.ofRow.forEach((group, row) => {
    members[group]!.push(row);
  });
  return members;
}

/** Chooses rows of one group at one step, in the order of the result. */
type Picker = (rows: readonly number[], step: number) => number[];

function pickerOf(ranking: Ranking, columns: Columns, annotations: Annotations): Picker {
  return ranking.op === 'limit_ratio'
    ? ratioPicker(ranking, columns, annotations)
    : countPicker(ranking, columns, annotations);
}

function countPicker({ op, param, pos }: Ranking, columns: Columns, annotations: Annotations): Picker {
  const { steps, present, values } = columns;
  if (extremesOf(param.values).most < 1) return () => [];
  for (const k of param.values) checkCount(k);
  return (rows, step) => {
    const count = Math.min(Math.trunc(param.values[step]!), columns.labels.length);
    if (count < 1) return [];
    const candidates = rows.filter((row) => {
      const mark = present[row * steps + step];
      if (mark === HISTOGRAM && op !== 'limitk') {
        annotations.info(`ignored histogram in ${op} aggregation`, pos);
        return false;
      }
      return mark !== ABSENT;
    });
    if (op === 'limitk') return candidates.slice(0, count);
    const at = (row: number) => values[row * steps + step]!;
    return bestOf(candidates, count, (a, b) => compareValues(at(a), at(b), op === 'topk'));
  };
}

/** NaN where any value is; there may be a million of them. */
export function extremesOf(values: Float64Array): { most: number; least: number } {
  let most = -Infinity;
  let least = Infinity;
  for (const value of values) {
    most = Math.max(most, value);
    least = Math.min(least, value);
  }
  return { most, least };
}

const INT64 = 2 ** 63;

function checkCount(k: number): void {
  if (Number.isNaN(k)) throw executionError('Parameter value is NaN');
  if (k <= -INT64) throw executionError(`Scalar value ${k} underflows int64`);
  if (k >= INT64) throw executionError(`Scalar value ${k} overflows int64`);
}

/** The first `count` by an order; of equals, the earlier rows. */
function bestOf(rows: number[], count: number, order: (a: number, b: number) => number): number[] {
  if (count === 1) {
    let best = rows[0];
    for (const row of rows) if (order(row, best!) < 0) best = row;
    return best === undefined ? [] : [best];
  }
  return rows.sort(order).slice(0, count);
}

function ratioPicker({ param, paramPos }: Ranking, columns: Columns, annotations: Annotations): Picker {
  const { steps, present } = columns;
  if (param.values.every((ratio) => ratio === 0)) return () => [];
  if (param.values.some(Number.isNaN)) throw executionError('Ratio value is NaN');
  const { most, least } = extremesOf(param.values);
  if (most > 1) annotations.ratioOutOfRange(most, 1, paramPos);
  if (least < -1) annotations.ratioOutOfRange(least, -1, paramPos);
  const offsets = new Map<number, number>();
  const offsetOf = (row: number): number => {
    let offset = offsets.get(row);
    if (offset === undefined) offsets.set(row, (offset = sampleOffset(columns.labels[row]!)));
    return offset;
  };
  return (rows, step) => {
    const ratio = Math.min(1, Math.max(-1, param.values[step]!));
    return rows.filter((row) => present[row * steps + step] !== ABSENT && isSampled(offsetOf(row), ratio));
  };
}

/** Where a label set falls between 0 and 1: the same in every query, so that samples of the same ratio agree. */
function sampleOffset(labels: Labels): number {
  return Number(hashLabels(labels)) / 2 ** 64;
}

/** A negative ratio takes what the complementary positive one leaves. */
function isSampled(offset: number, ratio: number): boolean {
  return (ratio >= 0 && offset < ratio) || (ratio < 0 && offset >= 1 + ratio);
}
