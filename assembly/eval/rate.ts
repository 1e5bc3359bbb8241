// rate, increase and delta: the difference over a window, extrapolated to the window's ends.
//
//        begin   first                    last     end
//          │       ●───●───●───●───●───●───●        │
//          │toStart│        span           │ toEnd  │
//
// The extrapolation is Prometheus's: to an end that is less than 1.1 average gaps away, else by
// half a gap; for counters at the start not beyond where the line would cross zero. Its order of
// operations is kept, so that results agree to the last bit.
//
// One pass: where scrapes and steps are regular, the geometry of a window repeats, and its
// divisions are not done again. A window is scanned for counter resets only when it has one.

import { Job, rangeSeconds } from './job';

/** The bits of -0. */
const SIGN: u64 = 0x8000000000000000;

export function extrapolate(job: Job, until: u32, isCounter: bool, isRate: bool): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const startMs = job.startMs;
  const stepMs = job.stepMs;
  const windowMs = job.windowMs;
  const seconds = rangeSeconds(job);
  const rowValues: usize = job.rowValues;
  const rowPresent: usize = job.rowPresent;
  let cells: u32 = 0;

  // Bytes from the start of the columns: the window is [lo, hi).
  let lo: usize = 0;
  let hi: usize = 0;
  // The newest sample below hi that is lower than the one before it.
  let reset: usize = 0;
  // The geometry of the last window, and what follows from it.
  let span: f64 = 0;
  let beforeFirst: f64 = 0;
  let afterLast: f64 = 0;
  let size0: usize = 0;
  let sampled: f64 = 0;
  let toStart: f64 = 0;
  let toEnd: f64 = 0;
  let factor: f64 = 0;

  for (let step = job.done; step < until; step++) {
    const end = startMs + <f64>step * stepMs;
    const begin = end - windowMs;
    while (hi < size && load<f64>(times + hi) <= end) {
      if (isCounter && hi != 0) reset = select(hi, reset, load<f64>(values + hi) < load<f64>(values + hi - 8));
      hi += 8;
    }
    while (lo < hi && load<f64>(times + lo) <= begin) lo += 8;
    if (lo + 8 >= hi) {
      store<f64>(rowValues + ((<usize>step) << 3), 0);
      store<u8>(rowPresent + step, 0);
      continue;
    }

    const first = load<f64>(values + lo);
    let difference = load<f64>(values + hi - 8) - first;
    if (isCounter && reset > lo) difference = addResets(difference, values + lo, values + hi);

    const firstMs = load<f64>(times + lo);
    const lastMs = load<f64>(times + hi - 8);
    if (lastMs - firstMs != span || firstMs - begin != beforeFirst || end - lastMs != afterLast || hi - lo != size0) {
      span = lastMs - firstMs;
      beforeFirst = firstMs - begin;
      afterLast = end - lastMs;
      size0 = hi - lo;
      sampled = span / 1000;
      const gap = sampled / <f64>(((hi - lo) >> 3) - 1);
      const threshold = gap * 1.1;
      toStart = beforeFirst / 1000;
      toEnd = afterLast / 1000;
      if (toStart >= threshold) toStart = gap / 2;
      if (toEnd >= threshold) toEnd = gap / 2;
      factor = stretch(sampled, toStart, toEnd);
      if (isRate) factor /= seconds;
    }

    let scale = factor;
    if (isCounter && difference > 0 && first >= 0) {
      const toZero = sampled * (first / difference);
      if (toZero < toStart) {
        scale = stretch(sampled, toZero, toEnd);
        if (isRate) scale /= seconds;
      }
    }
    store<f64>(rowValues + ((<usize>step) << 3), difference * scale);
    store<u8>(rowPresent + step, 1);
    cells++;
  }
  job.cells += cells;
}

/**
 * Adds what was lost at each reset, in order. Without a branch, which series that are no counters would make
 * a guess: where there is no reset -0 is added, which changes nothing.
 */
function addResets(difference: f64, from: usize, to: usize): f64 {
  let previous = load<f64>(from);
  for (let at = from + 8; at < to; at += 8) {
    const value = load<f64>(at);
    const mask: u64 = 0 - <u64>(value < previous);
    difference += reinterpret<f64>((reinterpret<u64>(previous) & mask) | (SIGN & ~mask));
    previous = value;
  }
  return difference;
}

function stretch(sampled: f64, toStart: f64, toEnd: f64): f64 {
  return sampled == 0 ? 1 : (sampled + toStart + toEnd) / sampled;
}
