// The log as its thread runs it: commits from all shards are gathered, written
// with one write and made durable with one fdatasync.
//
//   commit ─┐
//   commit ─┼─► queue ─► append (one write) ─► sync, if any of them is to be durable ─► answers
//   commit ─┘              ▲                        │
//                          └── meanwhile new commits gather: the group grows with the load
//
// What nobody waits for is synced within a second. When the disk fails the log
// refuses, keeps what it has, and tries again each second.

import { type Clock, soon, type Timer } from '../../base/clock.js';
import { type Disk, DiskError } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { type CheckpointStats, checkpointing, dropCovered } from './checkpoint.js';
import type { Keep } from './filter.js';
import type { CheckpointPlace } from './gone-series.js';
import { ManifestWriter, type NotedCheckpoint } from './manifest.js';
import type { OpenedLog } from './open.js';
import { checkpointBytes, listCheckpoints, listSegments, segmentPath } from './segments.js';
import { type LogPosition, LogStuck, LogWriter, type RecordParts, type WriterStats } from './writer.js';

/** Records of one request, all in the log or none. */
export interface Commit {
  /** Copied when the group is written, so keep them until the answer. */
  readonly records: readonly RecordParts[];
  /** Whether the answer waits for the disk (remote writes do), or only for the write (scrapes). */
  readonly durable: boolean;
}

/**
 * When the bytes go to the disk.
 *   group     durable commits at once, together with all that is there; others within a second
 *   interval  all within this time; durable commits do not wait
 *   never     when the kernel likes, as Prometheus does it
 */
export type SyncPolicy =
  | { readonly mode: 'group' }
  | { readonly mode: 'interval'; readonly intervalMs: number }
  | { readonly mode: 'never' };

/**
 * The records are in the log but it could not be said that they are on the disk. They are kept and
 * written again, so they may well be there after a restart: the sender does not know, and sends again.
 */
export class LogUnsynced extends Error {
  override readonly name = 'LogUnsynced';
  readonly code: string;
  constructor(cause: LogStuck) {
    super(`written, but not known to be on the disk: ${cause.message}`, { cause });
    this.code = cause.code;
  }
}

export interface LogOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly core: Core;
  readonly clock: Clock;
  /** What openLog() found: where to go on. */
  readonly opened: Pick<OpenedLog, 'nextSegment' | 'manifest' | 'damages' | 'unsynced'>;
  readonly sync?: SyncPolicy;
  readonly segmentBytes?: number;
  readonly stepBytes?: number;
  /** With fewer bytes free than this on the disk, commits are refused: room for checkpoints, blocks and deletions. Default 0. */
  readonly reserveBytes?: number;
  /** Runs a flush when the messages at hand are in; the clock door's by default. */
  readonly soon?: (action: () => void) => void;
}

/** For metrics; `prometheus_tsdb_wal_*` and ours are made from these. */
export interface LogStats extends WriterStats {
  segmentCurrent: number;
  /** Losses found when the log was opened, torn tails not counted. */
  corruptions: number;
  groups: number;
  commits: number;
  refused: number;
  syncSeconds: number;
  syncSecondsMax: number;
  /** Whether the log refuses now, because it failed or because the disk is nearly full. */
  stuck: boolean;
  truncations: number;
  checkpoints: number;
  /** Of the last one. */
  checkpointBytes: number;
  checkpointFailures: number;
  manifestFailures: number;
}

/** Which segments a checkpoint may replace. */
export interface CheckpointSpan {
  /**
   * The last of them, not written any more: as roll() gave it *before* it was asked what the heads need, so that a series that came
   * since is behind it.
   */
  readonly newest: number;
  /** All of them, or as in Prometheus the older two thirds. */
  readonly isWhole: boolean;
}

/** Scrapes, and whatever else waits for no sync, are on the disk after this long. */
const SYNC_WITHIN_MS = 1000;
/** How often a stuck log tries again: writing resumes well within five seconds after the disk does. */
const RETRY_EVERY_MS = 1000;
const MANIFEST_EVERY_MS = 1000;
const RESERVE_CHECK_EVERY_MS = 1000;

/** A nearly full disk must have this much more than the reserve free before writing goes on: no flapping. */
const RESERVE_HYSTERESIS = 1.25;

/** Prometheus keeps the newest third of its segments out of a checkpoint. */
const CHECKPOINT_SHARE = 2 / 3;

interface Waiting {
  readonly commit: Commit;
  readonly resolve: (position: LogPosition) => void;
  readonly reject: (error: LogStuck | LogUnsynced) => void;
}

export class Log {
  readonly #options: LogOptions;
  readonly #clock: Clock;
  readonly #writer: LogWriter;
  readonly #policy: SyncPolicy;
  readonly #soon: (action: () => void) => void;
  readonly #manifest: ManifestWriter | undefined;
  readonly #synced: Map<number, number>;
  #checkpoint: NotedCheckpoint | undefined;

  #queue: Waiting[] = [];
  #flushSoon = false;
  #timer: Timer | undefined;
  #notedAtMs = Number.NEGATIVE_INFINITY;
  /** Whether the manifest was written since the last append. */
  #isNoted = true;
  #full: LogStuck | undefined;
  #reserveCheckedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  readonly #own = {
    corruptions: 0,
    groups: 0,
    commits: 0,
    refused: 0,
    syncSeconds: 0,
    syncSecondsMax: 0,
    truncations: 0,
    checkpoints: 0,
    checkpointBytes: 0,
    checkpointFailures: 0,
    manifestFailures: 0,
  };

  /** Makes the first segment; is stuck, and tries again, where that is not possible now. */
  constructor(options: LogOptions) {
    const { disk, folder, core, opened } = options;
    this.#options = options;
    this.#clock = options.clock;
    this.#policy = options.sync ?? { mode: 'group' };
    this.#soon = options.soon ?? soon;
    this.#synced = new Map(opened.manifest.state.synced);
    this.#checkpoint = opened.manifest.state.checkpoint;
    this.#settle(opened.unsynced);
    this.#own.corruptions = opened.damages.filter((damage) => !damage.torn).length;
    this.#manifest = this.#openManifest();
    this.#writer = new LogWriter({
      disk,
      folder,
      core,
      segment: opened.nextSegment,
      segmentBytes: options.segmentBytes,
      stepBytes: options.stepBytes,
      keepUnsynced: this.#policy.mode !== 'never',
      // Noted before it is made, so that a segment which the manifest does not know is another server's.
      beforeSegment: (segment) => this.#note(segment),
    });
    this.#schedule();
  }

  get stats(): LogStats {
    return {
      ...this.#writer.stats,
      ...this.#own,
      segmentCurrent: this.#writer.position.segment,
      stuck: this.stuck !== undefined,
    };
  }

  /** Why the log refuses now. */
  get stuck(): LogStuck | undefined {
    return this.#writer.stuck ?? this.#full;
  }

  /**
   * Adds records to the log. Answers when they are written, or on the disk if `durable`.
   * Rejects with LogStuck (none of them is in the log) or LogUnsynced (they are, but not for sure on the disk).
   */
  commit(commit: Commit): Promise<LogPosition> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ commit, resolve, reject });
      this.#scheduleFlush();
    });
  }

  /**
   * Writes, and syncs if one of them is durable, at once: for a caller that gathers by itself.
   * It calls prepare() when the answers are out, and tick() each second. Throws as commit() rejects.
   */
  commitNow(commits: readonly Commit[]): LogPosition {
    const { position, refused, unsynced } = this.#run(commits);
    const error = refused ?? unsynced;
    if (error !== undefined) throw error;
    return position;
  }

  /** What has time until answers are out: zeroes ahead of need, the next segment, the manifest. */
  prepare(): void {
    this.#writer.prepare();
    if (this.#writer.stuck !== undefined) this.#schedule();
    if (this.#clock.monotonicMs() - this.#notedAtMs >= MANIFEST_EVERY_MS) this.#noteProgress();
  }

  /** Syncs what nobody waits for, notes what is on the disk, or tries to get a stuck log going. A timer does it where the event loop runs. */
  tick(): void {
    if (this.#closed) return;
    if (this.#writer.stuck !== undefined) this.#writer.retry();
    else if (this.#policy.mode !== 'never') this.#sync();
    this.#noteProgress();
    this.#schedule();
  }

  /** Makes all that was committed durable. Throws LogUnsynced where that fails. */
  flush(): void {
    this.#runQueue();
    const error = this.#sync();
    if (error !== undefined) throw error;
  }

  /**
   * Replaces old segments by a checkpoint, a step at a time between commits; `front` are series records that they have lost.
   * Answers undefined where there are too few. Rejects with a DiskError or LogStuck, and has then changed nothing.
   */
  async checkpoint(
    keepAt: (place: CheckpointPlace) => Keep,
    span: CheckpointSpan = { newest: this.roll(), isWhole: false },
    front?: readonly Uint8Array[],
  ): Promise<CheckpointStats | undefined> {
    const { disk, folder, core, segmentBytes } = this.#options;
    try {
      const last = this.#lastToReplace(span);
      if (last === undefined) return undefined;
      if (last <= (listCheckpoints(disk, folder).at(-1) ?? -1)) return undefined;
      const { segment, offset } = this.#writer.position;
      const keep = keepAt({ last, newest: offset > 0 ? segment : segment - 1 });
      const task = checkpointing({ disk, folder, core, last, keep, front, segmentBytes });
      for (;;) {
        const step = task.next();
        if (step.done) {
          for (const segment of this.#synced.keys()) if (segment <= last) this.#synced.delete(segment);
          this.#checkpoint = { last, bytes: checkpointBytes(disk, folder, last) };
          // Noted first: a checkpoint that the manifest names and that is not there would be missed at the next start.
          this.#noteProgress();
          dropCovered(disk, folder);
          this.#own.checkpoints++;
          this.#own.truncations++;
          this.#own.checkpointBytes = step.value.bytesWritten;
          return step.value;
        }
        await new Promise<void>((resolve) => this.#soon(resolve));
        if (this.#closed) {
          task.return(undefined as never);
          return undefined;
        }
      }
    } catch (error) {
      this.#own.checkpointFailures++;
      throw error;
    }
  }

  /** Begins a new segment; gives the last before it. Throws LogStuck. */
  roll(): number {
    try {
      this.#writer.roll();
    } finally {
      this.#schedule();
    }
    return this.#writer.position.segment - 1;
  }

  /** Deletes the segments up to one that is not written any more, oldest first. Throws a DiskError. */
  dropSegments(last: number): void {
    const { disk, folder } = this.#options;
    const old = listSegments(disk, folder).filter((segment) => segment <= last);
    for (const [segment, bytes] of this.#writer.takeFinished()) this.#synced.set(segment, bytes);
    for (const segment of old) this.#synced.delete(segment);
    // Noted first: what the manifest names and is not there would be missed at the next start.
    this.#noteProgress();
    for (const segment of old) disk.unlink(segmentPath(folder, segment));
    if (old.length > 0) disk.syncFolder(folder);
    this.#own.truncations++;
  }

  /** Writes and syncs what is there, cuts the last segment to its length, closes. Throws LogStuck when not all is safe. */
  close(): void {
    if (this.#closed) return;
    this.#runQueue();
    this.#closed = true;
    this.#timer?.cancel();
    try {
      this.#writer.close();
    } finally {
      this.#noteProgress();
      this.#manifest?.close();
    }
  }

  // Groups

  #scheduleFlush(): void {
    if (this.#flushSoon) return;
    this.#flushSoon = true;
    this.#soon(() => {
      this.#flushSoon = false;
      if (this.#closed) return;
      this.#runQueue();
      this.prepare();
    });
  }

  #runQueue(): void {
    const group = this.#queue;
    if (group.length === 0) return;
    this.#queue = [];
    const { position, refused, unsynced } = this.#run(group.map(({ commit }) => commit));
    for (const { commit, resolve, reject } of group) {
      if (refused !== undefined) reject(refused);
      else if (unsynced !== undefined && commit.durable) reject(unsynced);
      else resolve(position);
    }
  }

  #run(commits: readonly Commit[]): { position: LogPosition; refused?: LogStuck; unsynced?: LogUnsynced } {
    this.#own.groups++;
    this.#own.commits += commits.length;
    try {
      this.#checkReserve();
      if (this.#full !== undefined) throw this.#full;
      const position = this.#writer.append(commits.flatMap(({ records }) => records));
      this.#isNoted = false;
      const wait = this.#policy.mode === 'group' && commits.some(({ durable }) => durable);
      const unsynced = wait ? this.#sync() : undefined;
      return { position, unsynced };
    } catch (error) {
      if (!(error instanceof LogStuck)) throw error;
      this.#own.refused += commits.length;
      return { position: this.#writer.position, refused: error };
    } finally {
      this.#schedule();
    }
  }

  #checkReserve(): void {
    const { disk, folder, reserveBytes = 0 } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    if (reserveBytes === 0 || nowMs - this.#reserveCheckedAtMs < RESERVE_CHECK_EVERY_MS) return;
    this.#reserveCheckedAtMs = nowMs;
    try {
      const free = disk.freeBytes(folder);
      if (free >= reserveBytes * (this.#full === undefined ? 1 : RESERVE_HYSTERESIS)) this.#full = undefined;
      else
        this.#full ??= new LogStuck(
          'ENOSPC',
          new Error(`only ${free} bytes are free, ${reserveBytes} are kept in reserve`),
        );
    } catch (error) {
      // Not knowing is no reason to refuse.
      if (!(error instanceof DiskError)) throw error;
    }
  }

  #sync(): LogUnsynced | undefined {
    if (this.#writer.unsyncedBytes === 0 && this.#writer.stuck === undefined) return undefined;
    const startMs = this.#clock.monotonicMs();
    try {
      this.#writer.sync();
      return undefined;
    } catch (error) {
      if (!(error instanceof LogStuck)) throw error;
      return new LogUnsynced(error);
    } finally {
      const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
      this.#own.syncSeconds += seconds;
      this.#own.syncSecondsMax = Math.max(this.#own.syncSecondsMax, seconds);
    }
  }

  /** Sets the timer where there is something for it to do. */
  #schedule(): void {
    const stuck = this.#writer.stuck !== undefined;
    const waits = (this.#writer.unsyncedBytes > 0 || !this.#isNoted) && this.#policy.mode !== 'never';
    if (this.#timer !== undefined || this.#closed || !(stuck || waits)) return;
    const syncMs = this.#policy.mode === 'interval' ? this.#policy.intervalMs : SYNC_WITHIN_MS;
    this.#timer = this.#clock.after(stuck ? RETRY_EVERY_MS : syncMs, () => {
      this.#timer = undefined;
      this.tick();
    });
  }

  // Checkpoints and the manifest

  #lastToReplace({ newest, isWhole }: CheckpointSpan): number | undefined {
    const { disk, folder } = this.#options;
    const first = listSegments(disk, folder)[0];
    if (first === undefined || newest >= this.#writer.position.segment) return undefined;
    if (isWhole) return newest;
    const last = first + Math.floor((newest - first) * CHECKPOINT_SHARE);
    return last > first ? last : undefined;
  }

  /** What a process wrote that then died may still be in the cache alone: it was read and is shown, so it is to stay. */
  #settle(segments: readonly number[]): void {
    const { disk, folder } = this.#options;
    for (const segment of segments) {
      try {
        const file = disk.open(segmentPath(folder, segment), 'write');
        try {
          disk.fdatasync(file);
        } finally {
          disk.close(file);
        }
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        this.#synced.delete(segment);
      }
    }
  }

  #openManifest(): ManifestWriter | undefined {
    const { disk, core, opened } = this.#options;
    try {
      return new ManifestWriter(disk, opened.manifest.path, new Crc32c(core), opened.manifest.generation);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#own.manifestFailures++;
      return undefined;
    }
  }

  /** Notes what is on the disk. */
  #noteProgress(): void {
    for (const [segment, bytes] of this.#writer.takeFinished()) this.#synced.set(segment, bytes);
    const { segment, offset } = this.#writer.synced;
    if (offset > 0 && this.#policy.mode !== 'never') this.#synced.set(segment, offset);
    this.#note(this.#writer.highestSegment);
  }

  /** `highest`: of the segments that there are, or that one is to be made of now. */
  #note(highest: number): void {
    try {
      this.#manifest?.write({ highest, synced: this.#synced, checkpoint: this.#checkpoint });
      this.#isNoted = true;
      this.#notedAtMs = this.#clock.monotonicMs();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#own.manifestFailures++;
    }
  }
}
