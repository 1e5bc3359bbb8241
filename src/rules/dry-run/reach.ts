// How far back an expression looks.

import { childrenOf, type Duration, type Expr } from '../../promql/syntax/ast.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../promql/syntax/parse.js';

/** At most so many ms, with the lookback of plain selectors; Infinity where that depends on the query. */
export function reachOf(expr: string, lookbackMs: number): number {
  return lookbackMs + reachOfTree(parseExpr(expr, ALL_PARSE_OPTIONS));
}

/** Ranges and offsets of nodes inside each other add up. */
function reachOfTree(expr: Expr): number {
  return ownReach(expr) + Math.max(0, ...childrenOf(expr).map(reachOfTree));
}

function ownReach(expr: Expr): number {
  switch (expr.kind) {
    case 'vectorSelector':
      return expr.at === undefined ? lengthOf(expr.offset) : Number.POSITIVE_INFINITY;
    case 'matrixSelector':
      return lengthOf(expr.range);
    case 'subquery':
      return expr.at === undefined ? lengthOf(expr.range) + lengthOf(expr.offset) : Number.POSITIVE_INFINITY;
    default:
      return 0;
  }
}

function lengthOf(duration: Duration): number {
  return typeof duration === 'number' ? Math.max(0, duration) : Number.POSITIVE_INFINITY;
}
