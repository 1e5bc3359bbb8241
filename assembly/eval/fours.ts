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

/** Samples whose squared deviations are kept between the two passes: 2 KiB, in the job's scratch. */
const BLOCK_BYTES: usize = 64 * 8;

/**
 * The variances, or their roots, into four cells from `cell` on. The means of a block of samples come first, then the sums
 * of squares: what both have under way would not fit the registers, and each mean waits for the one before, so four go together.
 */
export function varianceFour(windows: usize, common: usize, cell: usize, isRoot: bool, scratch: usize): void {
  const from0 = load<usize>(windows, 0 * sizeof<usize>());
  const from1 = load<usize>(windows, 2 * sizeof<usize>());
  const from2 = load<usize>(windows, 4 * sizeof<usize>());
  const from3 = load<usize>(windows, 6 * sizeof<usize>());
  const one = f64x2.splat(1);
  let count = f64x2.splat(0);
  let meanA = count;
  let meanB = count;
  let meanCA = count;
  let meanCB = count;
  let squaresA = count;
  let squaresB = count;
  let squaresCA = count;
  let squaresCB = count;
  for (let begin: usize = 0; begin < common; begin += BLOCK_BYTES) {
    const end = min(begin + BLOCK_BYTES, common);
    let kept = scratch;
    for (let at = begin; at < end; at += 8, kept += 32) {
      const valueA = v128.load64_lane(from1 + at, v128.load64_zero(from0 + at), 1);
      const valueB = v128.load64_lane(from3 + at, v128.load64_zero(from2 + at), 1);
      count = f64x2.add(count, one);
      const deltaA = f64x2.sub(valueA, f64x2.add(meanA, meanCA));
      const deltaB = f64x2.sub(valueB, f64x2.add(meanB, meanCB));
      const moveA = f64x2.div(deltaA, count);
      const moveB = f64x2.div(deltaB, count);
      const nextA = f64x2.add(meanA, moveA);
      const nextB = f64x2.add(meanB, moveB);
      meanCA = f64x2.add(meanCA, lostTwo(meanA, moveA, nextA));
      meanCB = f64x2.add(meanCB, lostTwo(meanB, moveB, nextB));
      meanA = nextA;
      meanB = nextB;
      v128.store(kept, f64x2.mul(deltaA, f64x2.sub(valueA, f64x2.add(meanA, meanCA))));
      v128.store(kept, f64x2.mul(deltaB, f64x2.sub(valueB, f64x2.add(meanB, meanCB))), 16);
    }
    for (let at = scratch; at < kept; at += 32) {
      const squareA = v128.load(at);
      const squareB = v128.load(at, 16);
      const nextA = f64x2.add(squaresA, squareA);
      const nextB = f64x2.add(squaresB, squareB);
      squaresCA = f64x2.add(squaresCA, lostTwo(squaresA, squareA, nextA));
      squaresCB = f64x2.add(squaresCB, lostTwo(squaresB, squareB, nextB));
      squaresA = nextA;
      squaresB = nextB;
    }
  }
  const done = f64x2.extract_lane(count, 0);
  endVariance(windows, common, cell, isRoot, done, meanA, meanCA, squaresA, squaresCA);
  endVariance(windows + 4 * sizeof<usize>(), common, cell + 16, isRoot, done, meanB, meanCB, squaresB, squaresCB);
}

/** Goes on with what is left of two windows, and stores their results. */
function endVariance(
  windows: usize,
  common: usize,
  cell: usize,
  isRoot: bool,
  count: f64,
  mean: v128,
  meanC: v128,
  squares: v128,
  squaresC: v128,
): void {
  const first = resume(
    load<usize>(windows) + common,
    load<usize>(windows, sizeof<usize>()),
    count,
    f64x2.extract_lane(mean, 0),
    f64x2.extract_lane(meanC, 0),
    f64x2.extract_lane(squares, 0),
    f64x2.extract_lane(squaresC, 0),
  );
  const second = resume(
    load<usize>(windows, 2 * sizeof<usize>()) + common,
    load<usize>(windows, 3 * sizeof<usize>()),
    count,
    f64x2.extract_lane(mean, 1),
    f64x2.extract_lane(meanC, 1),
    f64x2.extract_lane(squares, 1),
    f64x2.extract_lane(squaresC, 1),
  );
  store<f64>(cell, isRoot ? sqrt(first) : first);
  store<f64>(cell, isRoot ? sqrt(second) : second, 8);
}
