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

import { endOf, Job, rangeSeconds } from './job';

/** More than the roundings of a product of three and a quotient can make up for. */
const NEARLY_ONE: f64 = 1.000000001;

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
  // Whether any sample is lower than the one before it, and the newest such below hi.
  const falls = isCounter && hasFalls(values, size);
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
    const before = hi;
    let isRepeated = false;
    while (hi < size && load<f64>(times + hi) <= end) hi += 8;
    if (falls) {
      for (let at = max(before, 8); at < hi; at += 8) {
        reset = select(at, reset, load<f64>(values + at) < load<f64>(values + at - 8));
      }
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
    } else if (!falls) {
      isRepeated = true;
    }

    let scale = factor;
    // Where zero is near enough to matter, as a product first: only then is the division needed.
    if (isCounter && first >= 0 && difference > 0 && sampled * first <= toStart * difference * NEARLY_ONE) {
      const toZero = sampled * (first / difference);
      if (toZero < toStart) {
        scale = stretch(sampled, toZero, toEnd);
        if (isRate) scale /= seconds;
      }
    }
    store<f64>(rowValues + ((<usize>step) << 3), difference * scale);
    store<u8>(rowPresent + step, 1);
    cells++;
    if (!isRepeated) continue;
    const stride = hi - before;
    const repeated = repeat(job, step + 1, until, lo, hi, stride, isCounter, factor, sampled, toStart);
    step += repeated;
    cells += repeated;
    lo += <usize>repeated * stride;
    hi += <usize>repeated * stride;
  }
  job.cells += cells;
}

/**
 * The steps from `step` on whose windows are the one before, [lo, hi), moved by `stride`: no division, no search. Ends
 * before the first window of another geometry, or one that zero is near to. Gives how many steps it did.
 */
function repeat(
  job: Job,
  step: u32,
  until: u32,
  lo: usize,
  hi: usize,
  stride: usize,
  isCounter: bool,
  factor: f64,
  sampled: f64,
  toStart: f64,
): u32 {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const from = step;
  const before = load<f64>(times + lo) - (endOf(job, step - 1) - job.windowMs);
  const after = endOf(job, step - 1) - load<f64>(times + hi - 8);
  const nearZero = toStart * NEARLY_ONE;
  for (; step < until; step++) {
    lo += stride;
    hi += stride;
    if (hi > size || stride == 0) break;
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    if (load<f64>(times + lo) - begin != before || end - load<f64>(times + hi - 8) != after) break;
    if (load<f64>(times + lo - 8) > begin || (hi < size && load<f64>(times + hi) <= end)) break;
    const first = load<f64>(values + lo);
    const difference = load<f64>(values + hi - 8) - first;
    if (isCounter && first >= 0 && difference > 0 && sampled * first <= nearZero * difference) break;
    store<f64>(<usize>job.rowValues + ((<usize>step) << 3), difference * factor);
    store<u8>(<usize>job.rowPresent + step, 1);
  }
  return step - from;
}

/** Whether any value is lower than the one before it. */
function hasFalls(values: usize, size: usize): bool {
  let any = f64x2.splat(0);
  let at: usize = 8;
  for (; at + 16 <= size; at += 16) {
    any = v128.or(any, f64x2.lt(v128.load(values + at), v128.load(values + at - 8)));
  }
  return v128.any_true(any) || (at < size && load<f64>(values + at) < load<f64>(values + at - 8));
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
