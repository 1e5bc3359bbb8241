// What the notifier says about itself on /metrics, under Prometheus's names.

import type { Counter, Family, Gauge, Histogram, Registry } from '../telemetry/metrics.js';
import type { Summary } from '../telemetry/summary.js';

const LABEL = 'alertmanager';

/** By the URL of the Alertmanager. */
export class NotifierMetrics {
  readonly latency: Family<Summary>;
  readonly latencies: Family<Histogram>;
  readonly sent: Family<Counter>;
  readonly errors: Family<Counter>;
  readonly dropped: Family<Counter>;
  readonly queueLength: Family<Gauge>;
  readonly queueCapacity: Gauge;
  /** Who counts under a URL: a reload may have one that ends beside one that begins. */
  readonly #users = new Map<string, number>();

  constructor(registry: Registry, discovered: () => number) {
    const name = (rest: string) => `prometheus_notifications_${rest}`;
    this.latency = registry.summaries(
      name('latency_seconds'),
      'Latency quantiles for sending alert notifications.',
      { quantiles: [0.5, 0.9, 0.99] },
      LABEL,
    );
    this.latencies = registry.histograms(
      name('latency_histogram_seconds'),
      'Latency histogram for sending alert notifications.',
      [0.01, 0.1, 1, 10],
      LABEL,
    );
    this.sent = registry.counters(name('sent_total'), 'Total number of alerts sent.', LABEL);
    this.errors = registry.counters(name('errors_total'), 'Total number of sent alerts affected by errors.', LABEL);
    this.dropped = registry.counters(
      name('dropped_total'),
      'Total number of alerts dropped due to errors when sending to Alertmanager.',
      LABEL,
    );
    this.queueLength = registry.gauges(name('queue_length'), 'The number of alert notifications in the queue.', LABEL);
    this.queueCapacity = registry.gauge(name('queue_capacity'), 'The capacity of the alert notifications queue.');
    registry.collect(
      name('alertmanagers_discovered'),
      'The number of alertmanagers discovered and active.',
      { type: 'gauge' },
      discovered,
    );
  }

  /** From the start there is something to see. */
  add(alertmanager: string): void {
    this.#users.set(alertmanager, (this.#users.get(alertmanager) ?? 0) + 1);
    for (const family of [this.sent, this.errors, this.dropped, this.queueLength]) family.with(alertmanager);
  }

  remove(alertmanager: string): void {
    const left = (this.#users.get(alertmanager) ?? 1) - 1;
    if (left > 0) {
      this.#users.set(alertmanager, left);
      return;
    }
    this.#users.delete(alertmanager);
    const { latency, latencies, sent, errors, dropped, queueLength } = this;
    for (const family of [latency, latencies, sent, errors, dropped, queueLength]) family.remove(alertmanager);
  }
}
