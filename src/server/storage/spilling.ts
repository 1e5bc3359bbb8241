// Carrying the head's sealed chunks to files, so that they leave memory, and the log.
//
//   shards     collect ─────────────┐                      ┌─► confirm ► evict
//   main              log synced ►  │ buffers moved        │ where they are
//   compactor                       └► written, synced ────┘
//
// Chunks of which the log may not have all samples on the disk yet wait for the next round. Rounds, head cuts, truncations
// and deletions follow each other; while the log is shortened, rounds go on, or memory would fill with chunks for as long as
// that takes. What fails is tried again later: the chunks are in memory and in the log.

import { sleep } from '../../base/clock.js';
import type { ShardClient } from '../../shard/client.js';
import type { Reply, Request } from '../../shard/protocol.js';
import { SEGMENT_BYTES_DEFAULT } from '../../tsdb/wal/page.js';
import type { StorageParts } from './options.js';
import { Rounds } from './rounds.js';
import type { Meanwhile } from './truncation.js';

/** How often it is looked whether there is something to spill. */
const LOOK_EVERY_MS = 1000;
/** A round begins with so many chunks sealed since the last, or so long after it. */
const DUE_CHUNKS = 4096;
const DUE_MS = 30_000;
/** What the shards together keep in memory of what is in files: recent queries read less. */
const RESIDENT_BYTES = 16 * 2 ** 20;
/** The log is shortened when it has grown by so many segments, and by this share of what was left of it the last time. */
const LOG_SEGMENTS = 1;
const LOG_GROWTH_SHARE = 1 / 2;
/** Bytes that are written at once, about. */
const BATCH_BYTES = 8 * 2 ** 20;
const RETRY_MS = 10_000;

export interface SpillStats {
  readonly rounds: number;
  readonly failures: number;
  readonly bytes: number;
}

/** What follows when the log has grown. */
export interface LogFollowers {
  /** Takes from the log what files have, and has `meanwhile` wait for the checkpoint. */
  readonly shorten: (meanwhile: Meanwhile) => Promise<void>;
  readonly isImageDue: () => Promise<boolean>;
  /** Of the head: what files do not have. */
  readonly takeImage: () => Promise<void>;
}

const NO_FOLLOWERS: LogFollowers = {
  shorten: () => Promise.resolve(),
  isImageDue: () => Promise.resolve(false),
  takeImage: () => Promise.resolve(),
};

export class Spilling {
  readonly #parts: StorageParts;
  readonly #apart: <T>(action: () => Promise<T>) => Promise<T>;
  readonly #looks: Rounds;
  readonly #stats = { rounds: 0, failures: 0, bytes: 0 };
  readonly #follow: LogFollowers;
  readonly #isComplete: () => boolean;
  /** Bytes written to the log when it was shortened. */
  #shortenedAtBytes: number | undefined;
  /** Of each shard, when its last round began. */
  #sealed: number[] = [];
  #roundAtMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();

  /**
   * `apart` runs an action while nothing is cut, truncated or deleted. `isComplete`: the heads have all that the log has; what files have
   * of a series the log is not asked for any more.
   */
  constructor(
    parts: StorageParts,
    apart: <T>(action: () => Promise<T>) => Promise<T>,
    follow: LogFollowers = NO_FOLLOWERS,
    isComplete: () => boolean = () => true,
  ) {
    this.#parts = parts;
    this.#apart = apart;
    this.#follow = follow;
    this.#isComplete = isComplete;
    this.#looks = new Rounds({
      clock: parts.clock,
      everyMs: LOOK_EVERY_MS,
      retryMs: RETRY_MS,
      round: () => this.#look(),
      onFailure: (err) => {
        this.#stats.failures++;
        parts.logger.error('Chunks of the head could not be written: they stay in memory and in the log', { err });
      },
    });
  }

  /** What the log had at the start. */
  noteLogBytes(bytes: number): void {
    this.#shortenedAtBytes = -bytes;
  }

  get stats(): SpillStats {
    return this.#stats;
  }

  /** Looks every now and then from now on. */
  start(): void {
    this.#looks.start();
  }

  /** Resolves when nothing is under way any more. */
  close(): Promise<void> {
    return this.#looks.close();
  }

  /** Resolves when no file is written for the moment: what shards collected before is there, or not. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** Spills all that can be of one shard, while nobody appends to it: the log has all that it has. */
  async makeRoom(client: ShardClient): Promise<void> {
    await this.#ofShard(client, this.#parts.shards.appends.watermark, 0);
  }

  async #look(): Promise<void> {
    if (!this.#isComplete()) return;
    if (!(await this.#roundIfDue(this.#apart)) || (await this.#shortenIfDue())) return;
    if (await this.#follow.isImageDue()) await this.#follow.takeImage();
  }

  /** Whether there was a round. */
  async #roundIfDue(within: (round: () => Promise<void>) => Promise<void>): Promise<boolean> {
    const { shards, clock } = this.#parts;
    const sealed = await Promise.all(
      shards.handles.map(async ({ client }) => (await client.call('spillState', {}, 'rules')).sealed),
    );
    const fresh = sealed.reduce((sum, count, i) => sum + Math.max(0, count - (this.#sealed[i] ?? 0)), 0);
    const isDue = fresh >= DUE_CHUNKS || (fresh > 0 && clock.monotonicMs() - this.#roundAtMs >= DUE_MS);
    if (!isDue || this.#looks.isClosed) return false;
    await within(() => this.round());
    this.#sealed = sealed;
    return true;
  }

  /**
   * Rounds for as long as the log's thread is busy with a checkpoint. What that drops was in files when it began, and what goes to
   * files now it keeps once more.
   */
  async #roundsDuring(checkpoint: Promise<void>): Promise<void> {
    let isOver = false;
    const over = checkpoint.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    const pause = () => Promise.race([over, sleep(this.#parts.clock, LOOK_EVERY_MS)]);
    try {
      for (await pause(); !isOver && !this.#looks.isClosed; await pause()) await this.#roundIfDue((round) => round());
    } finally {
      await over;
    }
  }

  /** What is left of the log is read again each time, so that has to be worth it. */
  async #shortenIfDue(): Promise<boolean> {
    const { log, options } = this.#parts;
    const stats = await log.refreshStats();
    if (stats === undefined) return false;
    const leastBytes = options.shortenLogBytes ?? LOG_SEGMENTS * (options.segmentBytes ?? SEGMENT_BYTES_DEFAULT);
    const leftBytes = Math.max(leastBytes, LOG_GROWTH_SHARE * stats.checkpointBytes);
    if (stats.bytes - (this.#shortenedAtBytes ?? 0) < leftBytes) return false;
    this.#shortenedAtBytes = stats.bytes;
    await this.#follow.shorten((checkpoint) => this.#roundsDuring(checkpoint));
    return true;
  }

  /** Spills what can be of all shards. Only while nothing is cut, truncated or deleted. */
  async round(): Promise<void> {
    const { shards, clock, log } = this.#parts;
    this.#roundAtMs = clock.monotonicMs();
    const { watermark } = shards.appends;
    await log.sync();
    const keepBytes = RESIDENT_BYTES / shards.count;
    for (const { client } of shards.handles) await this.#ofShard(client, watermark, keepBytes);
    this.#stats.rounds++;
  }

  async #ofShard(client: ShardClient, watermark: number, keepBytes: number): Promise<void> {
    for (let from: number | undefined = 0; from !== undefined && !this.#looks.isClosed; ) {
      const batch = await this.#collect(client, from, watermark);
      from = batch.next;
      if (batch.records.length > 0) await this.#write(client, batch);
    }
    for (let done = false; !done && !this.#looks.isClosed; ) {
      done = (await client.call('evictSpilled', { keepBytes }, 'rules')).done;
    }
  }

  async #collect(client: ShardClient, start: number, watermark: number): Promise<Batch> {
    const records: ArrayBuffer[] = [];
    let latestMs = Number.NEGATIVE_INFINITY;
    let bytes = 0;
    let next: number | undefined = start;
    while (next !== undefined && bytes < BATCH_BYTES) {
      const request: Request<'collectSpill'> = { from: next, isFirst: next === start, watermark };
      const page: Reply<'collectSpill'> = await client.call('collectSpill', request, 'rules');
      if (page.records.byteLength > 0) records.push(page.records);
      bytes += page.records.byteLength;
      ({ next, latestMs } = page);
    }
    return { next, records, latestMs, bytes };
  }

  async #write(client: ShardClient, { records, latestMs, bytes }: Batch): Promise<void> {
    const written = this.#parts.compactor.call('writeHeadChunks', { records, latestMs });
    this.#writing = written.then(
      () => {},
      () => {},
    );
    const place = await written;
    this.#stats.bytes += bytes;
    for (let done = false; !done && !this.#looks.isClosed; ) {
      done = (await client.call('confirmSpill', place, 'rules')).done;
    }
  }
}

interface Batch {
  readonly next: number | undefined;
  readonly records: ArrayBuffer[];
  readonly latestMs: number;
  readonly bytes: number;
}
