// Parts of a question: what the servers are asked about again, alone, to find out what is
// behind a difference.

import { childrenOf, type Expr, type Subquery } from '../../../../src/promql/syntax/ast.js';
import type { Question } from './question.js';

/** An expression, and the subqueries that it is in, outermost first. */
export interface Placed {
  readonly expr: Expr;
  readonly around: readonly Subquery[];
}

/** All parts of an expression, each in front of what it is part of. */
export function partsOf(expr: Expr, around: readonly Subquery[] = []): Placed[] {
  const inside = expr.kind === 'subquery' ? [...around, expr] : around;
  return [...childrenOf(expr).flatMap((child) => partsOf(child, inside)), { expr, around }];
}

export function textOf(question: Question, { pos }: Expr): string {
  return question.text.slice(pos.start, pos.end);
}

/** Questions about a part alone, at the times at which the subqueries `around` it ask for it, as far as an instant query can. */
export function alone(question: Question, text: string, around: readonly Subquery[]): Question[] {
  if (around.length === 0) return [{ ...question, text }];
  const wrapped = around.reduceRight((inner, subquery, i) => {
    const suffix = question.text.slice(subquery.expr.pos.end, subquery.pos.end).replace(/^[^[]*/, '');
    return i === around.length - 1 ? `(${inner})${suffix}` : `(last_over_time(${inner}))${suffix}`;
  }, text);
  return [question.startMs, question.endMs].map((timeMs) => {
    return { ...question, text: wrapped, startMs: timeMs, endMs: timeMs, stepMs: 0 };
  });
}
