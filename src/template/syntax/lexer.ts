// From text to words: `a {{- .b | f "c" -}} d`.
//
// Outside of `{{` and `}}` everything is text. `{{- ` and ` -}}` take the white space
// beside them out of the text; comments are no words. Bad words are words too: the
// parser decides what a message is about.

import { describeCharacter, quote } from '../../model/quote.js';
import { KEYWORDS, type Token, type TokenKind } from './token.js';

const LEFT = '{{';
const RIGHT = '}}';
const SPACE = /[ \t\r\n]+/y;
const TRIM_LEFT = /-(?=[ \t\r\n])/y;
const RIGHT_DELIMITER = /(?:[ \t\r\n]-)?\}\}/y;
const NAME = /[\p{L}\p{Nd}_]+/uy;
const STRING = /"(?:\\[^\n]|[^"\\\n])*"/y;
const RAW_STRING = /`[^`]*`/y;
const CHARACTER = /'(?:\\[^\n]|[^'\\\n])*'/y;
/** Whatever begins like a number; the parser looks closer. */
const NUMBER =
  /[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/y;
const NUMBER_START = /[+-]|\.?\d/y;
/** What may follow a name. */
const NAME_END = /[ \t\r\n.,|:()]|\}\}|$/y;
const WORD_CHARACTER = /[\p{L}\p{Nd}_]/u;

const SIGNS: ReadonlyMap<string, TokenKind> = new Map([
  ['|', 'pipe'],
  ['(', 'left parenthesis'],
  [')', 'right parenthesis'],
  ['=', 'assign'],
]);

export class Lexer {
  readonly #text: string;
  #at = 0;
  #line = 1;
  /** Up to where lines are counted. */
  #counted = 0;
  #inAction = false;
  #parentheses = 0;
  /** Whether ` -}}` ended the last action: the text after it loses its white space. */
  #trims = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next word; the last one again and again. */
  next(): Token {
    return this.#inAction ? this.#word() : this.#outside();
  }

  // ---- Outside of actions

  #outside(): Token {
    for (;;) {
      if (this.#trims) this.#match(SPACE);
      this.#trims = false;
      const start = this.#at;
      const left = this.#text.indexOf(LEFT, start);
      const end = left < 0 ? this.#text.length : left;
      TRIM_LEFT.lastIndex = end + LEFT.length;
      const trims = left >= 0 && TRIM_LEFT.test(this.#text);
      const kept = this.#text.slice(start, trims ? endWithoutSpace(this.#text, start, end) : end);
      if (kept !== '') {
        this.#at = end;
        return this.#token('text', kept, start);
      }
      this.#at = end;
      if (left < 0) return this.#token('end of file', '', end);
      const begun = this.#delimiter(left, trims);
      if (begun !== undefined) return begun;
    }
  }

  /** The left delimiter; undefined after a comment. */
  #delimiter(left: number, trims: boolean): Token | undefined {
    const inside = left + LEFT.length + (trims ? 1 : 0);
    // Behind a trim mark there is one space, and no more, before a comment.
    const comment = trims ? inside + 1 : inside;
    if (this.#text.startsWith('/*', comment)) return this.#comment(comment, left);
    this.#at = inside;
    this.#inAction = true;
    this.#parentheses = 0;
    return this.#token('left delimiter', LEFT, left);
  }

  #comment(start: number, left: number): Token | undefined {
    const end = this.#text.indexOf('*/', start + 2);
    if (end < 0) return this.#fail('unclosed comment', left);
    this.#at = end + 2;
    const delimiter = this.#match(RIGHT_DELIMITER);
    if (delimiter === undefined) return this.#fail('comment ends before closing delimiter', left);
    this.#trims = delimiter.length > RIGHT.length;
    return undefined;
  }

  // ---- In an action

  #word(): Token {
    const start = this.#at;
    const delimiter = this.#match(RIGHT_DELIMITER);
    if (delimiter !== undefined) return this.#close(delimiter, start);
    const space = this.#space();
    if (space !== undefined) return space;
    if (start >= this.#text.length) return this.#fail('unclosed action', start);
    const first = String.fromCodePoint(this.#text.codePointAt(start)!);
    switch (first) {
      case '"':
        return this.#quoted(STRING, 'string', 'unterminated quoted string');
      case '`':
        return this.#quoted(RAW_STRING, 'raw string', 'unterminated raw quoted string');
      case "'":
        return this.#quoted(CHARACTER, 'character', 'unterminated character constant');
      case ':':
        if (this.#text[start + 1] !== '=') return this.#fail('expected :=', start);
        this.#at += 2;
        return this.#token('declare', ':=', start);
      case '$':
        return this.#name('variable', 1);
    }
    // A dot that ends the text is the beginning of a number, to Go.
    if (this.#test(NUMBER_START) || this.#text.slice(start) === '.') return this.#number();
    if (first === '.') return this.#name('field', 1);
    if (WORD_CHARACTER.test(first)) return this.#name('identifier', 0);
    return this.#sign(first);
  }

  #close(delimiter: string, start: number): Token {
    if (this.#parentheses > 0) return this.#fail('unclosed left paren', start);
    this.#inAction = false;
    this.#trims = delimiter.length > RIGHT.length;
    return this.#token('right delimiter', RIGHT, start + delimiter.length - RIGHT.length);
  }

  /** The last space before ` -}}` belongs to the delimiter. */
  #space(): Token | undefined {
    const start = this.#at;
    const space = this.#match(SPACE);
    if (space === undefined) return undefined;
    if (space.length > 1 && this.#text.startsWith('-}}', this.#at)) this.#at--;
    return this.#token('space', this.#text.slice(start, this.#at), start);
  }

  #quoted(pattern: RegExp, kind: TokenKind, fault: string): Token {
    const start = this.#at;
    const value = this.#match(pattern);
    return value === undefined ? this.#fail(fault, start) : this.#token(kind, value, start);
  }

  /** A name with the sign before it, which is `skip` characters. */
  #name(kind: TokenKind, skip: number): Token {
    const start = this.#at;
    this.#at += skip;
    this.#match(NAME);
    if (!this.#test(NAME_END)) {
      return this.#fail(`bad character ${describeCharacter(this.#character())}`, start);
    }
    const word = this.#text.slice(start, this.#at);
    if (KEYWORDS.has(word)) return this.#token('keyword', word, start);
    if (word === 'true' || word === 'false') return this.#token('bool', word, start);
    return this.#token(kind, word, start);
  }

  /** A number, or the sum of a real and an imaginary one. */
  #number(): Token {
    const start = this.#at;
    let good = this.#digits();
    const sum = good && (this.#text[this.#at] === '+' || this.#text[this.#at] === '-');
    if (sum) good = this.#digits() && this.#text[this.#at - 1] === 'i';
    const value = this.#text.slice(start, this.#at);
    return good ? this.#token('number', value, start) : this.#fail(`bad number syntax: ${quote(value)}`, start);
  }

  #digits(): boolean {
    this.#match(NUMBER);
    const next = this.#character();
    if (!WORD_CHARACTER.test(next)) return true;
    this.#at += next.length;
    return false;
  }

  #sign(first: string): Token {
    const start = this.#at;
    if (first < ' ' || first > '~')
      return this.#fail(`unrecognized character in action: ${describeCharacter(first)}`, start);
    this.#at++;
    const kind = SIGNS.get(first) ?? 'other';
    if (kind === 'left parenthesis') this.#parentheses++;
    if (kind === 'right parenthesis' && --this.#parentheses < 0) return this.#fail('unexpected right paren', start);
    return this.#token(kind, first, start);
  }

  // ---- Cursor

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #test(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  #character(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #token(kind: TokenKind, value: string, at: number): Token {
    // Words come in the order of the text.
    for (; this.#counted < at; this.#counted++) if (this.#text[this.#counted] === '\n') this.#line++;
    return { kind, value, at, line: this.#line };
  }

  /** A bad word: reading stays there. */
  #fail(why: string, at: number): Token {
    const fault = this.#token('error', why, at);
    this.next = () => fault;
    return fault;
  }
}

/** Where the white space at the end of a piece begins: an expression for it would be quadratic. */
function endWithoutSpace(text: string, start: number, end: number): number {
  while (end > start && ' \t\r\n'.includes(text[end - 1]!)) end--;
  return end;
}
