// The façade of shaping: what happens to rows' cells before they are handed on or folded
// (assembly/query/shaping.ts).

import { CELL_OP_BYTES, CELL_OP_NUMBER, CellOp, KeepOrder } from '../../assembly/layout.js';
import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

/** The names in promql/cells.ts. */
export const CELL_OPS: ReadonlyMap<string, CellOp> = new Map([
  ['add', CellOp.Add],
  ['subtract', CellOp.Subtract],
  ['subtractFrom', CellOp.SubtractFrom],
  ['multiply', CellOp.Multiply],
  ['divide', CellOp.Divide],
  ['divideInto', CellOp.DivideInto],
  ['equal', CellOp.Equal],
  ['notEqual', CellOp.NotEqual],
  ['less', CellOp.Less],
  ['lessOrEqual', CellOp.LessOrEqual],
  ['greater', CellOp.Greater],
  ['greaterOrEqual', CellOp.GreaterOrEqual],
  ['equalBool', CellOp.EqualBool],
  ['notEqualBool', CellOp.NotEqualBool],
  ['lessBool', CellOp.LessBool],
  ['lessOrEqualBool', CellOp.LessOrEqualBool],
  ['greaterBool', CellOp.GreaterBool],
  ['greaterOrEqualBool', CellOp.GreaterOrEqualBool],
  ['abs', CellOp.Abs],
  ['ceil', CellOp.Ceil],
  ['floor', CellOp.Floor],
  ['sqrt', CellOp.Sqrt],
  ['sign', CellOp.Sign],
  ['negate', CellOp.Negate],
  ['atLeast', CellOp.AtLeast],
  ['atMost', CellOp.AtMost],
]);

const KEEP_ORDERS: ReadonlyMap<string, KeepOrder> = new Map([
  ['largest', KeepOrder.Largest],
  ['smallest', KeepOrder.Smallest],
  ['first', KeepOrder.First],
]);

export interface QueryCellOp {
  readonly op: string;
  readonly number: number;
}

/** Which cells of each group are kept, `k` at each step. */
export interface QueryKeep {
  readonly order: 'largest' | 'smallest' | 'first';
  readonly k: number;
  readonly grouping: 'by' | 'without';
  readonly labels: readonly string[];
}

/** In the core's memory: belongs to the query that it is given to. */
export type Shaping = number & { readonly __ref: 'Shaping' };

/** Groups in the core's memory, for a keep that takes them. */
export type OpenGroups = () => number;

/** Throws OutOfMemory, with nothing left behind. */
export function openShaping(
  core: Core,
  program: readonly QueryCellOp[],
  keep: QueryKeep | undefined,
  steps: number,
  openGroups: OpenGroups,
): Shaping {
  const { exports } = core;
  const best = keep === undefined ? 0 : openKeep(core, keep, steps, openGroups);
  const bytes = program.length * CELL_OP_BYTES;
  const address = bytes === 0 ? 0 : exports.heap_alloc(bytes) >>> 0;
  if (bytes === 0 || address !== 0) {
    writeProgram(core, address, program);
    const shaping = exports.shaping_open(address, program.length, best) >>> 0;
    if (shaping !== 0) return shaping as Shaping;
    if (address !== 0) exports.heap_free(address, bytes);
  }
  if (best !== 0) exports.keep_close(best);
  throw new OutOfMemory();
}

function openKeep(core: Core, { k, order }: QueryKeep, steps: number, openGroups: OpenGroups): number {
  const keep = core.exports.keep_open(k, KEEP_ORDERS.get(order)!, openGroups(), steps) >>> 0;
  if (keep === 0) throw new OutOfMemory();
  return keep;
}

function writeProgram(core: Core, address: number, program: readonly QueryCellOp[]): void {
  const { view } = core;
  program.forEach(({ op, number }, i) => {
    const at = address + i * CELL_OP_BYTES;
    view.setUint32(at, CELL_OPS.get(op)!, true);
    view.setFloat64(at + CELL_OP_NUMBER, number, true);
  });
}
