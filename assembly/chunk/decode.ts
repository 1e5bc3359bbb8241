// Decoding XOR chunks into columns: times as f64 milliseconds, values as bits.
//
// The bytes may come from a damaged file, so nothing is believed: reads are bounded by the
// given length, a code that makes no sense ends with DECODE_INVALID, and what was written to
// the columns by then is to be ignored. The format is drawn in xor.ts.
//
// The cursor is a bit position. Each sample looks at the 57 or more bits that one unaligned
// load gives; only a time of 64 bits and long values need another load. Runs of samples
// without any change (two zero bits each) are counted at once.

import { DECODE_INVALID, STALE_HIGH, STALE_LOW } from '../layout';

/** The value that ends a series, a signalling NaN of Prometheus's own. */
export const STALE: u64 = ((<u64>STALE_HIGH) << 32) | <u64>STALE_LOW;

const COUNT_BYTES: usize = sizeof<u16>();

/** Bits that peek() gives at the least. */
const PEEK_BITS: u32 = 57;

/** Unchanged samples from which on they are taken as a run. Shorter ones mix with others, and guessing them costs more than it saves. */
const RUN_MIN: u64 = 4;

/** Most unchanged samples taken from one load. */
const RUN_MAX: u32 = PEEK_BITS / 2;

/** Samples in a chunk by its own account; the columns need room for as many. 0 for bytes too short to be a chunk. */
export function count(data: usize, bytes: usize): u32 {
  return bytes < COUNT_BYTES ? 0 : <u32>bswap<u16>(load<u16>(data));
}

/**
 * Decodes the samples with times from `mint` to `maxt`, both inclusive, to `times` (f64) and
 * `values` (u64), which have room for count() each; without stale markers if `dropStale`.
 * Stops at the first later time. Gives the number of samples written, or DECODE_INVALID.
 */
export function decode(
  data: usize,
  bytes: usize,
  mint: i64,
  maxt: i64,
  dropStale: bool,
  times: usize,
  values: usize,
): i32 {
  let left = count(data, bytes);
  if (left == 0) return bytes < COUNT_BYTES ? DECODE_INVALID : 0;
  const end = data + bytes;
  const bitsMax: usize = bytes << 3;

  // The first sample: a zigzag varint and 64 plain bits.
  let p = varint(data + COUNT_BYTES, end);
  if (p == 0) return DECODE_INVALID;
  let time: i64 = <i64>(varintValue >> 1) ^ -(<i64>(varintValue & 1));
  if (p + sizeof<u64>() > end) return DECODE_INVALID;
  let value = bswap<u64>(load<u64>(p));
  p += sizeof<u64>();
  let n: usize = 0;
  if (time > maxt) return 0;
  store<f64>(times, <f64>time);
  store<u64>(values, value);
  n += keeps(time, mint, dropStale, value);
  if (--left == 0) return <i32>n;

  // The second: a uvarint step, then a value code like all others.
  p = varint(p, end);
  if (p == 0) return DECODE_INVALID;
  let delta: i64 = varintValue;
  time += delta;
  // The window of value bits; before the first code that opens one it is all of them.
  let size: u32 = 64;
  let trailing: u32 = 0;
  let at: usize = (p - data) << 3;
  let word = peek(data, end, at);
  let have: u32 = PEEK_BITS;

  while (true) {
    // The value's code: `word` has `have` bits from `at` on.
    let used: u32;
    let taken: u32;
    let mask: u64 = -1;
    if (word >> 62 == 0b11) {
      const leading = <u32>(word >> 57) & 31;
      size = <u32>(word >> 51) & 63;
      if (size == 0) size = 64;
      if (leading + size > 64) return DECODE_INVALID;
      trailing = 64 - leading - size;
      used = 13;
      taken = size;
    } else {
      // Unchanged or in the window: which of the two no branch predictor knows, so both go the same way.
      mask = <u64>(<i64>word >> 63);
      used = 1 - <u32>mask;
      taken = size & <u32>mask;
    }
    at += used;
    word <<= used;
    if (taken > have - used) {
      word = peek(data, end, at);
      if (taken > PEEK_BITS) word = (word & 0xffffffff00000000) | (peek(data, end, at + 32) >> 32);
    }
    // Shifting by 64 is shifting by 0, so no bits are made none by the mask.
    value ^= ((word >> (64 - taken)) & mask) << trailing;
    at += taken;
    if (at > bitsMax) return DECODE_INVALID;
    if (time > maxt) return <i32>n;
    store<f64>(times + (n << 3), <f64>time);
    store<u64>(values + (n << 3), value);
    n += keeps(time, mint, dropStale, value);
    if (--left == 0) return <i32>n;

    word = peek(data, end, at);
    while (word >> (64 - 2 * RUN_MIN) == 0) {
      let run: u32 = <u32>clz<u64>(word) >> 1;
      if (run > RUN_MAX) run = RUN_MAX;
      if (run > left) run = left;
      at += <usize>(run << 1);
      if (at > bitsMax) return DECODE_INVALID;
      left -= run;
      const kept = keeps(i64.MAX_VALUE, mint, dropStale, value);
      do {
        time += delta;
        if (time > maxt) return <i32>n;
        store<f64>(times + (n << 3), <f64>time);
        store<u64>(values + (n << 3), value);
        n += <usize>(time >= mint) & kept;
      } while (--run);
      if (left == 0) return <i32>n;
      word = peek(data, end, at);
    }

    // The time's code: how many ones it begins with says how wide the delta of delta is.
    have = PEEK_BITS;
    if (<i64>word >= 0) {
      at += 1;
      word <<= 1;
      have -= 1;
    } else {
      const ones: u32 = <u32>clz<u64>(~word);
      if (ones < 4) {
        const bits: u32 = ones == 1 ? 14 : ones == 2 ? 17 : 20;
        const used: u32 = ones + 1 + bits;
        let raw: i64 = <i64>((word << (ones + 1)) >> (64 - bits));
        const top: i64 = (<i64>1) << (bits - 1);
        if (raw > top) raw -= top << 1;
        delta += raw;
        at += used;
        word <<= used;
        have -= used;
      } else {
        const high = peek(data, end, at + 4) >> 32;
        const low = peek(data, end, at + 36) >> 32;
        delta += <i64>((high << 32) | low);
        at += 68;
        word = peek(data, end, at);
      }
    }
    time += delta;
  }
}

function keeps(time: i64, mint: i64, dropStale: bool, value: u64): usize {
  return <usize>(time >= mint) & <usize>(!dropStale || value != STALE);
}

/** The bits from position `at` on, in the high end of the result; zeros beyond the end. */
function peek(data: usize, end: usize, at: usize): u64 {
  const byte = data + (at >>> 3);
  const word = byte + sizeof<u64>() <= end ? bswap<u64>(load<u64>(byte)) : peekEnd(byte, end);
  return word << (<u64>(at & 7));
}

function peekEnd(byte: usize, end: usize): u64 {
  let word: u64 = 0;
  for (let shift: u64 = 56; byte < end; byte++, shift -= 8) word |= (<u64>load<u8>(byte)) << shift;
  return word;
}

/** What varint() read. */
let varintValue: u64 = 0;

/** Reads an unsigned varint of at most 10 bytes; the address behind it, or 0 where it does not end in time. */
function varint(at: usize, end: usize): usize {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70 && at < end; shift += 7) {
    const byte = load<u8>(at++);
    value |= (<u64>(byte & 0x7f)) << shift;
    if (byte < 0x80) {
      // The tenth byte has room for one bit.
      if (shift == 63 && byte > 1) return 0;
      varintValue = value;
      return at;
    }
  }
  return 0;
}
