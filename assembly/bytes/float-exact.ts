// The slow, always right way from decimal digits to a double: big integers.
//
// Taken where more than 19 digits matter. A microsecond for numbers of the usual size,
// about 20 µs for hundreds of digits, bounded whatever the input.
//
//   digits x 10^e  =  N / M        N = digits x 10^max(e, 0),  M = 10^max(-e, 0)
//
// Shift one of them until both have the same number of bits, then take 64 bits of the
// quotient by subtracting and doubling; what is left over only says "and a bit more".

/** More digits than any tie between two doubles needs (767); a non-zero tail is folded into one more digit. */
const DIGITS_MAX: u32 = 800;
const WORDS: u32 = 128;
const CHUNK: u32 = 1000000000;

const INFINITY_BITS: u64 = 0x7ff0000000000000;

const n: usize = memory.data(<i32>(WORDS * 4), 16);
const m: usize = memory.data(<i32>(WORDS * 4), 16);
/** Words of n and m that are not all zero, at most; the loops look at no others. */
let size: u32 = 0;

/** How often this path was taken since the core started. */
export let fallbacks: u32 = 0;

/**
 * The double nearest to digits x 10^exponent, as bits without a sign. The digits, with at
 * most one point among them, lie from `at` to `end`; `exponent` is that of the
 * written number ("1.5e3" has 3). Infinity's bits where it is out of range.
 */
export function nearest(at: usize, end: usize, exponent: i64): u64 {
  fallbacks++;
  memory.fill(n, 0, WORDS * 4);
  memory.fill(m, 0, WORDS * 4);
  size = 1;
  const e = readDigits(at, end, exponent);
  if (isZero(n)) return 0;
  if (e > 400) return INFINITY_BITS;
  // 10^-1200 with 801 digits is still below half of the smallest subnormal.
  if (e < -1200) return 0;
  store<u32>(m, 1);
  if (e > 0) timesPower(n, <u32>e);
  if (e < 0) timesPower(m, <u32>-e);
  return divide();
}

/** Reads the digits into n, nine at a time; gives the exponent that belongs to them as an integer. */
function readDigits(at: usize, end: usize, exponent: i64): i64 {
  let kept: u32 = 0;
  let pointSeen = false;
  let tail = false;
  let chunk: u32 = 0;
  let scale: u32 = 1;
  for (; at < end; at++) {
    const digit: u32 = <u32>load<u8>(at) - 0x30;
    if (digit > 9) {
      pointSeen = true;
      continue;
    }
    if (kept == DIGITS_MAX) {
      tail = tail || digit != 0;
      if (!pointSeen) exponent++;
      continue;
    }
    if (pointSeen) exponent--;
    if (kept == 0 && digit == 0) continue;
    kept++;
    chunk = chunk * 10 + digit;
    scale *= 10;
    if (scale < CHUNK) continue;
    timesAdd(n, CHUNK, chunk);
    chunk = 0;
    scale = 1;
  }
  timesAdd(n, scale, chunk);
  if (!tail) return exponent;
  timesAdd(n, 10, 1);
  return exponent - 1;
}

function divide(): u64 {
  const bitsN = bitLength(n);
  const bitsM = bitLength(m);
  // Room for both, and for the bit by which n is ahead while it is doubled.
  size = (max(bitsN, bitsM) >> 5) + 1;
  let exponent: i32 = <i32>bitsN - <i32>bitsM;
  if (bitsN < bitsM) shiftLeft(n, bitsM - bitsN);
  if (bitsM < bitsN) shiftLeft(m, bitsN - bitsM);
  let quotient: u64 = 0;
  for (let i = 0; i < 64; i++) {
    quotient <<= 1;
    if (!isLess(n, m)) {
      subtract(n, m);
      quotient |= 1;
    }
    shiftLeft(n, 1);
  }
  if (quotient >> 63 == 0) {
    quotient <<= 1;
    exponent--;
  }
  return round(quotient, exponent, !isZero(n));
}

/** quotient x 2^(exponent - 63), and a bit more where `more`, to the nearest double, ties to even. */
function round(quotient: u64, exponent: i32, more: bool): u64 {
  if (exponent > 1023) return INFINITY_BITS;
  const below: i32 = exponent < -1022 ? -1022 - exponent : 0;
  const shift: i32 = 11 + below;
  if (shift > 64) return 0;
  const shift64: u64 = <u64>shift;
  const mantissa: u64 = shift == 64 ? 0 : quotient >> shift64;
  const half: u64 = (<u64>1) << (shift64 - 1);
  const rest: u64 = shift == 64 ? quotient : quotient & ((half << 1) - 1);
  const up = rest > half || (rest == half && (more || (mantissa & 1) == 1));
  const biased: u64 = below > 0 ? 0 : <u64>(exponent + 1022);
  // A carry out of the mantissa steps into the exponent, which is what it means.
  return (biased << 52) + mantissa + (up ? 1 : 0);
}

function isZero(x: usize): bool {
  for (let i: u32 = 0; i < size; i++) if (load<u32>(x + (i << 2)) != 0) return false;
  return true;
}

function timesAdd(x: usize, factor: u32, add: u32): void {
  let carry: u64 = add;
  for (let i: u32 = 0; i < size || carry != 0; i++) {
    assert(i < WORDS, 'a big number overflowed');
    const word: u64 = <u64>load<u32>(x + (i << 2)) * <u64>factor + carry;
    store<u32>(x + (i << 2), <u32>word);
    carry = word >> 32;
    if (i == size) size++;
  }
}

function timesPower(x: usize, power: u32): void {
  for (; power >= 9; power -= 9) timesAdd(x, CHUNK, 0);
  for (; power > 0; power--) timesAdd(x, 10, 0);
}

function bitLength(x: usize): u32 {
  let top = size;
  while (top > 0 && load<u32>(x + (top - 1) * 4) == 0) top--;
  return top == 0 ? 0 : top * 32 - clz<u32>(load<u32>(x + (top - 1) * 4));
}

function shiftLeft(x: usize, bits: u32): void {
  const words = bits >> 5;
  const rest = bits & 31;
  for (let i = size; i > 0; i--) {
    const at = i - 1;
    const high: u64 = at >= words ? <u64>load<u32>(x + (at - words) * 4) : 0;
    const low: u64 = at >= words + 1 ? <u64>load<u32>(x + (at - words - 1) * 4) : 0;
    const both: u64 = (high << 32) | low;
    const shifted: u64 = both << (<u64>rest);
    store<u32>(x + at * 4, <u32>(shifted >> 32));
  }
}

function isLess(a: usize, b: usize): bool {
  for (let i = size; i > 0; i--) {
    const x = load<u32>(a + (i - 1) * 4);
    const y = load<u32>(b + (i - 1) * 4);
    if (x != y) return x < y;
  }
  return false;
}

function subtract(a: usize, b: usize): void {
  let borrow: i64 = 0;
  for (let i: u32 = 0; i < size; i++) {
    const at: usize = i << 2;
    const difference: i64 = <i64>load<u32>(a + at) - <i64>load<u32>(b + at) + borrow;
    store<u32>(a + at, <u32>difference);
    borrow = difference >> 32;
  }
}
