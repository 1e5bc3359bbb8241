// What storage is opened with, and what its rooms have in common.

import type { Clock } from '../../base/clock.js';
import type { Ingest } from '../../shard/ingest.js';
import type { LogThread } from '../../shard/log-thread.js';
import type { Shards } from '../../shard/shards.js';
import type { Logger } from '../../telemetry/log.js';
import type { CompactorPort } from '../../tsdb/compact/protocol.js';
import type { Retention } from '../../tsdb/compact/retention.js';
import type { RewriteSettings } from '../../tsdb/downsample/series-rewriter.js';
import type { SyncPolicy } from '../../tsdb/wal/log.js';

export interface StorageOptions {
  readonly path: string;
  readonly shards: number;
  /** Threads that help each shard with queries. */
  readonly readers?: number;
  readonly memoryBytes: number;
  /** --storage.chunk-cache: what is kept of the chunks that queries read from files. */
  readonly chunkCacheBytes?: number;
  /** --query.max-memory: what one query may take in a shard, too. */
  readonly queryBytes?: number;
  readonly sync: SyncPolicy;
  /** Of a segment of the log, and of the zeroes written ahead: its own measures where absent. */
  readonly segmentBytes?: number;
  /** And how much the log grows before samples that are in files leave it; there is a good default. */
  readonly shortenLogBytes?: number;
  /** And before an image of the head is taken; likewise. */
  readonly imageLogBytes?: number;
  readonly stepBytes?: number;
  /** Span of the blocks that are cut from the head: two hours. */
  readonly blockMs: number;
  /** Span of the largest; a tenth of the time that is kept, up to 31 days, where absent or 0. */
  readonly blockMaxMs?: number;
  /** How often it is looked what there is to merge or to remove: each minute where absent. */
  readonly blockLookMs?: number;
  /** What is kept; everything where absent. */
  readonly retention?: Retention;
  /** What becomes of series when blocks are made anew; nothing where absent. */
  readonly settings?: RewriteSettings;
  /** Samples may come so long after the newest of all, whatever their series has; 0 where absent: only in order. */
  readonly lateWindowMs?: number;
  /** Shards died too often to go on. */
  readonly onHopeless: (reason: Error) => void;
  /** Metadata of series is kept in the log, as with --enable-feature=metadata-wal-records. */
  readonly metadataRecords?: boolean;
  /** Tests may end shards on purpose. */
  readonly faults?: boolean;
  /** For tests, too: how long a shard may be busy with one task. */
  readonly stallMs?: number;
}

/** The log's segments and checkpoints: Prometheus's name and format. */
export function walFolder(path: string): string {
  return `${path}/wal`;
}

/** The write-behind log, of samples that came late: likewise; and what is ours beside it. */
export function lateLog(path: string): { readonly folder: string; readonly ownFolder: string } {
  return { folder: `${path}/wbl`, ownFolder: `${ownFolder(path)}/wbl` };
}

/** What is ours alone. */
export function ownFolder(path: string): string {
  return `${path}/narthex`;
}

/** What the rooms of storage work on. */
export interface StorageParts {
  readonly shards: Shards;
  readonly ingest: Ingest;
  readonly log: Pick<LogThread, 'open' | 'checkpoint' | 'rollLate' | 'dropLate' | 'sync' | 'roll' | 'refreshStats'>;
  readonly compactor: CompactorPort;
  readonly options: StorageOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}
