// Which rules of a group may be evaluated at the same time: those of which none reads what another writes.
//
// A rule depends on an earlier one whose metric a selector of it may take, or whose alerts one of ALERTS may. A selector that names no
// metric may take anything: then the whole group keeps its order.

import { METRIC_NAME } from '../model/labels.js';
import { compileMatcher, type Matcher, type StringTest } from '../model/matcher.js';
import { childrenOf, type Expr } from '../promql/syntax/ast.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../promql/syntax/parse.js';
import { ALERTS, ALERTS_FOR_STATE } from './alerting-rule.js';
import type { RuleSpec } from './spec.js';

/** What one selector may take. */
interface Reads {
  readonly metric: StringTest;
  readonly readsAlerts: boolean;
  readonly alertName: StringTest;
}

const ANY: StringTest = () => true;

/**
 * Rules by index, in batches: all of a batch may run at once, after the batch before it. First come those that depend on none, then one
 * by one those that stand between, then those that none depends on.
 */
export function batchesOf(rules: readonly RuleSpec[]): readonly (readonly number[])[] {
  const alone = rules.map((_, i) => [i]);
  const reads: (readonly Reads[] | undefined)[] = rules.map(({ expr }) => readsOf(expr));
  if (reads.some((ofRule) => ofRule === undefined)) return alone;
  const dependents = rules.map((rule, i) => reads.some((later, j) => j > i && takes(later!, rule)));
  const dependencies = reads.map((ofRule, i) => rules.some((rule, j) => j < i && takes(ofRule!, rule)));
  const indexes = [...rules.keys()];
  const first = indexes.filter((i) => !dependencies[i]);
  const between = indexes.filter((i) => dependencies[i] && dependents[i]);
  const last = indexes.filter((i) => dependencies[i] && !dependents[i]);
  return [first, ...between.map((i) => [i]), last].filter((batch) => batch.length > 0);
}

function takes(reads: readonly Reads[], { kind, name }: RuleSpec): boolean {
  return reads.some(
    ({ metric, readsAlerts, alertName }) => metric(name) || (kind === 'alerting' && readsAlerts && alertName(name)),
  );
}

/** undefined where a selector may take any metric. */
function readsOf(text: string): readonly Reads[] | undefined {
  const reads: Reads[] = [];
  const isBounded = visit(parseExpr(text, ALL_PARSE_OPTIONS), (matchers) => {
    const name = matchers.find((matcher) => matcher.name === METRIC_NAME);
    if (name === undefined) return false;
    const metric = compileMatcher(name);
    const alert = matchers.find((matcher) => matcher.name === 'alertname');
    reads.push({
      metric,
      readsAlerts: metric(ALERTS) || metric(ALERTS_FOR_STATE),
      alertName: alert === undefined ? ANY : compileMatcher(alert),
    });
    return true;
  });
  return isBounded ? reads : undefined;
}

/** Calls `action` for each selector until it says false; then it is false. */
function visit(expr: Expr, action: (matchers: readonly Matcher[]) => boolean): boolean {
  if (expr.kind === 'vectorSelector') return action(expr.matchers);
  return childrenOf(expr).every((child) => visit(child, action));
}
