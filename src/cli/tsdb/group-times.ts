// When a rule group is evaluated: at multiples of its interval, moved by an offset that its file and name give, so that
// what is backfilled lies where the server would have put it.

import { xxhash64 } from './xxhash.js';

const NANOS = 1_000_000n;

export interface TimedGroup {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
}

/** The first evaluation at or after a time, in milliseconds. */
export function firstEvaluation({ file, name, intervalMs }: TimedGroup, fromMs: number): number {
  const interval = BigInt(intervalMs) * NANOS;
  const offset = hashOf(file, name) % interval;
  const from = BigInt(fromMs) * NANOS;
  let next = from - mod(from - offset, interval);
  if (next < from) next += interval;
  // As the API rounds it.
  return Number((next + NANOS / 2n) / NANOS);
}

/** Prometheus's hash of the label set {file, name}: lengths before texts. */
function hashOf(file: string, name: string): bigint {
  return xxhash64(Buffer.concat(['file', file, 'name', name].flatMap((text) => [sizeOf(text), Buffer.from(text)])));
}

/** One byte up to 254, else 255 and three more, little-endian. */
function sizeOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length < 255) return Buffer.of(length);
  return Buffer.of(255, length & 0xff, (length >> 8) & 0xff, length >> 16);
}

function mod(value: bigint, by: bigint): bigint {
  const rest = value % by;
  return rest < 0n ? rest + by : rest;
}
