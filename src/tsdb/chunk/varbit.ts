// Integers of few bits, and floats by what changed in them: the codes of which chunks are made.
//
//   varbit   prefix      bits that follow
//            0           none: the value is 0
//            10          3
//            110         6
//            1110        9
//            11110       12
//            111110      18
//            1111110     25
//            11111110    56
//            11111111    64
//
//   Of n bits, signed ones reach from -(2^(n-1) - 1) to 2^(n-1): one higher than two's complement would have it.
//   Only the 64 bits are two's complement.
//
//   xor      0                                                  the value before
//            10 │ the bits within the window before             xor of both
//            11 │ leading zeros 5 │ size 6 │ `size` bits        xor of both, and a new window; size 64 is written as 0

import type { BitReader, BitWriter } from './bit-stream.js';

const SIZES = [0, 3, 6, 9, 12, 18, 25, 56, 64] as const;
const PREFIX_MAX = SIZES.length - 1;
const LIMITS = SIZES.map((size) => 2 ** (size - 1));
const TWO_32 = 2 ** 32;

export function writeVarbit(to: BitWriter, value: number): void {
  if (value === 0) {
    to.bits(0, 1);
    return;
  }
  let code = 1;
  while (code < PREFIX_MAX && !(value <= LIMITS[code]! && value > -LIMITS[code]!)) code++;
  writeCoded(to, code, value);
}

export function writeUvarbit(to: BitWriter, value: number): void {
  if (value === 0) {
    to.bits(0, 1);
    return;
  }
  let code = 1;
  while (code < PREFIX_MAX && value >= 2 * LIMITS[code]!) code++;
  writeCoded(to, code, value);
}

function writeCoded(to: BitWriter, code: number, value: number): void {
  if (code === PREFIX_MAX) to.bits(0xff, 8);
  else to.bits((1 << (code + 1)) - 2, code + 1);
  const size = SIZES[code]!;
  if (size <= 32) {
    to.bits(value, size);
    return;
  }
  if (!Number.isSafeInteger(value)) {
    // Only arithmetic on damaged or senseless numbers comes here: they wrap around, as 64 bits do.
    const wide = BigInt.asUintN(64, BigInt(value));
    to.bits(Number(wide >> 32n), size - 32);
    to.bits(Number(wide & 0xffffffffn), 32);
    return;
  }
  const high = Math.floor(value / TWO_32);
  to.bits(high, size - 32);
  to.bits(value - high * TWO_32, 32);
}

export function readVarbit(from: BitReader): number {
  const code = from.ones(PREFIX_MAX);
  if (code === 0) return 0;
  const size = SIZES[code]!;
  if (size <= 32) {
    const value = from.bits(size);
    return value > LIMITS[code]! ? value - 2 * LIMITS[code]! : value;
  }
  // The high half takes the sign, since 56 bits are more than a number holds.
  const high = from.bits(size - 32);
  return (high >= 2 ** (size - 33) ? high - 2 ** (size - 32) : high) * TWO_32 + from.bits(32);
}

export function readUvarbit(from: BitReader): number {
  const size = SIZES[from.ones(PREFIX_MAX)]!;
  return size <= 32 ? from.bits(size) : from.bits(size - 32) * TWO_32 + from.bits(32);
}

/** Most leading zeros that a window has, whatever there are. */
const LEADING_MAX = 31;

/** One float of each sample, and the window in which it changed last. */
export class XorValue {
  high = 0;
  low = 0;
  #leading = 0;
  /** -1 before the first window, for writing. */
  #trailing = -1;

  set(high: number, low: number): void {
    this.high = high >>> 0;
    this.low = low >>> 0;
  }

  get number(): number {
    words[1] = this.high;
    words[0] = this.low;
    return float[0]!;
  }

  get bits(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** Writes a float as the 64 bits that it is. */
  writeWhole(to: BitWriter, high: number, low: number): void {
    this.set(high, low);
    to.bits(high, 32);
    to.bits(low, 32);
  }

  readWhole(from: BitReader): void {
    this.high = from.bits(32);
    this.low = from.bits(32);
  }

  write(to: BitWriter, high: number, low: number): void {
    const xorHigh = (high ^ this.high) >>> 0;
    const xorLow = (low ^ this.low) >>> 0;
    this.set(high, low);
    if (xorHigh === 0 && xorLow === 0) {
      to.bits(0, 1);
      return;
    }
    if (this.fits(xorHigh, xorLow)) {
      to.bits(0b10, 2);
      this.writeOldWindow(to, xorHigh, xorLow);
      return;
    }
    to.bits(0b11, 2);
    this.writeNewWindow(to, xorHigh, xorLow);
  }

  /** Whether what changed lies in the window before. */
  fits(xorHigh: number, xorLow: number): boolean {
    return (
      this.#trailing >= 0 &&
      leadingZeros(xorHigh, xorLow) >= this.#leading &&
      trailingZeros(xorHigh, xorLow) >= this.#trailing
    );
  }

  writeNewWindow(to: BitWriter, xorHigh: number, xorLow: number): void {
    this.#leading = leadingZeros(xorHigh, xorLow);
    this.#trailing = trailingZeros(xorHigh, xorLow);
    to.bits(this.#leading, 5);
    to.bits(64 - this.#leading - this.#trailing, 6);
    this.writeOldWindow(to, xorHigh, xorLow);
  }

  writeOldWindow(to: BitWriter, xorHigh: number, xorLow: number): void {
    const size = 64 - this.#leading - this.#trailing;
    const [high, low] = shiftRight(xorHigh, xorLow, this.#trailing);
    if (size > 32) to.bits(high, size - 32);
    to.bits(low, Math.min(size, 32));
  }

  read(from: BitReader): void {
    if (from.bit() === 0) return;
    if (from.bit() === 1) this.readNewWindow(from);
    else this.readOldWindow(from);
  }

  readNewWindow(from: BitReader): void {
    this.#leading = from.bits(5);
    const size = from.bits(6) || 64;
    if (this.#leading + size > 64) throw from.fault('a window beyond 64 bits');
    this.#trailing = 64 - this.#leading - size;
    this.readOldWindow(from);
  }

  readOldWindow(from: BitReader): void {
    const trailing = Math.max(0, this.#trailing);
    const size = 64 - this.#leading - trailing;
    const high = size > 32 ? from.bits(size - 32) : 0;
    const low = from.bits(Math.min(size, 32));
    const [xorHigh, xorLow] = shiftLeft(high, low, trailing);
    this.high = (this.high ^ xorHigh) >>> 0;
    this.low = (this.low ^ xorLow) >>> 0;
  }
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** The halves of a float's bits. */
export function wordsOf(value: number): { readonly high: number; readonly low: number } {
  float[0] = value;
  return { high: words[1]!, low: words[0]! };
}

function leadingZeros(high: number, low: number): number {
  return Math.min(LEADING_MAX, high === 0 ? 32 + Math.clz32(low) : Math.clz32(high));
}

function trailingZeros(high: number, low: number): number {
  return low === 0 ? 32 + lowZeros(high) : lowZeros(low);
}

function lowZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function shiftRight(high: number, low: number, by: number): readonly [high: number, low: number] {
  if (by === 0) return [high, low];
  if (by >= 32) return [0, high >>> (by - 32)];
  return [high >>> by, ((low >>> by) | (high << (32 - by))) >>> 0];
}

function shiftLeft(high: number, low: number, by: number): readonly [high: number, low: number] {
  if (by === 0) return [high, low];
  if (by >= 32) return [(low << (by - 32)) >>> 0, 0];
  return [((high << by) | (low >>> (32 - by))) >>> 0, (low << by) >>> 0];
}
