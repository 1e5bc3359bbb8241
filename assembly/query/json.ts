// The pieces of a JSON answer, as text: strings, label sets, and a row of samples.
//
//   {"__name__":"up","job":"a"}          [1435781430.781,"1.5"],[1435781445.781,"2"]
//
// Every function writes at `out` and gives the address behind what it wrote; how much room
// that needs at most is said beside it. Whole 16-byte pieces are copied, so up to 32 bytes
// behind the text are overwritten: callers leave that much (SLACK).

import { printJson } from '../bytes/float-print';
import { SAMPLE_OPENING_BYTES, TEXT_SLACK } from '../layout';

/** Bytes behind a text that may be overwritten. */
export const SLACK: usize = TEXT_SLACK;

/** A byte of a string takes at most six: \u001f. Two quotes are around it. */
export const ESCAPED_MAX: u32 = 6;

/** `[1435781430.781,"`: an opening of a sample, with its length in the last byte. */
export const OPENING_BYTES: usize = SAMPLE_OPENING_BYTES;
const OPENING_LENGTH: usize = 31;

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const COMMA: u8 = 0x2c;
const ZERO: u8 = 0x30;
/** `"],` and a byte that is overwritten. */
const SAMPLE_END: u32 = 0x002c5d22;

const FLOAT: u8 = 1;

/**
 * A string in quotes, as JSON.stringify writes it: at most ESCAPED_MAX × length + 2. `from` is the beginning of a
 * block of the heap, so 16 bytes of it can be read.
 */
export function writeString(out: usize, from: usize, length: u32): usize {
  store<u8>(out, QUOTE);
  out++;
  let left = length;
  while (left >= 16) {
    const piece = v128.load(from);
    if (v128.any_true(specials(piece))) return writeSpecial(out, from, left);
    v128.store(out, piece);
    out += 16;
    from += 16;
    left -= 16;
  }
  if (left != 0) {
    // The last 16 bytes of the string, or all there is of a short one.
    const back: usize = length < 16 ? 0 : 16 - <usize>left;
    const piece = v128.load(from - back);
    const bits = <u32>i8x16.bitmask(specials(piece));
    if ((length < 16 ? bits & ((1 << left) - 1) : bits) != 0) return writeSpecial(out, from, left);
    v128.store(out - back, piece);
    out += <usize>left;
  }
  store<u8>(out, QUOTE);
  return out + 1;
}

/** The rest of a string that has characters to escape. */
function writeSpecial(out: usize, from: usize, length: u32): usize {
  for (const end = from + length; from < end; from++) {
    const byte = load<u8>(from);
    if (byte < 0x20 || byte == QUOTE || byte == BACKSLASH) out = writeEscaped(out, byte);
    else {
      store<u8>(out, byte);
      out++;
    }
  }
  store<u8>(out, QUOTE);
  return out + 1;
}

function specials(piece: v128): v128 {
  const control = i8x16.lt_u(piece, i8x16.splat(0x20));
  const quote = i8x16.eq(piece, i8x16.splat(QUOTE));
  return v128.or(v128.or(control, quote), i8x16.eq(piece, i8x16.splat(BACKSLASH)));
}

function writeEscaped(out: usize, byte: u8): usize {
  store<u8>(out, BACKSLASH);
  const short = shortEscape(byte);
  if (short != 0) {
    store<u8>(out, short, 1);
    return out + 2;
  }
  // \u00, and then the two digits.
  store<u32>(out, 0x30303075, 1);
  store<u8>(out, ZERO + (byte >> 4), 4);
  const low: u8 = byte & 15;
  store<u8>(out, low < 10 ? ZERO + low : 0x61 - 10 + low, 5);
  return out + 6;
}

/** The letter behind the backslash; 0 where there is none. */
function shortEscape(byte: u8): u8 {
  if (byte == QUOTE || byte == BACKSLASH) return byte;
  if (byte == 0x08) return 0x62;
  if (byte == 0x09) return 0x74;
  if (byte == 0x0a) return 0x6e;
  if (byte == 0x0c) return 0x66;
  return byte == 0x0d ? 0x72 : 0;
}

/** Makes the opening of samples at a time, OPENING_BYTES: seconds, with all three decimals where there are any. */
export function makeOpening(opening: usize, timeMs: i64): void {
  let out = opening;
  store<u8>(out, 0x5b /* [ */);
  out++;
  if (timeMs < 0) {
    store<u8>(out, 0x2d /* - */);
    out++;
  }
  const size: u64 = timeMs < 0 ? <u64>-timeMs : <u64>timeMs;
  const seconds: u64 = size / 1000;
  out = writeInteger(out, seconds);
  const rest: u32 = <u32>(size - seconds * 1000);
  if (rest != 0) {
    store<u8>(out, 0x2e /* . */);
    store<u8>(out, ZERO + <u8>(rest / 100), 1);
    store<u8>(out, ZERO + <u8>((rest / 10) % 10), 2);
    store<u8>(out, ZERO + <u8>(rest % 10), 3);
    out += 4;
  }
  store<u8>(out, COMMA);
  store<u8>(out, QUOTE, 1);
  store<u8>(opening, <u8>(out + 2 - opening), OPENING_LENGTH);
}

function writeInteger(out: usize, value: u64): usize {
  let digits: usize = 1;
  for (let left: u64 = value / 10; left != 0; left /= 10) digits++;
  let left = value;
  for (let at = out + digits - 1; at >= out; at--) {
    store<u8>(at, ZERO + <u8>(left % 10));
    left /= 10;
  }
  return out + digits;
}

/** The samples of a row that has some, without brackets around them: at most SAMPLE_TEXT_MAX × steps. */
export function writeSamples(out: usize, openings: usize, values: usize, present: usize, steps: u32): usize {
  let before: u64 = 0;
  /** Where the text of the value before is, and its length: many series stay the same for long. */
  let text: usize = 0;
  let length: usize = 0;
  for (let i: usize = 0; i < <usize>steps; i++) {
    if (load<u8>(present + i) != FLOAT) continue;
    const opening = openings + i * OPENING_BYTES;
    v128.store(out, v128.load(opening));
    v128.store(out, v128.load(opening, 16), 16);
    out += <usize>load<u8>(opening, OPENING_LENGTH);
    const bits = load<u64>(values + (i << 3));
    if (bits == before && text != 0) {
      v128.store(out, v128.load(text));
      v128.store(out, v128.load(text, 16), 16);
    } else {
      before = bits;
      text = out;
      length = printJson(out, bits) - out;
    }
    out += length;
    store<u32>(out, SAMPLE_END);
    out += 3;
  }
  return out - 1;
}
