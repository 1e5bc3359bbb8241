// A position in the tokens of a query, and the errors that are raised there.

import type { Span } from './ast.js';
import { ParseError } from './errors.js';
import { lex } from './lexer.js';
import { NESTING_MAX, TREE_HEIGHT_MAX } from './limits.js';
import { describe, type Token, type TokenKind } from './token.js';

export class TokenCursor {
  readonly #tokens: readonly Token[];
  readonly #lexError: ParseError | undefined;
  #index = 0;
  #nesting = 0;

  /** Throws ParseError where the text is over the limits. */
  constructor(readonly text: string) {
    const { tokens, error } = lex(text);
    this.#tokens = tokens;
    this.#lexError = error;
  }

  /** The token to read next. Throws the lexer's error where the text made no sense from here on. */
  get token(): Token {
    const token = this.#tokens[this.#index]!;
    if (token.kind === 'error') throw this.#lexError!;
    return token;
  }

  get kind(): TokenKind {
    return this.token.kind;
  }

  /** The kind of the token behind the next one; `error` and the end are kinds like any other here. */
  get followingKind(): TokenKind {
    return (this.#tokens[this.#index + 1] ?? this.#tokens[this.#index]!).kind;
  }

  /** The end of the token read last. */
  get end(): number {
    return this.#tokens[this.#index - 1]?.end ?? 0;
  }

  next(): Token {
    const token = this.token;
    if (token.kind !== 'end of input') this.#index++;
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

  /** Checks the height of a tree that ends here. */
  limitHeight(height: number): void {
    if (height > TREE_HEIGHT_MAX) {
      this.fail(`query has too many operators in a row, at most ${TREE_HEIGHT_MAX} are allowed`, this.token);
    }
  }
}
