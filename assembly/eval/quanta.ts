// Sums and means over windows of samples that are all multiples of one power of two, the quantum, and of much the
// same size: measurements, mostly.
//
// Prometheus adds such samples one after the other, which rounds, and adds up beside it what each addition lost. The sum
// of all samples, counted in quanta, is an integer of less than 64 bits, so it slides from window to window without
// error. What was lost is then a difference:
//
//   lost = (integer sum) − (rounded sum, in quanta)
//
// Every partial sum of losses is a multiple of the quantum with few bits, so the additions of Prometheus make no error
// there, and the difference is the very number it gets. Left to be done for each window are the plain additions, four
// windows side by side as in quads.ts.

import { Job, waitingOf } from './job';
import { meanOf, sumOf } from './sums';

const LANES: u32 = 4;
const WINDOW_BYTES: usize = 2 * sizeof<usize>();

/** Bits of a double's significand. */
const SIGNIFICAND: u64 = 52;
/** Sums have at most this many bits. */
const SUM_BITS: u64 = 62;
/** Sizes between the smallest and the largest sample, in powers of two. */
const SPREAD_MAX: u64 = 4;
/** Exponents, with their bias, that leave room for the quantum and its reciprocal. */
const EXPONENT_MIN: u64 = 200;
const EXPONENT_MAX: u64 = 1800;

/** What isQuantal() found: the quantum, its reciprocal, and most samples of a window. */
let quantum: f64 = 0;
let reciprocal: f64 = 0;
let samplesMax: u32 = 0;

/** Whether the samples are such, and few enough in a window, so that slideQuanta() may be used. */
export function isQuantal(job: Job): bool {
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  let least: f64 = Infinity;
  let most: f64 = 0;
  for (let at: usize = 0; at < size; at += 8) {
    const value = abs(load<f64>(values + at));
    if (value - value != 0) return false;
    most = max(most, value);
    least = min(least, value == 0 ? Infinity : value);
  }
  if (most == 0) return false;
  const low = reinterpret<u64>(least) >> SIGNIFICAND;
  const spread = (reinterpret<u64>(most) >> SIGNIFICAND) - low;
  if (spread > SPREAD_MAX || low < EXPONENT_MIN || low > EXPONENT_MAX) return false;
  quantum = reinterpret<f64>((low - SIGNIFICAND) << SIGNIFICAND);
  reciprocal = reinterpret<f64>((2046 - (low - SIGNIFICAND)) << SIGNIFICAND);
  samplesMax = (<u32>1) << (<u32>(SUM_BITS - SIGNIFICAND - 1 - spread));
  const spanMs = load<f64>(<usize>job.times + size - 8) - load<f64>(job.times);
  return job.windowMs * <f64>job.count <= spanMs * <f64>samplesMax;
}

export function slideQuanta(job: Job, until: u32, isMean: bool): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const waiting = waitingOf(job);
  let cells: u32 = 0;
  let lo: usize = 0;
  let hi: usize = 0;
  let total: i64 = 0;
  let lanes: u32 = 0;
  let cell: usize = <usize>job.rowValues + ((<usize>job.done) << 3);
  for (let step = job.done; step < until; step++, cell += 8) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    for (; hi < size && load<f64>(times + hi) <= end; hi += 8) total += quantaOf(load<f64>(values + hi));
    for (; lo < hi && load<f64>(times + lo) <= begin; lo += 8) total -= quantaOf(load<f64>(values + lo));
    const present = lo < hi;
    store<u8>(<usize>job.rowPresent + step, present);
    cells += <u32>present;
    if (!present || <u32>((hi - lo) >> 3) > samplesMax) {
      flush(waiting, lanes, cell, isMean);
      lanes = 0;
      store<f64>(cell, !present ? 0 : isMean ? meanOf(values + lo, values + hi) : sumOf(values + lo, values + hi));
      continue;
    }
    // The cell keeps the integer until its window is summed.
    store<i64>(cell, total);
    store<usize>(waiting + <usize>lanes * WINDOW_BYTES, values + lo);
    store<usize>(waiting + <usize>lanes * WINDOW_BYTES, values + hi, sizeof<usize>());
    if (++lanes == LANES) {
      four(waiting, cell - (LANES - 1) * 8, isMean);
      lanes = 0;
    }
  }
  flush(waiting, lanes, cell, isMean);
  job.cells += cells;
}

function quantaOf(value: f64): i64 {
  return <i64>(value * reciprocal);
}

/** Sums the four windows that wait, into four cells from `cell` on. */
function four(waiting: usize, cell: usize, isMean: bool): void {
  const from0 = load<usize>(waiting, 0 * sizeof<usize>());
  const from1 = load<usize>(waiting, 2 * sizeof<usize>());
  const from2 = load<usize>(waiting, 4 * sizeof<usize>());
  const from3 = load<usize>(waiting, 6 * sizeof<usize>());
  const common = min(
    min(load<usize>(waiting, 1 * sizeof<usize>()) - from0, load<usize>(waiting, 3 * sizeof<usize>()) - from1),
    min(load<usize>(waiting, 5 * sizeof<usize>()) - from2, load<usize>(waiting, 7 * sizeof<usize>()) - from3),
  );
  let sum0: f64 = 0;
  let sum1: f64 = 0;
  let sum2: f64 = 0;
  let sum3: f64 = 0;
  for (let at: usize = 0; at < common; at += 8) {
    sum0 += load<f64>(from0 + at);
    sum1 += load<f64>(from1 + at);
    sum2 += load<f64>(from2 + at);
    sum3 += load<f64>(from3 + at);
  }
  finish(waiting, 0, cell, common, sum0, isMean);
  finish(waiting, 1, cell + 8, common, sum1, isMean);
  finish(waiting, 2, cell + 16, common, sum2, isMean);
  finish(waiting, 3, cell + 24, common, sum3, isMean);
}

/** Sums the first `lanes` of the windows that wait; their cells end before `cell`. */
function flush(waiting: usize, lanes: u32, cell: usize, isMean: bool): void {
  for (let lane: u32 = 0; lane < lanes; lane++) {
    finish(waiting, lane, cell - <usize>(lanes - lane) * 8, 0, 0, isMean);
  }
}

/** Adds what is left of a window behind its first `done` bytes, and what the sum lost. */
function finish(waiting: usize, lane: usize, cell: usize, done: usize, sum: f64, isMean: bool): void {
  const from = load<usize>(waiting + lane * WINDOW_BYTES);
  const to = load<usize>(waiting + lane * WINDOW_BYTES, sizeof<usize>());
  for (let at = from + done; at < to; at += 8) sum += load<f64>(at);
  const lost = <f64>(load<i64>(cell) - quantaOf(sum)) * quantum;
  const count = <f64>((to - from) >> 3);
  store<f64>(cell, isMean ? sum / count + lost / count : sum + lost);
}
