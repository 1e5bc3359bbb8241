// Common parts: fragments that read the same get one number, and are then read once.
//
// Fragments are where a query's cost is; what stands above them stays as written,
// because its annotations carry positions.

import { type FragmentPlan, mapChildren, type Plan } from './plan.js';
import { planText } from './text.js';

export function shareFragments(plan: Plan): Plan {
  const seen = new Map<string, number>();
  const count = (node: Plan): Plan => {
    if (node.kind === 'fragment') seen.set(planText(node), (seen.get(planText(node)) ?? 0) + 1);
    return mapChildren(node, count);
  };
  count(plan);
  const numbers = new Map<string, number>();
  for (const [text, times] of seen) if (times > 1) numbers.set(text, numbers.size + 1);
  if (numbers.size === 0) return plan;

  const mark = (node: Plan): Plan => {
    if (node.kind !== 'fragment') return mapChildren(node, mark);
    const shared = numbers.get(planText(node));
    return shared === undefined ? node : ({ ...node, shared } satisfies FragmentPlan);
  };
  return mark(plan);
}
