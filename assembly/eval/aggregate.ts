// Aggregation: folding rows into groups, groups of several shards into one, and groups into rows.
//
// The state of a group is columns of f64, one cell per step; all zero is a group without members:
//
//   op               column 0       column 1             column 2
//   sum              count          sum                  compensation
//   avg              count          sum, or the mean     compensation of it
//                    negative once the sum would have overflowed: from there on column 1 is the mean
//   min, max         count          extreme
//   count, group     count
//   stddev, stdvar   count          mean                 sum of squared deviations
//
// Within a shard members are folded one after the other with Prometheus's own arithmetic. Merging shards
// adds Kahan pairs, and combines means and squares by the pairwise formula of Chan, Golub and LeVeque
// (1979), so results differ from a single sequence by rounding only.
//
// A row's cell without a value holds 0, which changes no sum: sums need not look at presence, and
// take two cells at a time. The other ops do.

import { AggregateOp } from '../layout';
import { isInfinite, lost } from './kahan';

export function columnsOf(op: u32): u32 {
  switch (op) {
    case AggregateOp.Count:
    case AggregateOp.Group:
      return 1;
    case AggregateOp.Min:
    case AggregateOp.Max:
      return 2;
    default:
      return 3;
  }
}

/** Bytes of one group's state, to be zeroed before the first fold. */
export function stateBytes(op: u32, steps: u32): usize {
  return <usize>columnsOf(op) * ((<usize>steps) << 3);
}

/** Folds a row of `steps` cells, `cells` of them with a value, into a group's state. */
export function fold(op: u32, state: usize, steps: u32, values: usize, present: usize, cells: u32): void {
  if (cells == 0) return;
  const width: usize = (<usize>steps) << 3;
  switch (op) {
    case AggregateOp.Sum:
      foldSum(state + width, state + 2 * width, values, width);
      foldCount(state, present, steps, cells);
      break;
    case AggregateOp.Avg:
      foldAvg(state, steps, values, present);
      break;
    case AggregateOp.Min:
      foldExtreme(state, steps, values, present, -1);
      break;
    case AggregateOp.Max:
      foldExtreme(state, steps, values, present, 1);
      break;
    case AggregateOp.Stddev:
    case AggregateOp.Stdvar:
      foldSquares(state, steps, values, present);
      break;
    default:
      foldCount(state, present, steps, cells);
  }
}

function foldCount(counts: usize, present: usize, steps: u32, cells: u32): void {
  const end = counts + ((<usize>steps) << 3);
  if (cells == steps) {
    const one = f64x2.splat(1);
    let at = counts;
    for (; at + 16 <= end; at += 16) v128.store(at, f64x2.add(v128.load(at), one));
    if (at < end) store<f64>(at, load<f64>(at) + 1);
    return;
  }
  for (let at = counts; at < end; at += 8) store<f64>(at, load<f64>(at) + <f64>load<u8>(present++));
}

/** The Kahan step of kahan.ts, two cells at a time. */
function foldSum(sums: usize, compensations: usize, values: usize, width: usize): void {
  const infinity = f64x2.splat(Infinity);
  let at: usize = 0;
  for (; at + 16 <= width; at += 16) {
    const sum = v128.load(sums + at);
    const x = v128.load(values + at);
    const t = f64x2.add(sum, x);
    const large = f64x2.ge(f64x2.abs(sum), f64x2.abs(x));
    const bits = f64x2.add(f64x2.sub(v128.bitselect(sum, x, large), t), v128.bitselect(x, sum, large));
    const c = f64x2.add(v128.load(compensations + at), bits);
    v128.store(sums + at, t);
    v128.store(compensations + at, v128.andnot(c, f64x2.eq(f64x2.abs(t), infinity)));
  }
  if (at < width) {
    const sum = load<f64>(sums + at);
    const x = load<f64>(values + at);
    const t = sum + x;
    store<f64>(compensations + at, isInfinite(t) ? 0 : load<f64>(compensations + at) + lost(sum, x, t));
    store<f64>(sums + at, t);
  }
}

function foldAvg(state: usize, steps: u32, values: usize, present: usize): void {
  const width: usize = (<usize>steps) << 3;
  for (let at: usize = 0; at < width; at += 8) {
    if (load<u8>(present++) == 0) continue;
    addToMean(state + at, width, load<f64>(values + at), 0, 1);
  }
}

/** Adds `count` members with the given Kahan sum to the mean whose first column is at `cell`. */
function addToMean(cell: usize, width: usize, x: f64, xC: f64, xCount: f64): void {
  const count = load<f64>(cell);
  const value = load<f64>(cell + width);
  const c = load<f64>(cell + 2 * width);
  if (count == 0) {
    store<f64>(cell, xCount);
    store<f64>(cell + width, x);
    store<f64>(cell + 2 * width, xC);
    return;
  }
  if (count > 0) {
    const t = value + x;
    if (!isInfinite(t)) {
      store<f64>(cell, count + xCount);
      store<f64>(cell + width, t);
      store<f64>(cell + 2 * width, c + lost(value, x, t) + xC);
      return;
    }
    moveMean(cell, width, count, value / count, c / count, x / xCount, xC / xCount, xCount);
  } else {
    moveMean(cell, width, -count, value, c, x / xCount, xC / xCount, xCount);
  }
}

/** Moves the mean of `count` members by `xCount` others with the mean x + xC. */
function moveMean(cell: usize, width: usize, count: f64, mean: f64, c: f64, x: f64, xC: f64, xCount: f64): void {
  const all = count + xCount;
  const weight = count / all;
  const scaled = weight * mean;
  const move = xCount == 1 ? x / all : x * (xCount / all);
  const t = scaled + move;
  store<f64>(cell, -all);
  store<f64>(cell + width, t);
  store<f64>(cell + 2 * width, isInfinite(t) ? 0 : weight * c + lost(scaled, move, t) + xC * (xCount / all));
}

/** NaN loses against anything else; of equal values the first stays. `sign` as in extremes.ts. */
function foldExtreme(state: usize, steps: u32, values: usize, present: usize, sign: f64): void {
  const width: usize = (<usize>steps) << 3;
  for (let at: usize = 0; at < width; at += 8) {
    if (load<u8>(present++) == 0) continue;
    const x = load<f64>(values + at);
    const count = load<f64>(state + at);
    const kept = load<f64>(state + at + width);
    if (count == 0 || x * sign > kept * sign || kept != kept) store<f64>(state + at + width, x);
    store<f64>(state + at, count + 1);
  }
}

/** Welford's method, without compensation, as Prometheus's aggregation does it. */
function foldSquares(state: usize, steps: u32, values: usize, present: usize): void {
  const width: usize = (<usize>steps) << 3;
  for (let at: usize = 0; at < width; at += 8) {
    if (load<u8>(present++) == 0) continue;
    const x = load<f64>(values + at);
    const count = load<f64>(state + at) + 1;
    const mean = load<f64>(state + at + width);
    const delta = x - mean;
    const moved = mean + delta / count;
    const squares = load<f64>(state + at + 2 * width) + delta * (x - moved);
    store<f64>(state + at, count);
    store<f64>(state + at + width, moved);
    store<f64>(state + at + 2 * width, squares);
  }
}

/** Folds the state of the same group from another shard into this one's. */
export function merge(op: u32, state: usize, other: usize, steps: u32): void {
  const width: usize = (<usize>steps) << 3;
  for (let at: usize = 0; at < width; at += 8) {
    const otherCount = load<f64>(other + at);
    if (otherCount == 0) continue;
    const cell = state + at;
    const from = other + at;
    switch (op) {
      case AggregateOp.Sum:
        mergeSum(cell, from, width);
        break;
      case AggregateOp.Avg:
        mergeMean(cell, from, width);
        break;
      case AggregateOp.Min:
      case AggregateOp.Max:
        mergeExtreme(cell, from, width, op == AggregateOp.Max ? 1 : -1);
        break;
      case AggregateOp.Stddev:
      case AggregateOp.Stdvar:
        mergeSquares(cell, from, width);
        break;
      default:
        store<f64>(cell, load<f64>(cell) + otherCount);
    }
  }
}

function mergeSum(cell: usize, from: usize, width: usize): void {
  const sum = load<f64>(cell + width);
  const x = load<f64>(from + width);
  const t = sum + x;
  const c = load<f64>(cell + 2 * width) + lost(sum, x, t) + load<f64>(from + 2 * width);
  store<f64>(cell, load<f64>(cell) + load<f64>(from));
  store<f64>(cell + width, t);
  store<f64>(cell + 2 * width, isInfinite(t) ? 0 : c);
}

function mergeMean(cell: usize, from: usize, width: usize): void {
  const xCount = load<f64>(from);
  const x = load<f64>(from + width);
  const xC = load<f64>(from + 2 * width);
  if (xCount > 0) {
    addToMean(cell, width, x, xC, xCount);
    return;
  }
  // The other one is a mean already, so this one becomes one.
  const count = load<f64>(cell);
  const divisor: f64 = count > 0 ? count : 1;
  const mean = load<f64>(cell + width) / divisor;
  const c = load<f64>(cell + 2 * width) / divisor;
  moveMean(cell, width, abs(count), mean, c, x, xC, -xCount);
}

function mergeExtreme(cell: usize, from: usize, width: usize, sign: f64): void {
  const count = load<f64>(cell);
  const kept = load<f64>(cell + width);
  const x = load<f64>(from + width);
  if (count == 0 || x * sign > kept * sign || kept != kept) store<f64>(cell + width, x);
  store<f64>(cell, count + load<f64>(from));
}

function mergeSquares(cell: usize, from: usize, width: usize): void {
  const count = load<f64>(cell);
  const xCount = load<f64>(from);
  const x = load<f64>(from + width);
  const squares = load<f64>(from + 2 * width);
  if (count == 0) {
    store<f64>(cell, xCount);
    store<f64>(cell + width, x);
    store<f64>(cell + 2 * width, squares);
    return;
  }
  const all = count + xCount;
  const mean = load<f64>(cell + width);
  const delta = x - mean;
  store<f64>(cell, all);
  store<f64>(cell + width, mean + delta * (xCount / all));
  store<f64>(cell + 2 * width, load<f64>(cell + 2 * width) + squares + delta * delta * (count * (xCount / all)));
}

/** Turns a group's state into a row; gives the number of cells with a value. */
export function finish(op: u32, state: usize, steps: u32, values: usize, present: usize): u32 {
  const width: usize = (<usize>steps) << 3;
  let cells: u32 = 0;
  for (let at: usize = 0; at < width; at += 8) {
    const seen = load<f64>(state + at) != 0;
    store<f64>(values + at, seen ? resultOf(op, state + at, width) : 0);
    store<u8>(present++, seen);
    cells += <u32>seen;
  }
  return cells;
}

function resultOf(op: u32, cell: usize, width: usize): f64 {
  const count = load<f64>(cell);
  switch (op) {
    case AggregateOp.Sum:
      return load<f64>(cell + width) + load<f64>(cell + 2 * width);
    case AggregateOp.Avg: {
      const divisor: f64 = count > 0 ? count : 1;
      return load<f64>(cell + width) / divisor + load<f64>(cell + 2 * width) / divisor;
    }
    case AggregateOp.Min:
    case AggregateOp.Max:
      return load<f64>(cell + width);
    case AggregateOp.Count:
      return count;
    case AggregateOp.Group:
      return 1;
    case AggregateOp.Stddev:
      return sqrt(load<f64>(cell + 2 * width) / count);
    default:
      return load<f64>(cell + 2 * width) / count;
  }
}
