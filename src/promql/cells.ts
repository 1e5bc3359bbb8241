// Cell programs: what is done to each float of a fragment's rows, before rows are handed on or aggregated.
//
//   abs(rate(m[5m]) * 8) > 0.5     multiply 8, abs, greater 0.5
//
// Operations that give the same bits in every language: arithmetic, comparisons, rounding.

import { maxOf, minOf } from './arithmetic.js';

export type CellOpName =
  | 'add'
  | 'subtract'
  /** The number less the value. */
  | 'subtractFrom'
  | 'multiply'
  | 'divide'
  /** The number by the value. */
  | 'divideInto'
  // Comparisons keep a value where they hold.
  | CellComparison
  // And give 1 or 0.
  | `${CellComparison}Bool`
  | 'abs'
  | 'ceil'
  | 'floor'
  | 'sqrt'
  | 'sign'
  | 'negate'
  /** The larger of value and number; the smaller. */
  | 'atLeast'
  | 'atMost';

export type CellComparison = 'equal' | 'notEqual' | 'less' | 'lessOrEqual' | 'greater' | 'greaterOrEqual';

export interface CellOp {
  readonly op: CellOpName;
  /** 0 where the operation takes none. Finite: programs cross threads as text, too. */
  readonly number: number;
}

/** Operations without a number. */
export const NUMBERLESS: ReadonlySet<CellOpName> = new Set<CellOpName>([
  'abs',
  'ceil',
  'floor',
  'sqrt',
  'sign',
  'negate',
]);

/** What an operation makes of a value; undefined where a comparison takes it away. */
export function runCellOp({ op, number }: CellOp, value: number): number | undefined {
  switch (op) {
    case 'add':
      return value + number;
    case 'subtract':
      return value - number;
    case 'subtractFrom':
      return number - value;
    case 'multiply':
      return value * number;
    case 'divide':
      return value / number;
    case 'divideInto':
      return number / value;
    case 'abs':
      return Math.abs(value);
    case 'ceil':
      return Math.ceil(value);
    case 'floor':
      return Math.floor(value);
    case 'sqrt':
      return Math.sqrt(value);
    case 'sign':
      return value < 0 ? -1 : value > 0 ? 1 : value;
    case 'negate':
      return -value;
    case 'atLeast':
      return maxOf(value, number);
    case 'atMost':
      return minOf(value, number);
    default: {
      const bool = op.endsWith('Bool');
      const holds = compare((bool ? op.slice(0, -4) : op) as CellComparison, value, number);
      if (bool) return Number(holds);
      return holds ? value : undefined;
    }
  }
}

function compare(op: CellComparison, value: number, number: number): boolean {
  switch (op) {
    case 'equal':
      return value === number;
    case 'notEqual':
      return value !== number;
    case 'less':
      return value < number;
    case 'lessOrEqual':
      return value <= number;
    case 'greater':
      return value > number;
    case 'greaterOrEqual':
      return value >= number;
  }
}

/** Cells of one row of floats. */
interface Cells {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** Runs a program over the floats of `count` cells from `offset` on; gives how many are left. */
export function runCells(
  program: readonly CellOp[],
  { values, present }: Cells,
  offset: number,
  count: number,
): number {
  let left = 0;
  for (let cell = offset; cell < offset + count; cell++) {
    if (present[cell] === 0) continue;
    let value: number | undefined = values[cell]!;
    for (let i = 0; i < program.length && value !== undefined; i++) value = runCellOp(program[i]!, value);
    values[cell] = value ?? 0;
    if (value === undefined) present[cell] = 0;
    else left++;
  }
  return left;
}
