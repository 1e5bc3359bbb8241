// XOR2 chunks, the float chunks of Prometheus 3.14: time and value share their prefix, and samples may have start times.
//
//   count u16 │ starts u8 │ time_0 varint │ value_0 64 │ [start] │ step_1 uvarint │ value_1 │ [start] │ joint_2 │ [start] │ …
//
//   starts   bit 7: the first sample's start follows it, as varint of time - start
//            bits 0–6: from which sample on each has one, as varbit of (the time before - start), later as its change; 0 none
//
//   joint    0       same step, same value
//            10      same step; 0 │ bits in the old window, 1 │ a new window (varbit.ts)
//            110     change of the step in 13 bits, value
//            1110    in 20 bits, value
//            11110   in 64 bits, value
//            11111   same step, stale marker
//   value    0 the same │ 10 in the old window │ 110 a new window │ 111 stale marker
//
// What changes is the step: two's complement here. A stale marker is not the value that the next one is compared to.

import { STALE_SUM as STALE } from '../../model/stored-histogram.js';
import { BitReader, BitWriter, ChunkFault } from './bit-stream.js';
import { readVarbit, writeVarbit, XorValue } from './varbit.js';
import { CHUNK_SAMPLES_LIMIT, COUNT_BYTES, countOf, type FloatSamples, setCount } from './xor.js';

const HEADER_BYTES = COUNT_BYTES + 1;
const FIRST_START = 0x80;
const START_FROM_MASK = 0x7f;

/** Floats with the times from which they count. */
export interface StartedSamples extends FloatSamples {
  /** Milliseconds, 0 where unknown; undefined where all are. */
  readonly starts?: Float64Array;
}

export function decodeXor2(chunk: Uint8Array): StartedSamples {
  const count = countOf(chunk);
  if (chunk.length < HEADER_BYTES || count > chunk.length * 8) {
    throw new ChunkFault(0, `${count} samples in ${chunk.length} bytes`);
  }
  const header = chunk[COUNT_BYTES]!;
  const startFrom = header & START_FROM_MASK;
  const from = new BitReader(chunk, HEADER_BYTES);
  const times = new Float64Array(count);
  const bits = new BigUint64Array(count);
  const starts = header === 0 ? undefined : new Float64Array(count);
  const value = new Xor2Value();
  let time = 0;
  let step = 0;
  let start = 0;
  let lead = 0;
  for (let i = 0; i < count; i++) {
    const before = time;
    if (i === 0) {
      time = from.varint();
      bits[i] = value.readWhole(from);
      if ((header & FIRST_START) !== 0) start = time - from.varint();
    } else if (i === 1) {
      step = from.uvarint();
      time += step;
      bits[i] = value.read(from);
    } else {
      const code = from.ones(5);
      if (code >= 2 && code <= 4) step += readSigned(from, STEP_BITS[code]!);
      time += step;
      bits[i] = code === 0 ? value.bits : code === 1 ? value.readChanged(from) : code === 5 ? STALE : value.read(from);
    }
    if (startFrom > 0 && i >= startFrom) {
      lead = i === startFrom ? readVarbit(from) : lead + readVarbit(from);
      start = before - lead;
    }
    times[i] = time;
    if (starts !== undefined) starts[i] = start;
  }
  return starts === undefined ? { times, bits } : { times, bits, starts };
}

/** Bits of a changed step, by how many ones its prefix has. */
const STEP_BITS = [0, 0, 13, 20, 64] as const;

export function encodeXor2({ times, bits, starts }: StartedSamples): Uint8Array {
  if (times.length > CHUNK_SAMPLES_LIMIT) throw new Error('more samples than a chunk can count');
  const to = new BitWriter(HEADER_BYTES);
  const value = new Xor2Value();
  const startOf = (i: number) => starts?.[i] ?? 0;
  let header = 0;
  let step = 0;
  let lead = 0;
  for (let i = 0; i < times.length; i++) {
    const timeMs = times[i]!;
    const before = i === 0 ? 0 : times[i - 1]!;
    if (i === 0) {
      to.varint(timeMs);
      value.writeWhole(to, bits[i]!);
      if (startOf(0) !== 0) {
        header |= FIRST_START;
        to.varint(timeMs - startOf(0));
      }
    } else {
      const change = timeMs - before - step;
      step = timeMs - before;
      if (i === 1) {
        to.uvarint(step);
        value.write(to, bits[i]!);
      } else writeJoint(to, change, value, bits[i]!);
      // Beyond what the header can name every sample has a start, or none can ever have.
      const begins = (header & START_FROM_MASK) === 0 && (startOf(i) !== startOf(i - 1) || i === START_FROM_MASK);
      if (begins) header |= i;
      if ((header & START_FROM_MASK) !== 0) {
        writeVarbit(to, begins ? before - startOf(i) : before - startOf(i) - lead);
        lead = before - startOf(i);
      }
    }
  }
  setCount(to.bytes, times.length);
  to.bytes[COUNT_BYTES] = header;
  return to.take();
}

function writeJoint(to: BitWriter, change: number, value: Xor2Value, bits: bigint): void {
  if (change === 0) {
    if (bits === STALE) to.bits(0b11111, 5);
    else if (bits === value.bits) to.bits(0, 1);
    else {
      to.bits(0b10, 2);
      value.writeChanged(to, bits);
    }
    return;
  }
  const code = [2, 3].find((one) => Math.abs(change + 0.5) < 2 ** (STEP_BITS[one]! - 1)) ?? 4;
  to.bits((1 << (code + 1)) - 2, code + 1);
  const size = STEP_BITS[code]!;
  if (size === 64) to.bits(Math.floor(change / 2 ** 32), 32);
  to.bits(change % 2 ** 32, Math.min(size, 32));
  value.write(to, bits);
}

/** Two's complement. */
function readSigned(from: BitReader, size: number): number {
  if (size === 64) return (from.bits(32) | 0) * 2 ** 32 + from.bits(32);
  const value = from.bits(size);
  return value >= 2 ** (size - 1) ? value - 2 ** size : value;
}

/** The value of each sample, and the one it is compared to: the last that was no stale marker. */
class Xor2Value {
  readonly #xor = new XorValue();

  get bits(): bigint {
    return this.#xor.bits;
  }

  readWhole(from: BitReader): bigint {
    this.#xor.readWhole(from);
    const { bits } = this.#xor;
    if (bits === STALE) this.#xor.set(0, 0);
    return bits;
  }

  read(from: BitReader): bigint {
    switch (from.ones(3)) {
      case 0:
        break;
      case 1:
        this.#xor.readOldWindow(from);
        break;
      case 2:
        this.#xor.readNewWindow(from);
        break;
      default:
        return STALE;
    }
    return this.bits;
  }

  readChanged(from: BitReader): bigint {
    if (from.bit() === 1) this.#xor.readNewWindow(from);
    else this.#xor.readOldWindow(from);
    return this.bits;
  }

  writeWhole(to: BitWriter, bits: bigint): void {
    this.#xor.writeWhole(to, Number(bits >> 32n), Number(bits & 0xffffffffn));
    if (bits === STALE) this.#xor.set(0, 0);
  }

  write(to: BitWriter, bits: bigint): void {
    if (bits === STALE) to.bits(0b111, 3);
    else if (bits === this.bits) to.bits(0, 1);
    else this.#change(to, bits, [0b10, 2], [0b110, 3]);
  }

  writeChanged(to: BitWriter, bits: bigint): void {
    this.#change(to, bits, [0, 1], [1, 1]);
  }

  #change(to: BitWriter, bits: bigint, inOld: readonly [number, number], inNew: readonly [number, number]): void {
    const change = bits ^ this.bits;
    const [high, low] = [Number(change >> 32n), Number(change & 0xffffffffn)];
    if (this.#xor.fits(high, low)) {
      to.bits(...inOld);
      this.#xor.writeOldWindow(to, high, low);
    } else {
      to.bits(...inNew);
      this.#xor.writeNewWindow(to, high, low);
    }
    this.#xor.set(Number(bits >> 32n), Number(bits & 0xffffffffn));
  }
}
