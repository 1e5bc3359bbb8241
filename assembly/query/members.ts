// The rows of a group, kept as they are for what needs all values of a group at once: quantile.
//
//   state of a group: a buffer
//   ┌─────┬─────┬─ ─┬─────┬─────┬─ ─┬ ─ ─ ─
//   │ key │ key │   │ key │ key │   │          key   i64: compares as its value does (eval/order.ts)
//   └─────┴─────┴─ ─┴─────┴─────┴─ ─┴ ─ ─ ─          ABSENT where the row has no value
//   member 0, steps  member 1, steps

import { KEY_MAX, keyOf, quantileOfKeys } from '../eval/order';
import * as buffer from '../memory/buffer';

const ABSENT: i64 = KEY_MAX + 1;

/** Adds a row; false where the memory limit says no. */
export function add(state: usize, values: usize, present: usize, steps: u32): bool {
  const keys = buffer.reserve(state, steps << 3);
  if (keys == 0) return false;
  for (let step: usize = 0; step < <usize>steps; step++) {
    const key = keyOf(load<u64>(values + (step << 3)));
    store<i64>(keys + (step << 3), load<u8>(present + step) != 0 ? key : ABSENT);
  }
  buffer.advance(state, steps << 3);
  return true;
}

/** Writes the row of the φ-quantiles, φ in [0, 1]; gives its cells with a value, or -1 where the memory limit says no. */
export function quantiles(state: usize, steps: u32, phi: f64, values: usize, present: usize): i32 {
  const width: usize = (<usize>steps) << 3;
  const size = <usize>buffer.length(state);
  const scratch = buffer.reserve(state, (<u32>(size / width)) << 3);
  if (scratch == 0) return -1;
  const rows = scratch - size;
  let cells: i32 = 0;
  for (let at: usize = 0; at < width; at += 8) {
    let end = scratch;
    for (let cell = rows + at; cell < scratch; cell += width) {
      const key = load<i64>(cell);
      store<i64>(end, key);
      end += key == ABSENT ? 0 : 8;
    }
    const isThere = end != scratch;
    store<f64>(values + at, isThere ? quantileOfKeys(phi, scratch, (end - scratch) >> 3) : 0);
    store<u8>(present + (at >> 3), isThere);
    cells += i32(isThere);
  }
  return cells;
}
