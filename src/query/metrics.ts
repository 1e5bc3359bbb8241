// What the query engine tells about itself, under Prometheus's names.

import type { Histogram, Registry } from '../telemetry/metrics.js';
import type { Summary } from '../telemetry/summary.js';

/** The parts of a query's time. */
export type QuerySlice = 'queue_time' | 'prepare_time' | 'inner_eval' | 'result_sort';

const SLICES: readonly QuerySlice[] = ['queue_time', 'prepare_time', 'inner_eval', 'result_sort'];

/** Seconds; Prometheus's bounds. */
const BOUNDS = [0.01, 0.1, 1, 10];

export class QueryMetrics {
  readonly #timings = new Map<QuerySlice, { readonly summary: Summary; readonly histogram: Histogram }>();
  readonly #samples: { value: number };
  readonly #queries: { value: number };

  /** `concurrency`: how many queries may run at a time. */
  constructor(registry: Registry, concurrency: number) {
    const name = (rest: string) => `prometheus_engine_${rest}`;
    this.#queries = registry.gauge(name('queries'), 'The current number of queries being executed or waiting.');
    registry.gauge(name('queries_concurrent_max'), 'The max number of concurrent queries.').value = concurrency;
    registry.gauge(name('query_log_enabled'), 'State of the query log.');
    registry.counter(name('query_log_failures_total'), 'The number of query log failures.');
    this.#samples = registry.counter(name('query_samples_total'), 'The total number of samples loaded by all queries.');
    const summaries = registry.summaries(name('query_duration_seconds'), 'Query timings', {}, 'slice');
    const histograms = registry.histograms(
      name('query_duration_histogram_seconds'),
      'The duration of various parts of PromQL query execution.',
      BOUNDS,
      'slice',
    );
    for (const slice of SLICES) {
      this.#timings.set(slice, { summary: summaries.with(slice), histogram: histograms.with(slice) });
    }
  }

  /** Queries that wait or run now. */
  setActive(count: number): void {
    this.#queries.value = count;
  }

  observe(slice: QuerySlice, seconds: number): void {
    const { summary, histogram } = this.#timings.get(slice)!;
    summary.observe(seconds);
    histogram.observe(seconds);
  }

  countSamples(count: number): void {
    this.#samples.value += count;
  }
}
