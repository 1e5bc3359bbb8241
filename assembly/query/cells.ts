// Cell programs: what is done to each float of a row before it is handed on or folded.
//
//   operation (16 bytes)      several, one after another
//   ┌────────┬────────┬────────┐
//   │ CellOp │ (free) │ n      │
//   │ u32    │        │ f64    │
//   └────────┴────────┴────────┘
//
// Operations are those whose results are the same bit by bit in every language: no logarithms, no powers.
// Each runs over the whole row, absent cells too, which are blanked again in the end.

import { CELL_OP_BYTES, CELL_OP_NUMBER, CellOp } from '../layout';

/** Runs `count` operations over a row, of whose cells `cells` have a value; gives how many have one then. */
export function run(program: usize, count: u32, values: usize, present: usize, steps: u32, cells: u32): u32 {
  const end = values + ((<usize>steps) << 3);
  let left = cells;
  for (let i: u32 = 0; i < count; i++) {
    const at = program + <usize>i * <usize>CELL_OP_BYTES;
    const op = load<u32>(at);
    const n = load<f64>(at, CELL_OP_NUMBER);
    if (op >= <u32>CellOp.Equal && op <= <u32>CellOp.GreaterOrEqual) left = filter(op, n, values, present, steps);
    else map(op, n, values, end);
    if (left == 0) break;
  }
  if (left < steps) blank(values, present, steps);
  return left;
}

/** Takes away the cells for which a comparison does not hold. */
function filter(op: u32, n: f64, values: usize, present: usize, steps: u32): u32 {
  let left: u32 = 0;
  for (let step: usize = 0; step < <usize>steps; step++) {
    const holds = u8(compare(op, load<f64>(values + (step << 3)), n)) & u8(load<u8>(present + step) != 0);
    store<u8>(present + step, holds);
    left += <u32>holds;
  }
  return left;
}

function compare(op: u32, x: f64, n: f64): bool {
  switch (op) {
    case CellOp.Equal:
      return x == n;
    case CellOp.NotEqual:
      return x != n;
    case CellOp.Less:
      return x < n;
    case CellOp.LessOrEqual:
      return x <= n;
    case CellOp.Greater:
      return x > n;
    default:
      return x >= n;
  }
}

function map(op: u32, n: f64, values: usize, end: usize): void {
  for (let at = values; at < end; at += 8) store<f64>(at, changed(op, load<f64>(at), n));
}

function changed(op: u32, x: f64, n: f64): f64 {
  switch (op) {
    case CellOp.Add:
      return x + n;
    case CellOp.Subtract:
      return x - n;
    case CellOp.SubtractFrom:
      return n - x;
    case CellOp.Multiply:
      return x * n;
    case CellOp.Divide:
      return x / n;
    case CellOp.DivideInto:
      return n / x;
    case CellOp.Abs:
      return abs<f64>(x);
    case CellOp.Ceil:
      return ceil<f64>(x);
    case CellOp.Floor:
      return floor<f64>(x);
    case CellOp.Sqrt:
      return sqrt<f64>(x);
    case CellOp.Sign:
      return x < 0 ? -1 : x > 0 ? 1 : x;
    case CellOp.Negate:
      return -x;
    case CellOp.AtLeast:
      // As in Go, +Inf is the larger one even beside NaN.
      return x == Infinity || n == Infinity ? Infinity : max<f64>(x, n);
    case CellOp.AtMost:
      return x == -Infinity || n == -Infinity ? -Infinity : min<f64>(x, n);
    default:
      return f64(compare(op - <u32>CellOp.EqualBool + <u32>CellOp.Equal, x, n));
  }
}

function blank(values: usize, present: usize, steps: u32): void {
  for (let step: usize = 0; step < <usize>steps; step++) {
    if (load<u8>(present + step) == 0) store<f64>(values + (step << 3), 0);
  }
}
