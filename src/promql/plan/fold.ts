// Constant folding: arithmetic and comparisons between numbers, and negated numbers.

import { arithmetic, compare, isArithmetic } from '../arithmetic.js';
import { isComparison } from '../syntax/ast.js';
import { mapChildren, type Plan } from './plan.js';

export function foldConstants(plan: Plan): Plan {
  const folded = mapChildren(plan, foldConstants);
  const { pos } = folded;
  if (folded.kind === 'negate' && folded.input.kind === 'number') {
    return { kind: 'number', value: -folded.input.value, pos };
  }
  if (folded.kind === 'binary' && folded.left.kind === 'number' && folded.right.kind === 'number') {
    const { op, left, right } = folded;
    if (isArithmetic(op)) return { kind: 'number', value: arithmetic(op, left.value, right.value), pos };
    if (isComparison(op)) return { kind: 'number', value: compare(op, left.value, right.value) ? 1 : 0, pos };
  }
  if (folded.kind === 'call' && folded.fn === 'pi') return { kind: 'number', value: Math.PI, pos };
  return folded;
}
