// changes and resets: how many neighbouring samples of a window differ, or fall.
// Counted as samples come in and go out, so one pass whatever the window.

import { Job } from './job';

export function countPairs(job: Job, until: u32, falls: bool): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const rowPresent: usize = job.rowPresent;
  let cells: u32 = 0;
  let lo: usize = 0;
  let hi: usize = 0;
  // Counted pairs (i - 1, i) with both in the window.
  let inside: i32 = 0;

  for (let step = job.done; step < until; step++) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    while (hi < size && load<f64>(times + hi) <= end) {
      if (hi > lo) inside += counts(values + hi, falls);
      hi += 8;
    }
    while (lo < hi && load<f64>(times + lo) <= begin) {
      lo += 8;
      if (lo < hi) inside -= counts(values + lo, falls);
    }
    const present = lo < hi;
    store<f64>(<usize>job.rowValues + ((<usize>step) << 3), <f64>inside);
    store<u8>(rowPresent + step, present);
    cells += <u32>present;
  }
  job.cells += cells;
}

/** Whether the sample counts against the one before it. Two NaNs are no change. */
function counts(at: usize, falls: bool): i32 {
  const value = load<f64>(at);
  const previous = load<f64>(at - 8);
  if (falls) return <i32>(value < previous);
  return <i32>(value != previous && (value == value || previous == previous));
}
