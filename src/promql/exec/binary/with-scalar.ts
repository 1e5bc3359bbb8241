// Operators between two scalars, and between a vector and a scalar.

import type { FloatHistogram } from '../../../model/histogram.js';
import { arithmetic, compare, isArithmetic } from '../../arithmetic.js';
import { type BinaryOp, isComparison, type Span } from '../../syntax/ast.js';
import { blankColumns, hasHistograms } from '../columns.js';
import type { OperatorContext } from '../operator.js';
import { ABSENT, FLOAT, HISTOGRAM } from '../source.js';
import { type ScalarValue, type VectorValue, vector } from '../value.js';
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
  const result = blankColumns(labels, steps);
  const operator = floatOperator(op);
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

  if (operator?.changesMeaning === true || bool) return names.drop(result);
  return vector(result, operand.drops);

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
