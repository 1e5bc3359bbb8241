// Exact decimal digits of floats, rounded as Go rounds: to nearest, ties to even.
// JavaScript's toFixed() and toPrecision() take the larger of two that are as near.

/** 0.digits × 10^point. */
export interface Decimal {
  /** Without zeros at its ends; empty for zero. */
  readonly digits: string;
  readonly point: number;
}

const ZERO: Decimal = { digits: '', point: 0 };

/** All digits of a finite number's size. */
export function exactDecimal(value: number): Decimal {
  if (value === 0) return ZERO;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const power = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  const mantissa = power === 0 ? fraction : fraction | (1n << 52n);
  const exponent = Math.max(power, 1) - 1075;
  // m × 2^-k is m × 5^k / 10^k.
  if (exponent >= 0) return trimmed((mantissa << BigInt(exponent)).toString(), 0);
  return trimmed((mantissa * 5n ** BigInt(-exponent)).toString(), exponent);
}

/** The shortest digits that read back as the same number. */
export function shortestDecimal(value: number): Decimal {
  if (value === 0) return ZERO;
  const [mantissa, exponent] = Math.abs(value).toExponential().split('e') as [string, string];
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
}

/** `count` digits, at most. */
export function roundDigits(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count >= digits.length) return decimal;
  if (count < 0) return ZERO;
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const isTie = rest === '5';
  const up = isTie ? count > 0 && Number(kept.at(-1)) % 2 === 1 : rest >= '5';
  if (!up) return trimmed(kept, point - count);
  const raised = (BigInt(kept === '' ? '0' : kept) + 1n).toString().padStart(count, '0');
  return trimmed(raised, point - count);
}

/** An integer × 10^exponent. */
function trimmed(integer: string, exponent: number): Decimal {
  const digits = integer.replace(/^0+/, '');
  const point = digits.length + exponent;
  const end = endOfDigits(digits);
  return end === 0 ? ZERO : { digits: digits.slice(0, end), point };
}

function endOfDigits(digits: string): number {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end--;
  return end;
}
