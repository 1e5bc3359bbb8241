// PromQL text to a checked tree.
//
// A recursive-descent parser with binding powers for the operators. Operators of one
// power group to the left in a loop, so that only real nesting (and `^`, which
// groups to the right) takes stack. Selectors' modifiers bind tightest of all:
// `a + b offset 5m` shifts b. A sign binds like a multiplication: `-1^2` is -(1^2).

import type { Matcher } from '../../model/matcher.js';
import { quote } from '../../model/quote.js';
import { functionOf } from '../functions.js';
import {
  type Aggregate,
  type AggregateOp,
  type At,
  type Binary,
  type BinaryOp,
  type Call,
  type Cardinality,
  type Duration,
  type Expr,
  isSetOp,
  PARAM_AGGREGATES,
  typeOf,
  type VectorMatching,
  type VectorSelector,
} from './ast.js';
import { type BinaryNote, checkTypes } from './check.js';
import { TokenCursor } from './cursor.js';
import { stringValue } from './literals.js';
import { DurationParser, literalMs, parseNumber, spanOf } from './parse-duration.js';
import { parseGrouping, parseVectorSelector } from './parse-selector.js';
import { canNameMetric, isAggregate, type Token, type TokenKind } from './token.js';

/** What of the language is allowed; the names of Prometheus's feature flags in comments. */
export interface ParseOptions {
  /** promql-experimental-functions */
  readonly experimentalFunctions: boolean;
  /** promql-duration-expr, which is stable since 3.14 */
  readonly durationExpressions: boolean;
  /** promql-extended-range-selectors: `anchored` and `smoothed` */
  readonly extendedRangeSelectors: boolean;
  /** promql-binop-fill-modifiers: `fill`, `fill_left`, `fill_right` */
  readonly fillModifiers: boolean;
}

/** What a Prometheus without feature flags accepts. */
export const DEFAULT_PARSE_OPTIONS: ParseOptions = {
  experimentalFunctions: false,
  durationExpressions: true,
  extendedRangeSelectors: false,
  fillModifiers: false,
};

export const ALL_PARSE_OPTIONS: ParseOptions = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};

/** Parses and type-checks an expression. Throws ParseError. */
export function parseExpr(text: string, options: ParseOptions = DEFAULT_PARSE_OPTIONS): Expr {
  return new Parser(text, options).whole();
}

/**
 * Parses a selector alone, as in `match[]=…`, to its conditions. They may match everything: whether that
 * is allowed is for the caller to say. Throws ParseError.
 */
export function parseSelector(text: string): readonly Matcher[] {
  const cursor = new TokenCursor(text);
  if (!canNameMetric(cursor.kind) && cursor.kind !== '{') cursor.unexpected('');
  const { matchers } = parseVectorSelector(cursor);
  if (cursor.kind !== 'end of input') cursor.unexpected('');
  return matchers;
}

/** Binding powers of the binary operators; all but `^` group to the left. */
const POWERS: ReadonlyMap<TokenKind, number> = new Map<TokenKind, number>([
  ['or', 1],
  ['and', 2],
  ['unless', 2],
  ['==', 3],
  ['!=', 3],
  ['<', 3],
  ['<=', 3],
  ['>', 3],
  ['>=', 3],
  ['</', 3],
  ['>/', 3],
  ['+', 4],
  ['-', 4],
  ['*', 5],
  ['/', 5],
  ['%', 5],
  ['atan2', 5],
  ['^', 6],
]);
const SIGN_POWER = 5;

const OPERAND_SIGNS: ReadonlySet<TokenKind> = new Set<TokenKind>(['number', 'duration', 'string', '(', '{', '-', '+']);

function canBeginOperand(kind: TokenKind): boolean {
  return OPERAND_SIGNS.has(kind) || canNameMetric(kind);
}

/** What errors about durations say was expected. */
const DURATION_WISH = 'number, duration, step(), or range()';
const STEP_WISH = 'number, duration, step(), range(), or "]"';

class Parser {
  readonly #cursor: TokenCursor;
  readonly #options: ParseOptions;
  /** What the tree does not keep but the type check needs. */
  readonly #notes = new Map<Binary, BinaryNote>();
  /** What an error that nothing else explains is said to be in: `aggregation` between its parentheses. */
  #within = '';
  /** The height of the tree built last. */
  #height = 0;

  constructor(text: string, options: ParseOptions) {
    this.#cursor = new TokenCursor(text);
    this.#options = options;
  }

  whole(): Expr {
    const cursor = this.#cursor;
    if (cursor.kind === 'end of input') cursor.fail('no expression found in input', { start: 0, end: 0 });
    const expr = this.#expression(0);
    if (cursor.kind !== 'end of input') this.#unexpected();
    checkTypes(expr, { text: cursor.text, notes: this.#notes });
    return expr;
  }

  // Operators.

  /** An expression of operators that bind more tightly than the given power. */
  #expression(power: number): Expr {
    const cursor = this.#cursor;
    cursor.enter();
    let left = this.#operand();
    for (;;) {
      const binding = POWERS.get(cursor.kind) ?? -1;
      if (binding <= power) break;
      left = this.#binary(left, binding);
    }
    cursor.leave();
    return left;
  }

  /** The operator that comes next with its modifiers and its right side. */
  #binary(left: Expr, power: number): Binary {
    const cursor = this.#cursor;
    const leftHeight = this.#height;
    const operator = cursor.next();
    const op = operator.kind as BinaryOp;
    const bool = cursor.take('bool') !== undefined;
    const written = this.#matching();
    // A power of one less takes in operators of the same power: `^` groups to the right.
    const right = this.#expression(op === '^' ? power - 1 : power);
    this.#grow(Math.max(leftHeight, this.#height));

    const pos = spanOf(left.pos, right.pos);
    if (!this.#options.fillModifiers && (written.fillLeft !== undefined || written.fillRight !== undefined)) {
      cursor.fail('binop fill modifiers are experimental and not enabled', pos);
    }
    const vectors = typeOf(left) === 'vector' && typeOf(right) === 'vector';
    const matching = vectors ? settle(written, op) : undefined;
    const node: Binary = { kind: 'binary', op, left, right, bool, matching, pos };
    this.#notes.set(node, { operator, matching: written });
    return node;
  }

  /** `on (…) group_left (…) fill_right (…)` and its like. */
  #matching(): VectorMatching {
    const cursor = this.#cursor;
    let matching: VectorMatching = { card: 'one-to-one', on: false, labels: [], include: [] };
    const which = cursor.take('on') ?? cursor.take('ignoring');
    if (which !== undefined) {
      matching = { ...matching, on: which.kind === 'on', labels: parseGrouping(cursor) };
      const group = cursor.take('group_left') ?? cursor.take('group_right');
      if (group !== undefined) {
        const card: Cardinality = group.kind === 'group_left' ? 'many-to-one' : 'one-to-many';
        // What can be neither labels nor an operand is told of as bad labels.
        const listed = cursor.kind === '(' || !canBeginOperand(cursor.kind);
        matching = { ...matching, card, include: listed ? parseGrouping(cursor) : [] };
      }
    }
    return { ...matching, ...this.#fill() };
  }

  #fill(): Pick<VectorMatching, 'fillLeft' | 'fillRight'> {
    const cursor = this.#cursor;
    if (cursor.take('fill')) {
      const value = this.#fillValue();
      return { fillLeft: value, fillRight: value };
    }
    if (cursor.take('fill_left')) {
      const fillLeft = this.#fillValue();
      return { fillLeft, fillRight: cursor.take('fill_right') ? this.#fillValue() : undefined };
    }
    if (cursor.take('fill_right')) {
      const fillRight = this.#fillValue();
      return { fillLeft: cursor.take('fill_left') ? this.#fillValue() : undefined, fillRight };
    }
    return {};
  }

  #fillValue(): number {
    this.#expect('(');
    const value = this.#signedNumber();
    if (value === undefined) this.#unexpected();
    this.#expect(')');
    return value;
  }

  #signedNumber(): number | undefined {
    const cursor = this.#cursor;
    const sign = cursor.take('-') ?? cursor.take('+');
    if (cursor.kind !== 'number' && cursor.kind !== 'duration') return undefined;
    const { value } = parseNumber(cursor);
    return sign?.kind === '-' ? -value : value;
  }

  // Operands.

  #operand(): Expr {
    const sign = this.#cursor.take('-') ?? this.#cursor.take('+');
    return sign === undefined ? this.#modified(this.#primary()) : this.#signed(sign);
  }

  /** A sign is folded into a number. */
  #signed(sign: Token): Expr {
    const expr = this.#expression(SIGN_POWER);
    const pos = spanOf(sign, expr.pos);
    const op = sign.kind as '+' | '-';
    if (expr.kind === 'number') return { ...expr, value: op === '-' ? -expr.value : expr.value, pos };
    this.#grow(this.#height);
    return { kind: 'unary', op, expr, pos };
  }

  #primary(): Expr {
    const cursor = this.#cursor;
    const { kind } = cursor;
    this.#height = 1;
    if (kind === 'number' || kind === 'duration') return parseNumber(cursor);
    if (kind === 'string') {
      const token = cursor.next();
      return { kind: 'string', value: stringValue(cursor.textOf(token)), pos: spanOf(token, token) };
    }
    if (kind === '(') return this.#parenthesised();
    if (isAggregate(kind) && AGGREGATION_FOLLOWS.has(cursor.followingKind)) return this.#aggregate();
    if (CALL_NAMES.has(kind) && cursor.followingKind === '(') return this.#call();
    if (kind === '{' || canNameMetric(kind)) return parseVectorSelector(cursor);
    return this.#unexpected();
  }

  #parenthesised(): Expr {
    const open = this.#cursor.next();
    const expr = this.#expression(0);
    this.#grow(this.#height);
    return { kind: 'paren', expr, pos: spanOf(open, this.#expect(')')) };
  }

  #call(): Call {
    const cursor: TokenCursor = this.#cursor;
    const token = cursor.next();
    const fn = cursor.textOf(token);
    const args = this.#args();
    const signature = functionOf(fn);
    if (signature === undefined) cursor.fail(`unknown function with name ${quote(fn)}`, token);
    if (signature.experimental && !this.#options.experimentalFunctions) {
      cursor.fail(`function ${quote(fn)} is not enabled`, token);
    }
    return { kind: 'call', fn, args, pos: { start: token.start, end: cursor.end } };
  }

  /** `(a, b)` */
  #args(): Expr[] {
    const cursor = this.#cursor;
    const args: Expr[] = [];
    let height = 0;
    this.#expect('(');
    if (cursor.kind !== ')') {
      for (;;) {
        args.push(this.#expression(0));
        height = Math.max(height, this.#height);
        const comma = cursor.take(',');
        if (comma === undefined) break;
        if (!startsExpression(cursor.kind)) cursor.fail('trailing commas not allowed in function call args', comma);
      }
    }
    this.#expect(')');
    this.#grow(height);
    return args;
  }

  /** `sum by (a) (…)` or `sum (…) by (a)` */
  #aggregate(): Aggregate {
    const cursor = this.#cursor;
    const outer = this.#within;
    this.#within = 'aggregation';
    const token = cursor.next();
    const before = this.#grouping();
    const args = this.#args();
    const { grouping, without } = before ?? this.#grouping() ?? { grouping: [], without: false };
    this.#within = outer;

    const pos = { start: token.start, end: cursor.end };
    const op = token.kind as AggregateOp;
    if (args.length === 0) cursor.fail('no arguments for aggregate expression provided', pos);
    if (EXPERIMENTAL_AGGREGATES.has(op) && !this.#options.experimentalFunctions) {
      cursor.fail(
        `${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
        pos,
      );
    }
    const wanted = PARAM_AGGREGATES.has(op) ? 2 : 1;
    if (args.length !== wanted) {
      const counts = `expected ${wanted}, got ${args.length}`;
      cursor.fail(`wrong number of arguments for aggregate expression provided, ${counts}`, pos);
    }
    const param = wanted === 2 ? args[0] : undefined;
    return { kind: 'aggregate', op, expr: args[wanted - 1]!, param, grouping, without, pos };
  }

  #grouping(): { grouping: readonly string[]; without: boolean } | undefined {
    const which = this.#cursor.take('by') ?? this.#cursor.take('without');
    return which && { grouping: parseGrouping(this.#cursor), without: which.kind === 'without' };
  }

  // What may follow an operand.

  #modified(expr: Expr): Expr {
    const cursor = this.#cursor;
    for (;;) {
      switch (cursor.kind) {
        case '[':
          expr = this.#range(expr);
          break;
        case 'offset':
          expr = this.#offset(expr);
          break;
        case '@':
          expr = this.#at(expr);
          break;
        case 'anchored':
        case 'smoothed':
          expr = this.#extended(expr, cursor.kind);
          break;
        default:
          return expr;
      }
    }
  }

  /** `[5m]` makes a range selector, `[1h:1m]` or `[1h:]` a subquery. */
  #range(expr: Expr): Expr {
    const cursor = this.#cursor;
    const open = cursor.next();
    const range = this.#duration('subquery or range selector', DURATION_WISH).positive();
    const close = cursor.take(']');
    if (close !== undefined) {
      const vector = this.#rangeable(expr, { start: open.start, end: close.end });
      this.#grow(this.#height);
      return { kind: 'matrixSelector', vector, range, pos: spanOf(expr.pos, close) };
    }
    if (!cursor.take(':')) cursor.unexpected('subquery or range', '":" or "]"');
    const step = cursor.kind === ']' ? 0 : this.#duration('subquery selector', STEP_WISH).positive();
    const end = cursor.take(']') ?? cursor.unexpected('subquery selector', '"]"');
    this.#grow(this.#height);
    return { kind: 'subquery', expr, range, step, offset: 0, pos: spanOf(expr.pos, end) };
  }

  #rangeable(expr: Expr, brackets: { start: number; end: number }): VectorSelector {
    const cursor = this.#cursor;
    if (expr.kind !== 'vectorSelector') return cursor.fail('ranges only allowed for vector selectors', brackets);
    // Prometheus does not look at arithmetic here: `a offset (5m * 2) [1h]` is `a[1h] offset (5m * 2)`.
    if (literalMs(expr.offset)) cursor.fail('no offset modifiers allowed before range', brackets);
    // Nor at `@ start()`.
    if (expr.at?.kind === 'time') cursor.fail('no @ modifiers allowed before range', brackets);
    return expr;
  }

  #offset(expr: Expr): Expr {
    const cursor = this.#cursor;
    cursor.next();
    const offset = this.#duration('offset', DURATION_WISH).offset();
    const before = timingOf(expr);
    if (before === undefined) return cursor.fail(`offset ${MISPLACED}`, expr.pos);
    if (literalMs(before.offset) !== 0) cursor.fail('offset may not be set multiple times', expr.pos);
    return withTiming(expr, { ...before, offset }, cursor.end);
  }

  #at(expr: Expr): Expr {
    const cursor = this.#cursor;
    cursor.next();
    const at = this.#atTime(expr);
    const before = timingOf(expr);
    if (before === undefined) return cursor.fail(`@ ${MISPLACED}`, expr.pos);
    if (before.at !== undefined) cursor.fail('@ <timestamp> may not be set multiple times', expr.pos);
    return withTiming(expr, { ...before, at }, cursor.end);
  }

  #atTime(expr: Expr): At {
    const cursor = this.#cursor;
    const word = cursor.take('start') ?? cursor.take('end');
    if (word !== undefined) {
      if (!cursor.take('(') || !cursor.take(')')) cursor.unexpected('@', 'timestamp');
      return { kind: word.kind as 'start' | 'end' };
    }
    const seconds = this.#signedNumber() ?? cursor.unexpected('@', 'timestamp');
    // Beyond 64 bits even as seconds.
    if (!(Math.abs(seconds) < 2 ** 63)) {
      cursor.fail(`timestamp out of bounds for @ modifier: ${formatFixed(seconds)}`, expr.pos);
    }
    return { kind: 'time', timeMs: Math.sign(seconds) * Math.round(Math.abs(seconds) * 1000) };
  }

  #extended(expr: Expr, modifier: 'anchored' | 'smoothed'): Expr {
    const cursor = this.#cursor;
    cursor.next();
    const fail = (reason: string) => cursor.fail(reason, expr.pos);
    if (!this.#options.extendedRangeSelectors) return fail(`${modifier} modifier is experimental and not enabled`);
    if (expr.kind === 'subquery') return fail(`${modifier} modifier is not supported for subqueries`);
    if (expr.kind !== 'vectorSelector' && expr.kind !== 'matrixSelector') {
      return fail(`${modifier} modifier not implemented`);
    }
    const before = expr.kind === 'matrixSelector' ? expr.vector : expr;
    const vector = { ...before, [modifier]: true };
    if (vector.anchored && vector.smoothed) fail('anchored and smoothed modifiers cannot be used together');
    const pos = { start: expr.pos.start, end: cursor.end };
    return expr.kind === 'matrixSelector' ? { ...expr, vector, pos } : { ...vector, pos };
  }

  // Tools.

  #duration(within: string, expected: string): DurationParser {
    return new DurationParser(this.#cursor, { within, expected }, this.#options.durationExpressions);
  }

  #expect(kind: TokenKind): Token {
    return this.#cursor.take(kind) ?? this.#unexpected();
  }

  #unexpected(): never {
    this.#cursor.unexpected(this.#within);
  }

  /** Notes a node above a tree of the given height. */
  #grow(height: number): void {
    this.#height = height + 1;
    this.#cursor.limitHeight(this.#height);
  }
}

const MISPLACED = 'modifier must be preceded by an instant vector selector or range vector selector or a subquery';

const AGGREGATION_FOLLOWS: ReadonlySet<TokenKind> = new Set<TokenKind>(['(', 'by', 'without']);

/** Names of functions, some of which are keywords elsewhere. */
const CALL_NAMES: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'identifier',
  'start',
  'end',
  'step',
  'range',
  'min_of',
  'max_of',
]);

const EXPERIMENTAL_AGGREGATES: ReadonlySet<AggregateOp> = new Set<AggregateOp>(['limitk', 'limit_ratio']);

const EXPRESSION_SIGNS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'number',
  'duration',
  'string',
  '(',
  '{',
  '+',
  '-',
]);

function startsExpression(kind: TokenKind): boolean {
  return EXPRESSION_SIGNS.has(kind) || canNameMetric(kind);
}

/** A set operator takes all pairs. */
function settle(written: VectorMatching, op: BinaryOp): VectorMatching {
  return isSetOp(op) && written.card === 'one-to-one' ? { ...written, card: 'many-to-many' } : written;
}

interface Timing {
  readonly offset: Duration;
  readonly at?: At;
}

/** The offset and `@` of what can have them; those of a range are its selector's. */
function timingOf(expr: Expr): Timing | undefined {
  switch (expr.kind) {
    case 'vectorSelector':
    case 'subquery':
      return { offset: expr.offset, at: expr.at };
    case 'matrixSelector':
      return { offset: expr.vector.offset, at: expr.vector.at };
    default:
      return undefined;
  }
}

function withTiming(expr: Expr, timing: Timing, end: number): Expr {
  const pos = { start: expr.pos.start, end };
  switch (expr.kind) {
    case 'vectorSelector':
    case 'subquery':
      return { ...expr, ...timing, pos };
    case 'matrixSelector':
      return { ...expr, vector: { ...expr.vector, ...timing }, pos };
    default:
      return expr;
  }
}

/** Go's %f. */
function formatFixed(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return `${BigInt(Math.trunc(value))}.000000`;
}
