// What comes of comparing two replies, and by which rules.

import type { Expr } from '../../../../src/promql/syntax/ast.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../../src/promql/syntax/parse.js';
import type { Rules } from './compare.js';
import { isOfLibrary, isSum } from './last-digits.js';
import { partsOf } from './parts.js';
import type { Answerer, Question } from './question.js';
import type { Circumstances } from './stability.js';
import { annotationInCommon, errorInCommon, isNewRemark, isOneOfMany } from './words.js';

/** Relative; where summing in another order, or another library of functions, may show. */
export const CLOSE = 1e-12;

export type Verdict =
  | { readonly kind: 'same' }
  /** By the name of a known difference, or `order`. */
  | { readonly kind: 'explained'; readonly by: string }
  | { readonly kind: 'different'; readonly problem: string };

/** Who can be asked more, to find out what is behind a difference. */
export interface Compared {
  readonly peer: Answerer;
  readonly ours: Answerer;
  readonly delayedNames: boolean;
  readonly stability: Circumstances;
  /** The peer reads the buckets of all histograms, where 3.5 by itself does not. */
  readonly readsBuckets?: boolean;
}

/** What may differ between Prometheus and us. */
export function rulesFor(question: Question, expr = parsed(question.text)): Rules {
  return {
    tolerance: expr !== undefined && isExact(expr) ? 0 : CLOSE,
    ordered: expr !== undefined && asksForOrder(expr),
    annotation: annotationInCommon(question),
    error: (text) => errorInCommon(text, question.text),
    isNewRemark,
    isOneOfMany: isOneOfMany(question),
  };
}

/** undefined where it cannot be. */
export function parsed(text: string): Expr | undefined {
  try {
    return parseExpr(text, ALL_PARSE_OPTIONS);
  } catch {
    return undefined;
  }
}

/** Whether nothing in it depends on the order of series or on a library's last digit. */
function isExact(expr: Expr): boolean {
  return partsOf(expr).every(({ expr: node }) => {
    if (node.kind === 'binary') return node.op !== '^' && node.op !== 'atan2';
    return !isSum(node) && !isOfLibrary(node);
  });
}

function asksForOrder(expr: Expr): boolean {
  if (expr.kind === 'paren') return asksForOrder(expr.expr);
  if (expr.kind === 'aggregate') return expr.op === 'topk' || expr.op === 'bottomk';
  return expr.kind === 'call' && expr.fn.startsWith('sort');
}
