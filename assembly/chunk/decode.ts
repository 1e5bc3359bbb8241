// Decoding XOR chunks into columns: times as f64 milliseconds, values as bits.
//
// The bytes may come from a damaged file, so nothing is believed: reads are bounded by the
// given length, a code that makes no sense ends with DECODE_INVALID, and what was written to
// the columns by then is to be ignored. The format is drawn in xor.ts.
//
// The bytes are first copied into words as the machine has them (swap()), so that any 64 bits are two loads and
// three shifts. The cursor is a bit position. Each sample looks at the 64 bits from there on; only a time of 64 bits
// and long values need another look. Runs of samples without any change (two zero bits each) are counted at once.

import { DECODE_INVALID, STALE_HIGH, STALE_LOW } from '../layout';

/** The value that ends a series, a signalling NaN of Prometheus's own. */
export const STALE: u64 = ((<u64>STALE_HIGH) << 32) | <u64>STALE_LOW;

const COUNT_BYTES: usize = sizeof<u16>();

/** Unchanged samples from which on they are taken as a run. Shorter ones mix with others, and guessing them costs more than it saves. */
const RUN_MIN: u64 = 4;

/** Most unchanged samples taken from one load. */
const RUN_MAX: u32 = 32;

/** Steps between times are less than 1 << this: 34 years, so that 65,535 of them do not wrap around. */
const SANE_BITS: u64 = 40;

/** Samples in a chunk by its own account; the columns need room for as many. 0 for bytes too short to be a chunk. */
export function count(data: usize, bytes: usize): u32 {
  return bytes < COUNT_BYTES ? 0 : <u32>bswap<u16>(load<u16>(data));
}

/**
 * Decodes the samples with times from `mint` to `maxt`, both inclusive, to `times` (f64) and
 * `values` (u64), which have room for count() each; without stale markers if `dropStale`.
 * Stops at the first later time. Gives the number of samples written, or DECODE_INVALID.
 * `scratch`, aligned to 8, has room for the chunk's bytes and DECODE_SLACK more.
 */
export function decode(
  data: usize,
  bytes: usize,
  mint: i64,
  maxt: i64,
  dropStale: bool,
  times: usize,
  values: usize,
  scratch: usize,
): i32 {
  const all = decodeAll(data, bytes, maxt, times, values, scratch);
  if (all <= 0) return all;
  const isEarly = isWild || load<f64>(times) < <f64>mint;
  return isEarly || (dropStale && sawStale) ? keep(<usize>all, <f64>mint, dropStale, times, values) : all;
}

/** Whether decodeAll() found a stale marker. */
let sawStale: bool = false;

/** Whether a step between its times was negative, or so large that times may have wrapped: only a damaged chunk has such. */
let isWild: bool = false;

/** Decodes all samples up to `maxt`. */
function decodeAll(data: usize, bytes: usize, maxt: i64, times: usize, values: usize, scratch: usize): i32 {
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
  if (time > maxt) return 0;
  const first = times;
  store<f64>(times, <f64>time);
  store<u64>(values, value);
  let stale = value == STALE;
  sawStale = stale;
  isWild = false;
  if (--left == 0) return 1;

  // The second: a uvarint step, then a value's code like all others. It is made to look as if a time's code
  // of one zero bit came before it.
  p = varint(p, end);
  if (p == 0) return DECODE_INVALID;
  let delta: i64 = varintValue;
  isWild = <u64>delta >> SANE_BITS != 0;
  swap(data, bytes, scratch);
  // The window of value bits; before the first code that opens one it is all of them.
  let size: u32 = 64;
  let trailing: u32 = 0;
  let at: usize = ((p - data) << 3) - 1;
  let word = peek(scratch, at + 1) >> 1;

  while (true) {
    // `word` is what comes from `at` on: a time's code, then a value's. Its last bit may be missing.
    if (word >> (64 - 2 * RUN_MIN) == 0) {
      let run: u32 = <u32>clz<u64>(word) >> 1;
      if (run > RUN_MAX) run = RUN_MAX;
      if (run > left) run = left;
      at += <usize>(run << 1);
      if (at > bitsMax) return DECODE_INVALID;
      left -= run;
      do {
        time += delta;
        if (time > maxt) break;
        times += 8;
        values += 8;
        store<f64>(times, <f64>time);
        store<u64>(values, value);
      } while (--run);
      if (left == 0 || run != 0) break;
      word = peek(scratch, at);
      continue;
    }

    if (<i64>word < 0) {
      // How many ones a time's code begins with says how wide the delta of delta is.
      const ones: u32 = <u32>clz<u64>(~word);
      if (ones < 4) {
        const bits: u32 = ones == 1 ? 14 : ones == 2 ? 17 : 20;
        let raw: i64 = <i64>((word << (ones + 1)) >> (64 - bits));
        const top: i64 = (<i64>1) << (bits - 1);
        if (raw > top) raw -= top << 1;
        delta += raw;
        at += ones + bits;
      } else {
        delta += <i64>peek(scratch, at + 4);
        at += 67;
      }
      isWild = isWild || <u64>delta >> SANE_BITS != 0;
      // Its last bit stands for the zero bit that is looked for below.
      word = peek(scratch, at + 1) >> 1;
    }
    time += delta;

    let bits: u64;
    if (word >> 61 == 0b011) {
      const leading = <u32>(word >> 56) & 31;
      size = <u32>(word >> 50) & 63;
      if (size == 0) size = 64;
      if (leading + size > 64) return DECODE_INVALID;
      trailing = 64 - leading - size;
      at += 14;
      bits = (size > 49 ? peek(scratch, at) : word << 14) >> (64 - size);
      at += size;
    } else if (word >> 62 == 0b01) {
      at += 3;
      bits = (size > 60 ? peek(scratch, at) : word << 3) >> (64 - size);
      at += size;
    } else {
      bits = 0;
      at += 2;
    }
    value ^= bits << trailing;
    if (at > bitsMax) return DECODE_INVALID;
    if (time > maxt) break;
    times += 8;
    values += 8;
    store<f64>(times, <f64>time);
    store<u64>(values, value);
    stale |= value == STALE;
    if (--left == 0) break;
    word = peek(scratch, at);
  }
  sawStale = stale;
  // A chunk that begins at the end of all time may wrap around nevertheless.
  isWild = isWild || load<f64>(times) < load<f64>(first);
  return <i32>((times - first) >> 3) + 1;
}

/** Keeps the samples from `mint` on, and those that are not stale if `dropStale`; gives their number. */
function keep(all: usize, mint: f64, dropStale: bool, times: usize, values: usize): i32 {
  let kept: usize = 0;
  for (let i: usize = 0; i < all; i++) {
    const time = load<f64>(times + (i << 3));
    const value = load<u64>(values + (i << 3));
    store<f64>(times + (kept << 3), time);
    store<u64>(values + (kept << 3), value);
    kept += <usize>(time >= mint) & <usize>(!dropStale || value != STALE);
  }
  return <i32>kept;
}

/** Copies a chunk's bytes in words of 64 bits whose first bit is their highest, and zeroes behind them. */
function swap(data: usize, bytes: usize, scratch: usize): void {
  const whole = bytes & ~15;
  for (let i: usize = 0; i < whole; i += 16) {
    const pair = v128.load(data + i);
    v128.store(scratch + i, i8x16.shuffle(pair, pair, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
  }
  const zero = i64x2.splat(0);
  v128.store(scratch + whole, zero);
  v128.store(scratch + whole, zero, 16);
  v128.store(scratch + whole, zero, 32);
  for (let i = whole; i < bytes; i++) store<u8>(scratch + (i ^ 7), load<u8>(data + i));
}

/** The 64 bits from position `at` on. */
function peek(scratch: usize, at: usize): u64 {
  const word = scratch + ((at >>> 6) << 3);
  const shift = <u64>at & 63;
  // In two steps, as shifting by 64 would be shifting by 0.
  return (load<u64>(word) << shift) | ((load<u64>(word, 8) >> 1) >> (63 - shift));
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
