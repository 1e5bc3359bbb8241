// Step-invariant parts: what `@` pins to one time is evaluated once, at the highest
// place in the tree where all below it is pinned.

import { mapChildren, type Plan, type RangePlan } from './plan.js';

/** Calls whose result depends on the evaluation time even where their arguments do not. */
const TIMED_CALLS: ReadonlySet<string> = new Set([
  'time',
  'timestamp',
  'start_timestamp',
  'minute',
  'hour',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'days_in_month',
  'month',
  'year',
]);

export function wrapInvariant(plan: Plan): Plan {
  return isInvariant(plan) ? once(wrapInside(plan)) : mapChildren(plan, wrapInvariant);
}

/** Inside an invariant part only subqueries' inputs are evaluated at several steps again. */
function wrapInside(plan: Plan): Plan {
  const isRange = (plan.kind === 'window' || plan.kind === 'matrix') && plan.range.kind === 'subquery';
  if (!isRange) return mapChildren(plan, wrapInside);
  return { ...plan, range: { ...plan.range, input: wrapInvariant(plan.range.input) } } as Plan;
}

function once(plan: Plan): Plan {
  switch (plan.kind) {
    case 'number':
    case 'string':
    case 'matrix':
      return plan;
    default:
      return { kind: 'once', input: plan, pos: plan.pos };
  }
}

function isInvariant(plan: Plan): boolean {
  switch (plan.kind) {
    case 'number':
    case 'string':
      return true;
    case 'fragment':
    case 'smoothed':
      return plan.selection.atMs !== undefined;
    case 'matrix':
      return rangeIsInvariant(plan.range);
    case 'window':
      return plan.fn !== 'predict_linear' && rangeIsInvariant(plan.range) && plan.args.every(isInvariant);
    case 'call':
      if (TIMED_CALLS.has(plan.fn)) return false;
      if (plan.info !== undefined && plan.info.atMs === undefined) return false;
      return plan.args.every(isInvariant);
    case 'aggregate':
      // Whatever the parameter does: in Prometheus, topk(scalar(k), x @ 10) has the k of the first step at all steps.
      return isInvariant(plan.input);
    case 'binary':
      return isInvariant(plan.left) && isInvariant(plan.right);
    case 'negate':
    case 'once':
      return isInvariant(plan.input);
  }
}

function rangeIsInvariant(range: RangePlan): boolean {
  return (range.kind === 'raw' ? range.selection.atMs : range.atMs) !== undefined;
}
