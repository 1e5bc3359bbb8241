// Trees of PromQL for comparison.

import { formatMatcher, type Matcher } from '../../src/model/matcher.js';
import type { Expr } from '../../src/promql/syntax/ast.js';

/** A tree as far as its text says it: without positions, matchers sorted, no plus that is not printed. */
export function shapeOf(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, value) => {
      if (key === 'pos') return undefined;
      if (key === 'matchers') return (value as Matcher[]).map(formatMatcher).sort();
      if (value?.kind === 'durationUnary' && value.op === '+' && !value.wrapped) return value.operand;
      // JSON has no NaN and no infinities.
      return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
    }),
  );
}
