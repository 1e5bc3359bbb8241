// sum_over_time and avg_over_time: Kahan sums over each window, oldest sample first.
//
// A Kahan sum has no inverse, so a window is summed again at each step (quads.ts). Except where all
// samples are integers whose sums stay exact in a double: then no order of summation and no
// compensation makes a difference, and the sum slides. Counters, sizes and `up` are such.

import { Job } from './job';
import { isInfinite, lost } from './kahan';

/** Above this not every integer is a double. */
export const EXACT_MAX: f64 = 9007199254740992;

/** Whether a sum of any of the samples is exact, so that slide() may be used. */
export function isExact(job: Job): bool {
  const values: usize = job.values;
  const end = values + ((<usize>job.count) << 3);
  let largest: f64 = 0;
  for (let at = values; at < end; at += 8) {
    const value = load<f64>(at);
    if (nearest(value) != value) return false;
    largest = max(largest, abs(value));
  }
  return largest * <f64>job.count <= EXACT_MAX;
}

export function slide(job: Job, until: u32, isMean: bool): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  let cells: u32 = 0;
  let lo: usize = 0;
  let hi: usize = 0;
  let total: f64 = 0;
  for (let step = job.done; step < until; step++) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    for (; hi < size && load<f64>(times + hi) <= end; hi += 8) total += load<f64>(values + hi);
    for (; lo < hi && load<f64>(times + lo) <= begin; lo += 8) total -= load<f64>(values + lo);
    const present = lo < hi;
    const divisor: f64 = isMean && present ? <f64>((hi - lo) >> 3) : 1;
    // Adding zero makes a negative zero positive, as adding the compensation does in Prometheus.
    store<f64>(<usize>job.rowValues + ((<usize>step) << 3), total / divisor + 0);
    store<u8>(<usize>job.rowPresent + step, present);
    cells += <u32>present;
  }
  job.cells += cells;
}

/** The sum of the values of one window, [from, to). */
export function sumOf(from: usize, to: usize): f64 {
  let sum: f64 = 0;
  let c: f64 = 0;
  for (let at = from; at < to; at += 8) {
    const x = load<f64>(at);
    const t = sum + x;
    c = isInfinite(t) ? 0 : c + lost(sum, x, t);
    sum = t;
  }
  return isInfinite(sum) ? sum : sum + c;
}

/** The mean from the sum; from where that would overflow, by moving the mean sample by sample. */
export function meanOf(from: usize, to: usize): f64 {
  let sum = load<f64>(from);
  let c: f64 = 0;
  for (let at = from + 8; at < to; at += 8) {
    const x = load<f64>(at);
    const t = sum + x;
    if (isInfinite(t)) return movingMean(sum, c, from, at, to);
    c += lost(sum, x, t);
    sum = t;
  }
  const count = <f64>((to - from) >> 3);
  return sum / count + c / count;
}

function movingMean(sum: f64, c: f64, from: usize, at: usize, to: usize): f64 {
  let count = <f64>((at - from) >> 3);
  let mean = sum / count;
  c /= count;
  for (; at < to; at += 8) {
    count += 1;
    const weight = (count - 1) / count;
    const x = load<f64>(at) / count;
    const scaled = weight * mean;
    mean = scaled + x;
    c = isInfinite(mean) ? 0 : weight * c + lost(scaled, x, mean);
  }
  return mean + c;
}
