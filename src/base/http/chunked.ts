// Chunked bodies, decoded where they lie.
//
//   raw      │ 4␍␊ │ wiki │ ␍␊6␍␊ │ pedia! │ ␍␊0␍␊␍␊ │
//   decoded  │ wiki │ pedia! │          sizes, extensions and trailers fall out, data moves down
//
// The socket reads raw bytes right behind what is decoded already, so data of a large chunk is in its
// place when it comes, and only what follows a size line has to move, by the length of that line.

import { HttpError } from './error.js';

const enum Expect {
  Size,
  Extension,
  SizeLf,
  Data,
  DataCr,
  DataLf,
  TrailerStart,
  Trailer,
  EndLf,
  Nothing,
}

const LF = 0x0a;
const CR = 0x0d;
const SEMICOLON = 0x3b;
const SPACE = 0x20;
const TAB = 0x09;

/** Hex digits of a size: 52 bits, which a number holds exactly. */
const SIZE_DIGITS_MAX = 13;
/** Bytes of one extension, or of all trailers together: nobody we scrape sends any. */
const ASIDE_BYTES_MAX = 16 * 1024;

/** Readers that take a lone line feed for the end of a line and readers that do not see different chunks. */
const BARE_LF = 'chunked line ends with bare LF';

export class ChunkedDecoder {
  #expect = Expect.Size;
  /** Of the current chunk: digits read of its size, then bytes of data still to come. */
  #digits = 0;
  #remaining = 0;
  #aside = 0;

  /** Whether the last chunk and the trailers have come. */
  get done(): boolean {
    return this.#expect === Expect.Nothing;
  }

  /** Bytes certainly still to come, for the reader's sake: data of the current chunk. */
  get remaining(): number {
    return this.#expect === Expect.Data ? this.#remaining : 0;
  }

  /** Where raw bytes ended: equals `end` unless the body is done and something follows it. */
  consumedTo = 0;

  /**
   * Decodes raw bytes from `from` to `end`, writing data at `at`, which is not behind `from`.
   * Gives the index behind the decoded data. Throws an HttpError `protocol`.
   */
  decode(bytes: Uint8Array, from: number, end: number, at: number): number {
    let i = from;
    while (i < end && this.#expect !== Expect.Nothing) {
      if (this.#expect === Expect.Data) {
        const count = Math.min(this.#remaining, end - i);
        if (at !== i) bytes.copyWithin(at, i, i + count);
        at += count;
        i += count;
        this.#remaining -= count;
        if (this.#remaining === 0) this.#expect = Expect.DataCr;
      } else this.#step(bytes[i++]!);
    }
    this.consumedTo = i;
    return at;
  }

  /** One byte that is not data. */
  #step(byte: number): void {
    switch (this.#expect) {
      case Expect.Size:
        this.#size(byte);
        break;
      case Expect.Extension:
        want(byte !== LF, BARE_LF);
        if (byte === CR) this.#expect = Expect.SizeLf;
        else this.#countAside();
        break;
      case Expect.SizeLf:
        want(byte === LF, 'invalid byte in chunk length');
        this.#sizeEnds();
        break;
      case Expect.DataCr:
        want(byte === CR, 'malformed chunked encoding');
        this.#expect = Expect.DataLf;
        break;
      case Expect.DataLf:
        want(byte === LF, 'malformed chunked encoding');
        this.#nextChunk();
        break;
      case Expect.TrailerStart:
        if (byte === CR) this.#expect = Expect.EndLf;
        else if (byte === LF) this.#expect = Expect.Nothing;
        else {
          this.#countAside();
          this.#expect = Expect.Trailer;
        }
        break;
      case Expect.Trailer:
        if (byte === LF) this.#expect = Expect.TrailerStart;
        else this.#countAside();
        break;
      case Expect.EndLf:
        want(byte === LF, 'malformed chunked encoding');
        this.#expect = Expect.Nothing;
        break;
    }
  }

  #size(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      want(++this.#digits <= SIZE_DIGITS_MAX, 'http chunk length too large');
      this.#remaining = this.#remaining * 16 + digit;
      return;
    }
    want(byte !== LF, BARE_LF);
    want(this.#digits > 0, byte === CR ? 'empty hex number for chunk length' : 'invalid byte in chunk length');
    if (byte === CR) this.#expect = Expect.SizeLf;
    else {
      want(byte === SEMICOLON || byte === SPACE || byte === TAB, 'invalid byte in chunk length');
      this.#aside = 0;
      this.#expect = Expect.Extension;
    }
  }

  #sizeEnds(): void {
    this.#aside = 0;
    this.#expect = this.#remaining === 0 ? Expect.TrailerStart : Expect.Data;
  }

  #nextChunk(): void {
    this.#digits = 0;
    this.#remaining = 0;
    this.#expect = Expect.Size;
  }

  #countAside(): void {
    want(++this.#aside <= ASIDE_BYTES_MAX, 'header line too long');
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

function want(holds: boolean, reason: string): void {
  if (!holds) throw new HttpError('protocol', reason);
}
