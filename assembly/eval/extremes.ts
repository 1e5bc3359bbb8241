// min_over_time and max_over_time.
//
// NaNs lose against anything else. Of equal values (0 and -0 are) the oldest is taken. The
// extreme is kept with its place while the window slides: samples that come in are compared with it,
// and only when it goes out is the window searched again. On real series that is rare; the worst case
// (a counter's minimum goes out at every step) costs a search of the window per step.

import { Job } from './job';

/** `sign` is 1 for the maximum and -1 for the minimum, which is the maximum of the negated values. */
export function extreme(job: Job, until: u32, sign: f64): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  let cells: u32 = 0;
  let lo: usize = 0;
  let hi: usize = 0;
  let best: usize = 0;
  for (let step = job.done; step < until; step++) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    const known = hi;
    while (hi < size && load<f64>(times + hi) <= end) hi += 8;
    while (lo < hi && load<f64>(times + lo) <= begin) lo += 8;
    const present = lo < hi;
    if (present) {
      if (best < lo || known <= lo) best = search(values, lo, lo + 8, hi, sign);
      else best = search(values, best, known, hi, sign);
    }
    store<f64>(<usize>job.rowValues + ((<usize>step) << 3), present ? load<f64>(values + best) : 0);
    store<u8>(<usize>job.rowPresent + step, present);
    cells += <u32>present;
  }
  job.cells += cells;
}

/** From this many samples on they are searched several at a time. */
const MANY_BYTES: usize = 16 * 8;

/** The place of the extreme among `best` and the samples of [from, to). */
function search(values: usize, best: usize, from: usize, to: usize, sign: f64): usize {
  let kept = load<f64>(values + best) * sign;
  if (to - from >= MANY_BYTES) {
    const largest = largestOf(values, from, to, sign);
    // Minus infinity may also mean that all are NaN: then one by one.
    if (largest > kept || kept != kept) {
      if (largest != -Infinity) return placeOf(values, from, largest * sign);
    } else {
      return best;
    }
  }
  for (let at = from; at < to; at += 8) {
    const value = load<f64>(values + at) * sign;
    if (value > kept || kept != kept) {
      kept = value;
      best = at;
    }
  }
  return best;
}

/** The largest of the values times `sign`, NaNs left out; four at a time. */
function largestOf(values: usize, from: usize, to: usize, sign: f64): f64 {
  const signs = f64x2.splat(sign);
  let a = f64x2.splat(-Infinity);
  let b = a;
  let at = from;
  for (; at + 32 <= to; at += 32) {
    // pmax(x, y) is y where x < y, so a NaN never replaces anything.
    a = f64x2.pmax(a, f64x2.mul(v128.load(values + at), signs));
    b = f64x2.pmax(b, f64x2.mul(v128.load(values + at, 16), signs));
  }
  a = f64x2.pmax(a, b);
  let largest = max(f64x2.extract_lane(a, 0), f64x2.extract_lane(a, 1));
  for (; at < to; at += 8) {
    const value = load<f64>(values + at) * sign;
    if (value > largest) largest = value;
  }
  return largest;
}

/** The first place from `from` on with this value, which is there. */
function placeOf(values: usize, from: usize, value: f64): usize {
  let at = from;
  while (load<f64>(values + at) != value) at += 8;
  return at;
}
