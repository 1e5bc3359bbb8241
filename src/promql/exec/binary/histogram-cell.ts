// Operators between two samples of which at least one is a native histogram.

import { addHistograms, FloatHistogram, subtractHistograms } from '../../../model/histogram.js';
import { trimHistogram } from '../../../model/histogram-trim.js';
import type { BinaryOp, Span } from '../../syntax/ast.js';
import { type Annotations, collision, reconciled } from '../annotations.js';

export type Cell = number | FloatHistogram;

export interface CellResult {
  readonly value: Cell;
  /** Of a comparison: whether it holds. */
  readonly keep: boolean;
}

/** undefined, with a remark, where the operator does not apply. */
export function combineCells(
  op: BinaryOp,
  left: Cell,
  right: Cell,
  remarks: { readonly annotations: Annotations; readonly pos: Span },
): CellResult | undefined {
  const value = resultOf(op, left, right, remarks);
  if (value === undefined) remarks.annotations.incompatibleTypes(typeOf(left), op, typeOf(right), remarks.pos);
  if (value === undefined || value === 'incompatible') return undefined;
  return typeof value === 'boolean' ? { value: left, keep: value } : { value, keep: true };
}

function typeOf(cell: Cell): string {
  return typeof cell === 'number' ? 'float' : 'histogram';
}

/** A boolean for a comparison; undefined where the types do not fit the operator. */
function resultOf(
  op: BinaryOp,
  left: Cell,
  right: Cell,
  remarks: { readonly annotations: Annotations; readonly pos: Span },
): Cell | boolean | 'incompatible' | undefined {
  if (left instanceof FloatHistogram && right instanceof FloatHistogram) {
    switch (op) {
      case '+':
      case '-':
        return addOrSubtract(op, left, right, remarks);
      case '==':
        return left.equals(right);
      case '!=':
        return !left.equals(right);
      default:
        return undefined;
    }
  }
  if (left instanceof FloatHistogram) {
    const number = right as number;
    switch (op) {
      case '*':
        return left.multiply(number);
      case '/':
        return left.divide(number);
      case '</':
        return trimHistogram(left, number, 'upper');
      case '>/':
        return trimHistogram(left, number, 'lower');
      default:
        return undefined;
    }
  }
  return op === '*' && right instanceof FloatHistogram ? right.multiply(left) : undefined;
}

function addOrSubtract(
  op: '+' | '-',
  left: FloatHistogram,
  right: FloatHistogram,
  { annotations, pos }: { readonly annotations: Annotations; readonly pos: Span },
): Cell | 'incompatible' {
  const operation = op === '+' ? 'addition' : 'subtraction';
  const result = op === '+' ? addHistograms(left, right) : subtractHistograms(left, right);
  if (result === undefined) {
    annotations.incompatibleBuckets(op, pos);
    return 'incompatible';
  }
  if (result.collided) annotations.warn(collision(operation), pos);
  if (result.reconciled) annotations.info(reconciled(operation), pos);
  return op === '+' ? result.histogram : result.histogram.with({ hint: 'gauge' });
}
