// Sums over shards, and functions of another library, may differ in their last digit, and what is above them may make
// much of that: 2.9999999999999996 and 3 have other floors.

import { childrenOf, type Expr, type Subquery } from '../../../../src/promql/syntax/ast.js';
import { compareReplies, type Rules } from './compare.js';
import { alone, type Placed, textOf } from './parts.js';
import { type Answerer, askQuestion, type Question } from './question.js';

/** Aggregations that round, in an order that is free. */
const SUMS = new Set(['sum', 'avg', 'stddev', 'stdvar']);
/** Functions whose last digit is the library's. */
const LIBRARY = new Set(
  'acos acosh asin asinh atan atanh cos cosh exp ln log10 log2 sin sinh tan tanh histogram_quantile histogram_stddev histogram_stdvar'.split(
    ' ',
  ),
);
const JUMPS_BINARY = new Set(['%', '==', '!=', '<', '<=', '>', '>=']);
const JUMPS_AGGREGATE = new Set(['count_values', 'topk', 'bottomk', 'quantile']);
const JUMPS_CALL = new Set('ceil floor round sgn changes resets'.split(' '));

export function isSum(expr: Expr): boolean {
  return expr.kind === 'aggregate' && SUMS.has(expr.op);
}

export function isOfLibrary(expr: Expr): boolean {
  return expr.kind === 'call' && LIBRARY.has(expr.fn);
}

/**
 * Whether what `rounds`, below something that makes much of its last digit (2.9999999999999996 or 3), has another one in
 * another source.
 */
export async function magnifiesLastDigits(
  question: Question,
  root: Expr,
  sources: readonly Answerer[],
  rules: Rules,
  rounds: (expr: Expr) => boolean,
): Promise<boolean> {
  for (const { expr, around } of belowJumps(root, rounds)) {
    for (const asked of alone(question, textOf(question, expr), around)) {
      const [a, b] = await Promise.all(sources.map((source) => askQuestion(source, asked)));
      if (compareReplies(a!, b!, { ...rules, tolerance: 0 }) === undefined) continue;
      if (compareReplies(a!, b!, rules) === undefined) return true;
      // A sum of what is nearly the same, or nearly nothing, is close beside what it is made of.
      const scaled = { ...asked, text: besideItsParts(question, expr, asked.text) };
      const [x, y] = await Promise.all(sources.map((source) => askQuestion(source, scaled)));
      if (x!.body.status === 'success' && compareReplies(x!, y!, rules) === undefined) return true;
    }
  }
  return false;
}

/** Plus the largest number that it is made of; its square, where it is a sum of squares. */
function besideItsParts(question: Question, expr: Expr, text: string): string {
  if (expr.kind !== 'aggregate') return text;
  const largest = `scalar(max(abs(${textOf(question, expr.expr)})))`;
  return `${text} + ${largest}${expr.op === 'stdvar' ? '^2' : ''}`;
}

function belowJumps(
  expr: Expr,
  rounds: (expr: Expr) => boolean,
  around: readonly Subquery[] = [],
  below = false,
): Placed[] {
  const inside = expr.kind === 'subquery' ? [...around, expr] : around;
  const isBelow = below || jumps(expr);
  const children = childrenOf(expr).flatMap((child) => belowJumps(child, rounds, inside, isBelow));
  return below && rounds(expr) ? [{ expr, around }, ...children] : children;
}

function jumps(node: Expr): boolean {
  if (node.kind === 'binary') return JUMPS_BINARY.has(node.op);
  if (node.kind === 'aggregate') return JUMPS_AGGREGATE.has(node.op);
  return node.kind === 'call' && JUMPS_CALL.has(node.fn);
}
