// What storage says of itself on /metrics: Prometheus's names where it has them.

import type { Logger } from '../telemetry/log.js';
import type { Registry } from '../telemetry/metrics.js';
import { registerBlockKeeping, registerBlocks } from './block-metrics.js';
import { registerExemplars } from './exemplar-metrics.js';
import { registerLate } from './late-metrics.js';
import type { Storage } from './storage/storage.js';

/** Counters of the cores, by our metric names. */
const CORE_COUNTERS: readonly [name: string, help: string, key: string][] = [
  ['prometheus_tsdb_head_series_created_total', 'Total number of series created in the head', 'seriesCreated'],
  ['prometheus_tsdb_head_series_removed_total', 'Total number of series removed in the head', 'seriesRemoved'],
  ['prometheus_tsdb_head_chunks_created_total', 'Total number of chunks created in the head', 'chunksSealed'],
  ['prometheus_tsdb_head_chunks_removed_total', 'Total number of chunks removed in the head', 'chunksFreed'],
  ['narthex_scrape_lines_expected_total', 'Lines that stood where they stood in the scrape before.', 'lines.expected'],
  ['narthex_scrape_lines_moved_total', 'Lines found by hash: known, but not where they stood before.', 'lines.known'],
  ['narthex_scrape_lines_new_total', 'Lines never seen before, which take the slow path.', 'lines.new'],
  ['narthex_head_samples_deleted_total', 'Samples that requests deleted from the head.', 'samplesDeleted'],
  ['narthex_corrupt_chunks_total', 'Chunks in memory that could not be decoded.', 'corruptChunks'],
  ['narthex_query_chunk_cache_hits_total', 'Chunks of files that queries found in memory.', 'cachedChunkHits'],
  ['narthex_query_chunk_cache_misses_total', 'Chunks of files that queries read.', 'cachedChunkMisses'],
  ['narthex_float_fallbacks_total', 'Numbers in expositions that needed exact arithmetic.', 'floatFallbacks'],
];

const CORE_GAUGES: readonly [name: string, help: string, key: string][] = [
  ['prometheus_tsdb_head_series', 'Total number of series in the head block.', 'series'],
  ['prometheus_tsdb_symbol_table_size_bytes', 'Size of symbol table in memory for loaded blocks', 'symbolBytes'],
  ['narthex_histogram_series', 'Series of the head with native histograms.', 'histogramSeries'],
  ['narthex_histogram_bytes', 'Bytes of their chunks, beside the linear memory.', 'histogramBytes'],
  ['narthex_query_chunk_cache_bytes', 'Memory for chunks of files that queries read.', 'cachedChunkBytes'],
  ['narthex_shard_memory_bytes', 'Bytes of linear memory in use in all shards, but for room for bodies.', 'usedBytes'],
  [
    'narthex_shard_held_bytes',
    'The same without what is free for new data: with room for bodies what the memory limit goes by.',
    'ownHeldBytes',
  ],
];

/** Registers storage's metrics; the numbers of the cores are as of the last refresh(). */
export class StorageMetrics {
  readonly #storage: Storage;
  readonly #log: Logger;
  #core: Record<string, number> = {};

  constructor(registry: Registry, storage: Storage, log: Logger) {
    this.#storage = storage;
    this.#log = log;
    for (const [name, help, key] of CORE_COUNTERS)
      registry.collect(name, help, { type: 'counter' }, () => this.#core[key] ?? 0);
    for (const [name, help, key] of CORE_GAUGES)
      registry.collect(name, help, { type: 'gauge' }, () => this.#core[key] ?? 0);
    registerLate(
      registry,
      () => storage.ingest.refused,
      () => this.#core,
    );
    registry.collect(
      'prometheus_tsdb_head_chunks',
      'Total number of chunks in the head block.',
      { type: 'gauge' },
      () => {
        const { chunksSealed = 0, chunksFreed = 0, series = 0 } = this.#core;
        return chunksSealed - chunksFreed + series;
      },
    );
    registry.collect(
      'narthex_shard_rebuilds_total',
      'Shards that died and were made again from the log.',
      { type: 'counter' },
      () => this.#storage.rebuilt,
    );
    registry.collect(
      'narthex_refused_series_total',
      'New series that the memory limit refused, each time they were sent.',
      { type: 'counter', labels: ['job'] },
      () => [...this.#storage.refused.totals()].map(([job, series]) => [[job], series] as const),
    );
    const { known } = storage.shards;
    registry.collect(
      'narthex_query_known_reads_total',
      'Selectors whose newest samples were read without asking a shard.',
      { type: 'counter' },
      () => known.reads,
    );
    registry.collect(
      'narthex_query_known_bytes',
      'Bytes of what is known of series whose newest samples are read that way.',
      { type: 'gauge' },
      () => known.bytes,
    );
    this.#registerTimes(registry);
    this.#registerCuts(registry);
    registerBlockKeeping(registry, storage.keeping, () => storage.headCuts.cuts);
    registerExemplars(registry, storage.shards.exemplars, () => this.#core);
    registerBlocks(registry, storage.blocks, storage.scrubbing);
    this.#registerLog(registry);
  }

  /** Fetches the numbers of the cores. */
  async refresh(counters: () => Promise<Record<string, number>>): Promise<void> {
    try {
      const [core] = await Promise.all([counters(), this.#storage.log.refreshStats()]);
      this.#core = core;
    } catch (error) {
      this.#log.warn('Reading the numbers of the shards failed', { err: error as Error });
    }
  }

  /** What the head spans, in milliseconds and in seconds. */
  #registerTimes(registry: Registry): void {
    const gauge = (name: string, help: string, read: () => number) =>
      registry.collect(name, help, { type: 'gauge' }, read);
    const storage = this.#storage;
    const orZero = (timeMs: number) => (Number.isFinite(timeMs) ? timeMs : 0);
    const ends = [
      ['min', 'Minimum', () => orZero(storage.oldestMs)],
      ['max', 'Maximum', () => orZero(storage.ingest.newestMs)],
    ] as const;
    for (const [end, word, read] of ends) {
      gauge(`prometheus_tsdb_head_${end}_time`, `${word} timestamp of the head block, in milliseconds.`, read);
      gauge(`prometheus_tsdb_head_${end}_time_seconds`, `${word} timestamp of the head block.`, () => read() / 1000);
    }
  }

  #registerCuts(registry: Registry): void {
    const counter = (name: string, help: string, read: () => number) =>
      registry.collect(name, help, { type: 'counter' }, read);
    const stats = () => this.#storage.headCuts;
    counter(
      'prometheus_tsdb_head_truncations_total',
      'Total number of head truncations attempted.',
      () => stats().truncations,
    );
    counter(
      'prometheus_tsdb_head_truncations_failed_total',
      'Total number of head truncations that failed.',
      () => stats().truncationFailures,
    );
    counter('narthex_head_cuts_total', 'Ranges of the head that became blocks.', () => stats().cuts);
    counter(
      'narthex_head_cuts_failed_total',
      'Cuts that failed: nothing is lost, they are tried again.',
      () => stats().failures,
    );
    counter('narthex_head_cut_seconds_total', 'Time that cuts took.', () => stats().seconds);
  }

  #registerLog(registry: Registry): void {
    const counter = (name: string, help: string, read: () => number) =>
      registry.collect(name, help, { type: 'counter' }, read);
    const stats = () => this.#storage.log.stats;
    registry.collect(
      'prometheus_tsdb_wal_segment_current',
      'Write log segment index that TSDB is currently writing to.',
      { type: 'gauge' },
      () => stats()?.segmentCurrent ?? 0,
    );
    counter(
      'prometheus_tsdb_wal_corruptions_total',
      'Total number of WAL corruptions.',
      () => stats()?.corruptions ?? 0,
    );
    counter(
      'prometheus_tsdb_wal_writes_failed_total',
      'Total number of write log writes that failed.',
      () => stats()?.failures ?? 0,
    );
    counter(
      'prometheus_tsdb_wal_truncations_total',
      'Total number of write log truncations that were attempted.',
      () => stats()?.truncations ?? 0,
    );
    counter(
      'prometheus_tsdb_checkpoint_creations_total',
      'Total number of checkpoint creations attempted.',
      () => stats()?.checkpoints ?? 0,
    );
    counter(
      'prometheus_tsdb_checkpoint_creations_failed_total',
      'Total number of checkpoint creations that failed.',
      () => stats()?.checkpointFailures ?? 0,
    );
    counter('narthex_wal_written_bytes_total', 'Bytes written to the log.', () => stats()?.bytes ?? 0);
    counter('narthex_wal_syncs_total', 'Syncs of the log.', () => stats()?.syncs ?? 0);
    counter('narthex_wal_sync_seconds_total', 'Time spent in syncs of the log.', () => stats()?.syncSeconds ?? 0);
    counter('narthex_wal_groups_total', 'Groups of commits that were written together.', () => stats()?.groups ?? 0);
    registry.collect('narthex_wal_stuck', 'Whether the log cannot be written now.', { type: 'gauge' }, () =>
      this.#storage.log.stuck === undefined ? 0 : 1,
    );
  }
}
