// The end of an aggregation: the state columns of a group become the row of its values, as finishPartial() of
// promql/exec/partial.ts does it, to the bit. Columns are drawn in aggregate.ts.

import { AggregateOp, GROUP_RUNNING } from '../layout';
import { columnsOf } from './aggregate';

/** Finishes a group's block, its state columns and then its marks, into a row; gives the row's cells with a value. */
export function finish(op: u32, state: usize, steps: u32, values: usize, present: usize): u32 {
  const width: usize = (<usize>steps) << 3;
  const seen = state + <usize>columnsOf(op) * width;
  let cells: u32 = 0;
  for (let step: usize = 0; step < <usize>steps; step++) {
    const isThere = load<u8>(seen + step) != 0;
    store<u8>(present + step, isThere);
    cells += <u32>isThere;
  }
  switch (op) {
    case AggregateOp.Sum:
      finishSums(state, width, values);
      break;
    case AggregateOp.Avg:
      finishMeans(state, width, seen, values);
      break;
    case AggregateOp.Group:
      for (let step: usize = 0; step < <usize>steps; step++) {
        store<f64>(values + (step << 3), <f64>load<u8>(present + step));
      }
      break;
    case AggregateOp.Stddev:
    case AggregateOp.Stdvar:
      finishSquares(state, width, seen, values, op == AggregateOp.Stddev);
      break;
    default:
      memory.copy(values, state, width);
  }
  return cells;
}

function finishSums(state: usize, width: usize, values: usize): void {
  for (let at: usize = 0; at < width; at += 8) {
    store<f64>(values + at, load<f64>(state + at) + load<f64>(state + at + width));
  }
}

function finishMeans(state: usize, width: usize, seen: usize, values: usize): void {
  for (let at: usize = 0; at < width; at += 8) {
    const mark = load<u8>(seen + (at >> 3));
    const cell = state + at;
    const count: f64 = mark == <u8>GROUP_RUNNING ? 1 : load<f64>(cell + 2 * width);
    store<f64>(values + at, mark == 0 ? 0 : load<f64>(cell) / count + load<f64>(cell + width) / count);
  }
}

function finishSquares(state: usize, width: usize, seen: usize, values: usize, isRoot: bool): void {
  for (let at: usize = 0; at < width; at += 8) {
    const cell = state + at;
    const variance = load<u8>(seen + (at >> 3)) == 0 ? 0 : load<f64>(cell + width) / load<f64>(cell + 2 * width);
    store<f64>(values + at, isRoot ? sqrt(variance) : variance);
  }
}
