// deriv and predict_linear where all is in whole numbers: values, and the seconds between samples (and to the evaluation
// time). Counters, sizes and counts that are scraped at an even interval are such.
//
// The sums of regression.ts are integers then. As long as a double holds them, Prometheus's compensated sums are exact,
// in any order, so they slide: sums of times since the first sample T, moved to the origin o of each window.
//
//   Σx = ΣT − n·o     Σx² = ΣT² − 2o·ΣT + n·o²     Σxy = ΣTy − o·Σy          x = T − o
//
// The sums of T grow beyond what a double holds, and may wrap round: the difference is right all the same, modulo 2^64.

import { Job } from './job';
import { lineOf, needsLine } from './regression';
import { EXACT_MAX } from './sums';

/** Whether the sums of all windows are exact, so that slideLines() may be used. */
export function isWhole(job: Job, isPrediction: bool): bool {
  if (job.count < 2) return false;
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const first = load<f64>(times);
  if (isPrediction && !(isSeconds(job.stepMs) && isSeconds(job.startMs + job.shiftMs - first))) return false;
  let largest: f64 = 0;
  let before = -Infinity;
  for (let at: usize = 0; at < size; at += 8) {
    const value = load<f64>(values + at);
    const time = load<f64>(times + at);
    // Times of a damaged chunk may be in any order.
    if (nearest(value) != value || time <= before || !isSeconds(time - first)) return false;
    largest = max(largest, abs(value));
    before = time;
  }
  const reach = ceil((job.windowMs + (isPrediction ? abs(job.shiftMs) : 0)) / 1000);
  const samples = min(<f64>job.count, reach + 1);
  return reach * samples * max(largest, reach) <= EXACT_MAX;
}

function isSeconds(ms: f64): bool {
  const seconds = ms / 1000;
  return floor(seconds) * 1000 == ms;
}

export function slideLines(job: Job, until: u32, isPrediction: bool): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  const first = load<f64>(times);
  let lo: usize = 0;
  let hi: usize = 0;
  /** Since where all values are the same. */
  let sameFrom: usize = 0;
  let t: i64 = 0;
  let tt: i64 = 0;
  let y: i64 = 0;
  let ty: i64 = 0;
  for (let step = job.done; step < until; step++) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    for (; hi < size && load<f64>(times + hi) <= end; hi += 8) {
      const value = load<f64>(values + hi);
      if (hi != 0 && value != load<f64>(values + hi - 8)) sameFrom = hi;
      const seconds = secondsOf(load<f64>(times + hi) - first);
      t += seconds;
      tt += seconds * seconds;
      y += <i64>value;
      ty += seconds * <i64>value;
    }
    for (; lo < hi && load<f64>(times + lo) <= begin; lo += 8) {
      const value = <i64>load<f64>(values + lo);
      const seconds = secondsOf(load<f64>(times + lo) - first);
      t -= seconds;
      tt -= seconds * seconds;
      y -= value;
      ty -= seconds * value;
    }
    if (!needsLine(job, step, values + lo, values + hi, sameFrom <= lo, isPrediction)) continue;
    const cell = <usize>job.rowValues + ((<usize>step) << 3);
    const n = <i64>((hi - lo) >> 3);
    const origin = secondsOf((isPrediction ? end + job.shiftMs : load<f64>(times + lo)) - first);
    const x = <f64>(t - n * origin);
    const x2 = <f64>(tt - 2 * origin * t + n * origin * origin);
    store<f64>(cell, lineOf(job, isPrediction, <f64>n, x, <f64>y, <f64>(ty - origin * y), x2));
  }
}

function secondsOf(ms: f64): i64 {
  return <i64>(ms / 1000);
}
