// Operators between two floats.

import { arithmetic, compare, isArithmetic } from '../../arithmetic.js';
import { type BinaryOp, isComparison } from '../../syntax/ast.js';

export interface FloatOperator {
  /** The value where both sides are floats; for a comparison, the left side's. */
  readonly value: (left: number, right: number) => number;
  /** Whether there is a result. */
  readonly keep: (left: number, right: number) => boolean;
  /** Whether the result means something else than the operands, so that it loses the metric's name. */
  readonly changesMeaning: boolean;
  readonly isComparison: boolean;
}

const always = () => true;
const leftSide = (left: number) => left;

/** undefined for operators that floats do not have: the set operators and histogram trims. */
export function floatOperator(op: BinaryOp): FloatOperator | undefined {
  if (isArithmetic(op)) {
    return {
      value: ARITHMETIC[op] ?? ((left, right) => arithmetic(op, left, right)),
      keep: always,
      changesMeaning: true,
      isComparison: false,
    };
  }
  if (!isComparison(op)) return undefined;
  return {
    value: leftSide,
    keep: (left, right) => compare(op, left, right),
    changesMeaning: false,
    isComparison: true,
  };
}

/** The frequent ones without a switch inside their loops. */
const ARITHMETIC: Partial<Record<BinaryOp, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};
