// Streams of bits, the highest bit of a byte first: what stands in a chunk behind its header.
//
// 64-bit values are two halves of 32 bits, so that no value is ever a JS number whose NaN payload
// may be lost, and none is a bigint, which is slow. Integers are numbers: exact up to 2^53.

/** A chunk that does not hold what it must; `bit` is where in its stream that shows. */
export class ChunkFault extends Error {
  override readonly name = 'ChunkFault';
  constructor(
    readonly bit: number,
    readonly reason: string,
  ) {
    super(`chunk: ${reason} at bit ${bit}`);
  }
}

const VARINT_BYTES_MAX = 10;

export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Reads from byte `from` on: borrows. */
  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#end = bytes.length * 8;
    this.#at = from * 8;
  }

  get at(): number {
    return this.#at;
  }

  /** Bits left. */
  get left(): number {
    return this.#end - this.#at;
  }

  bit(): number {
    if (this.#at >= this.#end) throw this.fault('the bits end');
    const at = this.#at++;
    return (this.#bytes[at >>> 3]! >>> (7 - (at & 7))) & 1;
  }

  /** The next `count` bits, 32 at the most, as an unsigned number. */
  bits(count: number): number {
    if (count > this.#end - this.#at) throw this.fault('the bits end');
    let value = 0;
    let left = count;
    while (left > 0) {
      const room = 8 - (this.#at & 7);
      const take = Math.min(room, left);
      const part = (this.#bytes[this.#at >>> 3]! >>> (room - take)) & ((1 << take) - 1);
      value = ((value << take) | part) >>> 0;
      this.#at += take;
      left -= take;
    }
    return value;
  }

  /** How many bits are set in front of the next one that is not, `most` at the most; the one that ends them is read, too. */
  ones(most: number): number {
    let count = 0;
    while (count < most && this.bit() === 1) count++;
    return count;
  }

  /** Seven bits a byte, lowest first. */
  uvarint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.bits(8);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw this.fault('a varint beyond 64 bits');
  }

  /** A zigzag varint. */
  varint(): number {
    const value = this.uvarint();
    return value % 2 === 1 ? -((value + 1) / 2) : value / 2;
  }

  fault(reason: string): ChunkFault {
    return new ChunkFault(this.#at, reason);
  }
}

export class BitWriter {
  #bytes: Uint8Array;
  #at: number;

  /** Begins behind `header` bytes, which are zero. */
  constructor(header: number, capacity = 128) {
    this.#bytes = new Uint8Array(Math.max(capacity, header));
    this.#at = header * 8;
  }

  /** Bytes written, the last one perhaps in part. */
  get length(): number {
    return (this.#at + 7) >>> 3;
  }

  /** What is written so far: copies. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  /** The bytes in use, for the header: lends, until the next bit is written. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  /** The low `count` bits of a number, 32 at the most. */
  bits(value: number, count: number): void {
    this.#room(count);
    let left = count;
    while (left > 0) {
      const room = 8 - (this.#at & 7);
      const take = Math.min(room, left);
      const part = (value >>> (left - take)) & ((1 << take) - 1);
      this.#bytes[this.#at >>> 3]! |= part << (room - take);
      this.#at += take;
      left -= take;
    }
  }

  uvarint(value: number): void {
    while (value >= 0x80) {
      this.bits(0x80 | (value % 128), 8);
      value = Math.floor(value / 128);
    }
    this.bits(value, 8);
  }

  varint(value: number): void {
    this.uvarint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  #room(count: number): void {
    if (this.#at + count <= this.#bytes.length * 8) return;
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
