// When a rule group is evaluated: at multiples of its interval, moved by an offset that its file and name give. So the
// times are the same after a restart, on every server with the same files, and for what is backfilled.
//
//   time ──┬───────────┬───────────┬───────────┬──
//          │← offset →●│         ● │         ● │     ● evaluations

import { xxhash64 } from '../base/xxhash.js';

const NANOS = 1_000_000n;

export interface TimedGroup {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
}

/** The first evaluation at or after a time, in milliseconds: as the API rounds it, for backfilling. */
export function firstEvaluation(group: TimedGroup, fromMs: number): number {
  const { interval, offset } = phaseOf(group);
  const from = BigInt(fromMs) * NANOS;
  let next = from - mod(from - offset, interval);
  if (next < from) next += interval;
  return Number((next + NANOS / 2n) / NANOS);
}

/** The last evaluation that was due at or before a time: whole milliseconds, as samples have them. */
export function lastEvaluation(group: TimedGroup, nowMs: number): number {
  const { interval, offset } = phaseOf(group);
  const now = BigInt(Math.floor(nowMs)) * NANOS;
  return Number((now - mod(now - offset, interval)) / NANOS);
}

/** In nanoseconds. */
function phaseOf({ file, name, intervalMs }: TimedGroup): { readonly interval: bigint; readonly offset: bigint } {
  const interval = BigInt(intervalMs) * NANOS;
  return { interval, offset: hashOf(file, name) % interval };
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
