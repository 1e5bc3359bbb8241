// Words of a template, as the lexer tells them to the parser.

import { quote } from '../../model/quote.js';

export type TokenKind =
  /** What cannot be read; its value says why. It is the last. */
  | 'error'
  | 'end of file'
  /** What stands outside of actions. */
  | 'text'
  | 'left delimiter'
  | 'right delimiter'
  /** A run of white space in an action: it parts arguments. */
  | 'space'
  | 'keyword'
  | 'identifier'
  /** `.name` */
  | 'field'
  /** `$` or `$name` */
  | 'variable'
  | 'bool'
  | 'number'
  /** `'a'` */
  | 'character'
  | 'string'
  /** In back quotes. */
  | 'raw string'
  | 'pipe'
  | 'left parenthesis'
  | 'right parenthesis'
  /** `:=` */
  | 'declare'
  /** `=` */
  | 'assign'
  /** Any other printable character of ASCII. */
  | 'other';

export interface Token {
  readonly kind: TokenKind;
  readonly value: string;
  /** Where it begins, as an index of the text. */
  readonly at: number;
  /** From 1. */
  readonly line: number;
}

/** Words that are no names; the dot, alone, counts as one. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  '.',
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
]);

/** What messages show of a word's text. */
const SHOWN_CHARACTERS_MAX = 10;

/** A word as messages show it. */
export function describe({ kind, value }: Token): string {
  if (kind === 'error') return value;
  if (kind === 'end of file') return 'EOF';
  if (kind === 'keyword') return `<${value}>`;
  if (Buffer.byteLength(value) <= SHOWN_CHARACTERS_MAX) return quote(value);
  return `${quote([...value].slice(0, SHOWN_CHARACTERS_MAX).join(''))}...`;
}
