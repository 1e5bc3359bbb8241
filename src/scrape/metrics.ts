// What scraping says about itself on /metrics, under Prometheus's names.

import type { Counter, Family, Gauge, Registry } from '../telemetry/metrics.js';
import type { Summary } from '../telemetry/summary.js';
import type { MetadataSize, ScrapeOutcome } from './appender.js';

export const NO_METADATA: MetadataSize = { entries: 0, bytes: 0 };

export class ScrapeMetrics {
  /** Real time between two scrapes of a target, by the interval they should have. */
  readonly intervalLength: Family<Summary>;
  readonly syncLength: Family<Summary>;
  readonly syncFailed: Family<Counter>;
  readonly poolTargets: Family<Gauge>;
  readonly poolTargetLimit: Family<Gauge>;
  readonly poolSyncs: Family<Counter>;
  readonly pools: Counter;
  readonly poolsFailed: Counter;
  readonly poolReloads: Counter;
  readonly poolReloadsFailed: Counter;
  readonly poolExceededTargetLimit: Counter;
  readonly poolExceededLabelLimits: Counter;
  readonly exceededSampleLimit: Counter;
  readonly exceededBodySizeLimit: Counter;
  readonly exceededBucketLimit: Counter;
  readonly duplicateTimestamp: Counter;
  readonly outOfOrder: Counter;
  readonly outOfBounds: Counter;
  readonly lateExemplars: Counter;
  readonly metadataEntries: Family<Gauge>;
  readonly metadataBytes: Family<Gauge>;

  constructor(registry: Registry) {
    const target = (name: string) => `prometheus_target_${name}`;
    this.intervalLength = registry.summaries(
      target('interval_length_seconds'),
      'Actual intervals between scrapes.',
      { quantiles: [0.01, 0.05, 0.5, 0.9, 0.99] },
      'interval',
    );
    this.syncLength = registry.summaries(
      target('sync_length_seconds'),
      'Actual interval to sync the scrape pool.',
      { quantiles: [0.01, 0.05, 0.5, 0.9, 0.99] },
      'scrape_job',
    );
    this.syncFailed = registry.counters(
      target('sync_failed_total'),
      'Total number of target sync failures.',
      'scrape_job',
    );
    this.poolTargets = registry.gauges(
      target('scrape_pool_targets'),
      'Current number of targets in this scrape pool.',
      'scrape_job',
    );
    this.poolTargetLimit = registry.gauges(
      target('scrape_pool_target_limit'),
      'Maximum number of targets allowed in this scrape pool.',
      'scrape_job',
    );
    this.poolSyncs = registry.counters(
      target('scrape_pool_sync_total'),
      'Total number of syncs that were executed on a scrape pool.',
      'scrape_job',
    );
    this.pools = registry.counter(target('scrape_pools_total'), 'Total number of scrape pool creation attempts.');
    this.poolsFailed = registry.counter(
      target('scrape_pools_failed_total'),
      'Total number of scrape pool creations that failed.',
    );
    this.poolReloads = registry.counter(target('scrape_pool_reloads_total'), 'Total number of scrape pool reloads.');
    this.poolReloadsFailed = registry.counter(
      target('scrape_pool_reloads_failed_total'),
      'Total number of failed scrape pool reloads.',
    );
    this.poolExceededTargetLimit = registry.counter(
      target('scrape_pool_exceeded_target_limit_total'),
      'Total number of times scrape pools hit the target limit, during sync or config reload.',
    );
    this.poolExceededLabelLimits = registry.counter(
      target('scrape_pool_exceeded_label_limits_total'),
      'Total number of times scrape pools hit the label limits, during sync or config reload.',
    );
    this.exceededSampleLimit = registry.counter(
      target('scrapes_exceeded_sample_limit_total'),
      'Total number of scrapes that hit the sample limit and were rejected.',
    );
    this.exceededBodySizeLimit = registry.counter(
      target('scrapes_exceeded_body_size_limit_total'),
      'Total number of scrapes that hit the body size limit',
    );
    this.exceededBucketLimit = registry.counter(
      target('scrapes_exceeded_native_histogram_bucket_limit_total'),
      'Total number of scrapes that hit the native histogram bucket limit and were rejected.',
    );
    this.duplicateTimestamp = registry.counter(
      target('scrapes_sample_duplicate_timestamp_total'),
      'Total number of samples rejected due to duplicate timestamps but different values.',
    );
    this.outOfOrder = registry.counter(
      target('scrapes_sample_out_of_order_total'),
      'Total number of samples rejected due to not being out of the expected order.',
    );
    this.outOfBounds = registry.counter(
      target('scrapes_sample_out_of_bounds_total'),
      'Total number of samples rejected due to timestamp falling outside of the time bounds.',
    );
    this.lateExemplars = registry.counter(
      target('scrapes_exemplar_out_of_order_total'),
      'Total number of exemplar rejected due to not being out of the expected order.',
    );
    this.metadataEntries = registry.gauges(
      target('metadata_cache_entries'),
      'Total number of metric metadata entries in the cache',
      'scrape_job',
    );
    this.metadataBytes = registry.gauges(
      target('metadata_cache_bytes'),
      'The number of bytes that are currently used for storing metric metadata in the cache',
      'scrape_job',
    );
  }

  /** Counts what the storage said of one scrape. */
  count(outcome: ScrapeOutcome): void {
    this.duplicateTimestamp.value += outcome.duplicates;
    this.outOfOrder.value += outcome.outOfOrder;
    this.outOfBounds.value += outcome.outOfBounds;
    this.lateExemplars.value += outcome.lateExemplars;
    switch (outcome.error?.reason) {
      case 'sample-limit':
        this.exceededSampleLimit.value++;
        break;
      case 'body-limit':
        this.exceededBodySizeLimit.value++;
        break;
      case 'bucket-limit':
        this.exceededBucketLimit.value++;
        break;
      case 'label-limit':
        this.poolExceededLabelLimits.value++;
        break;
    }
  }

  /** What is known of the metrics of a target of a job has changed. */
  noteMetadata(job: string, before: MetadataSize, now: MetadataSize): void {
    this.metadataEntries.with(job).value += now.entries - before.entries;
    this.metadataBytes.with(job).value += now.bytes - before.bytes;
  }

  /** Forgets a job that is gone. */
  removePool(job: string): void {
    const gauges = [this.poolTargets, this.poolTargetLimit, this.metadataEntries, this.metadataBytes];
    for (const family of [this.syncLength, this.syncFailed, this.poolSyncs, ...gauges]) family.remove(job);
  }
}

/** An interval as the label `interval` has it: Go's way, `15s`, `1m0s`, `1.5s`. */
export function intervalLabel(intervalMs: number): string {
  if (intervalMs < 1000) return `${intervalMs}ms`;
  const hours = Math.floor(intervalMs / 3_600_000);
  const minutes = Math.floor(intervalMs / 60_000) % 60;
  const seconds = `${(intervalMs % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
