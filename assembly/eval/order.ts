// quantile_over_time: the φ-quantile of a window, between two of its values by linear interpolation.
//
// The values are copied, as keys that compare as they do, to behind the samples, where the columns have room for as
// many again (series.ts sees to that), and two of them are selected: no order is made beyond what these need.
//
//   key   bits of the value, those below the sign turned over where it is set: -Inf … -0 < 0 … Inf
//         a NaN is before all: i64.MIN_VALUE

import { Job } from './job';

const KEYS_SMALL: usize = 12 * 8;

export function quantiles(job: Job, until: u32): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  assert(job.count * 2 <= job.room, 'as much room again');
  const scratch = values + size;
  let cells: u32 = 0;
  let lo: usize = 0;
  let hi: usize = 0;
  for (let step = job.done; step < until; step++) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    while (hi < size && load<f64>(times + hi) <= end) hi += 8;
    while (lo < hi && load<f64>(times + lo) <= begin) lo += 8;
    const present = lo < hi;
    store<u8>(<usize>job.rowPresent + step, present);
    cells += <u32>present;
    const value = present ? quantileOf(job.argument, values + lo, values + hi, scratch) : 0;
    store<f64>(<usize>job.rowValues + ((<usize>step) << 3), value);
  }
  job.cells += cells;
}

function quantileOf(phi: f64, from: usize, to: usize, scratch: usize): f64 {
  if (phi != phi) return NaN;
  if (phi < 0) return -Infinity;
  if (phi > 1) return Infinity;
  const size = to - from;
  for (let at: usize = 0; at < size; at += 8) store<i64>(scratch + at, keyOf(load<u64>(from + at)));
  return quantileOfKeys(phi, scratch, size >> 3);
}

/** The φ-quantile, φ in [0, 1], of `count` keys, at least one: brings them into another order. */
export function quantileOfKeys(phi: f64, scratch: usize, count: usize): f64 {
  const rank = phi * <f64>(count - 1);
  const lower = <usize>floor(rank);
  const weight = rank - floor(rank);
  const end = scratch + (count << 3);
  const first = scratch + (lower << 3);
  select(scratch, end, first);
  const low = valueOf(load<i64>(first));
  const high = lower + 1 < count ? valueOf(leastOf(first + 8, end)) : low;
  return low * (1 - weight) + high * weight;
}

/** Puts in its place what belongs at `wanted` in order: nothing before it is greater, nothing behind it less. */
function select(from: usize, to: usize, wanted: usize): void {
  let random = <u32>from;
  while (to - from > KEYS_SMALL) {
    // Not at a place that values could be arranged for: that would make it quadratic.
    random = random * 1664525 + 1013904223;
    const some = from + ((<usize>(random >>> 8) % ((to - from) >> 3)) << 3);
    const pivot = middleOf(load<i64>(from), load<i64>(some), load<i64>(to - 8));
    let left = from;
    let right = to - 8;
    while (left <= right) {
      while (load<i64>(left) < pivot) left += 8;
      while (load<i64>(right) > pivot) right -= 8;
      if (left > right) break;
      const key = load<i64>(left);
      store<i64>(left, load<i64>(right));
      store<i64>(right, key);
      left += 8;
      right -= 8;
    }
    if (wanted <= right) to = right + 8;
    else if (wanted >= left) from = left;
    else return;
  }
  sort(from, to);
}

/** By insertion. */
function sort(from: usize, to: usize): void {
  for (let at = from + 8; at < to; at += 8) {
    const key = load<i64>(at);
    let hole = at;
    while (hole > from && load<i64>(hole - 8) > key) {
      store<i64>(hole, load<i64>(hole - 8));
      hole -= 8;
    }
    store<i64>(hole, key);
  }
}

function leastOf(from: usize, to: usize): i64 {
  let least = load<i64>(from);
  for (let at = from + 8; at < to; at += 8) least = min(least, load<i64>(at));
  return least;
}

function middleOf(a: i64, b: i64, c: i64): i64 {
  return max(min(a, b), min(max(a, b), c));
}

/** No key is greater. */
export const KEY_MAX: i64 = 0x7ff0000000000000;

export function keyOf(bits: u64): i64 {
  if ((bits & 0x7fffffffffffffff) > 0x7ff0000000000000) return i64.MIN_VALUE;
  const signed = <i64>bits;
  return signed ^ ((signed >> 63) & 0x7fffffffffffffff);
}

function valueOf(key: i64): f64 {
  if (key == i64.MIN_VALUE) return NaN;
  return reinterpret<f64>(<u64>(key ^ ((key >> 63) & 0x7fffffffffffffff)));
}
