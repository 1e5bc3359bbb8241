// Sums over shards may differ in their last digit, and what is above them may make much of that: 2.9999999999999996
// and 3 have other floors.

import { childrenOf, type Expr, type Subquery } from '../../../../src/promql/syntax/ast.js';
import { compareReplies, type Rules } from './compare.js';
import { alone, type Placed, textOf } from './parts.js';
import { type Answerer, askQuestion, type Question } from './question.js';

/** Aggregations that round, in an order that is free. */
export const SUMS = new Set(['sum', 'avg', 'stddev', 'stdvar']);
const JUMPS_BINARY = new Set(['%', '==', '!=', '<', '<=', '>', '>=']);
const JUMPS_AGGREGATE = new Set(['count_values', 'topk', 'bottomk', 'quantile']);
const JUMPS_CALL = new Set('ceil floor round sgn changes resets'.split(' '));

/** Whether a sum, below something that makes much of its last digit (2.9999999999999996 or 3), has another one. */
export async function magnifiesLastDigits(
  question: Question,
  root: Expr,
  sources: readonly Answerer[],
  rules: Rules,
): Promise<boolean> {
  for (const { expr, around } of sumsBelowJumps(root)) {
    for (const asked of alone(question, textOf(question, expr), around)) {
      const [a, b] = await Promise.all(sources.map((source) => askQuestion(source, asked)));
      const isClose = compareReplies(a!, b!, rules) === undefined;
      if (isClose && compareReplies(a!, b!, { ...rules, tolerance: 0 }) !== undefined) return true;
    }
  }
  return false;
}

function sumsBelowJumps(expr: Expr, around: readonly Subquery[] = [], below = false): Placed[] {
  const isSum = expr.kind === 'aggregate' && SUMS.has(expr.op);
  const inside = expr.kind === 'subquery' ? [...around, expr] : around;
  const children = childrenOf(expr).flatMap((child) => sumsBelowJumps(child, inside, below || jumps(expr)));
  return isSum && below ? [{ expr, around }, ...children] : children;
}

function jumps(node: Expr): boolean {
  if (node.kind === 'binary') return JUMPS_BINARY.has(node.op);
  if (node.kind === 'aggregate') return JUMPS_AGGREGATE.has(node.op);
  return node.kind === 'call' && JUMPS_CALL.has(node.fn);
}
