// XOR chunks: floats. The clear codec beside the core's, and its model; drawn in docs/formats/chunk.md.
//
//   count u16 │ time_0 varint │ value_0 64 │ time_1 - time_0 uvarint │ value_1 │ time code_2 │ value_2 │ …

import { BitReader, BitWriter, ChunkFault } from './bit-stream.js';
import { XorValue } from './varbit.js';

export const COUNT_BYTES = 2;
export const CHUNK_SAMPLES_LIMIT = 0xffff;

/** Samples of a float chunk, in time order. */
export interface FloatSamples {
  /** Milliseconds. */
  readonly times: Float64Array;
  /** Values as bits. */
  readonly bits: BigUint64Array;
}

/** Time codes behind the prefix of 1 to 4 ones. */
const TIME_BITS = [0, 14, 17, 20, 64] as const;

/** All samples of a chunk; ChunkFault where it is none. */
export function decodeXor(chunk: Uint8Array): FloatSamples {
  const count = countOf(chunk);
  // Each sample behind the first takes two bits at least: no count makes us allocate more than that.
  if (count > chunk.length * 4 + 1) throw new ChunkFault(0, `${count} samples in ${chunk.length} bytes`);
  const from = new BitReader(chunk, COUNT_BYTES);
  const times = new Float64Array(count);
  const bits = new BigUint64Array(count);
  const value = new XorValue();
  let time = 0;
  let step = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      time = from.varint();
      value.readWhole(from);
    } else {
      step = i === 1 ? from.uvarint() : step + readTimeCode(from);
      time += step;
      value.read(from);
    }
    times[i] = time;
    bits[i] = value.bits;
  }
  return { times, bits };
}

/** A chunk of these samples, which are as many as 65,535 at the most. */
export function encodeXor({ times, bits }: FloatSamples): Uint8Array {
  const appender = new XorAppender();
  for (let i = 0; i < times.length; i++) appender.append(times[i]!, bits[i]!);
  return appender.take();
}

export class XorAppender {
  readonly #to = new BitWriter(COUNT_BYTES);
  readonly #value = new XorValue();
  #count = 0;
  #time = 0;
  #step = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#to.length;
  }

  /** Milliseconds, and the value's bits. Times ascend: the caller sees to that. */
  append(timeMs: number, bits: bigint): void {
    if (this.#count === CHUNK_SAMPLES_LIMIT) throw new Error('the chunk is full');
    const high = Number(bits >> 32n);
    const low = Number(bits & 0xffffffffn);
    if (this.#count === 0) {
      this.#to.varint(timeMs);
      this.#value.writeWhole(this.#to, high, low);
    } else {
      const step = timeMs - this.#time;
      if (this.#count === 1) this.#to.uvarint(step);
      else writeTimeCode(this.#to, step - this.#step);
      this.#value.write(this.#to, high, low);
      this.#step = step;
    }
    this.#time = timeMs;
    setCount(this.#to.bytes, ++this.#count);
  }

  /** The chunk: copies. */
  take(): Uint8Array {
    return this.#to.take();
  }
}

/** Samples in a chunk of any encoding. */
export function countOf(chunk: Uint8Array): number {
  if (chunk.length < COUNT_BYTES) throw new ChunkFault(0, `${chunk.length} bytes are no chunk`);
  return chunk[0]! * 256 + chunk[1]!;
}

export function setCount(chunk: Uint8Array, count: number): void {
  chunk[0] = count >>> 8;
  chunk[1] = count;
}

function writeTimeCode(to: BitWriter, change: number): void {
  if (change === 0) {
    to.bits(0, 1);
    return;
  }
  for (let code = 1; code < 4; code++) {
    const size = TIME_BITS[code]!;
    const limit = 2 ** (size - 1);
    if (change > limit || change <= -limit) continue;
    to.bits((1 << (code + 1)) - 2, code + 1);
    to.bits(change, size);
    return;
  }
  to.bits(0b1111, 4);
  to.bits(Math.floor(change / 2 ** 32), 32);
  to.bits(change % 2 ** 32, 32);
}

function readTimeCode(from: BitReader): number {
  const code = from.ones(4);
  if (code === 0) return 0;
  if (code === 4) return (from.bits(32) | 0) * 2 ** 32 + from.bits(32);
  const size = TIME_BITS[code]!;
  const value = from.bits(size);
  return value > 2 ** (size - 1) ? value - 2 ** size : value;
}
