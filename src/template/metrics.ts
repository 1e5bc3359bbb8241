// What templates say about themselves on /metrics, under Prometheus's names.

import type { Counter, Registry } from '../telemetry/metrics.js';

export class TemplateMetrics {
  readonly expansions: Counter;
  readonly failures: Counter;

  constructor(registry: Registry) {
    this.expansions = registry.counter(
      'prometheus_template_text_expansions_total',
      'The total number of template text expansions.',
    );
    this.failures = registry.counter(
      'prometheus_template_text_expansion_failures_total',
      'The total number of template text expansion failures.',
    );
  }
}
