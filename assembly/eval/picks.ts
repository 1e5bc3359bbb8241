// Functions that look at a few samples of a window only: the newest, the two newest, the
// oldest, or how many there are.

import { STALE } from '../chunk/decode';
import { WindowFn } from '../layout';
import { Job } from './job';

export function pick(job: Job, until: u32): void {
  const fn = job.fn;
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const startMs = job.startMs;
  const stepMs = job.stepMs;
  const windowMs = job.windowMs;
  const rowValues: usize = job.rowValues;
  const rowPresent: usize = job.rowPresent;
  let cells: u32 = 0;
  let lo: usize = 0;
  let hi: usize = 0;

  for (let step = job.done; step < until; step++) {
    const end = startMs + <f64>step * stepMs;
    const begin = end - windowMs;
    while (hi < size && load<f64>(times + hi) <= end) hi += 8;
    while (lo < hi && load<f64>(times + lo) <= begin) lo += 8;
    const cell = rowValues + ((<usize>step) << 3);
    let present = lo < hi;
    // The cell is written as bits, because a value may be a NaN with a payload.
    let bits: u64 = 0;
    if (present) {
      switch (fn) {
        case WindowFn.Last:
          bits = load<u64>(values + hi - 8);
          present = bits != STALE;
          if (!present) bits = 0;
          break;
        case WindowFn.Timestamp:
          present = load<u64>(values + hi - 8) != STALE;
          if (present) bits = reinterpret<u64>(load<f64>(times + hi - 8) / 1000);
          break;
        case WindowFn.LastOverTime:
          bits = load<u64>(values + hi - 8);
          break;
        case WindowFn.FirstOverTime:
          bits = load<u64>(values + lo);
          break;
        case WindowFn.CountOverTime:
          bits = reinterpret<u64>(<f64>((hi - lo) >> 3));
          break;
        case WindowFn.PresentOverTime:
          bits = reinterpret<u64>(<f64>1);
          break;
        default:
          present = hi - lo >= 16 && load<f64>(times + hi - 8) != load<f64>(times + hi - 16);
          if (present) bits = reinterpret<u64>(newestStep(times + hi, values + hi, fn == WindowFn.Irate));
      }
    }
    store<u64>(cell, bits);
    store<u8>(rowPresent + step, present);
    cells += <u32>present;
  }
  job.cells += cells;
}

/** irate and idelta, from the two samples below the given ends of the columns. */
function newestStep(times: usize, values: usize, isRate: bool): f64 {
  const previous = load<f64>(values - 16);
  const value = load<f64>(values - 8);
  if (!isRate) return value - previous;
  // After a reset the counter began at zero.
  const difference = value < previous ? value : value - previous;
  return difference / ((load<f64>(times - 8) - load<f64>(times - 16)) / 1000);
}
