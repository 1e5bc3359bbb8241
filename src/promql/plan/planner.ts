// From a checked syntax tree to the plan that is executed, pass by pass.

import type { Expr } from '../syntax/ast.js';
import { foldConstants } from './fold.js';
import { markHistogramStats } from './histogram-stats.js';
import { wrapInvariant } from './invariant.js';
import { lower, type PlanContext } from './lower.js';
import type { Plan } from './plan.js';
import { pushDown } from './pushdown.js';
import { sharePlans } from './share.js';
import { planTree } from './text.js';

interface Pass {
  readonly name: string;
  readonly run: (plan: Plan, context: PlanContext) => Plan;
}

/** In this order: pushing down wants constants folded, and sharing compares what was pushed down. */
const PASSES: readonly Pass[] = [
  { name: 'fold constants', run: foldConstants },
  { name: 'push down', run: (plan, context) => pushDown(plan, context) },
  { name: 'histogram statistics', run: markHistogramStats },
  { name: 'evaluate once', run: wrapInvariant },
  { name: 'share', run: sharePlans },
];

/** Pure: the same text and context give the same plan. Throws QueryError for what only planning can refuse. */
export function planQuery(expr: Expr, context: PlanContext): Plan {
  return PASSES.reduce((plan, pass) => pass.run(plan, context), lower(expr, context));
}

/** The plan after each pass that changed it. */
export function explainQuery(expr: Expr, context: PlanContext): string {
  let plan = lower(expr, context);
  const parts = [`plan\n${planTree(plan, '  ')}`];
  for (const { name, run } of PASSES) {
    const before = planTree(plan, '  ');
    plan = run(plan, context);
    const after = planTree(plan, '  ');
    if (after !== before) parts.push(`${name}\n${after}`);
  }
  return parts.join('\n\n');
}
