// Functions that have to go over all samples of a window again at each step: sums and variances.
//
// Summed one after the other, each addition would wait for the last. So four steps are done side by
// side, one in each lane of two vectors, for as many samples as the shortest of the four has; what is
// left of the longer ones, and windows of a few samples, go one by one.
//
//   step s        ├────────────────────┤            lane 0 of A
//   step s + 1        ├────────────────────┤        lane 1 of A      side by side: the first `common` samples of each
//   step s + 2            ├────────────────────┤    lane 0 of B
//   step s + 3                ├───────────────────┤ lane 1 of B
//
// What an addition loses is found by Knuth's TwoSum there, which needs no comparison and, while nothing
// overflows, gives the very bits of Neumaier's (both are exact). Where a result is not finite the window
// is done again one by one, which is Prometheus's own order of operations.

import { sumFour, varianceFour } from './fours';
import { Job, waitingOf } from './job';
import { meanOf, sumOf } from './sums';
import { varianceOf } from './variance';

/** What is computed over each window. */
export const SUM: u32 = 0;
export const MEAN: u32 = 1;
export const STDVAR: u32 = 2;
export const STDDEV: u32 = 3;

const LANES: u32 = 4;

/** Windows of fewer samples go one by one (measured: the two ways meet between 4 and 8). */
const QUAD_BYTES: usize = 6 * 8;

/** The windows that wait to be done side by side, in the job: begin and end of each, as addresses of values. */
const WINDOW_BYTES: usize = 2 * sizeof<usize>();

export function rescan(job: Job, until: u32, kind: u32): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const rowValues: usize = job.rowValues;
  const waiting = waitingOf(job);
  let cells: u32 = 0;
  let lo: usize = 0;
  let hi: usize = 0;
  let lanes: u32 = 0;
  for (let step = job.done; step < until; step++) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    while (hi < size && load<f64>(times + hi) <= end) hi += 8;
    while (lo < hi && load<f64>(times + lo) <= begin) lo += 8;
    const present = lo < hi;
    const cell = rowValues + ((<usize>step) << 3);
    store<u8>(<usize>job.rowPresent + step, present);
    cells += <u32>present;
    if (hi - lo < QUAD_BYTES) {
      flush(waiting, lanes, cell, kind);
      lanes = 0;
      store<f64>(cell, present ? one(values + lo, values + hi, kind) : 0);
      continue;
    }
    store<usize>(waiting + <usize>lanes * WINDOW_BYTES, values + lo);
    store<usize>(waiting + <usize>lanes * WINDOW_BYTES, values + hi, sizeof<usize>());
    if (++lanes == LANES) {
      four(job, cell - (LANES - 1) * 8, kind);
      lanes = 0;
    }
  }
  flush(waiting, lanes, rowValues + ((<usize>until) << 3), kind);
  job.cells += cells;
}

/** Does the first `lanes` waiting windows one by one; their cells end before `cell`. */
function flush(waiting: usize, lanes: u32, cell: usize, kind: u32): void {
  for (let lane: u32 = 0; lane < lanes; lane++) {
    store<f64>(cell - <usize>(lanes - lane) * 8, one(fromOf(waiting, lane), toOf(waiting, lane), kind));
  }
}

function one(from: usize, to: usize, kind: u32): f64 {
  if (kind == SUM) return sumOf(from, to);
  if (kind == MEAN) return meanOf(from, to);
  const variance = varianceOf(from, to);
  return kind == STDDEV ? sqrt(variance) : variance;
}

/** Does the four waiting windows, into four cells from `cell` on. */
function four(job: Job, cell: usize, kind: u32): void {
  const waiting = waitingOf(job);
  const common = min(min(sizeOf(waiting, 0), sizeOf(waiting, 1)), min(sizeOf(waiting, 2), sizeOf(waiting, 3)));
  if (kind <= MEAN) sumFour(waiting, common, cell, kind == MEAN);
  else varianceFour(waiting, common, cell, kind == STDDEV, job.scratch);
  for (let lane: u32 = 0; lane < LANES; lane++, cell += 8) {
    const result = load<f64>(cell);
    if (result - result != 0) store<f64>(cell, one(fromOf(waiting, lane), toOf(waiting, lane), kind));
  }
}

function fromOf(waiting: usize, lane: u32): usize {
  return load<usize>(waiting + <usize>lane * WINDOW_BYTES);
}

function toOf(waiting: usize, lane: u32): usize {
  return load<usize>(waiting + <usize>lane * WINDOW_BYTES, sizeof<usize>());
}

function sizeOf(waiting: usize, lane: u32): usize {
  return toOf(waiting, lane) - fromOf(waiting, lane);
}
