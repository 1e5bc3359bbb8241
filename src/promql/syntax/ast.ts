// The syntax tree of PromQL: what the text says, nothing about how it is answered.
//
// Every node has a `kind` to switch on and a `pos`. The tree is immutable: passes
// build new nodes. A vector selector inside a range is a child of its own; the
// offset and the `@` of `m[5m] offset 1h @ 0` belong to that inner selector, as in
// Prometheus.
//
//   rate(m{job="a"}[5m] offset 1h)
//   └ call ── matrixSelector(range 300000) ── vectorSelector(offset 3600000)
//
// The tree may be deep on its left side only: a chain `a + b + c …` nests once per
// operator, up to TREE_HEIGHT_MAX in limits.ts; everything else nests at most
// NESTING_MAX deep.

import type { Matcher } from '../../model/matcher.js';
import { functionOf } from '../functions.js';

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

/** A stretch of the query text in UTF-16 units, `start` included, `end` excluded. See errors.ts for line and column. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOp = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type SetOp = 'and' | 'or' | 'unless';
/** Cut a native histogram above (`</`) or below (`>/`) a value. */
export type TrimOp = '</' | '>/';
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp;

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio';

export interface NumberLiteral {
  readonly kind: 'number';
  /** For a duration its seconds: `5m` is 300. A sign in front is folded in. */
  readonly value: number;
  /** Written as a duration, and printed as one. */
  readonly duration: boolean;
  readonly pos: Span;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly value: string;
  readonly pos: Span;
}

// Durations. Between brackets and after `offset` there may be arithmetic over
// seconds, whose `step()` and `range()` are known only when the query runs.

export interface DurationUnary {
  readonly kind: 'durationUnary';
  /** `+` says nothing; Prometheus's tree has it for a number in parentheses. */
  readonly op: '-' | '+';
  readonly operand: DurationNode;
  /** Written in parentheses of its own. */
  readonly wrapped: boolean;
  readonly pos: Span;
}

export interface DurationBinary {
  readonly kind: 'durationBinary';
  readonly op: '+' | '-' | '*' | '/' | '%' | '^';
  readonly left: DurationNode;
  readonly right: DurationNode;
  readonly wrapped: boolean;
  readonly pos: Span;
}

export interface DurationCall {
  readonly kind: 'durationCall';
  /** The query's step; its range (end - start); the smaller or the larger of two durations. All in seconds. */
  readonly fn: 'step' | 'range' | 'min_of' | 'max_of';
  /** Two for min_of and max_of, none for the others. */
  readonly args: readonly DurationNode[];
  readonly wrapped: boolean;
  readonly pos: Span;
}

export type DurationExpr = DurationUnary | DurationBinary | DurationCall;
export type DurationNode = NumberLiteral | DurationExpr;

/** Whole milliseconds, or arithmetic that gives seconds once step and range are known. */
export type Duration = number | DurationExpr;

/** The `@` modifier. */
export type At =
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

export interface VectorSelector {
  readonly kind: 'vectorSelector';
  /** The name before the braces; empty where there is none. A quoted one inside them is a matcher only. */
  readonly name: string;
  /** All conditions in written order; the one for a name before the braces (`__name__="…"`) comes last. */
  readonly matchers: readonly Matcher[];
  /** 0 where there is none; negative looks ahead. */
  readonly offset: Duration;
  readonly at?: At;
  readonly anchored: boolean;
  readonly smoothed: boolean;
  readonly pos: Span;
}

export interface MatrixSelector {
  readonly kind: 'matrixSelector';
  readonly vector: VectorSelector;
  readonly range: Duration;
  readonly pos: Span;
}

export interface Subquery {
  readonly kind: 'subquery';
  readonly expr: Expr;
  readonly range: Duration;
  /** 0 where not given: the server's default evaluation interval. */
  readonly step: Duration;
  readonly offset: Duration;
  readonly at?: At;
  readonly pos: Span;
}

export interface Call {
  readonly kind: 'call';
  /** A name of the table in functions.ts. */
  readonly fn: string;
  readonly args: readonly Expr[];
  readonly pos: Span;
}

export interface Aggregate {
  readonly kind: 'aggregate';
  readonly op: AggregateOp;
  readonly expr: Expr;
  /** k, φ, ratio or the label's name: only of the operators in PARAM_AGGREGATES. */
  readonly param?: Expr;
  readonly grouping: readonly string[];
  /** Whether `grouping` names the labels to drop rather than those to keep. */
  readonly without: boolean;
  readonly pos: Span;
}

export type Cardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

/** How the elements of two vectors find each other. */
export interface VectorMatching {
  /** `group_left` is many-to-one, `group_right` one-to-many, a set operator many-to-many. */
  readonly card: Cardinality;
  /** `on(labels)`, otherwise `ignoring(labels)`; with neither written, ignoring nothing. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** The labels that `group_left(…)` or `group_right(…)` copies from the "one" side. */
  readonly include: readonly string[];
  /** What a missing left or right element counts as. */
  readonly fillLeft?: number;
  readonly fillRight?: number;
}

export interface Binary {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly left: Expr;
  readonly right: Expr;
  /** Of a comparison: give 0 or 1 instead of filtering. */
  readonly bool: boolean;
  /** There exactly where both sides are vectors. */
  readonly matching?: VectorMatching;
  readonly pos: Span;
}

export interface Unary {
  readonly kind: 'unary';
  readonly op: '+' | '-';
  readonly expr: Expr;
  readonly pos: Span;
}

export interface Paren {
  readonly kind: 'paren';
  readonly expr: Expr;
  readonly pos: Span;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregate
  | Binary
  | Unary
  | Paren;

/** The type of an expression that has passed the type check. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'vectorSelector':
    case 'aggregate':
      return 'vector';
    case 'matrixSelector':
    case 'subquery':
      return 'matrix';
    case 'call':
      return functionOf(expr.fn)?.returns ?? 'vector';
    case 'binary':
      return expr.matching === undefined && typeOfChain(expr) === 'scalar' ? 'scalar' : 'vector';
    case 'unary':
    case 'paren':
      return typeOf(expr.expr);
  }
}

/** A chain is a scalar if all of its operands are. Walks down the left side in a loop, since that may be deep. */
function typeOfChain(chain: Binary): ValueType {
  let left: Expr = chain;
  while (left.kind === 'binary') {
    if (typeOf(left.right) !== 'scalar') return 'vector';
    left = left.left;
  }
  return typeOf(left) === 'scalar' ? 'scalar' : 'vector';
}

/** The expressions right below a node, in written order. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vectorSelector':
      return [];
    case 'matrixSelector':
      return [expr.vector];
    case 'subquery':
    case 'unary':
    case 'paren':
      return [expr.expr];
    case 'call':
      return expr.args;
    case 'aggregate':
      return expr.param === undefined ? [expr.expr] : [expr.param, expr.expr];
    case 'binary':
      return [expr.left, expr.right];
  }
}

export const COMPARISON_OPS: ReadonlySet<BinaryOp> = new Set<BinaryOp>(['==', '!=', '<', '<=', '>', '>=']);
export const SET_OPS: ReadonlySet<BinaryOp> = new Set<BinaryOp>(['and', 'or', 'unless']);

/** The aggregations whose first argument is a parameter. */
export const PARAM_AGGREGATES: ReadonlySet<AggregateOp> = new Set<AggregateOp>([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
]);

export function isComparison(op: BinaryOp): op is ComparisonOp {
  return COMPARISON_OPS.has(op);
}

export function isSetOp(op: BinaryOp): op is SetOp {
  return SET_OPS.has(op);
}
