// Trees of PromQL for comparison.

import { formatMatcher, type Matcher } from '../../src/model/matcher.js';
import type { Expr } from '../../src/promql/syntax/ast.js';

/** A tree as far as it means something: without positions and parentheses in durations, matchers sorted. */
export function shapeOf(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, value) => {
      if (key === 'pos' || key === 'wrapped') return undefined;
      if (key === 'matchers') return (value as Matcher[]).map(formatMatcher).sort();
      while (value?.kind === 'durationUnary' && value.op === '+') value = value.operand;
      // JSON has no NaN and no infinities.
      return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
    }),
  );
}
