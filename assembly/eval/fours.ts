// Sums, means and variances of four windows side by side; quads.ts says why and draws it.
//
// Windows come as pairs of addresses, begin and end of their values. The first `common` bytes
// of each go through the lanes of vectors; what is left of the longer ones follows one by one.

import { lost, lostTwo } from './kahan';
import { resume } from './variance';

/** The sums, or means, into four cells from `cell` on. */
export function sumFour(windows: usize, common: usize, cell: usize, isMean: bool): void {
  const from0 = load<usize>(windows, 0 * sizeof<usize>());
  const from1 = load<usize>(windows, 2 * sizeof<usize>());
  const from2 = load<usize>(windows, 4 * sizeof<usize>());
  const from3 = load<usize>(windows, 6 * sizeof<usize>());
  let sumA = f64x2.splat(0);
  let sumB = sumA;
  let cA = sumA;
  let cB = sumA;
  for (let at: usize = 0; at < common; at += 8) {
    const xA = v128.load64_lane(from1 + at, v128.load64_zero(from0 + at), 1);
    const xB = v128.load64_lane(from3 + at, v128.load64_zero(from2 + at), 1);
    const tA = f64x2.add(sumA, xA);
    const tB = f64x2.add(sumB, xB);
    cA = f64x2.add(cA, lostTwo(sumA, xA, tA));
    cB = f64x2.add(cB, lostTwo(sumB, xB, tB));
    sumA = tA;
    sumB = tB;
  }
  finish(cell, windows, 0, common, f64x2.extract_lane(sumA, 0), f64x2.extract_lane(cA, 0), isMean);
  finish(cell, windows, 1, common, f64x2.extract_lane(sumA, 1), f64x2.extract_lane(cA, 1), isMean);
  finish(cell, windows, 2, common, f64x2.extract_lane(sumB, 0), f64x2.extract_lane(cB, 0), isMean);
  finish(cell, windows, 3, common, f64x2.extract_lane(sumB, 1), f64x2.extract_lane(cB, 1), isMean);
}

/** Sums what is left of a window, and stores its result in its cell. */
function finish(cell: usize, windows: usize, lane: usize, done: usize, sum: f64, c: f64, isMean: bool): void {
  const from = load<usize>(windows + lane * 2 * sizeof<usize>());
  const to = load<usize>(windows + lane * 2 * sizeof<usize>(), sizeof<usize>());
  for (let at = from + done; at < to; at += 8) {
    const x = load<f64>(at);
    const t = sum + x;
    c += lost(sum, x, t);
    sum = t;
  }
  const count = <f64>((to - from) >> 3);
  store<f64>(cell + (lane << 3), isMean ? sum / count + c / count : sum + c);
}

/** The variances, or their roots, into four cells from `cell` on. */
export function varianceFour(windows: usize, common: usize, cell: usize, isRoot: bool): void {
  // Two at a time: with four, the values under way no longer fit the registers.
  varianceTwo(windows, common, cell, isRoot);
  varianceTwo(windows + 4 * sizeof<usize>(), common, cell + 16, isRoot);
}

function varianceTwo(windows: usize, common: usize, cell: usize, isRoot: bool): void {
  const from0 = load<usize>(windows, 0 * sizeof<usize>());
  const from1 = load<usize>(windows, 2 * sizeof<usize>());
  const one = f64x2.splat(1);
  let count = f64x2.splat(0);
  let mean = count;
  let meanC = count;
  let squares = count;
  let squaresC = count;
  for (let at: usize = 0; at < common; at += 8) {
    const value = v128.load64_lane(from1 + at, v128.load64_zero(from0 + at), 1);
    count = f64x2.add(count, one);
    const delta = f64x2.sub(value, f64x2.add(mean, meanC));

    const move = f64x2.div(delta, count);
    const nextMean = f64x2.add(mean, move);
    meanC = f64x2.add(meanC, lostTwo(mean, move, nextMean));
    mean = nextMean;

    const square = f64x2.mul(delta, f64x2.sub(value, f64x2.add(mean, meanC)));
    const nextSquares = f64x2.add(squares, square);
    squaresC = f64x2.add(squaresC, lostTwo(squares, square, nextSquares));
    squares = nextSquares;
  }
  for (let lane: usize = 0; lane < 2; lane++) {
    const from = load<usize>(windows + lane * 2 * sizeof<usize>());
    const to = load<usize>(windows + lane * 2 * sizeof<usize>(), sizeof<usize>());
    const variance = resume(
      from + common,
      to,
      f64x2.extract_lane(count, 0),
      lane == 0 ? f64x2.extract_lane(mean, 0) : f64x2.extract_lane(mean, 1),
      lane == 0 ? f64x2.extract_lane(meanC, 0) : f64x2.extract_lane(meanC, 1),
      lane == 0 ? f64x2.extract_lane(squares, 0) : f64x2.extract_lane(squares, 1),
      lane == 0 ? f64x2.extract_lane(squaresC, 0) : f64x2.extract_lane(squaresC, 1),
    );
    store<f64>(cell + (lane << 3), isRoot ? sqrt(variance) : variance);
  }
}
