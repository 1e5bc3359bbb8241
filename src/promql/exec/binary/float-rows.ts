// Operators between two rows of floats, in one loop over their steps.

import { arithmetic, isArithmetic } from '../../arithmetic.js';
import { type BinaryOp, isComparison } from '../../syntax/ast.js';
import { FLOAT } from '../source.js';

/** Cells that a loop reads: values from `at` on, their marks from `mark` on. */
export interface FloatRow {
  values: Float64Array;
  present: Uint8Array;
  at: number;
  mark: number;
}

/** What operators are inside the loop, where texts would be slow to compare. Arithmetic that is rare is `Other`. */
enum Code {
  Add,
  Subtract,
  Multiply,
  Divide,
  Other,
  Equal,
  NotEqual,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual,
}

const CODES: Partial<Record<BinaryOp, Code>> = {
  '+': Code.Add,
  '-': Code.Subtract,
  '*': Code.Multiply,
  '/': Code.Divide,
  '==': Code.Equal,
  '!=': Code.NotEqual,
  '<': Code.Less,
  '<=': Code.LessOrEqual,
  '>': Code.Greater,
  '>=': Code.GreaterOrEqual,
};

export class FloatLoop {
  readonly #op: BinaryOp;
  readonly #code: Code;
  readonly #bool: boolean;
  readonly #keepsRight: boolean;

  /** Of an arithmetic operator or a comparison, whose result is the right side's value where `keepsRight`. */
  constructor(op: BinaryOp, bool: boolean, keepsRight = false) {
    if (!isArithmetic(op) && !isComparison(op)) throw new Error(`${op} has no result of floats`);
    this.#op = op;
    this.#code = CODES[op] ?? Code.Other;
    this.#bool = bool;
    this.#keepsRight = keepsRight;
  }

  /** Fills cells from `into` on, which are blank, where both sides have a float. */
  run(
    left: FloatRow,
    right: FloatRow,
    steps: number,
    out: { values: Float64Array; present: Uint8Array },
    into: number,
  ) {
    const code = this.#code;
    const { values: leftValues, present: leftPresent, at: leftAt, mark: leftMark } = left;
    const { values: rightValues, present: rightPresent, at: rightAt, mark: rightMark } = right;
    const { values, present } = out;
    for (let step = 0; step < steps; step++) {
      if (leftPresent[leftMark + step] !== FLOAT || rightPresent[rightMark + step] !== FLOAT) continue;
      const a = leftValues[leftAt + step]!;
      const b = rightValues[rightAt + step]!;
      let value: number;
      switch (code) {
        case Code.Add:
          value = a + b;
          break;
        case Code.Subtract:
          value = a - b;
          break;
        case Code.Multiply:
          value = a * b;
          break;
        case Code.Divide:
          value = a / b;
          break;
        case Code.Other:
          value = this.#arithmetic(a, b);
          break;
        default: {
          const holds = compare(code, a, b);
          if (!holds && !this.#bool) continue;
          value = this.#bool ? Number(holds) : this.#keepsRight ? b : a;
        }
      }
      values[into + step] = value;
      present[into + step] = FLOAT;
    }
  }

  #arithmetic(a: number, b: number): number {
    const op = this.#op;
    return isArithmetic(op) ? arithmetic(op, a, b) : Number.NaN;
  }
}

function compare(code: Code, a: number, b: number): boolean {
  switch (code) {
    case Code.Equal:
      return a === b;
    case Code.NotEqual:
      return a !== b;
    case Code.Less:
      return a < b;
    case Code.LessOrEqual:
      return a <= b;
    case Code.Greater:
      return a > b;
    default:
      return a >= b;
  }
}
