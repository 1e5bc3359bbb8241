// Shaping: what happens to a row's cells before it is handed on or folded.
//
//   shaping (16 bytes)
//   ┌─────────┬───────┬──────┬────────┐
//   │ program │ count │ keep │ (free) │   program   operations on each float (cells.ts), count of them; 0 for none
//   │ u32     │ u32   │ u32  │        │   keep      which cells can be among the best (keep.ts); 0 where all count
//   └─────────┴───────┴──────┴────────┘

import { CELL_OP_BYTES } from '../layout';
import * as heap from '../memory/heap';
import * as cells from './cells';
import * as keep from './keep';

const SHAPING_BYTES: usize = 16;
const PROGRAM: usize = 0;
const COUNT: usize = 4;
const KEEP: usize = 8;

/** Takes the program, a block of `count` operations, and what to keep; 0 where memory is refused, and then they stay the caller's. */
export function open(program: usize, count: u32, keepAddress: usize): usize {
  const shaping = heap.alloc(SHAPING_BYTES);
  if (shaping == 0) return 0;
  store<u32>(shaping, <u32>program, PROGRAM);
  store<u32>(shaping, count, COUNT);
  store<u32>(shaping, <u32>keepAddress, KEEP);
  return shaping;
}

export function close(shaping: usize): void {
  const program = <usize>load<u32>(shaping, PROGRAM);
  if (program != 0) heap.free(program, <usize>load<u32>(shaping, COUNT) * <usize>CELL_OP_BYTES);
  if (load<u32>(shaping, KEEP) != 0) keep.close(<usize>load<u32>(shaping, KEEP));
  heap.free(shaping, SHAPING_BYTES);
}

/** Shapes the row of a series with the label set `set`, of whose cells `count` have a value; gives how many are left. */
export function run(shaping: usize, set: usize, values: usize, present: usize, steps: u32, count: u32): u32 {
  const program = <usize>load<u32>(shaping, PROGRAM);
  let left = count;
  if (program != 0) left = cells.run(program, load<u32>(shaping, COUNT), values, present, steps, left);
  const best = <usize>load<u32>(shaping, KEEP);
  if (best != 0 && left != 0) left = keep.run(best, set, values, present, left);
  return left;
}
