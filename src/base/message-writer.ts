// Protobuf messages, written field by field into a buffer that grows.

/** Kinds of fields on the wire. */
export const VARINT = 0;
export const DOUBLE = 1;
export const BYTES = 2;

/** Bytes of the length of a message that is not known before it is written: padded, which protobuf allows. */
const OPEN_BYTES = 5;

const encoder = new TextEncoder();

export class MessageWriter {
  readonly #bytesMax: number;
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** Beyond `bytesMax` a TooLong is thrown. */
  constructor(bytesMax = Number.MAX_SAFE_INTEGER, bytes = 1 << 10) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written: good until more is. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written behind a place. */
  truncate(length: number): void {
    this.#length = length;
  }

  head(number: number, kind: number): void {
    this.varint((number << 3) | kind);
  }

  varint(value: number): void {
    this.#room(10);
    for (; value >= 0x80; value = Math.floor(value / 0x80)) this.#bytes[this.#length++] = (value % 0x80) | 0x80;
    this.#bytes[this.#length++] = value;
  }

  /** An int64, in two's complement where it is below 0. */
  signed(value: number): void {
    if (value >= 0) {
      this.varint(value);
      return;
    }
    this.#room(10);
    let bits = BigInt.asUintN(64, BigInt(value));
    for (; bits >= 0x80n; bits >>= 7n) this.#bytes[this.#length++] = Number(bits & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(bits);
  }

  /** A sint32 or sint64, the sign in the lowest bit; exact to 2^52. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  double(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Eight bytes, lowest first: a double as its bits. */
  fixed64(bits: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#length, bits, true);
    this.#length += 8;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** A field that is a string or a message. */
  bytes(number: number, content: Uint8Array): void {
    this.head(number, BYTES);
    this.varint(content.length);
    this.raw(content);
  }

  text(number: number, content: string): void {
    // A character of UTF-16 has three bytes at the most.
    this.#room(content.length * 3 + 16);
    this.head(number, BYTES);
    const at = this.#length;
    // The length of most texts takes one byte: they are written behind it.
    const { written } = encoder.encodeInto(content, this.#bytes.subarray(at + 1));
    if (written < 0x80) {
      this.#bytes[at] = written;
      this.#length = at + 1 + written;
      return;
    }
    this.varint(written);
    encoder.encodeInto(content, this.#bytes.subarray(this.#length));
    this.#length += written;
  }

  raw(content: Uint8Array): void {
    this.#room(content.length);
    this.#bytes.set(content, this.#length);
    this.#length += content.length;
  }

  /** Begins a message; what it gives is for close(). */
  open(number: number): number {
    this.head(number, BYTES);
    this.#room(OPEN_BYTES);
    this.#length += OPEN_BYTES;
    return this.#length;
  }

  close(start: number): void {
    let left = this.#length - start;
    for (let i = OPEN_BYTES; i > 1; i--, left = Math.floor(left / 0x80)) {
      this.#bytes[start - i] = (left % 0x80) | 0x80;
    }
    this.#bytes[start - 1] = left;
  }

  /** The same with as few bytes as the length takes: what was written moves. */
  closeExact(start: number): void {
    const content = this.#length - start;
    const bytes = varintBytes(content);
    this.#bytes.copyWithin(start - OPEN_BYTES + bytes, start, this.#length);
    this.#length = start - OPEN_BYTES;
    this.varint(content);
    this.#length += content;
  }

  #room(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#bytes.length) return;
    if (wanted > this.#bytesMax) throw new TooLong(this.#bytesMax);
    const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(this.#bytes.length * 2, wanted)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** A message would have more bytes than its writer was allowed. */
export class TooLong extends Error {
  override readonly name = 'TooLong';

  constructor(readonly bytesMax: number) {
    super(`a message of more than ${bytesMax} bytes`);
  }
}

/** Bytes that a varint takes, below 2^53. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) bytes++;
  return bytes;
}
