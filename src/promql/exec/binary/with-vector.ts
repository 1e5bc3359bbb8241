// Arithmetic and comparison between two vectors.
//
// One side is the "one": at each step it may have one element in a match group.
// The other is the "many" where group_left or group_right says so; otherwise it
// may have one, too. Sides are swapped so that the "one" is always the second.

import type { FloatHistogram } from '../../../model/histogram.js';
import { formatLabelSet, type Labels } from '../../../model/labels.js';
import { executionError, SAME_LABELS } from '../../errors.js';
import type { BinaryOp, Span, VectorMatching } from '../../syntax/ast.js';
import type { Annotations } from '../annotations.js';
import { CELL_BYTES, ColumnsBuilder } from '../columns.js';
import { membersOf, rowsOfGroup } from '../grouping.js';
import { LabelIndex } from '../label-index.js';
import { holding, type OperatorContext, type Pace } from '../operator.js';
import { Projection } from '../projection.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM } from '../source.js';
import { type VectorValue, vector } from '../value.js';
import { joinDirectly } from './direct.js';
import { type FloatOperator, floatOperator } from './floats.js';
import { type Cell, combineCells } from './histogram-cell.js';
import { type Matches, matchLabels, matchRows, resultLabels } from './matching.js';

export interface VectorOperation {
  readonly op: BinaryOp;
  readonly bool: boolean;
  readonly matching: VectorMatching;
  readonly pos: Span;
}

export function combineVectors(
  operation: VectorOperation,
  left: VectorValue,
  right: VectorValue,
  context: OperatorContext,
): VectorValue {
  const { op, bool, matching } = operation;
  const { names } = context;
  const matches = matchRows(left.columns.labels, right.columns.labels, matching);
  const operator = floatOperator(op);
  const dropsName = operator?.changesMeaning === true || (bool && !names.delayed);
  const columns = holding(context.reserve, (hold) => {
    const held = { ...context, reserve: hold };
    return (
      (operator && joinDirectly(operation, left.columns, right.columns, matches, dropsName, held)) ??
      joinByStep(new Matcher(operation, left.columns, right.columns, dropsName, held), matches)
    );
  });
  return names.delayed ? vector(columns, new Uint8Array(columns.labels.length).fill(bool ? 1 : 0)) : vector(columns);
}

/** Rows of both sides that match. */
interface MatchGroup {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

function joinByStep(matcher: Matcher, { ofLeft, ofRight, count }: Matches): Columns {
  const left = membersOf(ofLeft, count);
  const right = membersOf(ofRight, count);
  const groupOf = (group: number): MatchGroup => {
    return { left: rowsOfGroup(left, group), right: rowsOfGroup(right, group) };
  };
  for (let group = 0; group < count; group++) matcher.check(groupOf(group));
  for (let group = 0; group < count; group++) matcher.join(groupOf(group));
  return matcher.finish();
}

/** No row, or no element. */
const NONE = -1;

/** In what order things are refused at one step. */
const enum Stage {
  /** The "one" side is looked at. */
  Sides,
  Matches,
  Results,
}

/** Of all that is refused, the first: Prometheus goes step by step, and stops there. */
class Refusals {
  #place = Number.POSITIVE_INFINITY;
  #error: Error | undefined;

  add(step: number, stage: Stage, error: () => Error): void {
    const place = step * 3 + stage;
    if (place >= this.#place) return;
    this.#place = place;
    this.#error = error();
  }

  throwFirst(): void {
    if (this.#error !== undefined) throw this.#error;
  }
}

/** Of each cell, who has written it. */
const WRITER_BYTES = 4;

/** Joins rows that may be several of a group, or histograms, or filled in for: each cell by itself. */
class Matcher {
  readonly #operation: VectorOperation;
  readonly #operator: FloatOperator | undefined;
  readonly #swapped: boolean;
  readonly #many: Columns;
  readonly #one: Columns;
  readonly #fillMany: number | undefined;
  readonly #fillOne: number | undefined;
  readonly #out: ColumnsBuilder;
  /** Result rows are in the order in which this numbers their labels. */
  readonly #rows = new LabelIndex();
  /** Which group has written, or would have written had the comparison held, a result cell: its number from 1. */
  #writers: Int32Array;
  readonly #labelsOfResult: (many: Labels, one: Labels) => Labels;
  readonly #match: Projection;
  readonly #annotations: Annotations;
  readonly #pace: Pace;
  readonly #refusals = new Refusals();
  /** Per step, whether a side has any element at all; built when first asked for. */
  #busy: Uint8Array | undefined;
  #groupNumber = 0;

  constructor(
    operation: VectorOperation,
    left: Columns,
    right: Columns,
    dropsName: boolean,
    { annotations, pace, reserve }: OperatorContext,
  ) {
    const { op, matching } = operation;
    this.#operation = operation;
    this.#operator = floatOperator(op);
    this.#swapped = matching.card === 'one-to-many';
    this.#many = this.#swapped ? right : left;
    this.#one = this.#swapped ? left : right;
    // With group_right too, Prometheus fills the "one" side from fill_right: it swaps the sides first.
    this.#fillMany = matching.fillLeft;
    this.#fillOne = matching.fillRight;
    const rows = Math.max(1, Math.min(this.#many.labels.length, 1024));
    const reserveCells = (bytes: number) => reserve((bytes / CELL_BYTES) * (CELL_BYTES + WRITER_BYTES));
    reserveCells(rows * left.steps * CELL_BYTES);
    this.#out = new ColumnsBuilder(left.steps, rows, reserveCells);
    this.#writers = new Int32Array(this.#out.values.length);
    this.#labelsOfResult = resultLabels(matching, dropsName);
    this.#match = new Projection(matchLabels(matching));
    this.#annotations = annotations;
    this.#pace = pace;
  }

  /** Refuses a group with two elements on its "one" side at a step, whether or not anything matches them. */
  check(group: MatchGroup): void {
    const one = this.#swapped ? group.left : group.right;
    if (one.length > 1) this.#pickOne(one);
  }

  join(group: MatchGroup): void {
    const many = this.#swapped ? group.right : group.left;
    const one = this.#swapped ? group.left : group.right;
    this.#groupNumber++;
    this.#pace.spend(1 + (many.length + one.length) * this.#out.steps);
    if (many.length === 0 && this.#fillMany === undefined) return;
    if (one.length === 0 && this.#fillOne === undefined) return;
    const picked = this.#pickOne(one);
    const matched = new Uint8Array(this.#out.steps);
    for (const row of many) this.#joinRow(row, picked, matched);
    if (this.#fillMany !== undefined) this.#fillRest(one, matched);
  }

  /** At each step the one row that has an element. */
  #pickOne(rows: Int32Array): Int32Array {
    const { steps, present } = this.#one;
    const picked = new Int32Array(steps).fill(NONE);
    for (const row of rows) {
      for (let step = 0; step < steps; step++) {
        if (present[row * steps + step] === ABSENT) continue;
        if (picked[step] !== NONE && this.#isBusy(step)) {
          this.#refusals.add(step, Stage.Sides, () => this.#tooMany(row, picked[step]!));
        }
        picked[step] = row;
      }
    }
    return picked;
  }

  /** Whether matching happens at a step: not where the "many" side is empty and nothing is filled in. */
  #isBusy(step: number): boolean {
    if (this.#fillMany !== undefined || this.#fillOne !== undefined) return true;
    if (this.#busy === undefined) {
      const { steps, present } = this.#many;
      this.#busy = new Uint8Array(steps);
      for (let cell = 0; cell < present.length; cell++) if (present[cell] !== ABSENT) this.#busy[cell % steps] = 1;
    }
    return this.#busy[step] === 1;
  }

  #tooMany(row: number, other: number): Error {
    const [first, second] = [row, other].map((index) => formatLabelSet(this.#one.labels[index]!)).sort();
    const group = formatLabelSet(this.#match.of(this.#one.labels[row]!));
    const side = this.#swapped ? 'left' : 'right';
    return executionError(
      `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: ` +
        `[${first}, ${second}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }

  #joinRow(row: number, picked: Int32Array, matched: Uint8Array): void {
    const { steps, present } = this.#many;
    let partner = NONE - 1;
    let target = 0;
    for (let step = 0; step < steps; step++) {
      const cell = row * steps + step;
      if (present[cell] === ABSENT) continue;
      const one = picked[step]!;
      if (one === NONE && this.#fillOne === undefined) continue;
      if (one !== partner) {
        target = this.#target(row, one);
        partner = one;
      }
      const value = cellOf(this.#many, cell);
      this.#write(target + step, value, one === NONE ? this.#fillOne! : cellOf(this.#one, one * steps + step), () => {
        this.#claim(target + step, matched, step);
      });
    }
  }

  /** Elements of the "one" side that nothing matched meet the fill value. */
  #fillRest(rows: Int32Array, matched: Uint8Array): void {
    const { steps, present, labels } = this.#one;
    for (const row of rows) {
      const own = this.#match.of(labels[row]!);
      const target = this.#row(this.#labelsOfResult(own, labels[row]!));
      for (let step = 0; step < steps; step++) {
        if (present[row * steps + step] === ABSENT || matched[step] === 1) continue;
        this.#write(target + step, this.#fillMany!, cellOf(this.#one, row * steps + step), () => {
          this.#claim(target + step, matched, step);
        });
      }
    }
  }

  /** The first cell of the result row of two matching rows. */
  #target(many: number, one: number): number {
    const manyLabels = this.#many.labels[many]!;
    const oneLabels = one === NONE ? this.#match.of(manyLabels) : this.#one.labels[one]!;
    return this.#row(this.#labelsOfResult(manyLabels, oneLabels));
  }

  #row(labels: Labels): number {
    const row = this.#rows.add(labels);
    if (row < this.#out.labels.length) return row * this.#out.steps;
    const offset = this.#out.row(labels);
    if (this.#writers.length < this.#out.values.length) {
      const writers = new Int32Array(this.#out.values.length);
      writers.set(this.#writers);
      this.#writers = writers;
    }
    return offset;
  }

  /** A result cell may be claimed once, whether or not the comparison holds there. */
  #claim(cell: number, matched: Uint8Array, step: number): void {
    if (this.#operation.matching.card === 'one-to-one') {
      if (matched[step] === 1) {
        this.#refusals.add(step, Stage.Matches, () =>
          executionError('multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'),
        );
      }
    } else if (this.#writers[cell] === this.#groupNumber) {
      this.#refusals.add(step, Stage.Matches, () =>
        executionError('multiple matches for labels: grouping labels must ensure unique matches'),
      );
    }
    matched[step] = 1;
    this.#writers[cell] = this.#groupNumber;
  }

  #write(cell: number, many: Cell, one: Cell, claim: () => void): void {
    const left = this.#swapped ? one : many;
    const right = this.#swapped ? many : one;
    const { bool } = this.#operation;
    let value: Cell;
    let keep: boolean;
    if (typeof left === 'number' && typeof right === 'number' && this.#operator !== undefined) {
      keep = this.#operator.keep(left, right);
      value = keep || bool ? this.#operator.value(left, right) : 0;
    } else {
      const { op, pos } = this.#operation;
      const combined = combineCells(op, left, right, { annotations: this.#annotations, pos });
      if (combined === undefined) return;
      ({ value, keep } = combined);
    }
    claim();
    if (!keep && !bool) return;
    if (this.#out.present[cell] !== ABSENT) {
      this.#refusals.add(cell % this.#out.steps, Stage.Results, () => executionError(SAME_LABELS));
    }
    if (bool || typeof value === 'number') {
      this.#out.present[cell] = FLOAT;
      this.#out.values[cell] = bool ? Number(keep) : (value as number);
    } else {
      this.#out.present[cell] = HISTOGRAM;
      this.#out.histograms.set(cell, value);
    }
  }

  /** Throws what was refused first. */
  finish(): Columns {
    this.#refusals.throwFirst();
    return this.#out.finish();
  }
}

function cellOf(columns: Columns, cell: number): number | FloatHistogram {
  return columns.present[cell] === HISTOGRAM ? columns.histograms!.get(cell)! : columns.values[cell]!;
}
