// What metrics say of the blocks: how they are merged, how long they are kept.

import type { Registry } from '../telemetry/metrics.js';
import type { BlockKeeping } from './storage/block-keeping.js';
import type { BlockSet } from './storage/block-set.js';
import type { Scrubbing } from './storage/scrubbing.js';

/** 1 s to 2.3 h, doubling. */
const SECONDS_BOUNDS = Array.from({ length: 14 }, (_, i) => 2 ** i);

/** `cuts`: of the head, which count as compactions, as in Prometheus. */
export function registerBlockKeeping(registry: Registry, keeping: BlockKeeping, cuts: () => number): void {
  const counter = (name: string, help: string, read: () => number) =>
    registry.collect(name, help, { type: 'counter' }, read);
  const gauge = (name: string, help: string, read: () => number) =>
    registry.collect(name, help, { type: 'gauge' }, read);
  const stats = () => keeping.stats;
  counter(
    'prometheus_tsdb_compactions_triggered_total',
    'Total number of triggered compactions for the partition.',
    () => stats().triggered,
  );
  counter(
    'prometheus_tsdb_compactions_total',
    'Total number of compactions that were executed for the partition.',
    () => stats().compactions + cuts(),
  );
  counter(
    'prometheus_tsdb_compactions_failed_total',
    'Total number of compactions that failed for the partition.',
    () => stats().failures,
  );
  counter(
    'prometheus_tsdb_vertical_compactions_total',
    'Total number of compactions done on overlapping blocks.',
    () => stats().vertical,
  );
  counter(
    'prometheus_tsdb_time_retentions_total',
    'The number of times that blocks were deleted because the maximum time limit was exceeded.',
    () => stats().timeRetentions,
  );
  counter(
    'prometheus_tsdb_size_retentions_total',
    'The number of times that blocks were deleted because the maximum number of bytes was exceeded.',
    () => stats().sizeRetentions,
  );
  gauge(
    'prometheus_tsdb_compaction_populating_block',
    'Set to 1 when a block is currently being written to the disk.',
    () => (stats().isMerging ? 1 : 0),
  );
  gauge(
    'prometheus_tsdb_storage_blocks_bytes',
    'The number of bytes that are currently used for local storage by all blocks.',
    () => stats().bytes,
  );
  gauge(
    'prometheus_tsdb_retention_limit_bytes',
    'Max number of bytes to be retained in the tsdb blocks, configured 0 means disabled',
    () => keeping.retention.bytes,
  );
  gauge(
    'prometheus_tsdb_retention_limit_percentage',
    'Max percentage of total storage space to be retained in the tsdb blocks, configured 0 means disabled',
    () => keeping.retention.percentage,
  );
  gauge(
    'prometheus_tsdb_retention_limit_seconds',
    'How long to retain samples in storage.',
    () => keeping.retention.timeMs / 1000,
  );
  const seconds = registry.histogram(
    'prometheus_tsdb_compaction_duration_seconds',
    'Duration of compaction runs',
    SECONDS_BOUNDS,
  );
  keeping.onCompaction = (duration) => seconds.observe(duration);
  const cleanups = registry.histogram(
    'prometheus_tsdb_tombstone_cleanup_seconds',
    'The time taken to recompact blocks to remove tombstones.',
    SECONDS_BOUNDS,
  );
  keeping.onCleanup = (duration) => cleanups.observe(duration);
}

/** Which blocks are served, and whether they are sound. */
export function registerBlocks(registry: Registry, blocks: BlockSet, scrubbing: Scrubbing): void {
  const counter = (name: string, help: string, read: () => number) =>
    registry.collect(name, help, { type: 'counter' }, read);
  registry.collect(
    'prometheus_tsdb_blocks_loaded',
    'Number of currently loaded data blocks',
    { type: 'gauge' },
    () => blocks.blocks.length,
  );
  counter(
    'prometheus_tsdb_reloads_total',
    'Number of times the database reloaded block data from disk.',
    () => blocks.stats.looks,
  );
  counter(
    'prometheus_tsdb_reloads_failures_total',
    'Number of times the database failed to reloadBlocks block data from disk.',
    () => blocks.stats.failures,
  );
  counter(
    'narthex_blocks_quarantined_total',
    'Damaged blocks that were renamed and are served no more.',
    () => blocks.stats.quarantined,
  );
  counter(
    'narthex_blocks_scrubbed_total',
    'Blocks that were read through in the background.',
    () => scrubbing.stats.blocks,
  );
}
