// A query with `@ T` put on every selector and subquery that has no `@` yet: evaluated
// at any time, it must give what the query itself gives at T.

import { childrenOf, type Expr, type MatrixSelector, type VectorSelector } from '../../../src/promql/syntax/ast.js';
import { format } from '../../../src/promql/syntax/format.js';

/** Results of these depend on the time of evaluation, or on times of samples. */
const TIMED = new Set([
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'days_in_month',
  'hour',
  'minute',
  'month',
  'year',
  'time',
  'timestamp',
  'predict_linear',
  'start',
  'end',
  'step',
  'range',
]);

const CONTEXT = new Set(['start', 'end', 'step', 'range']);

export function isTimed(expr: Expr): boolean {
  return callsAny(expr, TIMED);
}

/** Whether the query asks for its own start, end, step or range. */
export function asksForContext(expr: Expr): boolean {
  return callsAny(expr, CONTEXT) || /\b(step|range)\(\)/.test(format(expr)) || /@ (start|end)\(\)/.test(format(expr));
}

function callsAny(expr: Expr, names: ReadonlySet<string>): boolean {
  if (expr.kind === 'call' && names.has(expr.fn)) return true;
  return childrenOf(expr).some((child) => callsAny(child, names));
}

export function atForm(expr: Expr, timeMs: number): string {
  return format(pin(expr, timeMs));
}

function pin(expr: Expr, timeMs: number): Expr {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr;
    case 'vectorSelector':
      return pinSelector(expr, timeMs);
    case 'matrixSelector':
      return { ...expr, vector: pinSelector(expr.vector, timeMs) } satisfies MatrixSelector;
    case 'subquery':
      // What is inside of a pinned subquery is evaluated at the subquery's own steps.
      return expr.at === undefined ? { ...expr, at: { kind: 'time', timeMs } } : expr;
    case 'paren':
    case 'unary':
      return { ...expr, expr: pin(expr.expr, timeMs) };
    case 'binary':
      return { ...expr, left: pin(expr.left, timeMs), right: pin(expr.right, timeMs) };
    case 'call':
      return { ...expr, args: expr.args.map((arg) => pin(arg, timeMs)) };
    case 'aggregate':
      return { ...expr, expr: pin(expr.expr, timeMs), ...(expr.param && { param: pin(expr.param, timeMs) }) };
  }
}

function pinSelector(selector: VectorSelector, timeMs: number): VectorSelector {
  return selector.at === undefined ? { ...selector, at: { kind: 'time', timeMs } } : selector;
}
