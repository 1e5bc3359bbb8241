// Text to tokens.
//
// What a character means depends on where it stands, so the lexer knows whether it is
// inside braces (label matchers: no keywords) or inside brackets (durations: no
// names). Where the text makes no sense it ends with a token of the kind `error`;
// the parser reports that once it gets there, since an earlier mistake comes first.
// Tokens are read when they are asked for: nobody reads on behind a mistake.

import { describeCharacter, quote, quoteCharacter } from '../../model/quote.js';
import { ParseError } from './errors.js';
import { TEXT_MAX, TOKENS_MAX } from './limits.js';
import { keywordOf, type Token, type TokenKind } from './token.js';

/** Signs that are a token whatever follows. */
const SHORT_SIGNS = '+-*/%^,@';

/** Signs of two characters, by the first one. */
const LONG_SIGNS: ReadonlyMap<string, readonly TokenKind[]> = new Map<string, readonly TokenKind[]>([
  ['=', ['==']],
  ['!', ['!=']],
  ['<', ['<=', '</']],
  ['>', ['>=', '>/']],
]);

/** Signs allowed in brackets before their first number. */
const DURATION_SIGNS = '+-*/%^,';

const DURATION_WORDS: ReadonlySet<string> = new Set(['step', 'range', 'max_of', 'min_of']);

/** Go shows this for a character that is not there. */
const NO_CHARACTER = '\ufffd';

export class Lexer {
  #error: ParseError | undefined;
  /** Tokens read so far. */
  #count = 0;
  /** Start of the token being read, and the next unit to read. */
  #start = 0;
  #at = 0;

  #parenDepth = 0;
  #inBraces = false;
  #inBrackets = false;
  /** In brackets, before their first number: nothing but a duration may come, and messages say so. */
  #expectsDuration = false;
  #colonSeen = false;
  /** Whether there was a number in any brackets of the query so far. */
  #durationSeen = false;

  /** Throws ParseError for a text that is too long. */
  constructor(readonly text: string) {
    if (text.length <= TEXT_MAX) return;
    const reason = `query is too long: ${text.length} characters, at most ${TEXT_MAX} are allowed`;
    throw new ParseError(reason, text, { start: 0, end: text.length });
  }

  /** What a token of the kind `error` stands for. */
  get error(): ParseError | undefined {
    return this.#error;
  }

  /** Reads the next token, comments left out. Nothing comes behind `end of input` or `error`. */
  next(): Token {
    if (this.#count++ === TOKENS_MAX) return this.#fail(`query has too many tokens, at most ${TOKENS_MAX} are allowed`);
    this.#skipBlank();
    if (this.#at === this.text.length) return this.#end();
    if (this.#inBraces) return this.#inside();
    return this.#expectsDuration ? this.#durationToken() : this.#plainToken();
  }

  #end(): Token {
    if (this.#inBraces) return this.#fail('unexpected end of input inside braces');
    if (this.#expectsDuration) return this.#fail('unexpected end of input in duration expression');
    if (this.#parenDepth !== 0) return this.#fail('unclosed left parenthesis');
    if (this.#inBrackets) return this.#fail('unclosed left bracket');
    return this.#emit('end of input');
  }

  /** Skips spaces and comments. */
  #skipBlank(): void {
    const { text } = this;
    while (this.#at < text.length) {
      if (isSpace(text.charCodeAt(this.#at))) this.#at++;
      else if (text[this.#at] === '#' && !this.#expectsDuration) this.#skipComment();
      else break;
    }
    this.#start = this.#at;
  }

  #skipComment(): void {
    while (this.#at < this.text.length && !isLineEnd(this.text.charCodeAt(this.#at))) this.#at++;
  }

  // Outside of braces.

  #plainToken(): Token {
    const character = this.text[this.#at]!;
    const code = this.text.charCodeAt(this.#at);
    if (isDigit(code) || (character === '.' && isDigit(this.text.charCodeAt(this.#at + 1)))) return this.#numberToken();
    if (isAlpha(code) || character === ':') return this.#inBrackets ? this.#bracketWord() : this.#word();
    switch (character) {
      case '"':
      case "'":
      case '`':
        return this.#string(character);
      case '(':
      case ')':
        return this.#paren(character);
      case '{':
        this.#inBraces = true;
        return this.#take('{');
      case '[':
        return this.#openBracket();
      case ']':
        return this.#closeBracket();
      default:
        return this.#sign(character);
    }
  }

  #sign(character: string): Token {
    const next = this.text[this.#at + 1] ?? '';
    if (character === '=' && next === '~') {
      return this.#fail(`unexpected character after '=': ${quoteCharacter(next)}`);
    }
    if (character === '!' && next !== '=') {
      return this.#fail(`unexpected character after '!': ${quoteCharacter(this.#character(this.#at + 1))}`);
    }
    if (SHORT_SIGNS.includes(character)) return this.#take(character as TokenKind);
    const longer = LONG_SIGNS.get(character);
    if (longer === undefined) return this.#fail(`unexpected character: ${quoteCharacter(this.#character())}`);
    return this.#take(longer.find((sign) => sign[1] === next) ?? (character as TokenKind));
  }

  #paren(character: '(' | ')'): Token {
    const token = this.#take(character);
    this.#parenDepth += character === '(' ? 1 : -1;
    // Complains about the place behind it, as Prometheus does.
    return this.#parenDepth < 0 ? this.#fail("unexpected right parenthesis ')'") : token;
  }

  #openBracket(): Token {
    if (this.#inBrackets) return this.#fail("unexpected left bracket '['");
    this.#inBrackets = true;
    this.#expectsDuration = true;
    this.#colonSeen = false;
    return this.#take('[');
  }

  #closeBracket(): Token {
    if (!this.#inBrackets) return this.#fail("unexpected right bracket ']'");
    this.#inBrackets = false;
    this.#expectsDuration = false;
    return this.#take(']');
  }

  /** A name or keyword. */
  #word(): Token {
    const { text } = this;
    let end = this.#at;
    let colon = false;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === COLON) colon = true;
      else if (!isAlphaNumeric(code)) break;
    }
    const keyword = keywordOf(text.slice(this.#at, end));
    this.#at = end;
    if (keyword === undefined || (isFill(keyword) && !this.#parenFollows())) {
      return this.#emit(colon ? 'metric' : 'identifier');
    }
    return this.#emit(keyword);
  }

  /** `fill` and its like are young: they stay names wherever no parenthesis follows. */
  #parenFollows(): boolean {
    let at = this.#at;
    while (at < this.text.length && isSpace(this.text.charCodeAt(at))) at++;
    return this.text[at] === '(';
  }

  // Inside of brackets.

  /** A letter or a colon behind the first number in brackets. */
  #bracketWord(): Token {
    const character = this.text[this.#at]!;
    if (character === ':') {
      if (this.#colonSeen) return this.#fail("unexpected colon ':'");
      this.#colonSeen = true;
      return this.#take(':');
    }
    return this.#durationWord() ?? this.#fail(`unexpected character: ${quoteCharacter(character)}, expected ':'`);
  }

  /** In brackets, as long as no number has come. */
  #durationToken(): Token {
    const character = this.text[this.#at]!;
    const code = this.text.charCodeAt(this.#at);
    if (isDigit(code) || (character === '.' && isDigit(this.text.charCodeAt(this.#at + 1)))) {
      this.#durationSeen = true;
      this.#expectsDuration = false;
      return this.#numberToken();
    }
    if (character === ']') return this.#closeBracket();
    if (character === '(' || character === ')') return this.#paren(character);
    if (character === ':') return this.#earlyColon();
    if (DURATION_SIGNS.includes(character)) return this.#take(character as TokenKind);
    const word = this.#durationWord();
    return word ?? this.#fail(`unexpected character in duration expression: ${quoteCharacter(this.#character())}`);
  }

  #earlyColon(): Token {
    const token = this.#take(':');
    if (!this.#durationSeen) return this.#fail('unexpected colon before duration in duration expression');
    if (this.#colonSeen) return this.#fail('unexpected repeated colon in duration expression');
    this.#colonSeen = true;
    return token;
  }

  #durationWord(): Token | undefined {
    let end = this.#at;
    while (end < this.text.length && isAlpha(this.text.charCodeAt(end))) end++;
    const word = this.text.slice(this.#at, end).toLowerCase();
    if (!DURATION_WORDS.has(word)) return undefined;
    this.#at = end;
    return this.#emit(word as TokenKind);
  }

  // Inside of braces.

  #inside(): Token {
    const { text } = this;
    const character = text[this.#at]!;
    if (isAlpha(text.charCodeAt(this.#at))) {
      while (this.#at < text.length && isAlphaNumeric(text.charCodeAt(this.#at))) this.#at++;
      return this.#emit('identifier');
    }
    const next = text[this.#at + 1];
    switch (character) {
      case ',':
        return this.#take(',');
      case '"':
      case "'":
      case '`':
        return this.#string(character);
      case '=':
        return this.#take(next === '~' ? '=~' : '=');
      case '!':
        if (next === '~' || next === '=') return this.#take(`!${next}`);
        return this.#fail(
          `unexpected character after '!' inside braces: ${quoteCharacter(this.#character(this.#at + 1))}`,
        );
      case '{':
        return this.#fail("unexpected left brace '{'");
      case '}':
        this.#inBraces = false;
        return this.#take('}');
      default:
        return this.#fail(`unexpected character inside braces: ${quoteCharacter(this.#character())}`);
    }
  }

  // Strings. What the escapes stand for is decided in literals.ts; here they are only checked.

  #string(delimiter: string): Token {
    const raw = delimiter === '`';
    this.#at++;
    for (;;) {
      const code = this.text.codePointAt(this.#at);
      if (code === undefined) return this.#fail(raw ? 'unterminated raw string' : 'unterminated quoted string');
      if (code === 0xfffd || (code >= 0xd800 && code <= 0xdfff)) return this.#fail('invalid UTF-8 rune');
      this.#at += code > 0xffff ? 2 : 1;
      if (code === delimiter.charCodeAt(0)) return this.#emit('string');
      if (raw) continue;
      if (code === NEWLINE) return this.#fail('unterminated quoted string');
      const problem = code === BACKSLASH ? this.#escape(delimiter) : undefined;
      if (problem !== undefined) return this.#fail(problem);
    }
  }

  /** Moves over the part of an escape behind its backslash; says what is wrong with it, if anything is. */
  #escape(delimiter: string): string | undefined {
    const letter = this.text[this.#at];
    if (letter === undefined) return 'escape sequence not terminated';
    if (letter >= '0' && letter <= '7') return this.#escapeDigits(3, 8, 255);
    const simple = letter === delimiter || 'abfnrtv\\'.includes(letter);
    if (!simple && !'xuU'.includes(letter)) return `unknown escape sequence ${describeCharacter(this.#character())}`;
    this.#at++;
    if (simple) return undefined;
    if (letter === 'x') return this.#escapeDigits(2, 16, 255);
    return this.#escapeDigits(letter === 'u' ? 4 : 8, 16, 0x10ffff);
  }

  #escapeDigits(count: number, base: number, max: number): string | undefined {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const character = this.text[this.#at];
      if (character === undefined) return 'escape sequence not terminated';
      const digit = /[0-9a-f]/i.test(character) ? Number.parseInt(character, 16) : base;
      if (digit >= base) return `illegal character ${describeCharacter(this.#character())} in escape sequence`;
      value = value * base + digit;
      this.#at++;
    }
    const valid = value <= max && (value < 0xd800 || value > 0xdfff);
    return valid ? undefined : 'escape sequence is an invalid Unicode code point';
  }

  // Numbers and durations. Only their extent is decided here, their value in literals.ts.

  #numberToken(): Token {
    if (this.#numberEnds()) return this.#emit('number');
    if (this.#durationEnds()) return this.#emit('duration');
    return this.#fail(`bad number or duration syntax: ${quote(this.text.slice(this.#start, this.#at))}`);
  }

  /** Moves over a number; false where it is none, standing at (or behind) what is wrong. */
  #numberEnds(): boolean {
    const hex = this.#skip(/0[xX]_?/y);
    const digits = hex ? /[0-9a-fA-F]*/y : /[0-9]*/y;
    // One digit here; from the next one on, an `e` is an exponent in a hexadecimal number too. A dot
    // behind a leading zero is not counted. Both as Prometheus reads them.
    this.#skip(hex ? /\.?[0-9a-fA-F]?/y : /0?\.?[0-9]?/y);
    let dots = 0;
    let exponents = 0;
    for (;;) {
      if (this.#skip(/\./y)) {
        if (dots++ > 0 || this.#skip(/[_.]/y) || hex) return false;
      } else if (this.#skip(/[eE]/y)) {
        if (exponents++ > 0) return false;
        this.#skip(/[+-]/y);
        if (this.#skip(/[._eE]/y) || this.#at === this.text.length) return false;
      } else if (this.#skip(/_/y)) {
        if (this.#skip(/[._eE]/y) || this.#at === this.text.length) return false;
      } else if (!this.#skip(digits)) {
        return !isAlphaNumeric(this.text.charCodeAt(this.#at));
      }
    }
  }

  /** Moves over the units of a duration whose first number has been read. */
  #durationEnds(): boolean {
    // Bad units like `hs` are found when the value is read; a year may only come first.
    if (!this.#skip(/[smhdwy]s?/y)) return false;
    while (this.#skip(/[0-9]+/y)) if (!this.#skip(/[smhdw]s?/y)) return false;
    if (!isAlphaNumeric(this.text.charCodeAt(this.#at))) return true;
    this.#at++;
    return false;
  }

  /** Moves over what a sticky pattern matches; false where that is nothing. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const length = pattern.exec(this.text)?.[0].length ?? 0;
    this.#at += length;
    return length > 0;
  }

  // Results.

  /** A token whose kind is its text. */
  #take(kind: TokenKind): Token {
    this.#at += kind.length;
    return this.#emit(kind);
  }

  #emit(kind: TokenKind): Token {
    const token = { kind, start: this.#start, end: this.#at };
    this.#start = this.#at;
    return token;
  }

  /** The token that ends it all. */
  #fail(reason: string): Token {
    const span = { start: this.#start, end: this.text.length };
    this.#error = new ParseError(reason, this.text, span);
    return { kind: 'error', ...span };
  }

  #character(at = this.#at): string {
    const code = this.text.codePointAt(at);
    return code === undefined ? NO_CHARACTER : String.fromCodePoint(code);
  }
}

const NEWLINE = 0x0a;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

function isFill(kind: TokenKind): boolean {
  return kind === 'fill' || kind === 'fill_left' || kind === 'fill_right';
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** An ASCII letter or an underscore. */
function isAlpha(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || code === 0x5f;
}

function isAlphaNumeric(code: number): boolean {
  return isAlpha(code) || isDigit(code);
}
