// stddev_over_time and stdvar_over_time: the population's, by Welford's method with Kahan sums
// for the mean and for the squared deviations, oldest sample first, as Prometheus does.

import { Job } from './job';
import { isInfinite, lost } from './kahan';

export function variances(job: Job, until: u32, isRoot: bool): void {
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  let cells: u32 = 0;
  let lo: usize = 0;
  let hi: usize = 0;
  for (let step = job.done; step < until; step++) {
    const end = job.startMs + <f64>step * job.stepMs;
    const begin = end - job.windowMs;
    while (hi < size && load<f64>(times + hi) <= end) hi += 8;
    while (lo < hi && load<f64>(times + lo) <= begin) lo += 8;
    const present = lo < hi;
    let result: f64 = 0;
    if (present) {
      result = variance(values + lo, values + hi);
      if (isRoot) result = sqrt(result);
    }
    store<f64>(<usize>job.rowValues + ((<usize>step) << 3), result);
    store<u8>(<usize>job.rowPresent + step, present);
    cells += <u32>present;
  }
  job.cells += cells;
}

function variance(from: usize, to: usize): f64 {
  let count: f64 = 0;
  let mean: f64 = 0;
  let meanC: f64 = 0;
  let squares: f64 = 0;
  let squaresC: f64 = 0;
  for (let at = from; at < to; at += 8) {
    const value = load<f64>(at);
    count += 1;
    const delta = value - (mean + meanC);

    const move = delta / count;
    const nextMean = mean + move;
    meanC = isInfinite(nextMean) ? 0 : meanC + lost(mean, move, nextMean);
    mean = nextMean;

    const square = delta * (value - (mean + meanC));
    const nextSquares = squares + square;
    squaresC = isInfinite(nextSquares) ? 0 : squaresC + lost(squares, square, nextSquares);
    squares = nextSquares;
  }
  return (squares + squaresC) / count;
}
