// Operators between a vector and a number, and functions of one vector, as cell programs.

import type { CellComparison, CellOp, CellOpName } from '../cells.js';
import type { BinaryOp } from '../syntax/ast.js';
import type { BinaryPlan, CallPlan, Plan } from './plan.js';

/** A node that does the same to each float of its one vector input. */
export interface CellNode {
  readonly input: Plan;
  readonly program: readonly CellOp[];
  /** Whether names stay. */
  readonly keepsName: boolean;
  /** Whether it takes elements away. */
  readonly filters: boolean;
}

/** undefined for other nodes, and where a number is none that programs can have. */
export function cellNodeOf(plan: Plan): CellNode | undefined {
  switch (plan.kind) {
    case 'negate':
      return { input: plan.input, program: [{ op: 'negate', number: 0 }], keepsName: false, filters: false };
    case 'binary':
      return binaryNode(plan);
    case 'call':
      return callNode(plan);
    default:
      return undefined;
  }
}

/** The operation with the number on the right, and on the left. */
const ARITHMETIC: Partial<Record<BinaryOp, readonly [CellOpName, CellOpName]>> = {
  '+': ['add', 'add'],
  '-': ['subtract', 'subtractFrom'],
  '*': ['multiply', 'multiply'],
  '/': ['divide', 'divideInto'],
};

const COMPARISONS: Partial<Record<BinaryOp, readonly [CellComparison, CellComparison]>> = {
  '==': ['equal', 'equal'],
  '!=': ['notEqual', 'notEqual'],
  '<': ['less', 'greater'],
  '<=': ['lessOrEqual', 'greaterOrEqual'],
  '>': ['greater', 'less'],
  '>=': ['greaterOrEqual', 'lessOrEqual'],
};

function binaryNode({ op, left, right, bool }: BinaryPlan): CellNode | undefined {
  const flipped = left.kind === 'number';
  const [input, scalar] = flipped ? [right, left] : [left, right];
  if (scalar.kind !== 'number' || !isPlain(scalar.value)) return undefined;
  const side = flipped ? 1 : 0;
  const arithmetic = ARITHMETIC[op]?.[side];
  const number = scalar.value;
  if (arithmetic !== undefined) {
    return { input, program: [{ op: arithmetic, number }], keepsName: false, filters: false };
  }
  const comparison = COMPARISONS[op]?.[side];
  if (comparison === undefined) return undefined;
  return {
    input,
    program: [{ op: bool ? `${comparison}Bool` : comparison, number }],
    keepsName: !bool,
    filters: !bool,
  };
}

type Program = (numbers: readonly number[]) => readonly CellOp[] | undefined;

function plain(op: CellOpName): Program {
  return () => [{ op, number: 0 }];
}

const FUNCTIONS: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['abs', plain('abs')],
  ['ceil', plain('ceil')],
  ['floor', plain('floor')],
  ['sqrt', plain('sqrt')],
  ['sgn', plain('sign')],
  ['deg', () => scaled(180, Math.PI)],
  ['rad', () => scaled(Math.PI, 180)],
  ['clamp_min', ([least]) => [{ op: 'atLeast', number: least! }]],
  ['clamp_max', ([most]) => [{ op: 'atMost', number: most! }]],
  ['clamp', ([least, most]) => (most! < least! ? undefined : clamped(least!, most!))],
  ['round', ([nearest]) => rounded(nearest ?? 1)],
]);

function scaled(factor: number, divisor: number): CellOp[] {
  return [
    { op: 'multiply', number: factor },
    { op: 'divide', number: divisor },
  ];
}

function clamped(least: number, most: number): CellOp[] {
  return [
    { op: 'atMost', number: most },
    { op: 'atLeast', number: least },
  ];
}

/** As functions/math.ts rounds. */
function rounded(nearest: number): CellOp[] | undefined {
  const inverse = 1 / nearest;
  if (!isPlain(inverse)) return undefined;
  return [
    { op: 'multiply', number: inverse },
    { op: 'add', number: 0.5 },
    { op: 'floor', number: 0 },
    { op: 'divide', number: inverse },
  ];
}

function callNode({ fn, args }: CallPlan): CellNode | undefined {
  const [input, ...rest] = args;
  const program = FUNCTIONS.get(fn);
  if (input === undefined || program === undefined) return undefined;
  const numbers: number[] = [];
  for (const arg of rest) {
    if (arg.kind !== 'number' || !isPlain(arg.value)) return undefined;
    numbers.push(arg.value);
  }
  const ops = program(numbers);
  return ops && { input, program: ops, keepsName: false, filters: false };
}

/** Numbers whose text in JSON is theirs alone. */
function isPlain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}
