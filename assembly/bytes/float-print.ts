// Doubles to the shortest decimal text that reads back as the same double.
//
// The digits come from Schubfach (Giulietti, "The Schubfach way to render doubles",
// 2020, sections 8 and 9): scale the double and the two borders of its rounding
// interval by one 128-bit power of ten, then at most two candidates are left.
//
// Three forms, all Go's:
//   text    strconv 'g', shortest        1  1.5  123456  1.234567e+06  1e-05  +Inf  NaN
//   json    'f', but 'e' below 1e-6 and from 1e21 on     1000000  0.00001  1e+21
//           (what the HTTP API prints)
//   label   as text, with ".0" where neither point nor exponent is     1.0  1e+06
//           (how le and quantile are normalised); -0 is 0.0

import { copyShort } from './copy-short';
import { powerHigh, powerLow } from './powers';
import { mulHigh } from './wide';

/** No text is longer: a sign, 17 digits, and five zeros or an exponent. */
export const FLOAT_TEXT_MAX: usize = 32;

const FRACTION_MASK: u64 = 0x000fffffffffffff;
const HIDDEN_BIT: u64 = 0x0010000000000000;

const ZERO: u8 = 0x30;
const POINT: u8 = 0x2e;

/** The result of shortest(): an integer of at most 17 digits, and the power of ten of its last digit. */
let digits: u64 = 0;
let power: i32 = 0;

/** Its text, zeros on both sides cut off, lies in here: one digit at byte 7, eight at 8, eight at 16. */
const text: usize = memory.data(24, 8);
let digitsAt: usize = 0;
let digitsEnd: usize = 0;

/** Writes the text form at `out`, at most FLOAT_TEXT_MAX bytes; gives the address behind it. */
export function printText(out: usize, bits: u64): usize {
  if (isSpecial(bits)) return printSpecial(out, bits);
  out = printSign(out, bits);
  shortest(bits);
  const exponent = layOut();
  return exponent < -4 || exponent >= 6 ? printScientific(out, exponent) : printPlain(out, exponent);
}

/** Writes the HTTP API's form at `out`, at most FLOAT_TEXT_MAX bytes; gives the address behind it. */
export function printJson(out: usize, bits: u64): usize {
  if (isSpecial(bits)) return printSpecial(out, bits);
  out = printSign(out, bits);
  shortest(bits);
  const exponent = layOut();
  return exponent < -6 || exponent >= 21 ? printScientific(out, exponent) : printPlain(out, exponent);
}

/** Writes the form of bucket borders at `out`, at most FLOAT_TEXT_MAX bytes; gives the address behind it. */
export function printLabel(out: usize, bits: u64): usize {
  const end = printText(out, bits << 1 == 0 ? 0 : bits);
  if (isSpecial(bits)) return end;
  for (let at = out; at < end; at++) {
    const byte = load<u8>(at);
    if (byte == POINT || byte == 0x65 /* e */) return end;
  }
  store<u8>(end, POINT);
  store<u8>(end, ZERO, 1);
  return end + 2;
}

function isSpecial(bits: u64): bool {
  return ((bits >> 52) & 0x7ff) == 0x7ff;
}

function printSpecial(out: usize, bits: u64): usize {
  if ((bits & FRACTION_MASK) != 0) {
    store<u8>(out, 0x4e /* N */);
    store<u8>(out, 0x61 /* a */, 1);
    store<u8>(out, 0x4e /* N */, 2);
    return out + 3;
  }
  store<u8>(out, bits >> 63 != 0 ? 0x2d /* - */ : 0x2b /* + */);
  store<u8>(out, 0x49 /* I */, 1);
  store<u8>(out, 0x6e /* n */, 2);
  store<u8>(out, 0x66 /* f */, 3);
  return out + 4;
}

function printSign(out: usize, bits: u64): usize {
  if (bits >> 63 == 0) return out;
  store<u8>(out, 0x2d /* - */);
  return out + 1;
}

/** d.ddde±dd: at least two digits of exponent. */
function printScientific(out: usize, exponent: i32): usize {
  const first = digitsAt;
  store<u8>(out, load<u8>(first));
  out++;
  const rest = digitsEnd - first - 1;
  if (rest != 0) {
    store<u8>(out, POINT);
    copyShort(out + 1, first + 1, rest);
    out += rest + 1;
  }
  store<u8>(out, 0x65 /* e */);
  store<u8>(out, exponent < 0 ? 0x2d : 0x2b, 1);
  out += 2;
  let size: i32 = abs(exponent);
  if (size >= 100) {
    store<u8>(out, ZERO + <u8>(size / 100));
    out++;
    size %= 100;
  }
  store<u8>(out, ZERO + <u8>(size / 10));
  store<u8>(out, ZERO + <u8>(size % 10), 1);
  return out + 2;
}

/** The digits with the point where it belongs, zeros before or behind them. */
function printPlain(out: usize, exponent: i32): usize {
  const first = digitsAt;
  const count: usize = digitsEnd - first;
  if (exponent < 0) {
    store<u8>(out, ZERO);
    store<u8>(out, POINT, 1);
    out += 2;
    const zeros = <usize>(-exponent - 1);
    writeZeros(out, zeros);
    copyShort(out + zeros, first, count);
    return out + zeros + count;
  }
  const whole = <usize>exponent + 1;
  if (count <= whole) {
    copyShort(out, first, count);
    writeZeros(out + count, whole - count);
    return out + whole;
  }
  copyShort(out, first, whole);
  store<u8>(out + whole, POINT);
  copyShort(out + whole + 1, first + whole, count - whole);
  return out + count + 1;
}

function writeZeros(out: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) store<u8>(out + i, ZERO);
}

/** Writes the digits to `text`; gives the exponent of the first one. */
function layOut(): i32 {
  const upper: u64 = digits / EIGHT_DIGITS;
  const low = spread(<u32>(digits - upper * EIGHT_DIGITS));
  const top: u32 = <u32>upper / <u32>EIGHT_DIGITS;
  const middle = spread(<u32>upper - top * <u32>EIGHT_DIGITS);
  store<u8>(text, ZERO + <u8>top, 7);
  store<u64>(text, middle | ZEROS, 8);
  store<u64>(text, low | ZEROS, 16);
  digitsAt = text + (top != 0 ? 7 : middle != 0 ? 8 + zerosBefore(middle) : low != 0 ? 16 + zerosBefore(low) : 23);
  digitsEnd = text + (low != 0 ? 24 - zerosBehind(low) : middle != 0 ? 16 - zerosBehind(middle) : top != 0 ? 8 : 24);
  // The last digit of the integer has byte 23, whatever was cut off.
  return power + <i32>(text + 23 - digitsAt);
}

const EIGHT_DIGITS: u64 = 100000000;
const ZEROS: u64 = 0x3030303030303030;

/** A number below 10^8 as eight digit values, the first in the lowest byte: halves, quarters and eighths side by side. */
function spread(value: u32): u64 {
  const half: u32 = value / 10000;
  const four: u64 = <u64>half | ((<u64>(value - half * 10000)) << 32);
  // x * 10486 >> 20 is x / 100 below 10,000; x * 103 >> 10 is x / 10 below 100.
  const hundreds: u64 = ((four * 10486) >> 20) & 0x0000007f0000007f;
  const two: u64 = hundreds | ((four - hundreds * 100) << 16);
  const tens: u64 = ((two * 103) >> 10) & 0x000f000f000f000f;
  return tens | ((two - tens * 10) << 8);
}

function zerosBefore(spread: u64): usize {
  return <usize>(ctz<u64>(spread) >> 3);
}

function zerosBehind(spread: u64): usize {
  return <usize>(clz<u64>(spread) >> 3);
}

/** Finds the shortest digits of a finite double, sign aside. */
function shortest(bits: u64): void {
  const fraction: u64 = bits & FRACTION_MASK;
  const biased: i32 = <i32>((bits >> 52) & 0x7ff);
  if (biased == 0 && fraction == 0) {
    digits = 0;
    power = 0;
    return;
  }
  const c: u64 = biased == 0 ? fraction : fraction | HIDDEN_BIT;
  const q: i32 = biased == 0 ? -1074 : biased - 1075;
  // Integers up to 2^53 are their own shortest digits.
  if (q <= 0 && q > -53) {
    const below: u64 = <u64>-q;
    const whole: u64 = c >> below;
    if (whole << below == c) {
      digits = whole;
      power = 0;
      return;
    }
  }
  schubfach(c, q, fraction == 0 && biased > 1);
}

/**
 * Sets the digits of c x 2^q. `uneven`: c is a power of two, so the double below is
 * nearer than the one above. Names as in the paper: k, h, g, and v with its borders.
 */
function schubfach(c: u64, q: i32, uneven: bool): void {
  const even = (c & 1) == 0;
  // floor(log10(2^q)), or of 3/4 of it where the interval is uneven.
  const k: i32 = (q * 1262611 - (uneven ? 524031 : 0)) >> 22;
  const log2: i32 = (-k * 1741647) >> 19;
  const h: u64 = <u64>(q + log2 + 1);

  const quarter: u64 = c << 2;
  const lowBorder: u64 = quarter - (uneven ? 1 : 2);
  const highBorder: u64 = quarter + 2;
  const v = scale(-k, quarter << h);
  const lower: u64 = scale(-k, lowBorder << h) + (even ? 0 : 1);
  const upper: u64 = scale(-k, highBorder << h) - (even ? 0 : 1);

  const s: u64 = v >> 2;
  if (s >= 10) {
    const tens: u64 = s / 10;
    const downIn = lower <= 40 * tens;
    const upIn = 40 * tens + 40 <= upper;
    if (downIn != upIn) {
      digits = tens + (upIn ? 1 : 0);
      power = k + 1;
      return;
    }
  }
  power = k;
  const downIn = lower <= 4 * s;
  const upIn = 4 * s + 4 <= upper;
  if (downIn != upIn) {
    digits = s + (upIn ? 1 : 0);
    return;
  }
  // Both or neither: the nearer one, ties to even.
  const middle: u64 = 4 * s + 2;
  digits = s + (v > middle || (v == middle && (s & 1) == 1) ? 1 : 0);
}

/** The upper bits of 10^q x value, the lowest bit set where anything was cut off ("round to odd"). */
function scale(q: i32, value: u64): u64 {
  const cutHigh = powerHigh(q);
  const cutLow = powerLow(q);
  // The paper wants the power rounded up; the table cuts it off, except where it is exact.
  const exact = q >= 0 && q <= 55;
  const low: u64 = exact ? cutLow : cutLow + 1;
  const high: u64 = !exact && low == 0 ? cutHigh + 1 : cutHigh;
  const x = mulHigh(low, value);
  const y: u64 = high * value;
  const middle: u64 = y + x;
  const top: u64 = mulHigh(high, value) + (middle < y ? 1 : 0);
  return top | (middle > 1 ? 1 : 0);
}
