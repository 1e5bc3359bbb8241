// Doubles at the places where reading and printing go wrong.

import { Prng } from '../../src/base/prng.js';

/** Powers of two and ten, their neighbours, the ends of the range. */
export function boundaryDoubles(): number[] {
  const around = (value: number) => [value, neighbour(value, 1n), neighbour(value, -1n)];
  const values = [0, 1, 2 ** 53, 2 ** 53 - 1, 2 ** 53 + 2, Number.MAX_VALUE, Number.MIN_VALUE, 2.2250738585072014e-308];
  for (let e = -1074; e <= 1023; e++) values.push(...around(2 ** e));
  for (let e = -323; e <= 308; e++) values.push(...around(Number(`1e${e}`)), Number(`9.5e${e}`));
  for (let i = 1; i <= 1000; i++) values.push(i, i / 10, i / 1000, i * 1e6);
  return values.filter((value) => Number.isFinite(value) && value >= 0);
}

const cell = new DataView(new ArrayBuffer(8));

export function neighbour(value: number, step: bigint): number {
  cell.setFloat64(0, value);
  const bits = cell.getBigUint64(0) + step;
  cell.setBigUint64(0, bits < 0n ? 0n : bits);
  return cell.getFloat64(0);
}

/** Doubles of every size: random bits, NaN and infinities left out. */
export function* randomDoubles(seed: number, count: number): Generator<number> {
  const prng = new Prng(seed);
  for (let i = 0; i < count; ) {
    cell.setUint32(0, prng.u32());
    cell.setUint32(4, prng.u32());
    const value = cell.getFloat64(0);
    if (!Number.isFinite(value)) continue;
    i++;
    yield value;
  }
}
