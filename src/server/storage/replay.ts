// Reading the log back: into all shards at the start, into one that was made again.

import type { Disk } from '../../base/disk.js';
import type { MetricMetadata } from '../../model/family.js';
import type { ShardClient } from '../../shard/client.js';
import { removeImage } from '../../shard/image-replay.js';
import type { ReplayReport } from '../../shard/protocol.js';
import { IncompleteLog } from '../../shard/rebuild.js';
import { HEAD_CHUNKS_HEADER_BYTES } from '../../tsdb/head-chunks/layout.js';
import { headImagePath } from '../../tsdb/head-image/layout.js';
import { listSegments, segmentPath } from '../../tsdb/wal/segments.js';
import { lateLog, ownFolder, type StorageParts, walFolder } from './options.js';
import type { RecoveryBook } from './recovery-book.js';

/** Segments of the log, as the replay goes through them. */
export interface ReplayProgress {
  readonly min: number;
  readonly max: number;
  readonly current: number;
}

/** Before every sample. */
const ANY_TIME = -(2 ** 52);

export class Replay {
  readonly #disk: Disk;
  readonly #parts: StorageParts;
  readonly #segments: { readonly min: number; readonly max: number };
  readonly #floorMs: () => number;
  readonly #makeRoom: (client: ShardClient) => Promise<void>;
  readonly #book: RecoveryBook;
  #isComplete = true;
  #hasRestored = false;
  #isForeign = false;
  #logBytes = 0;
  #spilling: Promise<void> = Promise.resolve();
  /**
   * Late samples must be in blocks before anything is spilled, or started again: the write-behind log still has some that
   * are deleted, or the log has some, whose series' files would stand for them.
   */
  hasLateToCut = false;
  /** The segment that each shard reads. */
  readonly #reading: Int32Array;

  /** `floorMs` gives where the blocks end; `makeRoom` spills the chunks of a shard that reads; `book` hears what was found. */
  constructor(
    disk: Disk,
    parts: StorageParts,
    floorMs: () => number,
    makeRoom: (client: ShardClient) => Promise<void>,
    book: RecoveryBook,
  ) {
    this.#book = book;
    this.#disk = disk;
    this.#floorMs = floorMs;
    this.#makeRoom = makeRoom;
    const segments = listSegments(disk, walFolder(parts.options.path));
    this.#parts = parts;
    this.#segments = { min: segments[0] ?? 0, max: segments.at(-1) ?? 0 };
    this.#reading = new Int32Array(new SharedArrayBuffer(4 * parts.shards.count)).fill(this.#segments.min);
  }

  get progress(): ReplayProgress {
    return { ...this.#segments, current: Math.min(...this.#reading) };
  }

  /** Whether the heads have all that the log has: else the log must keep it. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Whether series are known from their copy alone: a checkpoint of the whole log is to have them again. */
  get hasRestored(): boolean {
    return this.#hasRestored;
  }

  /** Whether another server has written the log since we did. */
  get isForeign(): boolean {
    return this.#isForeign;
  }

  /** Of the log that was read at the start. */
  get logBytes(): number {
    return this.#logBytes;
  }

  /** Every shard reads the log and keeps its own; then the log is open for writing. Rejects where storage is closed meanwhile. */
  async all(): Promise<void> {
    const { shards, ingest, log, clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const alone = shards.count === 1;
    const reports = await Promise.all(shards.handles.map(({ client }) => this.#read(client, alone)));
    const { opened, openedLate } = reports[0]!;
    shards.exemplars.restore(reports.map(({ exemplars }) => exemplars));
    for (const { totals } of reports) if (totals.newestMs !== undefined) ingest.noteNewest(totals.newestMs);
    await this.#tellFamilies(reports.flatMap(({ families }) => families));
    const highestRef = Math.max(...reports.map(({ totals }) => totals.highestRef));
    Atomics.store(shards.refCounter, 0, BigInt(highestRef));
    this.#noteLate(reports);
    this.#tellLosses(reports[0]!);
    this.#book.noteReplay(reports);
    this.#logBytes = opened.bytes;
    this.#isForeign = opened.isForeign;
    const { files, missing } = reports[0]!.headChunks;
    for (const { file, bytes, reason } of missing)
      this.#parts.logger.error('A file of chunks_head is gone: what it held is lost', { file, bytes, reason });
    await this.#parts.compactor.call('noteHeadChunks', { files });
    const damages = [...opened.damages, ...(openedLate?.damages ?? [])];
    const restored = reports.flatMap((report) => report.restored);
    this.#hasRestored = restored.length > 0;
    await log.open(opened, !alone && damages.length > 0, openedLate, restored);
    await this.#leaveImage(reports);
    this.#parts.logger.info('Log replay completed', {
      duration: this.#since(startMs),
      records: opened.records,
      bytes: opened.bytes,
      series: reports.reduce((sum, report) => sum + report.series, 0),
      samples: reports.reduce((sum, report) => sum + report.totals.applied, 0),
      imaged_samples: reports.reduce((sum, report) => sum + report.totals.imaged, 0),
      late_samples: reports.reduce((sum, report) => sum + report.lateApplied, 0),
    });
    if (this.#hasRestored) {
      const series = this.#book.report.figures.restoredSeries;
      this.#parts.logger.warn('The log has lost records of series: they are taken from their copy', { series });
    }
  }

  /**
   * An image stays where all have used it, and no segment that it covers is written once more: numbers of segments of which nothing was
   * left come again.
   */
  async #leaveImage(reports: readonly ReplayReport[]): Promise<void> {
    const { log, options } = this.#parts;
    const current = (await log.refreshStats())?.segmentCurrent ?? 0;
    if (reports.every(({ imageSegment = Number.POSITIVE_INFINITY }) => imageSegment <= current)) return;
    removeImage(this.#disk, headImagePath(ownFolder(options.path)));
  }

  /** Reads the log, which the log thread goes on writing for the other shards: its end may look torn. Rejects with IncompleteLog. */
  async one(client: ShardClient, shard: number): Promise<void> {
    const startMs = this.#parts.clock.monotonicMs();
    const report = await this.#read(client, false);
    const { totals, series, exemplars } = report;
    this.#noteLate([report]);
    const unread = unreadPlace(report);
    if (unread !== undefined) throw new IncompleteLog(`${unread} cannot be read now`);
    this.#tellLosses(report);
    this.#parts.shards.exemplars.rejoin(shard, exemplars);
    this.#parts.logger.info('The shard is back', {
      shard,
      duration: this.#since(startMs),
      series,
      samples: totals.applied,
    });
  }

  #noteLate(reports: readonly ReplayReport[]): void {
    this.hasLateToCut = reports.some(({ lateDeleted, isLateInLog }) => lateDeleted > 0 || isLateInLog);
  }

  async #read(client: ShardClient, repair: boolean): Promise<ReplayReport> {
    const { path } = this.#parts.options;
    const request = {
      ...{ folder: walFolder(path), ownFolder: ownFolder(path), repair },
      late: this.#hasLateLog() ? lateLog(path) : undefined,
      // What is in blocks is not needed twice.
      minTimeMs: Math.max(this.#floorMs(), ANY_TIME),
      progress: this.#reading,
    };
    for (;;) {
      const { report } = await client.call('replay', request, 'ingest');
      if (report !== undefined) return this.#checked(report);
      await this.#spillFor(client);
    }
  }

  /** There is one, or there was: what is noted of it tells what is gone. */
  #hasLateLog(): boolean {
    const { folder, ownFolder: own } = lateLog(this.#parts.options.path);
    return [folder, own].some((path) => this.#disk.stat(path) !== undefined);
  }

  /** Each shard knows what its own series say: all of them are to know all. */
  async #tellFamilies(families: readonly MetricMetadata[]): Promise<void> {
    const { handles } = this.#parts.shards;
    if (families.length === 0 || handles.length === 1) return;
    await Promise.all(handles.map(({ client }) => client.call('knowFamilies', { families }, 'ingest')));
  }

  /** Makes room one shard after the other: the files have one writer. */
  #spillFor(client: ShardClient): Promise<void> {
    const { logger } = this.#parts;
    this.#spilling = this.#spilling
      .then(() => this.#makeRoom(client))
      .catch((error: unknown) => {
        logger.error('Memory is short while the log is read, and chunks cannot be written', { err: error as Error });
      });
    return this.#spilling;
  }

  #checked(report: ReplayReport): ReplayReport {
    const { refusals } = report;
    if (refusals > 0) {
      this.#isComplete = false;
      const reason = 'raise --storage.memory-limit and restart';
      this.#parts.logger.error('Memory ran out while the log was read: the log keeps what is missing', {
        refusals,
        reason,
      });
    }
    return report;
  }

  #tellLosses({ opened, openedLate, malformed, headChunks }: ReplayReport): void {
    const { logger } = this.#parts;
    for (const { file, offset, bytes, reason, isUnread } of headChunks.damages) {
      // A file that ends within its head never held a chunk: it could not be begun.
      const isTorn = offset === 0 && bytes < HEAD_CHUNKS_HEADER_BYTES && !isUnread;
      const message = isTorn
        ? 'A file of chunks_head was not begun'
        : 'Damage in chunks_head: what it held is lost, but for what the log has';
      logger[isTorn ? 'info' : 'error'](message, { file, offset, bytes, reason });
    }
    const { overlapping } = headChunks;
    if (overlapping > 0)
      logger.warn('Chunks in chunks_head overlap others: they are not used', { chunks: overlapping });
    for (const { folder, segment, offset, bytes, reason, torn } of [
      ...opened.damages,
      ...(openedLate?.damages ?? []),
    ]) {
      const message = torn ? 'The log ends in a record that was cut short' : 'Damage in the log: what it held is lost';
      logger[torn ? 'info' : 'error'](message, { folder, segment, offset, bytes, reason });
    }
    for (const fault of malformed) logger.error('A record of the log was passed over', { fault });
  }

  #since(startMs: number): string {
    return `${((this.#parts.clock.monotonicMs() - startMs) / 1000).toFixed(3)}s`;
  }
}

/** What the disk did not give back now, though all of it was read at the start: the shard is not to go on without it. */
function unreadPlace({ opened, openedLate, headChunks }: ReplayReport): string | undefined {
  const ofLogs = [...opened.damages, ...(openedLate?.damages ?? [])].find(({ reason }) => reason === 'read error');
  if (ofLogs !== undefined) return `${segmentPath(ofLogs.folder, ofLogs.segment)} at ${ofLogs.offset}`;
  const file = headChunks.damages.find(({ isUnread }) => isUnread)?.file;
  return file === undefined ? undefined : `file ${file} of chunks_head`;
}
