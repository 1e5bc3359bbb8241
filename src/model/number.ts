// Numbers as text, exactly as Go's strconv writes and reads them.
//
// JavaScript and Go agree on the shortest digits that read back as the same number;
// they differ in when an exponent is used and how it is written.

/** 'f' without an exponent, however long: `100000000000000000000000`, `0.0000001`, `+Inf`, `NaN`. */
export function formatFloat(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const text = String(value);
  const at = text.indexOf('e');
  return at < 0 ? text : spread(text.slice(0, at), Number(text.slice(at + 1)));
}

/** As Prometheus's JSON has sample values: an exponent below 1e-6 and from 1e21 on, otherwise none. */
export function formatJsonFloat(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21) && Number.isFinite(value)) return formatExponent(value);
  return formatFloat(value);
}

/** 'g' with the shortest digits, as the text formats and Go's %v and %g have it: an exponent below 1e-4 and from 1e6 on. */
export function formatGeneral(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const exponent = exponentOf(value);
  return exponent < -4 || exponent >= 6 ? formatExponent(value) : formatFloat(value);
}

/** As Go's `%e` with the digits it takes: `1e+00`, `-2.5e-07`, `+Inf`. */
export function formatScientific(value: number): string {
  if (!Number.isFinite(value)) return formatSpecial(value)!;
  return `${Object.is(value, -0) ? '-' : ''}${formatExponent(value)}`;
}

/** Seconds with three decimals, as after `@` and in /federate's sources: `1.500`. */
export function formatSeconds(timeMs: number): string {
  return (timeMs / 1000).toFixed(3);
}

function formatSpecial(value: number): string | undefined {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : undefined;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** `1.5e+21`, `1e-07`: at least two digits of exponent. */
function formatExponent(value: number): string {
  const text = value.toExponential();
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function exponentOf(value: number): number {
  if (value === 0) return 0;
  const text = value.toExponential();
  return Number(text.slice(text.indexOf('e') + 1));
}

/** `1.5`, 21 → `1500000000000000000000`. */
function spread(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole, fraction = ''] = mantissa.slice(sign.length).split('.') as [string, string?];
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, '0');
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** One way to match a text: with the point optional, backtracking would be quadratic in the digits. */
const HEX = /^([+-]?)0x([0-9a-f]*)(?:\.([0-9a-f]*))?p([+-]?\d+)$/i;

/**
 * Reads a number as Go's ParseFloat: decimal, hexadecimal with `p`, `_` between digits, Inf, Infinity
 * and NaN in any case. `syntax` where it is none; `range` where it is beyond the largest float.
 */
export function parseFloatText(text: string): number | 'syntax' | 'range' {
  const special = parseSpecial(text);
  if (special !== undefined) return special;
  if (text.includes('_')) {
    if (!underscoresOk(text)) return 'syntax';
    text = text.replaceAll('_', '');
  }
  const value = DECIMAL.test(text) ? Number(text) : parseHexFloat(text);
  if (value === undefined) return 'syntax';
  return Number.isFinite(value) ? value : 'range';
}

function parseSpecial(text: string): number | undefined {
  if (text.length > 9) return undefined;
  switch (text.toLowerCase()) {
    case 'nan':
      return Number.NaN;
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY;
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

/** Whether each underscore stands between two digits, where `0x` counts as one. */
function underscoresOk(text: string): boolean {
  const unsigned = text.replace(/^[+-]/, '').toLowerCase();
  const hex = unsigned.startsWith('0x');
  let previous: 'digit' | 'underscore' | 'other' = hex ? 'digit' : 'other';
  for (let i = hex ? 2 : 0; i < unsigned.length; i++) {
    const character = unsigned[i]!;
    const digit = (character >= '0' && character <= '9') || (hex && character >= 'a' && character <= 'f');
    if (character === '_' ? previous !== 'digit' : !digit && previous === 'underscore') return false;
    previous = digit ? 'digit' : character === '_' ? 'underscore' : 'other';
  }
  return previous !== 'underscore';
}

/** Exact through an integer and a power of two; rounds once, to even. */
function parseHexFloat(text: string): number | undefined {
  const match = HEX.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', power] = match;
  if (whole + fraction === '') return undefined;
  const mantissa = BigInt(`0x${whole}${fraction}`);
  const value = scale(mantissa, Number(power) - 4 * fraction.length);
  return sign === '-' ? -value : value;
}

/** mantissa × 2^exponent, rounded to the nearest float, ties to even. */
function scale(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const bits = mantissa.toString(2).length;
  if (bits + exponent > 1024) return Number.POSITIVE_INFINITY;
  if (bits + exponent < -1074) return 0;
  // Bits of the mantissa that lie below the last bit of a float of this size.
  const excess = Math.max(bits - 53, -1074 - exponent);
  if (excess <= 0) return exact(mantissa, exponent);
  const half = 1n << BigInt(excess - 1);
  const rest = mantissa & (2n * half - 1n);
  let kept = mantissa >> BigInt(excess);
  if (rest > half || (rest === half && kept % 2n === 1n)) kept += 1n;
  return exact(kept, exponent + excess);
}

/** mantissa × 2^exponent where the result needs no rounding; in steps, because 2^exponent alone may be out of range. */
function exact(mantissa: bigint, exponent: number): number {
  let value = Number(mantissa);
  for (let left = exponent; left !== 0 && value !== 0 && Number.isFinite(value); ) {
    const step = Math.max(-512, Math.min(512, left));
    value *= 2 ** step;
    left -= step;
  }
  return value;
}
