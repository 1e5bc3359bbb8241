// Numbers and characters in templates: `1`, `0x1F`, `1_000`, `2.5e3`, `'a'`.

import { parseFloatText } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import { stringValue } from '../../promql/syntax/literals.js';
import { STRING_ESCAPE } from './strings.js';
import type { NumberNode } from './tree.js';

const INTEGER = /^([+-]?)(0[xX](?:_?[\da-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|0|[1-9](?:_?\d)*)$/;
const CHARACTER = new RegExp(`^'(?:[^'\\\\\\n]|\\\\'|${STRING_ESCAPE})`, 'su');

/** What a number's text says, or why it says nothing. */
export function readNumber(text: string, at: number): NumberNode | string {
  if (text.endsWith('i')) return `complex numbers are not supported: ${quote(text)}`;
  const integer = integerOf(text);
  if (integer !== undefined) {
    return {
      kind: 'number',
      at,
      text,
      integer,
      float: Number(integer),
      ideal: isFloatText(text) ? 'float' : 'integer',
    };
  }
  const float = parseFloatText(text);
  if (typeof float !== 'number') return `illegal number syntax: ${quote(text)}`;
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${quote(text)}`;
  const whole = Number.isInteger(float) && Math.abs(float) < 2 ** 63 ? BigInt(float) : undefined;
  return { kind: 'number', at, text, integer: whole, float, ideal: 'float' };
}

/** `'a'` is the number of the character. */
export function readCharacter(text: string, at: number): NumberNode | string {
  const first = CHARACTER.exec(text)?.[0];
  if (first === undefined) return 'invalid syntax';
  if (text !== `${first}'`) return `malformed character constant: ${text}`;
  const character = text === `'\\''` ? "'" : stringValue(text);
  const code = /^'\\(?:x|[0-7])/.test(text) ? codeOfByte(text) : character.codePointAt(0)!;
  return { kind: 'number', at, text, integer: BigInt(code), float: code, ideal: 'integer' };
}

/** `'\xff'` is 255, whatever that is as a part of a text. */
function codeOfByte(text: string): number {
  return text[2] === 'x' ? Number.parseInt(text.slice(3), 16) : Number.parseInt(text.slice(2), 8);
}

/** `017` is octal. From 2^63 on there are integers without a sign, which are none where nothing asks for such. */
function integerOf(text: string): bigint | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, written] = match;
  const digits = written!.replaceAll('_', '').replace(/^0([0-7]+)$/, '0o$1');
  const size = BigInt(digits);
  if (size >= 1n << 64n || (sign === '-' && size > 1n << 63n)) return undefined;
  return sign === '-' ? -size : size;
}

/** Whether an integer's text makes it a float, as hexadecimal digits do not. */
function isFloatText(text: string): boolean {
  return /[.eEpP]/.test(text) && !/^[+-]?0[xX]/.test(text);
}
