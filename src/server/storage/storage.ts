// The data directory and everything that lives on it: seed, log, shards; what happens to them is in the rooms beside.

import { type Clock, sleep } from '../../base/clock.js';
import type { Disk } from '../../base/disk.js';
import { formatBytes } from '../../config/values.js';
import type { ShardClient } from '../../shard/client.js';
import { Ingest, type TimeBounds } from '../../shard/ingest.js';
import { LogThread } from '../../shard/log-thread.js';
import { Rebuilder } from '../../shard/rebuild.js';
import type { ScratchLimits } from '../../shard/scratch.js';
import { Shards } from '../../shard/shards.js';
import type { Logger } from '../../telemetry/log.js';
import type { ListedBlock } from '../../tsdb/block/open-blocks.js';
import { removeLeftovers } from '../../tsdb/compact/superseded.js';
import { NO_REWRITE } from '../../tsdb/downsample/series-rewriter.js';
import { recoverImport } from '../../tsdb/import/staging.js';
import { Refusals } from '../refusals.js';
import { blocksEndMs } from './block-folders.js';
import { BlockKeeping } from './block-keeping.js';
import { BlockSet } from './block-set.js';
import { HeadCutting } from './cutting.js';
import { Deletion } from './deletion.js';
import { HeadImages } from './head-images.js';
import { type HeadCutStats, HeadSchedule } from './head-schedule.js';
import { Importing } from './importing.js';
import { LateCutting } from './late-cutting.js';
import { NotedBlocks } from './noted-blocks.js';
import { lateLog, ownFolder, type StorageOptions, type StorageParts, walFolder } from './options.js';
import { RecoveryBook, type RecoveryReport } from './recovery-book.js';
import { Replay, type ReplayProgress } from './replay.js';
import { Scrubbing } from './scrubbing.js';
import { readSeed } from './seed.js';
import { openingFault, ShardBlocks } from './shard-blocks.js';
import { Snapshots } from './snapshots.js';
import { Spilling, type SpillStats } from './spilling.js';
import { realThreads, type StorageThreads } from './threads.js';
import { Truncation } from './truncation.js';

/** In-order samples may be older than the newest of all by this share of a block, as in Prometheus. */
const LATE_BLOCKS = 1 / 2;
/** How far ahead of the clock a sample may be. */
const FUTURE_MS = 600_000;
/** Before every sample. */
const ANY_TIME = -(2 ** 52);
/** Bodies under way have this share of the memory, and some room in any case: what hostile targets touch stays in use. */
const INPUT_SHARE = 1 / 96;
const INPUT_BYTES_MIN = 128 * 2 ** 20;
const INPUT_BYTES_MAX = 512 * 2 ** 20;
/** Of small memories. */
const INPUT_SHARE_MAX = 1 / 8;
/** Of a shard's memory, what queries may hold there; and at least so much. */
const SCRATCH_SHARE = 1 / 8;
const SCRATCH_BYTES_MIN = 16 * 2 ** 20;
/** Of that, what rules may take when it is used up. */
const RULE_SCRATCH_SHARE = 1 / 4;
/** A shard's memory is 32-bit. */
const SHARD_BYTES_MAX = 4 * 2 ** 30 - 2 ** 16;

/** How often it is looked whether queries that read old blocks have ended. */
const RELEASE_EVERY_MS = 100;

const KEEP_ALL = { timeMs: 0, bytes: 0, percentage: 0 };

export class Storage {
  readonly shards: Shards;
  readonly ingest: Ingest;
  readonly log: LogThread;
  /** What queries read beside the head. */
  readonly blocks: BlockSet;
  /** Merges blocks, and removes old ones. */
  readonly keeping: BlockKeeping;
  readonly deletion: Deletion;
  readonly snapshots: Snapshots;
  readonly importing: Importing;
  /** Reads all blocks through, again and again. */
  readonly scrubbing: Scrubbing;
  readonly #shardBlocks: ShardBlocks;
  readonly #notedBlocks: NotedBlocks;
  readonly #parts: StorageParts;
  readonly #book: RecoveryBook;
  readonly #replay: Replay;
  readonly #truncation: Truncation;
  readonly #images: HeadImages;
  readonly #schedule: HeadSchedule;
  readonly #spilling: Spilling;
  readonly #refused: Refusals;
  #lateWindowMs: number;
  #closed = false;
  #rebuilder: Rebuilder | undefined;
  /** A shard was made again, and knows nothing but the log: what is called now comes first. */
  onShardBack: ((index: number) => void) | undefined;

  private constructor(disk: Disk, log: LogThread, parts: StorageParts, floorMs: number) {
    this.log = log;
    this.shards = parts.shards;
    this.ingest = parts.ingest;
    this.#parts = parts;
    this.#spilling = new Spilling(
      parts,
      (action) => this.#schedule.afterLate(action),
      {
        shorten: (meanwhile) => this.#schedule.shortenLog(meanwhile),
        isImageDue: () => this.#images.isDue(),
        takeImage: () => this.#schedule.apart(() => this.#images.take()),
      },
      () => this.#replay.isComplete,
    );
    const makeRoom = (client: ShardClient) => this.#spilling.makeRoom(client);
    this.#book = new RecoveryBook(parts.clock.nowMs(), parts.options.path);
    this.#notedBlocks = new NotedBlocks(disk, parts, this.#book);
    this.#replay = new Replay(disk, parts, () => this.#schedule.floorMs, makeRoom, this.#book);
    this.#images = new HeadImages(parts);
    this.#truncation = new Truncation(parts, this.#images, () => this.#replay.isComplete);
    this.#shardBlocks = new ShardBlocks(parts.shards, parts.compactor, () => this.#schedule.floorMs);
    this.blocks = new BlockSet({
      ...{ disk, folder: parts.options.path, logger: parts.logger },
      tell: (blocks) => this.#tellShards(blocks),
      noteLoss: (path, reason, outcome) => this.#book.noteLoss({ what: 'block', path, reason, outcome }),
    });
    const cutting = new HeadCutting(parts.shards, parts.compactor, (damage) =>
      parts.logger.error('Damage met by a head cut', { damage }),
    );
    const late = new LateCutting(parts, cutting, () => this.blocks.look());
    this.#schedule = new HeadSchedule(parts, {
      cutting,
      truncation: this.#truncation,
      late,
      floorMs,
      isComplete: () => this.#replay.isComplete,
      onBlock: () => this.blocks.look(),
    });
    const changed = () => this.#lookAndWait();
    this.keeping = new BlockKeeping(parts, {
      changed,
      look: () => this.blocks.look(),
      retention: parts.options.retention ?? KEEP_ALL,
      settings: parts.options.settings ?? NO_REWRITE,
    });
    this.snapshots = new Snapshots(parts, this.#schedule, cutting, late);
    this.importing = new Importing(parts, this.#schedule, () => this.blocks.look());
    this.deletion = new Deletion(parts, this.#schedule, changed, late);
    this.scrubbing = new Scrubbing(parts, this.blocks);
    this.#refused = new Refusals(parts.clock, parts.logger);
    this.#lateWindowMs = parts.options.lateWindowMs ?? 0;
  }

  /** Opens the directory, makes it where it is not there. Nothing may be asked of it before replay() is done. */
  static async open(
    disk: Disk,
    clock: Clock,
    logger: Logger,
    asked: StorageOptions,
    threads: StorageThreads = realThreads,
  ): Promise<Storage> {
    const folder = walFolder(asked.path);
    const own = ownFolder(asked.path);
    disk.makeFolder(folder);
    disk.makeFolder(own);
    const options = { ...asked, memoryBytes: Math.min(asked.memoryBytes, asked.shards * SHARD_BYTES_MAX) };
    const { sync, segmentBytes, stepBytes } = options;
    const setup = { folder, ownFolder: own, late: lateLog(asked.path), sync, segmentBytes, stepBytes };
    const log = new LogThread(threads.log(setup), clock);
    const shards = await startShards(options, readSeed(disk, own), { log, clock, boot: threads.shard });
    removeLeftovers(disk, asked.path);
    recoverImport(disk, asked.path);
    const floorMs = blocksEndMs(disk, asked.path);
    const compactor = threads.compactor({ dataFolder: asked.path });
    const ingest: Ingest = new Ingest(shards, () => storage.#timeBounds());
    const storage: Storage = new Storage(
      disk,
      log,
      { shards, ingest, log, compactor, options, clock, logger },
      floorMs,
    );
    return storage;
  }

  /** Reads the log back; rejects where storage is closed meanwhile. */
  async replay(): Promise<void> {
    await this.#replay.all();
    await this.blocks.look();
    await this.#notedBlocks.begin(this.blocks.blocks, this.#replay.isForeign);
    this.#rebuilder = this.#watchShards();
    if (this.#replay.hasLateToCut) this.#schedule.cutLateSoon();
    this.#schedule.start();
    this.#spilling.noteLogBytes(this.#replay.logBytes);
    this.#images.noteLogBytes(this.#replay.logBytes);
    this.#spilling.start();
    if (this.#replay.hasRestored) this.#shortenLogSoon();
    this.keeping.start();
    for (const { client } of this.shards.handles) client.onSuspect = (path) => this.#suspect(path);
    this.scrubbing.start();
    this.#book.end(this.#parts.clock.nowMs());
  }

  /** From the next append on; 0: only in order. */
  setLateWindow(windowMs: number): void {
    this.#lateWindowMs = windowMs;
  }

  /** Shards made again since the start. */
  get rebuilt(): number {
    return this.#rebuilder?.rebuilt ?? 0;
  }

  /** New series that the memory limit refused, by job: to be told of each time. */
  get refused(): Refusals {
    return this.#refused;
  }

  /** Time of the oldest sample in the head; Infinity where that is not known. */
  get oldestMs(): number {
    return this.#schedule.oldestMs;
  }

  get headCuts(): HeadCutStats {
    return this.#schedule.stats;
  }

  get spills(): SpillStats {
    return this.#spilling.stats;
  }

  /** What the last start found and lost, and what of blocks since then. */
  get recovery(): RecoveryReport {
    return this.#book.report;
  }

  get replayProgress(): ReplayProgress {
    return this.#replay.progress;
  }

  /** May be called during the replay: that ends at once then. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#images.close();
    const ended = [this.#schedule.close(), this.#spilling.close(), this.keeping.close(), this.scrubbing.close()];
    await this.#parts.compactor.close();
    await this.log.close();
    await Promise.all(ended);
    await this.shards.close();
  }

  /** Which samples are acceptable just now. */
  #timeBounds(): TimeBounds {
    const { clock, options } = this.#parts;
    const { newestMs } = this.ingest;
    const { floorMs } = this.#schedule;
    const minTimeMs = Number.isFinite(newestMs) ? newestMs - LATE_BLOCKS * options.blockMs : ANY_TIME;
    const bounds = { minTimeMs: Math.max(minTimeMs, floorMs), maxTimeMs: clock.nowMs() + FUTURE_MS };
    if (this.#lateWindowMs === 0) return bounds;
    return { ...bounds, lateTimeMs: Math.max(newestMs, floorMs) - this.#lateWindowMs };
  }

  async #tellShards(blocks: readonly ListedBlock[]): Promise<void> {
    for (const fault of await this.#shardBlocks.tell(blocks)) await this.blocks.report(fault);
    await this.#notedBlocks.tryNote(this.blocks.blocks);
  }

  /** Resolves when no query reads blocks that are not there any more: then their files may go. */
  async #lookAndWait(): Promise<void> {
    await this.blocks.look();
    await this.#notedBlocks.note(this.blocks.blocks);
    const { clock } = this.#parts;
    while (!this.#closed && !(await this.shards.haveReleasedBlocks())) {
      await sleep(clock, RELEASE_EVERY_MS);
    }
  }

  /** The block of a file that a query found damaged is read through next. */
  #suspect(path: string): void {
    const block = this.blocks.blocks.find((one) => path.startsWith(`${one.path}/`));
    if (block !== undefined) this.scrubbing.suspect(block.path);
  }

  /** Series that the log lacks are in it again with its next checkpoint: then a Prometheus finds them, too. */
  #shortenLogSoon(): void {
    this.#schedule.shortenLog().catch((error: unknown) => {
      if (!this.#closed)
        this.#parts.logger.error('A checkpoint of the log failed: it is tried again', { err: error as Error });
    });
  }

  #watchShards(): Rebuilder {
    const { shards, clock, logger, options } = this.#parts;
    return new Rebuilder(shards, clock, {
      onDeath: (shard, reason) => logger.error('A shard died: it is made again from the log', { shard, err: reason }),
      replay: async (client, shard) => {
        // No segment may go meanwhile.
        await Promise.all([this.#truncation.settled(), this.#spilling.settled()]);
        await this.#replay.one(client, shard);
        if (this.#replay.hasLateToCut) this.#schedule.cutLateSoon();
      },
      onBack: (shard, refused) => {
        this.onShardBack?.(shard);
        for (const one of refused) void this.blocks.report(openingFault(one));
      },
      onHopeless: (reason) => {
        if (!this.#closed) options.onHopeless(reason);
      },
    });
  }
}

function startShards(
  options: StorageOptions,
  seed: bigint,
  { log, clock, boot }: { log: LogThread; clock: Clock; boot: StorageThreads['shard'] },
): Promise<Shards> {
  const { shards, readers, memoryBytes, queryBytes, chunkCacheBytes, faults, stallMs, metadataRecords } = options;
  return Shards.start(
    {
      count: shards,
      dataFolder: options.path,
      readers,
      seed,
      memoryBytes,
      inputBytes: inputBytesOf(memoryBytes),
      threads: true,
      boot,
      clock,
      faults,
      stallMs,
      metadataRecords,
      ...(chunkCacheBytes !== undefined && { chunkCacheBytes }),
      ...(queryBytes !== undefined && { scratch: scratchLimits(queryBytes, memoryBytes / shards) }),
    },
    log,
  );
}

function inputBytesOf(memoryBytes: number): number {
  const wanted = Math.max(memoryBytes * INPUT_SHARE, INPUT_BYTES_MIN);
  return Math.min(wanted, memoryBytes * INPUT_SHARE_MAX, INPUT_BYTES_MAX);
}

function scratchLimits(queryBytes: number, shardBytes: number): ScratchLimits {
  const bytes = Math.max(shardBytes * SCRATCH_SHARE, SCRATCH_BYTES_MIN);
  const share = `${100 * SCRATCH_SHARE}% of its part of --storage.memory-limit, ${formatBytes(Math.floor(bytes))}`;
  return {
    ofOne: { bytes: queryBytes, name: `--query.max-memory, ${formatBytes(queryBytes)}` },
    ofAll: { bytes, name: share },
    rulesBytes: bytes * RULE_SCRATCH_SHARE,
  };
}
