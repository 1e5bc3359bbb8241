// Decimal text to doubles, every one rounded to the nearest, as Go's ParseFloat does.
//
//   [+-] digits [. digits] [e [+-] digits]      at least one digit before the e
//   [+-] inf | infinity | nan (no sign)         in any case
//
// Three ways, each taking what the one before refuses:
//   1. mantissa <= 2^53 and a power of ten that a double holds: one exact
//      multiplication or division (Clinger 1990);
//   2. 64 bits of mantissa times 128 bits of the power of ten (Lemire, "Number
//      Parsing at a Gigabyte per Second", 2021, section 5);
//   3. where the digits behind the 19th decide: big integers (float-exact.ts), counted.
//
// Eight digits are read at a time. So up to 8 bytes behind the text are read, but
// never believed: the caller's buffer has slack, and a byte that ends a number, behind it.
// No hexadecimal and no underscores: Prometheus refuses both in the text format.

import { nearest } from './float-exact';
import { EXACT_MAX, exactPower, POWER_MIN, powerHigh, powerLow } from './powers';
import { mulHigh } from './wide';

export const NAN_BITS: u64 = 0x7ff8000000000001;
const INFINITY_BITS: u64 = 0x7ff0000000000000;
const SIGN_BIT: u64 = 0x8000000000000000;

const ZEROS: u64 = 0x3030303030303030;
const LOW_BITS: u64 = 0x7f7f7f7f7f7f7f7f;
const HIGH_BITS: u64 = 0x8080808080808080;
/** Added to a byte of 10 or more, sets its high bit. */
const NOT_DIGIT: u64 = 0x7676767676767676;

const MANTISSA_EXACT_MAX: u64 = 1 << 53;
/** That many digits always fit 64 bits. */
const DIGITS_MAX: i32 = 19;
/** Written exponents are held here, far outside of what doubles reach. */
const EXPONENT_BOUND: i64 = 1000000000;

/** Where the last number ended, exclusive; 0 where there was none. */
export let floatEnd: usize = 0;
/** Whether the last number was too large for a double. Its bits are then infinity's. */
export let floatOverflow: bool = false;

const pow10 = memory.data<u64>([1, 10, 100, 1000, 10000, 100000, 1000000, 10000000]);

/** Reads the number at `at`: its bits. See floatEnd and floatOverflow for the rest of the answer. */
export function parseFloat(at: usize): u64 {
  floatOverflow = false;
  let first = load<u8>(at);
  let sign: u64 = 0;
  let p = at;
  if (first == 0x2d /* - */ || first == 0x2b /* + */) {
    if (first == 0x2d) sign = SIGN_BIT;
    p++;
    first = load<u8>(p);
  }
  const digitsStart = p;
  let mantissa: u64 = 0;

  let word = load<u64>(p) ^ ZEROS;
  let others = (((word & LOW_BITS) + NOT_DIGIT) | word) & HIGH_BITS;
  while (others == 0) {
    mantissa = mantissa * 100000000 + eightDigits(word);
    p += 8;
    word = load<u64>(p) ^ ZEROS;
    others = (((word & LOW_BITS) + NOT_DIGIT) | word) & HIGH_BITS;
  }
  let count = ctz<u64>(others) >> 3;
  if (count != 0) {
    mantissa = mantissa * load<u64>(pow10 + ((<usize>count) << 3)) + eightDigits(word << (64 - (count << 3)));
    p += <usize>count;
  }
  let digits = <i32>(p - digitsStart);
  let fraction: i32 = 0;
  let next = load<u8>(p);
  if (next == 0x2e /* . */) {
    p++;
    const fractionStart = p;
    word = load<u64>(p) ^ ZEROS;
    others = (((word & LOW_BITS) + NOT_DIGIT) | word) & HIGH_BITS;
    while (others == 0) {
      mantissa = mantissa * 100000000 + eightDigits(word);
      p += 8;
      word = load<u64>(p) ^ ZEROS;
      others = (((word & LOW_BITS) + NOT_DIGIT) | word) & HIGH_BITS;
    }
    count = ctz<u64>(others) >> 3;
    if (count != 0) {
      mantissa = mantissa * load<u64>(pow10 + ((<usize>count) << 3)) + eightDigits(word << (64 - (count << 3)));
      p += <usize>count;
    }
    fraction = <i32>(p - fractionStart);
    digits += fraction;
    next = load<u8>(p);
  }
  if (digits == 0) return special(at);

  const digitsEnd = p;
  let exponent: i64 = 0;
  if ((next | 0x20) == 0x65 /* e */) {
    exponent = parseExponent(p + 1);
    if (floatEnd == 0) return 0;
    p = floatEnd;
  }
  floatEnd = p;
  if (digits > DIGITS_MAX) return long(digitsStart, digitsEnd, exponent) | sign;
  const power: i64 = exponent - <i64>fraction;
  if (mantissa <= MANTISSA_EXACT_MAX) {
    if (power == 0) return reinterpret<u64>(<f64>mantissa) | sign;
    if (power < 0 && power >= -(<i64>EXACT_MAX)) {
      return reinterpret<u64>(<f64>mantissa / exactPower(<i32>-power)) | sign;
    }
    if (power > 0 && power <= <i64>EXACT_MAX) {
      return reinterpret<u64>(<f64>mantissa * exactPower(<i32>power)) | sign;
    }
  }
  const bits = scaled(mantissa, power);
  if (bits == INFINITY_BITS) floatOverflow = true;
  return bits | sign;
}

/** Eight digit values, the first in the lowest byte, as one number. */
function eightDigits(word: u64): u64 {
  word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
  word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
  return (word * 10000 + (word >> 32)) & 0xffffffff;
}

/**
 * mantissa x 10^power, rounded, by 128-bit multiplication. Always right: that 128 bits
 * of the power suffice for every 64-bit mantissa is shown in Mushtak, Lemire, "Fast number parsing without
 * fallback" (2023), for powers rounded up where their inverse is a whole number of 64 bits.
 */
function scaled(mantissa: u64, power: i64): u64 {
  if (mantissa == 0 || power < <i64>POWER_MIN) return 0;
  if (power > 308) return INFINITY_BITS;
  const q = <i32>power;
  const shift: u64 = clz<u64>(mantissa);
  mantissa <<= shift;

  let powerOfTen = powerHigh(q);
  let extra = powerLow(q);
  if (q < 0 && q >= -27) {
    extra++;
    if (extra == 0) powerOfTen++;
  }
  let high = mulHigh(mantissa, powerOfTen);
  let low: u64 = mantissa * powerOfTen;
  // The lower half of the power matters only where it may carry up to the rounding bit.
  if ((high & 0x1ff) == 0x1ff) {
    const carried = mulHigh(mantissa, extra);
    low += carried;
    if (low < carried) high++;
  }
  const top: u64 = high >> 63;
  const cut: u64 = top + 9;
  // 54 bits: those of the result, and one to round by.
  let rounded: u64 = high >> cut;
  // floor(q * log2(10)), exact in this range; signed, so in a variable of its own.
  const log2: i32 = (217706 * q) >> 16;
  let exponent: i32 = log2 + 1086 + <i32>top - <i32>shift;
  if (exponent <= 0) return subnormal(rounded, exponent);
  // Exactly in the middle of two doubles: only small powers can be that exact. Down, if that is even.
  if (low <= 1 && q >= -4 && q <= 23 && (rounded & 3) == 1 && rounded << cut == high) rounded--;
  rounded = (rounded + (rounded & 1)) >> 1;
  if (rounded >> 53 != 0) {
    rounded >>= 1;
    exponent++;
  }
  if (exponent >= 2047) return INFINITY_BITS;
  return ((<u64>exponent) << 52) | (rounded & 0x000fffffffffffff);
}

/** The same where the result has fewer bits. A carry makes it the smallest normal double, which is what it means. */
function subnormal(rounded: u64, exponent: i32): u64 {
  const below: i32 = 1 - exponent;
  if (below >= 64) return 0;
  const bits: u64 = rounded >> <u64>below;
  return (bits + (bits & 1)) >> 1;
}

/** More than 19 digits: leading zeros do not matter, and mostly nor do the last ones. */
function long(start: usize, end: usize, exponent: i64): u64 {
  let mantissa: u64 = 0;
  let kept = 0;
  let pointSeen = false;
  let power = exponent;
  let cut = false;
  for (let at = start; at < end; at++) {
    const digit: u32 = <u32>load<u8>(at) - 0x30;
    if (digit > 9) {
      pointSeen = true;
    } else if (kept == DIGITS_MAX) {
      cut = cut || digit != 0;
      if (!pointSeen) power++;
    } else {
      mantissa = mantissa * 10 + <u64>digit;
      if (mantissa != 0) kept++;
      if (pointSeen) power--;
    }
  }
  let bits = scaled(mantissa, power);
  // The true number lies between the two.
  if (cut && bits != scaled(mantissa + 1, power)) bits = nearest(start, end, exponent);
  if (bits == INFINITY_BITS) floatOverflow = true;
  return bits;
}

/** The exponent behind the e, held within bounds. Sets floatEnd; 0 where there is no digit. */
function parseExponent(at: usize): i64 {
  floatEnd = 0;
  let sign = load<u8>(at);
  if (sign == 0x2b || sign == 0x2d) at++;
  else sign = 0x2b;
  let value: i64 = 0;
  let p = at;
  for (; ; p++) {
    const digit: u32 = <u32>load<u8>(p) - 0x30;
    if (digit > 9) break;
    if (value < EXPONENT_BOUND) value = value * 10 + <i64>digit;
  }
  if (p == at) return 0;
  floatEnd = p;
  return sign == 0x2d ? -value : value;
}

/** inf, infinity and nan. Sets floatEnd; 0 where it is none of them. */
function special(at: usize): u64 {
  floatEnd = 0;
  let p = at;
  let sign: u64 = 0;
  const first = load<u8>(at);
  if (first == 0x2d || first == 0x2b) {
    p++;
    if (first == 0x2d) sign = SIGN_BIT;
  }
  if (isWord(p, 0x6e /* n */, 0x61 /* a */, 0x6e /* n */)) {
    if (p != at) return 0;
    floatEnd = p + 3;
    return NAN_BITS;
  }
  if (!isWord(p, 0x69 /* i */, 0x6e /* n */, 0x66 /* f */)) return 0;
  floatEnd = p + 3;
  if (isWord(p + 3, 0x69 /* i */, 0x6e /* n */, 0x69 /* i */) && (load<u8>(p, 6) | 0x20) == 0x74 /* t */) {
    if ((load<u8>(p, 7) | 0x20) == 0x79 /* y */) floatEnd = p + 8;
  }
  return INFINITY_BITS | sign;
}

/** Whether three bytes are these lower-case letters in any case. Reads on only while they match. */
function isWord(at: usize, a: u8, b: u8, c: u8): bool {
  return (load<u8>(at) | 0x20) == a && (load<u8>(at, 1) | 0x20) == b && (load<u8>(at, 2) | 0x20) == c;
}
