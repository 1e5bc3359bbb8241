// What the operators do with two numbers: IEEE arithmetic with Go's library functions.

import type { ArithmeticOp, BinaryOp, ComparisonOp } from './syntax/ast.js';

const { pow } = Math;

export function arithmetic(op: ArithmeticOp, left: number, right: number): number {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return power(left, right);
    case 'atan2':
      return Math.atan2(left, right);
  }
}

/** As in Go, 1 to any power and ±1 to an infinite one are 1; JavaScript has NaN. */
export function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return pow(base, exponent);
}

/** As in Go, +Inf is the larger one even beside NaN. */
export function maxOf(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}

export function minOf(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}

export function compare(op: ComparisonOp, left: number, right: number): boolean {
  switch (op) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

export function isArithmetic(op: BinaryOp): op is ArithmeticOp {
  return '+-*/%^'.includes(op) || op === 'atan2';
}
