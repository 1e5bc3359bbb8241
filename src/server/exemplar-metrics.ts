// What the exemplars say of themselves on /metrics, under Prometheus's names.

import type { ExemplarBook } from '../shard/exemplar-book.js';
import type { Registry } from '../telemetry/metrics.js';

/** `core` has the numbers of the shards. */
export function registerExemplars(
  registry: Registry,
  book: ExemplarBook,
  core: () => Readonly<Record<string, number>>,
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    registry.collect(`prometheus_tsdb_exemplar_${name}`, help, { type: 'gauge' }, read);
  const counter = (name: string, help: string, read: () => number) =>
    registry.collect(`prometheus_tsdb_exemplar_${name}`, help, { type: 'counter' }, read);
  counter('exemplars_appended_total', 'Total number of appended exemplars.', () => core().exemplarsAppended ?? 0);
  gauge('exemplars_in_storage', 'Number of exemplars currently in circular storage.', () => book.size);
  gauge(
    'series_with_exemplars_in_storage',
    'Number of series with exemplars currently in circular storage.',
    () => core().exemplarSeries ?? 0,
  );
  gauge('last_exemplars_timestamp_seconds', 'The timestamp of the oldest exemplar stored in circular storage.', () => {
    const timeMs = core()['least.exemplarMs'] ?? Infinity;
    return Number.isFinite(timeMs) ? timeMs / 1000 : 0;
  });
  gauge('max_exemplars', 'Total number of exemplars the exemplar storage can store, resizeable.', () => book.max);
  counter(
    'out_of_order_exemplars_total',
    'Total number of out of order exemplar ingestion failed attempts.',
    () => core().exemplarsOutOfOrder ?? 0,
  );
}
