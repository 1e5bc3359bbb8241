// Durations between brackets and behind `offset`: a literal, or arithmetic over
// seconds with `step()`, `range()`, `min_of()` and `max_of()`.

import { DurationError } from '../../model/duration.js';
import type { Duration, DurationBinary, DurationExpr, DurationNode, NumberLiteral, Span } from './ast.js';
import type { TokenCursor } from './cursor.js';
import { durationSeconds, NumberError, numberValue } from './literals.js';
import type { Token, TokenKind } from './token.js';

/** How an error about a missing or broken duration goes on: `unexpected … in <within>, expected <expected>`. */
export interface DurationPlace {
  readonly within: string;
  readonly expected: string;
}

/** 2^63 nanoseconds, in seconds. */
const SECONDS_MAX = 2 ** 63 / 1e9;

type Sign = '+' | '-';
type Operator = DurationBinary['op'];

/** Binding powers; a sign binds like a multiplication: `-2^2` is -(2^2), `-2*3` is (-2)*3. */
const POWERS: ReadonlyMap<TokenKind, number> = new Map([
  ['+', 1],
  ['-', 1],
  ['*', 2],
  ['/', 2],
  ['%', 2],
  ['^', 3],
]);
const SIGN_POWER = 3;

/** Reads a number or duration literal, with its value checked. */
export function parseNumber(cursor: TokenCursor): NumberLiteral {
  const token = cursor.next();
  const duration = token.kind === 'duration';
  try {
    const value = (duration ? durationSeconds : numberValue)(cursor.textOf(token));
    return { kind: 'number', value, duration, pos: spanOf(token, token) };
  } catch (error) {
    if (error instanceof DurationError || error instanceof NumberError) cursor.fail(error.message, token);
    throw error;
  }
}

export class DurationParser {
  #height = 0;

  constructor(
    readonly cursor: TokenCursor,
    readonly place: DurationPlace,
    /** Whether there may be more than literals. */
    readonly expressions: boolean,
  ) {}

  /** A range or a step: more than zero, as far as that is known yet. */
  positive(): Duration {
    const node = this.#expression(0);
    if (node.kind === 'number' && !(node.value > 0)) this.cursor.fail('duration must be greater than 0', node.pos);
    return toDuration(node);
  }

  /**
   * An offset ends as early as it can, so that `a offset 5m - b` subtracts b. Only one that begins with a
   * parenthesis or two signs goes on over operators, as in Prometheus: `a offset (5m) - 1` is 5m - 1 back.
   */
  offset(): Duration {
    const { cursor } = this;
    const sign = cursor.kind === '+' || cursor.kind === '-';
    const first = sign ? cursor.followingKind : cursor.kind;
    const ends = isNumber(first) || isDurationWord(first) || (sign && first === '(');
    return toDuration(ends ? this.#shortOffset() : this.#expression(0));
  }

  #shortOffset(): DurationNode {
    const sign = this.#sign();
    if (sign === undefined) return this.#primary();
    // What is out of range is so with its sign, and the error stands there.
    const operand = isNumber(this.cursor.kind) ? parseNumber(this.cursor) : this.#primary();
    // Prometheus's tree keeps a plus in front of a word, though nowhere else.
    return operand.kind === 'durationCall' ? unary(sign, operand) : this.#applySign(sign, operand);
  }

  #expression(power: number): DurationNode {
    const { cursor } = this;
    cursor.enter();
    let left = this.#operand();
    for (;;) {
      const operator = cursor.token;
      const binding = POWERS.get(operator.kind) ?? -1;
      if (binding <= power) break;
      cursor.next();
      // The power of one less makes `^` group to the right.
      const right = this.#expression(operator.kind === '^' ? binding - 1 : binding);
      left = this.#binary(operator, left, right);
      cursor.limitHeight(++this.#height);
    }
    cursor.leave();
    return left;
  }

  #operand(): DurationNode {
    const sign = this.#sign();
    return sign === undefined ? this.#primary() : this.#applySign(sign, this.#expression(SIGN_POWER - 1));
  }

  #sign(): (Token & { kind: Sign }) | undefined {
    const token = this.cursor.take('-') ?? this.cursor.take('+');
    return token as (Token & { kind: Sign }) | undefined;
  }

  #primary(): DurationNode {
    const { kind } = this.cursor;
    if (isNumber(kind)) return this.#inRange(parseNumber(this.cursor));
    if (kind === '(') return this.#parenthesised();
    if (isDurationWord(kind)) return this.#call(kind);
    return this.#unexpected();
  }

  #parenthesised(): DurationNode {
    const open = this.cursor.next();
    const inner = this.#expression(0);
    const pos = spanOf(open, this.#expect(')'));
    this.#experimental(inner.pos);
    // A number cannot say that it was wrapped, so a plus stands around it, which is not printed.
    if (inner.kind === 'number') return { kind: 'durationUnary', op: '+', operand: inner, wrapped: true, pos };
    // As in Prometheus, errors stand inside the parentheses.
    return { ...inner, wrapped: true };
  }

  #call(fn: 'step' | 'range' | 'min_of' | 'max_of'): DurationNode {
    const name = this.cursor.next();
    this.#expect('(');
    const args: DurationNode[] = [];
    if (fn === 'min_of' || fn === 'max_of') {
      args.push(this.#expression(0));
      this.#expect(',');
      args.push(this.#expression(0));
    }
    const pos = spanOf(name, this.#expect(')'));
    this.#experimental(pos);
    return { kind: 'durationCall', fn, args, wrapped: false, pos };
  }

  #binary(operator: Token, left: DurationNode, right: DurationNode): DurationNode {
    this.#experimental(left.pos);
    const op = operator.kind as Operator;
    if (right.kind === 'number' && right.value === 0) {
      if (op === '/') this.cursor.fail('division by zero', operator);
      if (op === '%') this.cursor.fail('modulo by zero', operator);
    }
    return { kind: 'durationBinary', op, left, right, wrapped: false, pos: spanOf(left.pos, right.pos) };
  }

  /** A sign is folded into a number; a plus before anything else says nothing. */
  #applySign(sign: Token & { kind: Sign }, operand: DurationNode): DurationNode {
    if (operand.kind === 'number') {
      const value = sign.kind === '-' ? -operand.value : operand.value;
      return this.#inRange({ ...operand, value, pos: spanOf(sign, operand.pos) });
    }
    return sign.kind === '-' ? unary(sign, operand) : operand;
  }

  #inRange(literal: NumberLiteral): NumberLiteral {
    // Prometheus lets no number (NaN) pass here and makes some number of nanoseconds of it.
    if (!(Math.abs(literal.value) <= SECONDS_MAX)) this.cursor.fail('duration out of range', literal.pos);
    return literal;
  }

  #experimental(pos: Span): void {
    if (!this.expressions) this.cursor.fail('experimental duration expression is not enabled', pos);
  }

  #expect(kind: TokenKind): Token {
    return this.cursor.take(kind) ?? this.#unexpected();
  }

  #unexpected(): never {
    this.cursor.unexpected(this.place.within, this.place.expected);
  }
}

function unary(sign: Token & { kind: Sign }, operand: DurationNode): DurationExpr {
  return { kind: 'durationUnary', op: sign.kind, operand, wrapped: false, pos: spanOf(sign, operand.pos) };
}

function isNumber(kind: TokenKind): boolean {
  return kind === 'number' || kind === 'duration';
}

function isDurationWord(kind: TokenKind): kind is 'step' | 'range' | 'min_of' | 'max_of' {
  return kind === 'step' || kind === 'range' || kind === 'min_of' || kind === 'max_of';
}

function toDuration(node: DurationNode): Duration {
  return node.kind === 'number' ? wholeMs(node.value) : node;
}

/** The milliseconds of a duration without arithmetic, such as `5m` or `-(5m)`; undefined of any other. */
export function literalMs(duration: Duration): number | undefined {
  if (typeof duration === 'number') return duration;
  if (duration.kind !== 'durationUnary') return undefined;
  const ms = literalMs(toDuration(duration.operand));
  return ms !== undefined && duration.op === '-' ? -ms : ms;
}

/**
 * Prometheus keeps nanoseconds, rounded, and uses their whole milliseconds. What is whole in the text stays
 * so here, where floating-point numbers are off by a little: `10687d4h13m56s203ms`.
 */
function wholeMs(seconds: number): number {
  const ms = seconds * 1000;
  const nearest = Math.round(ms);
  if (Math.abs(ms - nearest) <= Math.abs(ms) * 2 * Number.EPSILON) return nearest;
  return Number(BigInt(Math.round(seconds * 1e9)) / 1_000_000n);
}

export function spanOf(first: Span, last: Span): Span {
  return { start: first.start, end: last.end };
}
