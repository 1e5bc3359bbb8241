// A position in the tokens of a query, and the errors that are raised there.

import { PATTERN_STEPS_MAX } from '../../model/pattern-size.js';
import type { Span } from './ast.js';
import { ParseError } from './errors.js';
import { Lexer } from './lexer.js';
import { NESTING_MAX, TREE_HEIGHT_MAX } from './limits.js';
import { describe, type Token, type TokenKind } from './token.js';

export class TokenCursor {
  readonly #lexer: Lexer;
  #token: Token;
  /** The one behind it, once somebody has asked. */
  #following: Token | undefined;
  #end = 0;
  #nesting = 0;
  #patternSteps = 0;

  /** Throws ParseError where the text is too long. */
  constructor(readonly text: string) {
    this.#lexer = new Lexer(text);
    this.#token = this.#lexer.next();
  }

  /** The token to read next. Throws the lexer's error where the text makes no sense from here on. */
  get token(): Token {
    if (this.#token.kind === 'error') throw this.#lexer.error!;
    return this.#token;
  }

  get kind(): TokenKind {
    return this.token.kind;
  }

  /** The kind of the token behind the next one; `error` and the end are kinds like any other here. */
  get followingKind(): TokenKind {
    if (isLast(this.#token)) return this.#token.kind;
    this.#following ??= this.#lexer.next();
    return this.#following.kind;
  }

  /** The end of the token read last. */
  get end(): number {
    return this.#end;
  }

  next(): Token {
    const token = this.token;
    if (isLast(token)) return token;
    this.#end = token.end;
    this.#token = this.#following ?? this.#lexer.next();
    this.#following = undefined;
    return token;
  }

  /** Reads the next token if it is of this kind. */
  take(kind: TokenKind): Token | undefined {
    return this.kind === kind ? this.next() : undefined;
  }

  textOf(token: Token): string {
    return this.text.slice(token.start, token.end);
  }

  /** Throws an error of the given place. */
  fail(reason: string, span: Span): never {
    throw new ParseError(reason, this.text, span);
  }

  /** Complains about the next token: `unexpected "," in label matching, expected string`. */
  unexpected(within: string, expected = ''): never {
    const token = this.token;
    const place = within === '' ? '' : ` in ${within}`;
    const wish = expected === '' ? '' : `, expected ${expected}`;
    this.fail(`unexpected ${describe(token, this.text)}${place}${wish}`, token);
  }

  /** Goes one level deeper, if that is allowed. Levels are left by leave(), except after an error. */
  enter(): void {
    if (++this.#nesting > NESTING_MAX) {
      this.fail(`query is nested too deeply, at most ${NESTING_MAX} levels are allowed`, this.token);
    }
  }

  leave(): void {
    this.#nesting--;
  }

  /** Counts the steps of a regular expression that had to be compiled. */
  limitPatterns(steps: number, span: Span): void {
    this.#patternSteps += steps;
    if (this.#patternSteps > PATTERN_STEPS_MAX) {
      const limit = `some ${this.#patternSteps} steps, at most ${PATTERN_STEPS_MAX} are allowed`;
      this.fail(`regular expressions of the query are too large together: ${limit}`, span);
    }
  }

  /** Checks the height of a tree that ends here. */
  limitHeight(height: number): void {
    if (height > TREE_HEIGHT_MAX) {
      this.fail(`query has too many operators in a row, at most ${TREE_HEIGHT_MAX} are allowed`, this.token);
    }
  }
}

function isLast({ kind }: Token): boolean {
  return kind === 'end of input' || kind === 'error';
}
