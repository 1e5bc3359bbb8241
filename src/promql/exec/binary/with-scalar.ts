// Operators between two scalars, and between a vector and a scalar.

import type { FloatHistogram } from '../../../model/histogram.js';
import { arithmetic, compare, isArithmetic } from '../../arithmetic.js';
import { type BinaryOp, isComparison, type Span } from '../../syntax/ast.js';
import { blankColumns, hasHistograms } from '../columns.js';
import type { OperatorContext, Pace } from '../operator.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM } from '../source.js';
import { type ScalarValue, type VectorValue, vector } from '../value.js';
import { FloatLoop, type FloatRow } from './float-rows.js';
import { floatOperator } from './floats.js';
import { combineCells } from './histogram-cell.js';

export function combineScalars(op: BinaryOp, left: ScalarValue, right: ScalarValue): ScalarValue {
  const values = left.values.map((value, step) => {
    const other = right.values[step]!;
    if (isArithmetic(op)) return arithmetic(op, value, other);
    return isComparison(op) && compare(op, value, other) ? 1 : 0;
  });
  return { kind: 'scalar', values };
}

export interface ScalarOperation {
  readonly op: BinaryOp;
  readonly bool: boolean;
  /** The scalar stands on the left. */
  readonly scalarFirst: boolean;
  readonly pos: Span;
}

export function combineWithScalar(
  operation: ScalarOperation,
  operand: VectorValue,
  scalar: ScalarValue,
  { names, annotations, pace }: OperatorContext,
): VectorValue {
  const { op, bool, scalarFirst, pos } = operation;
  const { labels, steps, values, present, histograms } = operand.columns;
  const operator = floatOperator(op);
  const settled = (result: Columns): VectorValue =>
    operator?.changesMeaning === true || bool ? names.drop(result) : vector(result, operand.drops);
  if (operator !== undefined && !hasHistograms(operand.columns)) {
    return settled(floatsWithScalar(operation, operand.columns, scalar, pace));
  }
  const result = blankColumns(labels, steps);
  const numbers = scalar.values;
  const keepsValue = operator?.isComparison === true && scalarFirst;

  for (let row = 0, cell = 0; row < labels.length; row++) {
    pace.spend(steps);
    for (let step = 0; step < steps; step++, cell++) {
      if (present[cell] === HISTOGRAM) {
        combineHistogram(cell, histograms!.get(cell)!, numbers[step]!);
        continue;
      }
      if (present[cell] === ABSENT) continue;
      if (operator === undefined) {
        annotations.incompatibleTypes('float', op, 'float', pos);
        continue;
      }
      const left = scalarFirst ? numbers[step]! : values[cell]!;
      const right = scalarFirst ? values[cell]! : numbers[step]!;
      const keep = !operator.isComparison || operator.keep(left, right);
      if (!keep && !bool) continue;
      result.present[cell] = FLOAT;
      result.values[cell] = bool ? Number(keep) : keepsValue ? right : operator.value(left, right);
    }
  }

  return settled(result);

  function combineHistogram(cell: number, histogram: FloatHistogram, number: number): void {
    const remarks = { annotations, pos };
    const combined = scalarFirst
      ? combineCells(op, number, histogram, remarks)
      : combineCells(op, histogram, number, remarks);
    if (combined === undefined) return;
    if (typeof combined.value === 'number') {
      result.present[cell] = FLOAT;
      result.values[cell] = combined.value;
    } else {
      result.present[cell] = HISTOGRAM;
      result.histograms.set(cell, combined.value);
    }
  }
}

function floatsWithScalar(
  { op, bool, scalarFirst }: ScalarOperation,
  { labels, steps, values, present }: Columns,
  scalar: ScalarValue,
  pace: Pace,
): Columns {
  const result = blankColumns(labels, steps);
  const row: FloatRow = { values, present, at: 0, mark: 0 };
  // The scalar has a number at each step; the marks are the row's.
  const numbers: FloatRow = { values: scalar.values, present, at: 0, mark: 0 };
  const [left, right] = scalarFirst ? [numbers, row] : [row, numbers];
  const loop = new FloatLoop(op, bool, scalarFirst);
  for (let at = 0; at < labels.length * steps; at += steps) {
    pace.spend(steps);
    row.at = row.mark = numbers.mark = at;
    loop.run(left, right, steps, result, at);
  }
  return result;
}

/** -vector: like arithmetic, it takes the names off. */
export function negate(operand: VectorValue, { names }: OperatorContext): VectorValue {
  const { columns } = operand;
  const values = columns.values.map((value, cell) => (columns.present[cell] === FLOAT ? -value : 0));
  const histograms = new Map<number, FloatHistogram>();
  if (hasHistograms(columns)) {
    for (const [cell, histogram] of columns.histograms!) histograms.set(cell, histogram.multiply(-1));
  }
  return names.drop({ labels: columns.labels, steps: columns.steps, values, present: columns.present, histograms });
}
