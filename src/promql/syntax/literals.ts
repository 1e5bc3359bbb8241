// What literals stand for: token text to values. The lexer has decided their extent
// and checked the escapes of strings.

import { parseDuration } from '../../model/duration.js';
import { parseFloatText } from '../../model/number.js';
import { quote } from '../../model/quote.js';

/** Thrown for a number that has the right characters in the wrong places; the message is Prometheus's. */
export class NumberError extends Error {
  override readonly name = 'NumberError';
}

const HEX_INTEGER = /^0x(_?[0-9a-f])+$/i;
const OCTAL_INTEGER = /^0(_?[0-7])+$/;

/** Go's integer literals first (`0x1f`, `017` is octal), then its floats (`017.5`, `08`, `Inf`). Throws NumberError. */
export function numberValue(text: string): number {
  const integer = integerValue(text);
  if (integer !== undefined) return integer;
  const value = parseFloatText(text);
  if (typeof value === 'number') return value;
  const problem = value === 'range' ? 'value out of range' : 'invalid syntax';
  throw new NumberError(`error parsing number: strconv.ParseFloat: parsing ${quote(text)}: ${problem}`);
}

/** Integers that are not decimal and fit 63 bits. */
function integerValue(text: string): number | undefined {
  const hex = HEX_INTEGER.test(text);
  if (!hex && !OCTAL_INTEGER.test(text)) return undefined;
  const digits = text.replaceAll('_', '');
  const value = BigInt(hex ? digits : `0o${digits}`);
  return value < 1n << 63n ? Number(value) : undefined;
}

/** Seconds of a duration. Throws DurationError. */
export function durationSeconds(text: string): number {
  const ms = parseDuration(text);
  // As Go divides: whole seconds and the rest apart.
  return Math.floor(ms / 1000) + (ms % 1000) / 1000;
}

const LETTER_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gs;

/**
 * The value of a string token with its quotes. `\x` and octal escapes are bytes that may together
 * form a character; bytes that form none become U+FFFD, because our strings cannot hold them.
 */
export function stringValue(text: string): string {
  const body = text.slice(1, -1);
  if (text.startsWith('`') || !body.includes('\\')) return body;
  // No escape is shorter than what it stands for.
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(body));
  let length = 0;
  let at = 0;
  for (const match of body.matchAll(ESCAPE)) {
    length += bytes.write(body.slice(at, match.index), length);
    const value = escapeValue(match);
    length = typeof value === 'number' ? bytes.writeUInt8(value, length) : length + bytes.write(value, length);
    at = match.index + match[0].length;
  }
  length += bytes.write(body.slice(at), length);
  return bytes.toString('utf8', 0, length);
}

/** A byte or some text. */
function escapeValue(match: RegExpMatchArray): number | string {
  const [, byte, short, long, octal, letter] = match;
  if (byte !== undefined) return Number.parseInt(byte, 16);
  if (octal !== undefined) return Number.parseInt(octal, 8);
  const code = short ?? long;
  if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
  return LETTER_ESCAPES.get(letter!) ?? letter!;
}
