// stddev_over_time and stdvar_over_time: the population's, by Welford's method with Kahan sums
// for the mean and for the squared deviations, oldest sample first, as Prometheus does.

import { isInfinite, lost } from './kahan';

/** The variance of the values of one window, [from, to). */
export function varianceOf(from: usize, to: usize): f64 {
  return resume(from, to, 0, 0, 0, 0, 0);
}

/** Goes on with [from, to) after `count` values, with what they gave: means, squared deviations, and what each lost. */
export function resume(from: usize, to: usize, count: f64, mean: f64, meanC: f64, squares: f64, squaresC: f64): f64 {
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
