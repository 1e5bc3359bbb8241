// Cursors over the bytes of a record of the log or an entry of a block: reading is bounded
// and says where it failed, writing grows. Integers are big-endian, varints are Go's.
//
// Times and refs are numbers here. Both are int64 on disk; beyond ±2^53, where
// only "the beginning" and "the end of time" occur, they are rounded.

/** Bytes that do not hold what they should; `offset` is where in them that shows. */
export class BytesError extends Error {
  override readonly name = 'BytesError';
  constructor(
    readonly offset: number,
    readonly reason: string,
  ) {
    super(`${reason} at byte ${offset}`);
  }
}

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const VARINT_BYTES_MAX = 10;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const toUtf8 = new TextEncoder();

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  u8(): number {
    this.#need(1);
    return this.#bytes[this.at++]!;
  }

  u32(): number {
    this.#need(4);
    const value = this.#view.getUint32(this.at);
    this.at += 4;
    return value;
  }

  /** An unsigned 64-bit integer below 2^53: refs. */
  u64(): number {
    this.#need(8);
    const high = this.#view.getUint32(this.at);
    if (high >= 2 ** 21) throw new BytesError(this.at, 'a number beyond 2^53');
    const value = high * 2 ** 32 + this.#view.getUint32(this.at + 4);
    this.at += 8;
    return value;
  }

  i64(): number {
    this.#need(8);
    const value = this.#view.getInt32(this.at) * 2 ** 32 + this.#view.getUint32(this.at + 4);
    this.at += 8;
    return value;
  }

  bits(): bigint {
    this.#need(8);
    const value = this.#view.getBigUint64(this.at);
    this.at += 8;
    return value;
  }

  uvarint(): number {
    const start = this.at;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (i === VARINT_BYTES_MAX - 1 && byte > 1) break;
        return value;
      }
      scale *= 128;
    }
    throw new BytesError(start, 'a varint beyond 64 bits');
  }

  /** A zigzag varint. Its lowest bit is the sign, read before rounding can take it. */
  varint(): number {
    const negative = this.left > 0 && (this.#bytes[this.at]! & 1) === 1;
    const value = this.uvarint();
    return negative ? -((value + 1) / 2) : value / 2;
  }

  /** An int64 whose 64 bits were written as a uvarint: a difference that Go let wrap around. */
  wrapped(): number {
    const start = this.at;
    const value = this.uvarint();
    if (value < 2 ** 53) return value;
    let bits = 0n;
    for (let i = this.at - 1; i >= start; i--) bits = (bits << 7n) | BigInt(this.#bytes[i]! & 0x7f);
    return Number(BigInt.asIntN(64, bits));
  }

  /** The next `count` bytes: lends. */
  bytes(count: number): Uint8Array {
    this.#need(count);
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  /** Passes over `wanted` where that is what comes next. */
  takes(wanted: Uint8Array): boolean {
    if (wanted.length > this.left) return false;
    for (let i = 0; i < wanted.length; i++) if (this.#bytes[this.at + i] !== wanted[i]) return false;
    this.at += wanted.length;
    return true;
  }

  skip(count: number): void {
    this.#need(count);
    this.at += count;
  }

  /** `uvarint` bytes of UTF-8. */
  string(): string {
    const length = this.uvarint();
    this.#need(length);
    const from = this.at;
    this.at += length;
    // Shared memory cannot be decoded in place: slice() copies.
    return utf8.decode(this.#bytes.slice(from, this.at));
  }

  skipString(): void {
    this.skip(this.uvarint());
  }

  #need(count: number): void {
    if (count > this.left) throw new BytesError(this.at, `${count} bytes expected, ${this.left} left`);
  }
}

export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** What was written: takes, so write no more afterwards, unless after clear(). */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins anew in the same memory: what finish() gave is overwritten. */
  clear(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
  }

  u64(value: number): void {
    this.bits(BigInt(value));
  }

  i64(value: number): void {
    this.bits(BigInt.asUintN(64, clampInt64(value)));
  }

  bits(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#length, value);
    this.#length += 8;
  }

  uvarint(value: number): void {
    this.#room(VARINT_BYTES_MAX);
    while (value >= 0x80) {
      this.#bytes[this.#length++] = 0x80 | (value % 128);
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }

  varint(value: number): void {
    if (Math.abs(value) < 2 ** 51) {
      this.uvarint(value >= 0 ? value * 2 : -value * 2 - 1);
      return;
    }
    const wide = clampInt64(value);
    let zigzag = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
    this.#room(VARINT_BYTES_MAX);
    while (zigzag >= 0x80n) {
      this.#bytes[this.#length++] = Number(zigzag & 0x7fn) | 0x80;
      zigzag >>= 7n;
    }
    this.#bytes[this.#length++] = Number(zigzag);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  string(text: string): void {
    const bytes = toUtf8.encode(text);
    this.uvarint(bytes.length);
    this.raw(bytes);
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Which comes first in byte order: below 0, 0 or above. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = a[i]! - b[i]!;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function clampInt64(value: number): bigint {
  const wide = BigInt(Math.round(value));
  return wide < MIN_INT64 ? MIN_INT64 : wide > MAX_INT64 ? MAX_INT64 : wide;
}
