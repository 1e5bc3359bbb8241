// deriv and predict_linear: the line of least squares through a window.
//
//   slope = (Σxy − Σx·Σy / n) / (Σx² − Σx·Σx / n)     x   seconds from the origin: the first sample for deriv, the
//                                                         evaluation time for predict_linear
//
// The four sums are Prometheus's, to the bit: each compensated, oldest sample first. Two windows go side by
// side, one in each lane of the vectors, for as many samples as the shorter has; quads.ts says why that gives the
// same bits, and why a window without a finite result is done again by itself.
//
// Σx and Σx² depend on times alone. While samples come at one interval, windows of as many samples have the same
// x, so these two are summed once for all of them. Where all numbers are whole nothing is summed again: lines.ts.

import { Job, waitingOf } from './job';
import { isInfinite, lost, lostTwo } from './kahan';

/** The first window of a pair, until the second is known: in the job. Addresses are of values. */
@unmanaged
class Waiting {
  from: u32;
  to: u32;
  /** 0 where none waits. */
  cell: u32;
  unused: u32;
  origin: f64;
  /** Between all samples, in ms; 0 where it is not the same. */
  interval: f64;
}

export function regress(job: Job, until: u32, isPrediction: bool): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const waiting = changetype<Waiting>(waitingOf(job));
  waiting.cell = 0;
  forgetSpaced();
  let lo: usize = 0;
  let hi: usize = 0;
  /** Since where all values are the same, and since where samples come at one interval. */
  let sameFrom: usize = 0;
  let evenFrom: usize = 0;
  let interval: f64 = 0;
  for (let step = job.done; step < until; step++) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    for (; hi < size && load<f64>(times + hi) <= end; hi += 8) {
      if (hi == 0) continue;
      if (load<f64>(values + hi) != load<f64>(values + hi - 8)) sameFrom = hi;
      const gap = load<f64>(times + hi) - load<f64>(times + hi - 8);
      if (gap != interval) evenFrom = hi - 8;
      interval = gap;
    }
    while (lo < hi && load<f64>(times + lo) <= begin) lo += 8;
    if (!needsLine(job, step, values + lo, values + hi, sameFrom <= lo, isPrediction)) continue;
    const cell = <usize>job.rowValues + ((<usize>step) << 3);
    const origin = isPrediction ? end + job.shiftMs : load<f64>(times + lo);
    const even = evenFrom <= lo ? interval : 0;
    if (waiting.cell != 0) {
      two(job, waiting, values + lo, values + hi, cell, origin, even, isPrediction);
      waiting.cell = 0;
      continue;
    }
    waiting.from = <u32>(values + lo);
    waiting.to = <u32>(values + hi);
    waiting.cell = <u32>cell;
    waiting.origin = origin;
    waiting.interval = even;
  }
  if (waiting.cell != 0) {
    store<f64>(waiting.cell, one(job, waiting.from, waiting.to, waiting.origin, isPrediction));
  }
}

/** Says whether there is a result at a step; false where that is all, or the result of values that are all the same. */
export function needsLine(job: Job, step: u32, from: usize, to: usize, isSame: bool, isPrediction: bool): bool {
  const present = to - from >= 16;
  store<u8>(<usize>job.rowPresent + step, present);
  job.cells += <u32>present;
  if (present && !isSame) return true;
  const value = present ? ofSame(job, load<f64>(from), isPrediction) : 0;
  store<f64>(<usize>job.rowValues + ((<usize>step) << 3), value);
  return false;
}

/** Of a window whose values are all the same. */
function ofSame(job: Job, value: f64, isPrediction: bool): f64 {
  const isFinite = value - value == 0;
  const slope = isFinite ? <f64>0 : NaN;
  return isPrediction ? slope * job.argument + (isFinite ? value : NaN) : slope;
}

/** The waiting window and one more. */
function two(
  job: Job,
  first: Waiting,
  from: usize,
  to: usize,
  cell: usize,
  origin: f64,
  interval: f64,
  isPrediction: bool,
): void {
  const firstFrom = <usize>first.from;
  const firstTo = <usize>first.to;
  const toTimes = <usize>job.times - <usize>job.values;
  const common = min(firstTo - firstFrom, to - from);
  const offset = load<f64>(from + toTimes) - origin;
  // With times that are whole milliseconds each x is the same number however it is come by.
  const spaced =
    interval != 0 &&
    interval == first.interval &&
    to - from == firstTo - firstFrom &&
    offset == load<f64>(firstFrom + toTimes) - first.origin &&
    floor(offset) == offset;
  if (spaced) sumSpaced(common, interval, offset);
  const origins = f64x2.replace_lane(f64x2.splat(first.origin), 1, origin);
  const thousand = f64x2.splat(1000);
  let y = f64x2.splat(0);
  let yC = y;
  let xy = y;
  let xyC = y;
  let x = y;
  let xC = y;
  let x2 = y;
  let x2C = y;
  for (let at: usize = 0; at < common; at += 8) {
    const value = v128.load64_lane(from + at, v128.load64_zero(firstFrom + at), 1);
    const time = v128.load64_lane(from + at + toTimes, v128.load64_zero(firstFrom + at + toTimes), 1);
    const seconds = f64x2.div(f64x2.sub(time, origins), thousand);
    const yNext = f64x2.add(y, value);
    yC = f64x2.add(yC, lostTwo(y, value, yNext));
    y = yNext;
    const product = f64x2.mul(seconds, value);
    const xyNext = f64x2.add(xy, product);
    xyC = f64x2.add(xyC, lostTwo(xy, product, xyNext));
    xy = xyNext;
    if (spaced) continue;
    const xNext = f64x2.add(x, seconds);
    xC = f64x2.add(xC, lostTwo(x, seconds, xNext));
    x = xNext;
    const square = f64x2.mul(seconds, seconds);
    const x2Next = f64x2.add(x2, square);
    x2C = f64x2.add(x2C, lostTwo(x2, square, x2Next));
    x2 = x2Next;
  }
  if (spaced) {
    x = f64x2.splat(spacedX);
    xC = f64x2.splat(spacedXC);
    x2 = f64x2.splat(spacedX2);
    x2C = f64x2.splat(spacedX2C);
  }
  const one0 = resume(
    job,
    firstFrom,
    firstTo,
    common,
    first.origin,
    isPrediction,
    f64x2.extract_lane(x, 0),
    f64x2.extract_lane(xC, 0),
    f64x2.extract_lane(y, 0),
    f64x2.extract_lane(yC, 0),
    f64x2.extract_lane(xy, 0),
    f64x2.extract_lane(xyC, 0),
    f64x2.extract_lane(x2, 0),
    f64x2.extract_lane(x2C, 0),
  );
  const one1 = resume(
    job,
    from,
    to,
    common,
    origin,
    isPrediction,
    f64x2.extract_lane(x, 1),
    f64x2.extract_lane(xC, 1),
    f64x2.extract_lane(y, 1),
    f64x2.extract_lane(yC, 1),
    f64x2.extract_lane(xy, 1),
    f64x2.extract_lane(xyC, 1),
    f64x2.extract_lane(x2, 1),
    f64x2.extract_lane(x2C, 1),
  );
  const isFinite0 = one0 - one0 == 0;
  const isFinite1 = one1 - one1 == 0;
  store<f64>(first.cell, isFinite0 ? one0 : one(job, firstFrom, firstTo, first.origin, isPrediction));
  store<f64>(cell, isFinite1 ? one1 : one(job, from, to, origin, isPrediction));
}

function one(job: Job, from: usize, to: usize, origin: f64, isPrediction: bool): f64 {
  return resume(job, from, to, 0, origin, isPrediction, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** Adds what is behind the first `done` bytes of a window to its sums, and gives its result. */
function resume(
  job: Job,
  from: usize,
  to: usize,
  done: usize,
  origin: f64,
  isPrediction: bool,
  x: f64,
  xC: f64,
  y: f64,
  yC: f64,
  xy: f64,
  xyC: f64,
  x2: f64,
  x2C: f64,
): f64 {
  const toTimes = <usize>job.times - <usize>job.values;
  for (let at = from + done; at < to; at += 8) {
    const value = load<f64>(at);
    const seconds = (load<f64>(at + toTimes) - origin) / 1000;
    const xNext = x + seconds;
    xC = isInfinite(xNext) ? 0 : xC + lost(x, seconds, xNext);
    x = xNext;
    const yNext = y + value;
    yC = isInfinite(yNext) ? 0 : yC + lost(y, value, yNext);
    y = yNext;
    const product = seconds * value;
    const xyNext = xy + product;
    xyC = isInfinite(xyNext) ? 0 : xyC + lost(xy, product, xyNext);
    xy = xyNext;
    const square = seconds * seconds;
    const x2Next = x2 + square;
    x2C = isInfinite(x2Next) ? 0 : x2C + lost(x2, square, x2Next);
    x2 = x2Next;
  }
  return lineOf(job, isPrediction, <f64>((to - from) >> 3), x + xC, y + yC, xy + xyC, x2 + x2C);
}

/** What the sums of a window of `count` samples give. */
export function lineOf(job: Job, isPrediction: bool, count: f64, x: f64, y: f64, xy: f64, x2: f64): f64 {
  const covariance = xy - (x * y) / count;
  const variance = x2 - (x * x) / count;
  const slope = covariance / variance;
  if (!isPrediction) return slope;
  const intercept = y / count - (slope * x) / count;
  return slope * job.argument + intercept;
}

// --- Σx and Σx² of evenly spaced windows ---

/** What was summed last: samples in bytes, the interval, the first sample's time from the origin. */
let spacedSize: usize = 0;
let spacedInterval: f64 = 0;
let spacedOffset: f64 = 0;
let spacedX: f64 = 0;
let spacedXC: f64 = 0;
let spacedX2: f64 = 0;
let spacedX2C: f64 = 0;

function forgetSpaced(): void {
  spacedSize = 0;
}

function sumSpaced(size: usize, interval: f64, offset: f64): void {
  if (size == spacedSize && interval == spacedInterval && offset == spacedOffset) return;
  spacedSize = size;
  spacedInterval = interval;
  spacedOffset = offset;
  let x: f64 = 0;
  let xC: f64 = 0;
  let x2: f64 = 0;
  let x2C: f64 = 0;
  const count = size >> 3;
  for (let i: usize = 0; i < count; i++) {
    const seconds = (offset + <f64>i * interval) / 1000;
    const xNext = x + seconds;
    xC += lost(x, seconds, xNext);
    x = xNext;
    const square = seconds * seconds;
    const x2Next = x2 + square;
    x2C += lost(x2, square, x2Next);
    x2 = x2Next;
  }
  spacedX = x;
  spacedXC = xC;
  spacedX2 = x2;
  spacedX2C = x2C;
}
