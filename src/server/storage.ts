// The data directory and everything that lives on it: seed, log, shards, replay, truncation.

import type { Clock, Timer } from '../base/clock.js';
import type { Disk } from '../base/disk.js';
import { secretBytes } from '../base/prng.js';
import { formatBytes } from '../config/values.js';
import type { ShardClient } from '../shard/client.js';
import { Ingest } from '../shard/ingest.js';
import { LogThread } from '../shard/log-thread.js';
import { Rebuilder } from '../shard/rebuild.js';
import type { ScratchLimits } from '../shard/scratch.js';
import { Shards } from '../shard/shards.js';
import type { Logger } from '../telemetry/log.js';
import type { SyncPolicy } from '../tsdb/wal/log.js';
import { listSegments } from '../tsdb/wal/segments.js';
import { Refusals } from './refusals.js';

export interface StorageOptions {
  readonly path: string;
  readonly shards: number;
  /** Threads that help each shard with queries. */
  readonly readers?: number;
  readonly memoryBytes: number;
  /** --query.max-memory: what one query may take in a shard, too. */
  readonly queryBytes?: number;
  readonly sync: SyncPolicy;
  /** How much of the newest time stays in memory. */
  readonly windowMs: number;
  /** Shards died too often to go on. */
  readonly onHopeless: (reason: Error) => void;
  /** Tests may end shards on purpose. */
  readonly faults?: boolean;
  /** For tests, too: how long a shard may be busy with one task. */
  readonly stallMs?: number;
}

/** Segments of the log, as the replay goes through them. */
export interface ReplayProgress {
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

/** In-order samples may be this much older than the newest of all: half a block, as in Prometheus. */
const LATE_MS = 3_600_000;
/** How far ahead of the clock a sample may be. */
const FUTURE_MS = 600_000;
/** How often old samples are looked for; a short window needs it more often. */
const TRUNCATE_EVERY_MS = 60_000;
const TRUNCATE_EVERY_WINDOWS = 1 / 20;
/** The log is cut again once the window has moved on by this share of itself: half an hour of three. */
const CHECKPOINT_EVERY_WINDOWS = 1 / 6;
/** The window shrinks, a step each time it is looked at, while any shard's memory is fuller than this, and grows while none is fuller than that. */
const CROWDED_SHARE = 0.93;
const ROOMY_SHARE = 0.8;
const KEPT_STEP = 7 / 8;
const KEPT_SHARE_MIN = 1 / 20;
/** Bodies under way take at most this share of the memory. */
const INPUT_SHARE = 1 / 8;
const INPUT_BYTES_MAX = 512 * 2 ** 20;
/** Of a shard's memory, what queries may hold there; and at least so much. */
const SCRATCH_SHARE = 1 / 8;
const SCRATCH_BYTES_MIN = 16 * 2 ** 20;
/** A shard's memory is 32-bit. */
const SHARD_BYTES_MAX = 4 * 2 ** 30 - 2 ** 16;

export class Storage {
  readonly shards: Shards;
  readonly ingest: Ingest;
  readonly log: LogThread;
  readonly #options: StorageOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #timer: Timer | undefined;
  #cutUpToMs = Number.NEGATIVE_INFINITY;
  #truncating: Promise<void> = Promise.resolve();
  /** What of the window is kept: less than all of it while memory is short. */
  #keptMs: number;
  readonly #refused: Refusals;
  readonly #replayed: Int32Array;
  #segments: { readonly min: number; readonly max: number } = { min: 0, max: 0 };
  #closed = false;
  #rebuilder: Rebuilder | undefined;
  /** A shard was made again, and knows nothing but the log: what is called now comes first. */
  onShardBack: ((index: number) => void) | undefined;

  private constructor(shards: Shards, log: LogThread, options: StorageOptions, clock: Clock, logger: Logger) {
    this.shards = shards;
    this.log = log;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#keptMs = options.windowMs;
    this.#refused = new Refusals(clock, logger);
    this.#replayed = new Int32Array(new SharedArrayBuffer(4 * shards.count));
    this.ingest = new Ingest(shards, () => this.#bounds());
  }

  /** Opens the directory, makes it where it is not there. Nothing may be asked of it before replay() is done. */
  static async open(disk: Disk, clock: Clock, logger: Logger, options: StorageOptions): Promise<Storage> {
    const folder = `${options.path}/wal`;
    const ownFolder = `${options.path}/narthex`;
    disk.makeFolder(folder);
    disk.makeFolder(ownFolder);
    const log = new LogThread({ folder, ownFolder, sync: options.sync }, clock);
    const memoryBytes = Math.min(options.memoryBytes, options.shards * SHARD_BYTES_MAX);
    const shards = await Shards.start(
      {
        count: options.shards,
        readers: options.readers,
        seed: readSeed(disk, ownFolder),
        memoryBytes,
        inputBytes: Math.min(memoryBytes * INPUT_SHARE, INPUT_BYTES_MAX),
        threads: true,
        faults: options.faults,
        stallMs: options.stallMs,
        ...(options.queryBytes !== undefined && {
          scratch: scratchLimits(options.queryBytes, memoryBytes / options.shards),
        }),
      },
      log,
    );
    const storage = new Storage(shards, log, { ...options, memoryBytes }, clock, logger);
    const segments = listSegments(disk, folder);
    storage.#segments = { min: segments[0] ?? 0, max: segments.at(-1) ?? 0 };
    storage.#replayed.fill(storage.#segments.min);
    return storage;
  }

  /** Reads the log back; rejects where storage is closed meanwhile. */
  async replay(): Promise<void> {
    const { path } = this.#options;
    await this.#replay(`${path}/wal`, `${path}/narthex`);
    this.#rebuilder = this.#watchShards();
    this.#schedule();
  }

  /** Shards made again since the start. */
  get rebuilt(): number {
    return this.#rebuilder?.rebuilt ?? 0;
  }

  /** New series that the memory limit refused, by job: to be told of each time. */
  get refused(): Refusals {
    return this.#refused;
  }

  /** How much of the newest time is in memory now. */
  get keptMs(): number {
    return this.#keptMs;
  }

  get replayProgress(): ReplayProgress {
    return { ...this.#segments, current: Math.min(...this.#replayed) };
  }

  /** May be called during the replay: that ends at once then. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.log.close();
    await this.#truncating;
    await this.shards.close();
  }

  #bounds(): { minTimeMs: number; maxTimeMs: number } {
    const { newestMs } = this.ingest;
    const minTimeMs = Number.isFinite(newestMs) ? newestMs - Math.min(LATE_MS, this.#options.windowMs) : -(2 ** 52);
    return { minTimeMs, maxTimeMs: this.#clock.nowMs() + FUTURE_MS };
  }

  async #replay(folder: string, ownFolder: string): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    const alone = this.shards.count === 1;
    const { windowMs } = this.#options;
    const reports = await Promise.all(
      this.shards.handles.map(({ client }) =>
        client.call('replay', { folder, ownFolder, repair: alone, windowMs, progress: this.#replayed }, 'ingest'),
      ),
    );
    const { opened } = reports[0]!;
    for (const { totals } of reports) if (totals.newestMs !== undefined) this.ingest.noteNewest(totals.newestMs);
    const highestRef = Math.max(...reports.map(({ totals }) => totals.highestRef));
    Atomics.store(this.shards.refCounter, 0, BigInt(highestRef));
    for (const damage of opened.damages) {
      const { segment, offset, bytes, reason, torn } = damage;
      const message = torn ? 'The log ends in a record that was cut short' : 'Damage in the log: what it held is lost';
      this.#logger[torn ? 'info' : 'error'](message, { segment, offset, bytes, reason });
    }
    for (const fault of reports[0]!.malformed) this.#logger.error('A record of the log was passed over', { fault });
    await this.log.open(opened, !alone && opened.damages.length > 0);
    this.#logger.info('Log replay completed', {
      duration: `${((this.#clock.monotonicMs() - startMs) / 1000).toFixed(3)}s`,
      records: opened.records,
      bytes: opened.bytes,
      series: reports.reduce((sum, report) => sum + report.series, 0),
      samples: reports.reduce((sum, report) => sum + report.totals.applied, 0),
    });
  }

  #watchShards(): Rebuilder {
    return new Rebuilder(this.shards, this.#clock, {
      onDeath: (shard, reason) =>
        this.#logger.error('A shard died: it is made again from the log', { shard, err: reason }),
      replay: (client, shard) => this.#replayOne(client, shard),
      onBack: (shard) => this.onShardBack?.(shard),
      onHopeless: (reason) => {
        if (!this.#closed) this.#options.onHopeless(reason);
      },
    });
  }

  /** Reads the log, which the log thread goes on writing for the other shards: its end may look torn. */
  async #replayOne(client: ShardClient, shard: number): Promise<void> {
    // No segment may go meanwhile.
    await this.#truncating;
    const startMs = this.#clock.monotonicMs();
    const { path, windowMs } = this.#options;
    const folders = { folder: `${path}/wal`, ownFolder: `${path}/narthex` };
    const request = { ...folders, repair: false, windowMs, progress: this.#replayed };
    const { totals, series } = await client.call('replay', request, 'ingest');
    this.#logger.info('The shard is back', {
      shard,
      duration: `${((this.#clock.monotonicMs() - startMs) / 1000).toFixed(3)}s`,
      series,
      samples: totals.applied,
    });
  }

  #schedule(): void {
    if (this.#closed) return;
    const everyMs = Math.min(TRUNCATE_EVERY_MS, this.#options.windowMs * TRUNCATE_EVERY_WINDOWS);
    this.#timer = this.#clock.after(everyMs, () => {
      this.#truncating = this.#truncate()
        .catch((error: unknown) => {
          if (!this.#closed) this.#logger.error('Truncating the head failed', { err: error as Error });
        })
        .finally(() => this.#schedule());
    });
  }

  /** Where memory runs full the oldest samples go before their time, and the window is whole again when it may. */
  async #fitWindow(): Promise<void> {
    const { windowMs, memoryBytes } = this.#options;
    const shares = await Promise.all(this.shards.handles.map(({ client }) => client.call('counters', {}, 'rules')));
    const fullest = Math.max(...shares.map(({ heldBytes }) => heldBytes!)) / (memoryBytes / this.shards.count);
    const before = this.#keptMs;
    if (fullest > CROWDED_SHARE) this.#keptMs = Math.max(windowMs * KEPT_SHARE_MIN, before * KEPT_STEP);
    else if (fullest < ROOMY_SHARE) this.#keptMs = Math.min(windowMs, before / KEPT_STEP);
    if (this.#keptMs < before)
      this.#logger.warn('The oldest samples leave the head early: the memory limit is reached', {
        kept: `${Math.round(this.#keptMs / 1000)}s`,
      });
  }

  /** Drops what lies before the window from the head and, now and then, from the log. */
  async #truncate(): Promise<void> {
    await this.#fitWindow();
    const minTimeMs = this.ingest.newestMs - this.#keptMs;
    if (!Number.isFinite(minTimeMs)) return;
    let removed = 0;
    for (const { client } of this.shards.handles) {
      for (let done = false; !done && !this.#closed; ) {
        const step = await client.call('truncate', { minTimeMs }, 'rules');
        done = step.done;
        if (done) removed += step.removed;
      }
    }
    if (removed > 0) this.shards.noteSeriesChange();
    if (removed > 0) this.#logger.info('Head truncated', { min_time: minTimeMs, series_removed: removed });
    if (this.#closed || minTimeMs - this.#cutUpToMs < this.#options.windowMs * CHECKPOINT_EVERY_WINDOWS) return;
    const first = !Number.isFinite(this.#cutUpToMs);
    this.#cutUpToMs = minTimeMs;
    // Just after the start nothing is known to be old enough.
    if (first) return;
    const refs = await Promise.all(this.shards.handles.map(({ client }) => client.call('liveRefs', {}, 'rules')));
    if (this.#closed) return;
    const shares = refs.map((share) => share.refs);
    await this.log.checkpoint(shares, minTimeMs);
  }
}

/** The secret that places series in shards and keys hashes; made at the first start. Nothing on disk depends on it. */
function readSeed(disk: Disk, folder: string): bigint {
  const path = `${folder}/seed`;
  if (disk.stat(path) === undefined) disk.writeFileAtomic(path, secretBytes(8));
  const bytes = disk.readFile(path);
  if (bytes.length !== 8) throw new Error(`${path} is damaged: delete it, and a new one is made`);
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
}

function scratchLimits(queryBytes: number, shardBytes: number): ScratchLimits {
  const bytes = Math.max(shardBytes * SCRATCH_SHARE, SCRATCH_BYTES_MIN);
  const share = `${100 * SCRATCH_SHARE}% of its part of --storage.memory-limit, ${formatBytes(Math.floor(bytes))}`;
  return {
    ofOne: { bytes: queryBytes, name: `--query.max-memory, ${formatBytes(queryBytes)}` },
    ofAll: { bytes, name: share },
  };
}
