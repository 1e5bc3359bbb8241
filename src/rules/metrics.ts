// What rules say about themselves on /metrics, under Prometheus's names.

import type { Counter, Family, Gauge, Registry } from '../telemetry/metrics.js';
import type { Summary } from '../telemetry/summary.js';

/** Those of one group. */
export interface GroupMetrics {
  readonly iterations: Counter;
  readonly iterationsMissed: Counter;
  readonly evaluations: Counter;
  readonly evaluationFailures: Counter;
  readonly interval: Gauge;
  readonly lastEvaluation: Gauge;
  readonly lastDuration: Gauge;
  readonly lastRuleDurationSum: Gauge;
  readonly lastRestoreDuration: Gauge;
  readonly rules: Gauge;
  readonly lastSamples: Gauge;
}

type Families = { readonly [K in keyof GroupMetrics]: Family<GroupMetrics[K]> };

export class RuleMetrics {
  readonly evaluationSeconds: Summary;
  readonly groupSeconds: Summary;
  readonly #families: Families;

  constructor(registry: Registry) {
    const name = (rest: string) => `prometheus_rule_${rest}`;
    const counters = (rest: string, help: string) => registry.counters(name(rest), help, 'rule_group');
    const gauges = (rest: string, help: string) => registry.gauges(name(rest), help, 'rule_group');
    this.evaluationSeconds = registry.summary(
      name('evaluation_duration_seconds'),
      'The duration for a rule to execute.',
      { quantiles: [0.5, 0.9, 0.99] },
    );
    this.groupSeconds = registry.summary(name('group_duration_seconds'), 'The duration of rule group evaluations.', {
      quantiles: [0.01, 0.05, 0.5, 0.9, 0.99],
    });
    this.#families = {
      iterations: counters(
        'group_iterations_total',
        'The total number of scheduled rule group evaluations, whether executed or missed.',
      ),
      iterationsMissed: counters(
        'group_iterations_missed_total',
        'The total number of rule group evaluations missed due to slow rule group evaluation.',
      ),
      evaluations: counters('evaluations_total', 'The total number of rule evaluations.'),
      evaluationFailures: counters('evaluation_failures_total', 'The total number of rule evaluation failures.'),
      interval: gauges('group_interval_seconds', 'The interval of a rule group.'),
      lastEvaluation: gauges(
        'group_last_evaluation_timestamp_seconds',
        'The timestamp of the last rule group evaluation in seconds.',
      ),
      lastDuration: gauges('group_last_duration_seconds', 'The duration of the last rule group evaluation.'),
      lastRuleDurationSum: gauges(
        'group_last_rule_duration_sum_seconds',
        'The sum of time in seconds it took to evaluate each rule in the group regardless of concurrency. This should be higher than the group duration if rules are evaluated concurrently.',
      ),
      lastRestoreDuration: gauges(
        'group_last_restore_duration_seconds',
        'The duration of the last alert rules alerts restoration using the `ALERTS_FOR_STATE` series.',
      ),
      rules: gauges('group_rules', 'The number of rules.'),
      lastSamples: gauges(
        'group_last_evaluation_samples',
        'The number of samples returned during the last rule group evaluation.',
      ),
    };
  }

  /** The metrics of a group, with what it had counted under the same key before. */
  of(key: string): GroupMetrics {
    const entries = Object.entries(this.#families as Record<string, Family<Counter | Gauge>>);
    return Object.fromEntries(entries.map(([name, family]) => [name, family.with(key)])) as unknown as GroupMetrics;
  }

  remove(key: string): void {
    for (const family of Object.values(this.#families)) family.remove(key);
  }
}
