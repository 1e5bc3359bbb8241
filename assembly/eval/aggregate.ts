// Aggregation: folding rows into groups.
//
// The groups of a fragment are one share of its answer, in memory as it crosses to main:
// state columns of f64, then a byte per cell; cell (group, step) is at group * steps + step.
//
//   state    ┌──────────────────────┬──────────────────────┬──────────────────────┐
//            │ column 0             │ column 1             │ column 2             │   groups × steps f64 each
//            └──────────────────────┴──────────────────────┴──────────────────────┘
//   present  ┌──────────────────────┐
//            │ 0, 1 or RUNNING      │   groups × steps u8
//            └──────────────────────┘
//
//   op               column 0       column 1        column 2
//   sum              sum            compensation
//   avg              sum, or mean   compensation    count      mean where present is RUNNING:
//   min, max         extreme                                   from where the sum would overflow
//   count            count
//   group
//   stddev, stdvar   mean           sum of squared  count
//                                   deviations
//
// All zero is a share without samples. Members are folded in the order of the calls, with Prometheus's own
// arithmetic; joining the shares of shards is main's.
//
// A row's cell without a value holds 0, which changes no sum, so sums do not look at presence and take
// two cells at a time.

import { AggregateOp, GROUP_RUNNING } from '../layout';
import { isInfinite, lost } from './kahan';

const RUNNING: u8 = <u8>GROUP_RUNNING;

/** A share. The caller sets all fields and zeroes the memory behind state and present. Offsets are in layout.ts. */
@unmanaged
export class Groups {
  op: u32;
  steps: u32;
  count: u32;
  state: u32;
  present: u32;
}

/** State columns of an aggregation. */
export function columnsOf(op: u32): u32 {
  switch (op) {
    case AggregateOp.Group:
      return 0;
    case AggregateOp.Count:
    case AggregateOp.Min:
    case AggregateOp.Max:
      return 1;
    case AggregateOp.Sum:
      return 2;
    default:
      return 3;
  }
}

/** Folds a row, of whose cells `cells` have a value, into a group. */
export function fold(groups: Groups, group: u32, values: usize, present: usize, cells: u32): void {
  assert(group < groups.count, 'no such group');
  if (cells == 0) return;
  const steps = groups.steps;
  const first: usize = <usize>group * <usize>steps;
  const state = <usize>groups.state + (first << 3);
  const seen = <usize>groups.present + first;
  // Bytes from a cell in one column to the same cell in the next.
  const stride: usize = (<usize>groups.count * <usize>steps) << 3;
  switch (groups.op) {
    case AggregateOp.Sum:
      foldSum(state, state + stride, values, (<usize>steps) << 3);
      merge(seen, present, steps);
      break;
    case AggregateOp.Avg:
      if (cells == steps) foldFullAvg(state, stride, seen, steps, values);
      else foldAvg(state, stride, seen, steps, values, present);
      break;
    case AggregateOp.Min:
      foldExtreme(state, seen, steps, values, present, -1);
      break;
    case AggregateOp.Max:
      foldExtreme(state, seen, steps, values, present, 1);
      break;
    case AggregateOp.Count:
      if (cells == steps) foldFullCount(state, (<usize>steps) << 3);
      else foldCount(state, present, (<usize>steps) << 3);
      merge(seen, present, steps);
      break;
    case AggregateOp.Group:
      merge(seen, present, steps);
      break;
    default:
      foldSquares(state, stride, seen, steps, values, present);
  }
}

/** Marks what the row has in the group. */
function merge(seen: usize, present: usize, steps: u32): void {
  const end = seen + <usize>steps;
  for (; seen + 16 <= end; seen += 16, present += 16) {
    v128.store(seen, v128.or(v128.load(seen), v128.load(present)));
  }
  for (; seen < end; seen++, present++) store<u8>(seen, load<u8>(seen) | load<u8>(present));
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

function foldFullCount(counts: usize, width: usize): void {
  const one = f64x2.splat(1);
  const end = counts + width;
  for (; counts + 16 <= end; counts += 16) v128.store(counts, f64x2.add(v128.load(counts), one));
  if (counts < end) store<f64>(counts, load<f64>(counts) + 1);
}

function foldCount(counts: usize, present: usize, width: usize): void {
  const end = counts + width;
  for (; counts < end; counts += 8) store<f64>(counts, load<f64>(counts) + <f64>load<u8>(present++));
}

/** A row with a value in each cell: two at a time while none of them runs or overflows. */
function foldFullAvg(state: usize, stride: usize, seen: usize, steps: u32, values: usize): void {
  const one = f64x2.splat(1);
  const infinity = f64x2.splat(Infinity);
  let step: u32 = 0;
  for (; step + 2 <= steps; step += 2, state += 16, values += 16, seen += 2) {
    const sum = v128.load(state);
    const x = v128.load(values);
    const t = f64x2.add(sum, x);
    const flags = load<u16>(seen);
    if ((flags & (((<u16>RUNNING) << 8) | RUNNING)) != 0 || v128.any_true(f64x2.eq(f64x2.abs(t), infinity))) {
      addToMean(state, stride, seen, load<f64>(values));
      addToMean(state + 8, stride, seen + 1, load<f64>(values, 8));
      continue;
    }
    const compensations = state + stride;
    const counts = compensations + stride;
    const large = f64x2.ge(f64x2.abs(sum), f64x2.abs(x));
    const bits = f64x2.add(f64x2.sub(v128.bitselect(sum, x, large), t), v128.bitselect(x, sum, large));
    v128.store(state, t);
    v128.store(compensations, f64x2.add(v128.load(compensations), bits));
    v128.store(counts, f64x2.add(v128.load(counts), one));
    store<u16>(seen, 0x0101);
  }
  if (step < steps) addToMean(state, stride, seen, load<f64>(values));
}

function foldAvg(state: usize, stride: usize, seen: usize, steps: u32, values: usize, present: usize): void {
  for (let step: u32 = 0; step < steps; step++, state += 8, values += 8) {
    if (load<u8>(present + step) != 0) addToMean(state, stride, seen + step, load<f64>(values));
  }
}

function addToMean(cell: usize, stride: usize, seen: usize, x: f64): void {
  const compensation = cell + stride;
  const countAt = compensation + stride;
  const count = load<f64>(countAt) + 1;
  store<f64>(countAt, count);
  const state = load<u8>(seen);
  let sum = load<f64>(cell);
  let c = load<f64>(compensation);
  if (state == 0) {
    store<u8>(seen, 1);
    store<f64>(cell, x);
    return;
  }
  if (state != RUNNING) {
    const t = sum + x;
    if (!isInfinite(t)) {
      store<f64>(cell, t);
      store<f64>(compensation, c + lost(sum, x, t));
      return;
    }
    // The sum would overflow: from here on the mean moves, member by member.
    store<u8>(seen, RUNNING);
    sum /= count - 1;
    c /= count - 1;
  }
  const weight = (count - 1) / count;
  const scaled = weight * sum;
  const move = x / count;
  const mean = scaled + move;
  store<f64>(cell, mean);
  store<f64>(compensation, isInfinite(mean) ? 0 : weight * c + lost(scaled, move, mean));
}

/** NaN loses against anything else; of equal values the first stays. `sign` as in extremes.ts. */
function foldExtreme(state: usize, seen: usize, steps: u32, values: usize, present: usize, sign: f64): void {
  for (let step: u32 = 0; step < steps; step++, state += 8, values += 8) {
    if (load<u8>(present + step) == 0) continue;
    const x = load<f64>(values);
    const kept = load<f64>(state);
    if (x * sign > kept * sign || kept != kept || load<u8>(seen + step) == 0) store<f64>(state, x);
    store<u8>(seen + step, 1);
  }
}

/** Welford's method, without compensation, as Prometheus's aggregation does it. */
function foldSquares(state: usize, stride: usize, seen: usize, steps: u32, values: usize, present: usize): void {
  for (let step: u32 = 0; step < steps; step++, state += 8, values += 8) {
    if (load<u8>(present + step) == 0) continue;
    const squares = state + stride;
    const counts = squares + stride;
    const x = load<f64>(values);
    const count = load<f64>(counts) + 1;
    const mean = load<f64>(state);
    const delta = x - mean;
    const moved = mean + delta / count;
    store<f64>(counts, count);
    store<f64>(state, moved);
    store<f64>(squares, load<f64>(squares) + delta * (x - moved));
    store<u8>(seen + step, 1);
  }
}
