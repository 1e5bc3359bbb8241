// Values as text: what Go's fmt makes of them with each verb.

import { FloatHistogram } from '../../model/histogram.js';
import { compareStrings } from '../../model/labels.js';
import { describeCharacter, quote, quoteCharacter } from '../../model/quote.js';
import { formatInstant, MONTHS, WEEKDAYS } from '../time/instant.js';
import { formatSpan } from '../time/span.js';
import { Dict, Html, Instant, Int, List, Span, Struct, typeOf, type Value } from '../value.js';
import { type FloatForm, formatFloatAs } from './float.js';
import { type Flags, noFlags, pad } from './verb.js';

/** As `print` has it: no value is `<nil>`. */
export function display(value: Value): string {
  return formatValue(value, 'v', noFlags(), true);
}

/** As `print` has several: spaces between two of which neither is a text. */
export function displayAll(values: readonly Value[]): string {
  let text = '';
  for (const [index, value] of values.entries()) {
    const apart = index > 0 && !isText(value) && !isText(values[index - 1]);
    text += (apart ? ' ' : '') + display(value);
  }
  return text;
}

function isText(value: Value): boolean {
  return typeof value === 'string' || value instanceof Html;
}

/** A value with a verb; `top` for a value that is not in another. */
export function formatValue(value: Value, verb: string, flags: Flags, top = true): string {
  if (value === undefined) {
    return verb === 'v' || verb === 'T' ? pad('<nil>', flags, ' ') : badVerb(value, verb, flags);
  }
  if (verb === 'T') return pad(typeOf(value), flags, ' ');
  const text = stringerText(value);
  if (text !== undefined && isTextVerb(verb) && !(verb === 'v' && flags.sharp)) return formatString(text, verb, flags);
  switch (typeof value) {
    case 'boolean':
      return verb === 't' || verb === 'v' ? pad(String(value), flags) : badVerb(value, verb, flags);
    case 'string':
      return isTextVerb(verb) ? formatString(value, verb, flags) : badVerb(value, verb, flags);
    case 'number':
      return formatNumber(value, verb, flags);
  }
  if (value instanceof Html)
    return isTextVerb(verb) ? formatString(value.text, verb, flags) : badVerb(value, verb, flags);
  if (value instanceof Int) return formatInteger(value, verb, flags);
  if (value instanceof Span) {
    return BASES.has(verb) ? formatInteger(new Int(value.ns), verb, flags) : badVerb(value, verb, flags);
  }
  if (value instanceof Dict) return formatDict(value, verb, flags);
  if (value instanceof List) return formatList(value, verb, flags);
  if (value instanceof Struct) return formatStruct(value, verb, flags, top);
  return badVerb(value, verb, flags);
}

/** `%!d(string=hi)`: a verb that a value's type has not. */
function badVerb(value: Value, verb: string, flags: Flags): string {
  if (value === undefined) return `%!${verb}(<nil>)`;
  // Types that say themselves how they look do not here.
  const plain = value instanceof Span ? new Int(value.ns) : value instanceof Int ? new Int(value.value) : value;
  // A sharp is kept, and means what it does to `%g`, not to `%v`.
  const text =
    typeof plain === 'number' ? formatNumber(plain, 'g', flags) : formatValue(plain, 'v', { ...flags, sharp: false });
  return `%!${verb}(${typeOf(value).replace(/^\*time\./, 'time.')}=${text})`;
}

function isTextVerb(verb: string): boolean {
  return verb === 'v' || verb === 's' || verb === 'q' || verb === 'x' || verb === 'X';
}

/** Of types that say themselves how they look. */
function stringerText(value: Value): string | undefined {
  if (value instanceof Instant) return formatInstant(value.ns);
  if (value instanceof Span) return formatSpan(value.ns);
  if (value instanceof FloatHistogram) return value.toString();
  if (value instanceof Int && value.type === 'time.Month') return MONTHS[Number(value.value) - 1];
  if (value instanceof Int && value.type === 'time.Weekday') return WEEKDAYS[Number(value.value)];
  return undefined;
}

// ---- Text

function formatString(text: string, verb: string, flags: Flags): string {
  const cut = flags.precision === undefined ? text : [...text].slice(0, flags.precision).join('');
  switch (verb) {
    case 'q':
      return pad(flags.sharp && !cut.includes('`') ? `\`${cut}\`` : flags.plus ? quoteAscii(cut) : quote(cut), flags);
    case 'x':
    case 'X':
      return pad(hexText(text, verb === 'X', flags), flags);
    default:
      return pad(verb === 'v' && flags.sharp ? quote(cut) : cut, flags);
  }
}

/** Quoted, with escapes for all that is not ASCII. */
function quoteAscii(text: string): string {
  return quote(text).replace(/[^\x00-\x7f]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}

/** The bytes of a text, two digits each. */
function hexText(text: string, upper: boolean, { precision, space, sharp }: Flags): string {
  const bytes = [...Buffer.from(text).subarray(0, precision)];
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
  const prefix = sharp ? '0x' : '';
  const joined = space
    ? digits.map((pair) => prefix + pair).join(' ')
    : (bytes.length > 0 ? prefix : '') + digits.join('');
  return upper ? joined.toUpperCase() : joined;
}

// ---- Numbers

function formatNumber(value: number, verb: string, flags: Flags): string {
  const form = verb === 'v' ? 'g' : FORMS.get(verb.toLowerCase());
  if (form === undefined) return badVerb(value, verb, flags);
  const precision = flags.precision ?? (form === 'g' ? undefined : PRECISION);
  const plain = formatFloatAs(value, form, precision);
  const text = flags.sharp && verb !== 'v' ? sharpened(plain, form === 'g' ? (precision ?? PRECISION) : 0) : plain;
  return signed(verb === 'G' || verb === 'E' ? text.toUpperCase() : text, flags);
}

const FORMS: ReadonlyMap<string, FloatForm> = new Map(['e', 'f', 'g'].map((form) => [form, form as FloatForm]));
const PRECISION = 6;

/** With a point in any case, and zeros up to so many digits. */
function sharpened(text: string, digits: number): string {
  const [, sign, size, exponent] = /^([-+]?)(\d[\d.]*)(.*)$/.exec(text) ?? [];
  if (size === undefined) return text;
  const shown = size === '0' ? 1 : size.replace('.', '').replace(/^0+/, '').length;
  return `${sign}${size}${size.includes('.') ? '' : '.'}${'0'.repeat(Math.max(digits - shown, 0))}${exponent}`;
}

/** A float's text with the sign that is asked for, filled up; zeros go between the sign and the digits. */
function signed(text: string, flags: Flags): string {
  const isNumber = /\d$/.test(text);
  const given = text.startsWith('-') || text.startsWith('+') ? text[0]! : '';
  const size = text.slice(given.length);
  let sign = given === '-' ? '-' : '';
  if (given !== '-') {
    // Infinity keeps its sign where there is room for one.
    if (flags.plus && !flags.named) sign = '+';
    else if (flags.space) sign = ' ';
    else if (size === 'INF' || size === 'Inf') sign = '+';
  }
  if (!isNumber) return pad(sign + specialSize(size), flags, ' ');
  if (!flags.zero || flags.left) return pad(sign + size, flags, ' ');
  const missing = (flags.width ?? 0) - sign.length - size.length;
  return sign + '0'.repeat(Math.max(missing, 0)) + size;
}

function specialSize(size: string): string {
  return size === 'INF' ? 'Inf' : size === 'NAN' ? 'NaN' : size;
}

const BASES: ReadonlyMap<string, number> = new Map([
  ['v', 10],
  ['d', 10],
  ['b', 2],
  ['o', 8],
  ['O', 8],
  ['x', 16],
  ['X', 16],
]);

/** Of `#`. */
const PREFIXES: ReadonlyMap<string, string> = new Map([
  ['b', '0b'],
  ['o', '0'],
  ['x', '0x'],
  ['X', '0X'],
]);

function formatInteger(value: Int, verb: string, flags: Flags): string {
  const base = BASES.get(verb);
  if (base !== undefined) return formatDigits(value, verb, base, flags);
  const character = characterOf(value.value);
  switch (verb) {
    case 'c':
      return pad(character, flags);
    case 'q':
      return pad(quoteCharacter(character), flags);
    case 'U': {
      const text = describeCharacter(character);
      return pad(flags.sharp ? text : text.split(' ')[0]!, flags, ' ');
    }
    default:
      return badVerb(value, verb, flags);
  }
}

function formatDigits({ value }: Int, verb: string, base: number, flags: Flags): string {
  const sign = value < 0n ? '-' : flags.plus && !flags.named ? '+' : flags.space ? ' ' : '';
  const plain = (value < 0n ? -value : value).toString(base);
  let digits = verb === 'X' ? plain.toUpperCase() : plain;
  const prefix = verb === 'O' ? '0o' : flags.sharp ? (PREFIXES.get(verb) ?? '') : '';
  if (flags.precision !== undefined) {
    digits = flags.precision === 0 && value === 0n ? '' : digits.padStart(flags.precision, '0');
  } else if (flags.zero && !flags.left && flags.width !== undefined) {
    digits = digits.padStart(flags.width - sign.length, '0');
  }
  return pad(sign + (prefix === '0' && digits.startsWith('0') ? '' : prefix) + digits, flags, ' ');
}

function characterOf(code: bigint): string {
  const isCharacter = code >= 0n && code <= 0x10ffffn && !(code >= 0xd800n && code <= 0xdfffn);
  return isCharacter ? String.fromCodePoint(Number(code)) : '\ufffd';
}

// ---- What holds other values

/** `map[a:1 b:2]`, by key. */
function formatDict(value: Dict, verb: string, flags: Flags): string {
  const entries = [...value.entries].sort(([a], [b]) => compareStrings(a, b));
  const part = (inner: Value) => formatValue(inner, verb, flags, false);
  if (verb === 'v' && flags.sharp)
    return `${value.type}{${entries.map(([k, v]) => `${part(k)}:${part(v)}`).join(', ')}}`;
  return `map[${entries.map(([key, inner]) => `${part(key)}:${part(inner)}`).join(' ')}]`;
}

function formatList({ items, type }: List, verb: string, flags: Flags): string {
  const texts = items.map((item) => formatValue(item, verb, flags, false));
  return verb === 'v' && flags.sharp ? `${type}{${texts.join(', ')}}` : `[${texts.join(' ')}]`;
}

/** `{map[a:1] 2}`; behind a pointer with `&`, and an address where it is in another value. */
function formatStruct(value: Struct, verb: string, flags: Flags, top: boolean): string {
  if (value.pointer && !top) return ADDRESS;
  const named = flags.named || (verb === 'v' && flags.sharp);
  const fields = [...value.fields].map(([name, inner]) => {
    const text = formatValue(inner, verb, flags, false);
    return named ? `${name}:${text}` : text;
  });
  const mark = value.pointer ? '&' : '';
  const type = verb === 'v' && flags.sharp ? value.type : '';
  return `${mark}${type}{${fields.join(type === '' ? ' ' : ', ')}}`;
}

/** Addresses say nothing; Go would print one that differs from run to run. */
const ADDRESS = '0xc000000000';
