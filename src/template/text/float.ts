// Floats as Go's strconv.FormatFloat writes them, with any number of digits.

import { type Decimal, exactDecimal, roundDigits, shortestDecimal } from './decimal.js';

export type FloatForm = 'e' | 'f' | 'g';

/** Without a precision: as few digits as read back as the same number. */
export function formatFloatAs(value: number, form: FloatForm, precision: number | undefined): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return sign + size(value, form, precision);
}

function size(value: number, form: FloatForm, precision: number | undefined): string {
  if (precision === undefined) return shortest(shortestDecimal(value), form);
  const exact = exactDecimal(value);
  switch (form) {
    case 'e':
      return exponential(roundDigits(exact, precision + 1), precision);
    case 'f':
      return fixed(roundDigits(exact, exact.point + precision), precision);
    case 'g': {
      const digits = Math.max(precision, 1);
      return general(roundDigits(exact, digits), digits);
    }
  }
}

function shortest(decimal: Decimal, form: FloatForm): string {
  const { digits, point } = decimal;
  if (form === 'e') return exponential(decimal, Math.max(digits.length - 1, 0));
  if (form === 'f') return fixed(decimal, Math.max(digits.length - point, 0));
  const exponent = point - 1;
  // Of the shortest form the limit is a fixed one: 1e+06, but 123456.
  if (digits !== '' && (exponent < -4 || exponent >= 6)) return exponential(decimal, digits.length - 1);
  return fixed(decimal, Math.max(digits.length - point, 0));
}

/** At most `digits` digits, no zeros at the end; an exponent where it would be below -4, or the digits do not suffice. */
function general(decimal: Decimal, digits: number): string {
  const exponent = decimal.point - 1;
  const limit =
    digits > decimal.digits.length && decimal.digits.length >= decimal.point ? decimal.digits.length : digits;
  if (decimal.digits !== '' && (exponent < -4 || exponent >= limit)) {
    return exponential(decimal, Math.max(decimal.digits.length - 1, 0));
  }
  return fixed(decimal, Math.max(decimal.digits.length - decimal.point, 0));
}

/** `1.50e+06`: `precision` digits after the point. */
function exponential({ digits, point }: Decimal, precision: number): string {
  const padded = digits.padEnd(precision + 1, '0');
  const fraction = precision > 0 ? `.${padded.slice(1)}` : '';
  const exponent = digits === '' ? 0 : point - 1;
  const sign = exponent < 0 ? '-' : '+';
  return `${padded[0]}${fraction}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** `1500000.00`: `precision` digits after the point. */
function fixed({ digits, point }: Decimal, precision: number): string {
  const whole = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0');
  if (precision <= 0) return whole === '' ? '0' : whole;
  const fraction = point < 0 ? '0'.repeat(-point) + digits : digits.slice(Math.max(point, 0));
  return `${whole === '' ? '0' : whole}.${fraction.slice(0, precision).padEnd(precision, '0')}`;
}
