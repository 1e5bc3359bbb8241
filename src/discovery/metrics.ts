// What discovery says about itself on /metrics, under Prometheus's names.

import type { Counter, Family, Gauge, Histogram, Registry } from '../telemetry/metrics.js';
import type { Summary } from '../telemetry/summary.js';

/** Those of the frame, by mechanism and job or by manager (`scrape`, `notify`), and then those of single mechanisms. */
export class DiscoveryMetrics {
  readonly refreshSeconds: Family<Summary>;
  readonly refreshHistogram: Family<Histogram>;
  readonly refreshFailures: Family<Counter>;
  readonly discoveredTargets: Family<Gauge>;
  readonly failedConfigs: Family<Gauge>;
  readonly receivedUpdates: Family<Counter>;
  readonly delayedUpdates: Family<Counter>;
  readonly updates: Family<Counter>;
  readonly lastUpdateSeconds: Family<Gauge>;

  readonly fileReadErrors: Counter;
  readonly fileWatcherErrors: Counter;
  readonly fileScanSeconds: Summary;
  readonly fileModifiedSeconds: Family<Gauge>;
  readonly httpFailures: Counter;
  readonly dnsLookups: Counter;
  readonly dnsLookupFailures: Counter;
  readonly kubernetesEvents: Family<Counter>;
  readonly kubernetesFailures: Counter;
  readonly consulSeconds: Family<Summary>;
  readonly consulFailures: Counter;
  readonly nomadFailures: Counter;
  readonly linodeFailures: Counter;
  readonly azureFailures: Counter;
  readonly kumaFailures: Counter;
  readonly zookeeperFailures: Counter;
  readonly kumaSkipped: Counter;
  readonly kumaSeconds: Summary;

  constructor(registry: Registry) {
    const sd = (name: string) => `prometheus_sd_${name}`;
    this.refreshSeconds = registry.summaries(
      sd('refresh_duration_seconds'),
      'The duration of a refresh in seconds for the given SD mechanism.',
      {},
      'mechanism',
      'config',
    );
    this.refreshHistogram = registry.histograms(
      sd('refresh_duration_histogram_seconds'),
      'The duration of a refresh for the given SD mechanism.',
      [0.01, 0.1, 1, 10],
      'mechanism',
    );
    this.refreshFailures = registry.counters(
      sd('refresh_failures_total'),
      'Number of refresh failures for the given SD mechanism.',
      'mechanism',
      'config',
    );
    this.discoveredTargets = registry.gauges(
      sd('discovered_targets'),
      'Current number of discovered targets.',
      'name',
      'config',
    );
    this.failedConfigs = registry.gauges(
      sd('failed_configs'),
      'Current number of service discovery configurations that failed to load.',
      'name',
    );
    this.receivedUpdates = registry.counters(
      sd('received_updates_total'),
      'Total number of update events received from the SD providers.',
      'name',
    );
    this.delayedUpdates = registry.counters(
      sd('updates_delayed_total'),
      "Total number of update events that couldn't be sent immediately.",
      'name',
    );
    this.updates = registry.counters(
      sd('updates_total'),
      'Total number of update events sent to the SD consumers.',
      'name',
    );
    this.lastUpdateSeconds = registry.gauges(
      sd('last_update_timestamp_seconds'),
      'Timestamp of the last update sent to the SD consumers.',
      'name',
      'config',
    );
    this.fileReadErrors = registry.counter(sd('file_read_errors_total'), 'The number of File-SD read errors.');
    this.fileWatcherErrors = registry.counter(
      sd('file_watcher_errors_total'),
      'The number of File-SD errors caused by filesystem watch failures.',
    );
    this.fileScanSeconds = registry.summary(
      sd('file_scan_duration_seconds'),
      'The duration of the File-SD scan in seconds.',
      {},
    );
    this.fileModifiedSeconds = registry.gauges(
      sd('file_mtime_seconds'),
      'Timestamp (mtime) of files read by FileSD. Timestamp is set at read time.',
      'filename',
    );
    this.httpFailures = registry.counter(
      sd('http_failures_total'),
      'Number of HTTP service discovery refresh failures.',
    );
    this.dnsLookups = registry.counter(sd('dns_lookups_total'), 'The number of DNS-SD lookups.');
    this.dnsLookupFailures = registry.counter(sd('dns_lookup_failures_total'), 'The number of DNS-SD lookup failures.');
    this.kubernetesEvents = registry.counters(
      sd('kubernetes_events_total'),
      'The number of Kubernetes events handled.',
      'role',
      'event',
    );
    this.kubernetesFailures = registry.counter(
      sd('kubernetes_failures_total'),
      'The number of failed WATCH/LIST requests.',
    );
    this.consulSeconds = registry.summaries(
      sd('consul_rpc_duration_seconds'),
      'The duration of a Consul RPC call in seconds.',
      {},
      'endpoint',
      'call',
    );
    this.consulFailures = registry.counter(sd('consul_rpc_failures_total'), 'The number of Consul RPC call failures.');
    this.nomadFailures = registry.counter(
      sd('nomad_failures_total'),
      'Number of nomad service discovery refresh failures.',
    );
    this.linodeFailures = registry.counter(
      sd('linode_failures_total'),
      'Number of Linode service discovery refresh failures.',
    );
    this.azureFailures = registry.counter(
      sd('azure_failures_total'),
      'Number of Azure service discovery refresh failures.',
    );
    this.zookeeperFailures = registry.counter(
      'prometheus_treecache_zookeeper_failures_total',
      'The total number of ZooKeeper failures.',
    );
    this.kumaFailures = registry.counter(
      sd('kuma_fetch_failures_total'),
      'The number of Kuma MADS fetch call failures.',
    );
    this.kumaSkipped = registry.counter(
      sd('kuma_fetch_skipped_updates_total'),
      'The number of Kuma MADS fetch calls that result in no updates to the targets.',
    );
    this.kumaSeconds = registry.summary(
      sd('kuma_fetch_duration_seconds'),
      'The duration of a Kuma MADS fetch call.',
      {},
    );
  }

  /** A counter that is there from the start has a rate when it first counts. */
  addManager(name: string): void {
    for (const family of [this.failedConfigs, this.receivedUpdates, this.delayedUpdates, this.updates])
      family.with(name);
  }

  addSession(mechanism: string, config: string): void {
    this.refreshFailures.with(mechanism, config);
  }

  removeSession(mechanism: string, config: string): void {
    this.refreshFailures.remove(mechanism, config);
    this.refreshSeconds.remove(mechanism, config);
  }
}
