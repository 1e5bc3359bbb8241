// Which series rules write, and who of them writes what an expression reads: by metric, and of alerts by their name.

import { type Labels, METRIC_NAME, valueOf } from '../model/labels.js';
import { compileMatcher, type Matcher, type StringTest } from '../model/matcher.js';
import { childrenOf, type Expr } from '../promql/syntax/ast.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../promql/syntax/parse.js';
import { ALERT_NAME, ALERTS, ALERTS_FOR_STATE } from './alerting-rule.js';
import type { RuleSpec } from './spec.js';

export class Written {
  readonly #rules: readonly RuleSpec[];
  readonly #all: readonly number[];
  /** Recording rules by the metric that they write. */
  readonly #byMetric: ReadonlyMap<string, readonly number[]>;
  /** Alerting rules by their name. */
  readonly #byAlert: ReadonlyMap<string, readonly number[]>;

  constructor(rules: readonly RuleSpec[]) {
    this.#rules = rules;
    this.#all = [...rules.keys()];
    this.#byMetric = indexOf(rules, 'recording');
    this.#byAlert = indexOf(rules, 'alerting');
  }

  /** Whether a rule writes a series. */
  has(labels: Labels): boolean {
    const metric = valueOf(labels, METRIC_NAME);
    if (this.#byMetric.has(metric)) return true;
    return (metric === ALERTS || metric === ALERTS_FOR_STATE) && this.#byAlert.has(valueOf(labels, ALERT_NAME));
  }

  /** Rules that write what a rule reads, by index. Templates may ask for anything. */
  readBy(rule: RuleSpec): Iterable<number> {
    return asksInTemplates(rule) ? this.#all : this.readByExpr(rule.expr);
  }

  /** Rules that write what an expression reads. */
  readByExpr(text: string): ReadonlySet<number> {
    const found = new Set<number>();
    eachSelector(parseExpr(text, ALL_PARSE_OPTIONS), (matchers) => {
      for (const writer of this.readBySelector(matchers)) found.add(writer);
    });
    return found;
  }

  /** Rules that write what a selector takes. Without a metric name it may take anything. */
  readBySelector(matchers: readonly Matcher[]): readonly number[] {
    const name = matchers.find((matcher) => matcher.name === METRIC_NAME);
    if (name === undefined) return this.#all;
    return [...this.#ofMetric(name), ...this.#ofAlerts(name, matchers)];
  }

  /** By rule: the last of the earlier ones that may write the same series. */
  rivals(): number[][] {
    const last = new Map<string, number>();
    return this.#rules.map(({ kind, name }, i) => {
      const key = `${kind} ${name}`;
      const rival = last.get(key);
      last.set(key, i);
      return rival === undefined ? [] : [rival];
    });
  }

  #ofMetric(name: Matcher): readonly number[] {
    if (name.op === '=') return this.#byMetric.get(name.value) ?? [];
    return taken(this.#byMetric, compileMatcher(name));
  }

  #ofAlerts(name: Matcher, matchers: readonly Matcher[]): readonly number[] {
    const takes = compileMatcher(name);
    if (this.#byAlert.size === 0 || !(takes(ALERTS) || takes(ALERTS_FOR_STATE))) return [];
    const alert = matchers.find((matcher) => matcher.name === ALERT_NAME);
    return taken(this.#byAlert, alert === undefined ? () => true : compileMatcher(alert));
  }
}

function indexOf(rules: readonly RuleSpec[], kind: RuleSpec['kind']): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>();
  rules.forEach((rule, i) => {
    if (rule.kind === kind) index.set(rule.name, [...(index.get(rule.name) ?? []), i]);
  });
  return index;
}

function taken(index: ReadonlyMap<string, readonly number[]>, takes: StringTest): readonly number[] {
  return [...index].flatMap(([name, rules]) => (takes(name) ? rules : []));
}

function asksInTemplates({ labels, annotations }: RuleSpec): boolean {
  const asks = (text: string) => text.includes('{{') && text.includes('query');
  return labels.some(asks) || annotations.some(asks);
}

function eachSelector(expr: Expr, action: (matchers: readonly Matcher[]) => void): void {
  if (expr.kind === 'vectorSelector') action(expr.matchers);
  for (const child of childrenOf(expr)) eachSelector(child, action);
}
