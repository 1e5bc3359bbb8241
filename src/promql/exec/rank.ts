// topk, bottomk, limitk, limit_ratio: some of the rows of each group, step by step.

import type { Labels } from '../../model/labels.js';
import { formatGeneral } from '../../model/number.js';
import { maxOf, minOf } from '../arithmetic.js';
import { executionError } from '../errors.js';
import type { Span } from '../syntax/ast.js';
import type { Annotations } from './annotations.js';
import { blankColumns, copyCell } from './columns.js';
import { type Grouping, groupRows, membersOf, rowsOfGroup } from './grouping.js';
import { hashLabels } from './label-hash.js';
import type { OperatorContext } from './operator.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM } from './source.js';
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

export function rank(ranking: Ranking, operand: VectorValue, context: OperatorContext): VectorValue {
  const { columns } = operand;
  const { op } = ranking;
  if (op === 'topk' || op === 'bottomk') return best(ranking, operand, context);
  const { steps } = columns;
  const picked = blankColumns(columns.labels, steps);
  const pick = op === 'limitk' ? countPicker(ranking, columns) : ratioPicker(ranking, columns, context.annotations);
  for (const rows of rowsByGroup(columns, ranking.grouping)) {
    for (let step = 0; step < steps; step++) {
      context.pace.spend(rows.length);
      for (const row of pick(rows, step)) copyCell(columns, row * steps + step, picked, row * steps + step);
    }
  }
  return vector(picked, operand.drops);
}

function rowsByGroup(columns: Columns, grouping: Grouping): Int32Array[] {
  const groups = groupRows(columns.labels, grouping);
  const members = membersOf(groups.ofRow, groups.labels.length);
  return groups.labels.map((_, group) => rowsOfGroup(members, group));
}

/** topk and bottomk. Rows are looked at one after another, for all steps: each step keeps its best so far. */
function best(
  { op, grouping, param, instant, pos }: Ranking,
  operand: VectorValue,
  { annotations, pace }: OperatorContext,
): VectorValue {
  const { columns } = operand;
  const { labels, steps, present, values } = columns;
  const picked = blankColumns(labels, steps);
  const order: number[] = [];
  const extremes = extremesOf(param.values);
  const { most } = extremes;
  if (most < 1) return instant ? rowsOf(operand, []) : vector(picked, operand.drops);
  checkCounts(extremes);
  const counts = Int32Array.from(param.values, (k) => Math.min(Math.trunc(k), labels.length));
  for (const rows of rowsByGroup(columns, grouping)) {
    const ranks = new Ranks(steps, Math.min(Math.trunc(most), rows.length), op === 'topk');
    for (const row of rows) {
      pace.spend(steps);
      for (let step = 0, cell = row * steps; step < steps; step++, cell++) {
        if (present[cell] === FLOAT) ranks.offer(step, counts[step]!, row, values[cell]!);
        else if (present[cell] === HISTOGRAM) annotations.info(`ignored histogram in ${op} aggregation`, pos);
      }
    }
    for (let step = 0; step < steps; step++) {
      for (const row of ranks.rows(step)) {
        copyCell(columns, row * steps + step, picked, row * steps + step);
        if (instant) order.push(row);
      }
    }
  }
  const result = vector(picked, operand.drops);
  return instant ? rowsOf(result, order) : result;
}

/** At each step the best rows so far, best first; of equals the earlier one. NaN is worse than anything. */
class Ranks {
  readonly #room: number;
  readonly #descending: boolean;
  readonly #counts: Int32Array;
  readonly #rows: Int32Array;
  readonly #values: Float64Array;

  constructor(steps: number, room: number, descending: boolean) {
    this.#room = room;
    this.#descending = descending;
    this.#counts = new Int32Array(steps);
    this.#rows = new Int32Array(steps * room);
    this.#values = new Float64Array(steps * room);
  }

  offer(step: number, most: number, row: number, value: number): void {
    const limit = Math.min(most, this.#room);
    if (limit < 1) return;
    const from = step * this.#room;
    const count = this.#counts[step]!;
    if (count === limit && !this.#isBetter(value, this.#values[from + count - 1]!)) return;
    // Binary search for the place behind all that are as good.
    let low = from;
    let high = from + count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBetter(value, this.#values[middle]!)) high = middle;
      else low = middle + 1;
    }
    const end = count < limit ? from + count : from + count - 1;
    this.#values.copyWithin(low + 1, low, end);
    this.#rows.copyWithin(low + 1, low, end);
    this.#values[low] = value;
    this.#rows[low] = row;
    if (count < limit) this.#counts[step] = count + 1;
  }

  rows(step: number): Int32Array {
    return this.#rows.subarray(step * this.#room, step * this.#room + this.#counts[step]!);
  }

  #isBetter(a: number, b: number): boolean {
    if (Number.isNaN(b)) return !Number.isNaN(a);
    return this.#descending ? a > b : a < b;
  }
}

interface Extremes {
  readonly most: number;
  readonly least: number;
  readonly hasNaN: boolean;
}

/** NaN where any value is, except that an infinite one is the most or the least of all, as in Go. */
export function extremesOf(values: Float64Array): Extremes {
  let most = -Infinity;
  let least = Infinity;
  let hasNaN = false;
  for (const value of values) {
    most = maxOf(most, value);
    least = minOf(least, value);
    hasNaN ||= Number.isNaN(value);
  }
  return { most, least, hasNaN };
}

/** Chooses rows of one group at one step. */
type Picker = (rows: Int32Array, step: number) => Iterable<number>;

function countPicker({ param }: Ranking, { labels, steps, present }: Columns): Picker {
  const extremes = extremesOf(param.values);
  if (extremes.most < 1) return () => [];
  checkCounts(extremes);
  return (rows, step) => {
    const count = Math.min(Math.trunc(param.values[step]!), labels.length);
    const picked: number[] = [];
    for (const row of rows) {
      if (picked.length >= count) break;
      if (present[row * steps + step] !== ABSENT) picked.push(row);
    }
    return picked;
  };
}

const INT64 = 2 ** 63;

function checkCounts({ most, least, hasNaN }: Extremes): void {
  if (hasNaN) throw executionError('Parameter value is NaN');
  if (least <= -INT64) throw executionError(`Scalar value ${formatGeneral(least)} underflows int64`);
  if (most >= INT64) throw executionError(`Scalar value ${formatGeneral(most)} overflows int64`);
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
