// Keeping the best: which cells of a row can still be among the k of their group and step.
//
//   keep (48 bytes)
//   0      4       8        12      16             32
//   ┌──────┬───────┬────────┬───────┬──────────────┬────────┐
//   │ k    │ order │ groups │ steps │ states       │ (free) │   states: address of each group's
//   │ u32  │ u32   │ u32    │ u32   │ buffer       │        │
//   └──────┴───────┴────────┴───────┴──────────────┴────────┘
//   state of a group: how many cells each step has so far, u32 × steps; their values, f64 × k × steps, best first
//
// Rows pass one after another, and cells that k earlier ones beat are taken away: whoever asked looks at what
// is left, here and from other shards, once more. So nothing is wrong where memory for another state is
// refused, and the rows of its group pass whole.

import { KeepOrder } from '../layout';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as groups from './groups';

const KEEP_BYTES: usize = 48;
const K: usize = 0;
const ORDER: usize = 4;
const GROUPS: usize = 8;
const STEPS: usize = 12;
const STATES: usize = 16;

/** Most bytes of all states together. */
const STATES_MAX: u64 = 1 << 24;

/** Takes the groups, which are closed where memory is refused: then it gives 0. */
export function open(k: u32, order: KeepOrder, groupsAddress: usize, steps: u32): usize {
  const keep = heap.alloc(KEEP_BYTES);
  if (keep == 0) {
    groups.close(groupsAddress);
    return 0;
  }
  memory.fill(keep, 0, KEEP_BYTES);
  store<u32>(keep, k, K);
  store<u32>(keep, order, ORDER);
  store<u32>(keep, <u32>groupsAddress, GROUPS);
  store<u32>(keep, steps, STEPS);
  return keep;
}

export function close(keep: usize): void {
  const states = keep + STATES;
  for (let i: u32 = 0; i < buffer.length(states); i += 4) {
    const state = <usize>load<u32>(buffer.address(states) + i);
    if (state != 0) heap.free(state, <usize>stateBytes(keep));
  }
  buffer.clear(states);
  groups.close(<usize>load<u32>(keep, GROUPS));
  heap.free(keep, KEEP_BYTES);
}

/** Takes away from a row, of whose cells `cells` have a value, what cannot be among the best; gives how many are left. */
export function run(keep: usize, set: usize, values: usize, present: usize, cells: u32): u32 {
  const state = stateOf(keep, set);
  if (state == 0) return cells;
  const k = load<u32>(keep, K);
  const order = load<u32>(keep, ORDER);
  const steps = <usize>load<u32>(keep, STEPS);
  const best = state + roundUp(steps << 2);
  let left: u32 = 0;
  for (let step: usize = 0; step < steps; step++) {
    if (load<u8>(present + step) == 0) continue;
    const count = state + (step << 2);
    const value = load<f64>(values + (step << 3));
    if (offer(count, best + ((step * <usize>k) << 3), k, order, value)) {
      left++;
    } else {
      store<u8>(present + step, 0);
      store<f64>(values + (step << 3), 0);
    }
  }
  return left;
}

/** Whether a value is among the k best so far, of which `count` has the number; then it takes its place. */
function offer(count: usize, best: usize, k: u32, order: u32, value: f64): bool {
  const held = load<u32>(count);
  if (order == KeepOrder.First) {
    if (held == k) return false;
    store<u32>(count, held + 1);
    return true;
  }
  let at = held;
  if (held == k) {
    if (!isBetter(order, value, load<f64>(best + ((<usize>(k - 1)) << 3)))) return false;
    at = k - 1;
  } else {
    store<u32>(count, held + 1);
  }
  while (at > 0) {
    const before = load<f64>(best + ((<usize>(at - 1)) << 3));
    if (!isBetter(order, value, before)) break;
    store<f64>(best + ((<usize>at) << 3), before);
    at--;
  }
  store<f64>(best + ((<usize>at) << 3), value);
  return true;
}

/** NaN is worse than anything. */
function isBetter(order: u32, a: f64, b: f64): bool {
  if (isNaN(b)) return !isNaN(a);
  return order == KeepOrder.Largest ? a > b : a < b;
}

/** 0 where there is none and none can be made. */
function stateOf(keep: usize, set: usize): usize {
  const group = groups.groupOf(<usize>load<u32>(keep, GROUPS), set);
  if (group == groups.NONE) return 0;
  const states = keep + STATES;
  if (group << 2 < buffer.length(states)) return <usize>load<u32>(buffer.address(states) + ((<usize>group) << 2));
  const entry = group << 2 == buffer.length(states) ? buffer.reserve(states, 4) : 0;
  if (entry == 0) return 0;
  const bytes = stateBytes(keep);
  const state: usize = bytes * <u64>(group + 1) > STATES_MAX ? 0 : heap.alloc(<usize>bytes);
  if (state != 0) memory.fill(state, 0, <usize>bytes);
  store<u32>(entry, <u32>state);
  buffer.advance(states, 4);
  return state;
}

/** A block for each step's count and, unless order alone decides, its k values. A subquery has steps enough to pass 32 bits. */
function stateBytes(keep: usize): u64 {
  const steps = load<u32>(keep, STEPS);
  const values: u64 = load<u32>(keep, ORDER) == KeepOrder.First ? 0 : (<u64>steps * <u64>load<u32>(keep, K)) << 3;
  return <u64>roundUp((<usize>steps) << 2) + values;
}

/** Values are aligned to 8. */
function roundUp(bytes: usize): usize {
  return (bytes + 7) & ~7;
}
