// When the head's oldest hours become a block, and what follows.
//
//   due? ──► floor ──► appends before it end ──► cut ──► head, log
//    ▲         │                                  │ fails: as before, tried again
//    └─ next ◄─┼──────────────────────────────────┴──────────┘
//              └─ nothing older is accepted any more
//
// A block that has its name is the truth: whatever fails behind it is made up for at the next look or the next start,
// and what it holds is neither cut nor replayed once more.

import type { Timer } from '../../base/clock.js';
import type { BlockMeta } from '../../tsdb/block/contract.js';
import { newUlid } from '../../tsdb/block/ulid.js';
import { CHUNK_WINDOW_MS, type TimeRange } from '../../wasm/export.js';
import type { HeadCutting } from './cutting.js';
import type { LateCutting } from './late-cutting.js';
import { nextCut } from './next-cut.js';
import type { StorageParts } from './options.js';
import type { Meanwhile, Truncation } from './truncation.js';

/** How often the head is looked at; short ranges need it more often. */
const LOOK_EVERY_MS = 15_000;
const LOOK_EVERY_RANGES = 1 / 20;
/** Beyond this share of any shard's memory, the oldest leave before they are due. */
const CROWDED_SHARE = 0.85;
/** Late samples that take so much become blocks before it is the head's turn. */
const LATE_SHARE = 1 / 8;

export interface HeadCutStats {
  readonly cuts: number;
  readonly failures: number;
  readonly truncations: number;
  readonly truncationFailures: number;
  /** Seconds that cuts took, all together. */
  readonly seconds: number;
}

/** What the schedule works with. */
export interface HeadRooms {
  readonly cutting: HeadCutting;
  readonly truncation: Truncation;
  readonly floorMs: number;
  /** A block was written: resolves when every query that begins reads it. */
  readonly onBlock: () => Promise<void>;
  readonly late: Pick<LateCutting, 'run' | 'close'>;
  /** Whether the heads have all that the log has: always where absent. What a block has the log is not asked for any more. */
  readonly isComplete?: () => boolean;
}

export class HeadSchedule {
  readonly #onBlock: () => Promise<void>;
  readonly #parts: StorageParts;
  readonly #cutting: HeadCutting;
  readonly #truncation: Truncation;
  readonly #late: HeadRooms['late'];
  readonly #isComplete: () => boolean;
  readonly #stats = { cuts: 0, failures: 0, truncations: 0, truncationFailures: 0, seconds: 0 };
  /** Where the blocks end: nothing older is accepted. */
  #floorMs: number;
  /** Where the head and the log begin, as far as truncations have come. */
  #headFromMs = Number.NEGATIVE_INFINITY;
  #logFromMs = Number.NEGATIVE_INFINITY;
  /** Of the head's samples; Infinity where that is to be found out. */
  #oldestMs = Number.POSITIVE_INFINITY;
  #isLateDue = false;
  #timer: Timer | undefined;
  #underWay: Promise<void> = Promise.resolve();
  #closed = false;
  #endWaiting = (): void => {};
  readonly #closing = new Promise<void>((resolve) => {
    this.#endWaiting = resolve;
  });

  constructor(parts: StorageParts, rooms: HeadRooms) {
    this.#parts = parts;
    this.#onBlock = rooms.onBlock;
    this.#cutting = rooms.cutting;
    this.#truncation = rooms.truncation;
    this.#late = rooms.late;
    this.#isComplete = rooms.isComplete ?? (() => true);
    this.#floorMs = rooms.floorMs;
  }

  /** Samples before this are in blocks, or nowhere. */
  get floorMs(): number {
    return this.#floorMs;
  }

  /** Time of the oldest sample in the head, as far as it is known; Infinity where it is not. */
  get oldestMs(): number {
    return this.#oldestMs;
  }

  get stats(): HeadCutStats {
    return this.#stats;
  }

  /** Late samples become blocks with the next look. */
  cutLateSoon(): void {
    this.#isLateDue = true;
  }

  /** Looks at once, and from then on every now and then. */
  start(): void {
    if (this.#closed) return;
    const { clock, options, logger } = this.#parts;
    this.#underWay = this.#underWay
      .then(() => this.#look())
      .catch((error: unknown) => {
        if (!this.#closed) logger.error('Cutting the head failed: it is tried again', { err: error as Error });
      })
      .finally(() => {
        if (this.#closed) return;
        const everyMs = Math.min(LOOK_EVERY_MS, options.blockMs * LOOK_EVERY_RANGES);
        this.#timer = clock.after(everyMs, () => this.start());
      });
  }

  /**
   * What of the head is in no block, and what may come to it in the next hours: chunks do not cross its end. undefined
   * where that is nothing. The head is not to change meanwhile: see apart().
   */
  async uncut(): Promise<TimeRange | undefined> {
    const minTimeMs = await this.#findOldest();
    const { newestMs } = this.#parts.ingest;
    if (!(minTimeMs <= newestMs)) return undefined;
    return { minTimeMs, maxTimeMs: (Math.floor(newestMs / CHUNK_WINDOW_MS) + 2) * CHUNK_WINDOW_MS };
  }

  /** Samples that files have leave the log. Nothing is cut or truncated beside `meanwhile`. */
  shortenLog(meanwhile?: Meanwhile): Promise<void> {
    return this.afterLate(() => this.#counted(() => this.#truncation.log(this.#headFromMs, true, meanwhile)));
  }

  /** Runs an action while nothing is cut or truncated. */
  apart<T>(action: () => Promise<T>): Promise<T> {
    const run = this.#underWay.then(action);
    this.#underWay = run.then(
      () => {},
      () => {},
    );
    return run;
  }

  /**
   * The same, once late samples that are due are in blocks: what files have of a series stands for all that the log has of it
   * up to there, those among them.
   */
  afterLate<T>(action: () => Promise<T>): Promise<T> {
    return this.apart(async () => {
      if (this.#isLateDue) await this.#cutLate();
      return action();
    });
  }

  /**
   * Blocks up to this time come from elsewhere: nothing older is accepted from now on. False where the head has older
   * samples already, and nothing is changed. Only within apart().
   */
  async raiseFloor(endMs: number): Promise<boolean> {
    const floorMs = this.#floorMs;
    if (endMs <= floorMs) return true;
    this.#floorMs = endMs;
    await Promise.race([this.#parts.shards.appends.settled(), this.#closing]);
    if ((await this.#findOldest(floorMs)) >= endMs) return true;
    this.#floorMs = floorMs;
    return false;
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#endWaiting();
    this.#cutting.close();
    this.#late.close();
    this.#truncation.close();
    await this.#underWay;
  }

  /** Cuts while there is something to cut. */
  async #look(): Promise<void> {
    for (let hasCut = false; !this.#closed && this.#isComplete(); hasCut = true) {
      const fullest = await this.#fullest();
      const range = await this.#due(fullest.held > CROWDED_SHARE);
      if (range !== undefined) await this.#cut(range);
      await this.#truncateHead();
      if (range !== undefined) continue;
      // Late samples leave with those in order, as in Prometheus, or where they are many.
      if (hasCut || this.#isLateDue || fullest.late > LATE_SHARE) await this.#cutLate();
      // After the last of several: a checkpoint reads most of the log.
      return this.#truncateLog();
    }
  }

  async #cutLate(): Promise<void> {
    await this.#late.run();
    this.#isLateDue = false;
  }

  async #due(isCrowded: boolean): Promise<TimeRange | undefined> {
    if (!Number.isFinite(this.#oldestMs)) this.#oldestMs = await this.#findOldest();
    else if (this.#next(isCrowded) !== undefined) {
      // Samples that came since may be older than what was found then.
      this.#oldestMs = await this.#findOldest();
    }
    return this.#next(isCrowded);
  }

  #next(isCrowded: boolean): TimeRange | undefined {
    const span = { oldestMs: this.#oldestMs, newestMs: this.#parts.ingest.newestMs, floorMs: this.#floorMs };
    return nextCut(span, this.#parts.options.blockMs, isCrowded);
  }

  async #cut(range: TimeRange): Promise<void> {
    const { shards, clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const floorMs = this.#floorMs;
    this.#floorMs = range.maxTimeMs;
    let meta: BlockMeta | undefined;
    try {
      // Those that began under the old floor. While the log is stuck they stay under way.
      await Promise.race([shards.appends.settled(), this.#closing]);
      meta = await this.#cutting.cut(range, newUlid(clock.nowMs()));
    } catch (error) {
      this.#floorMs = floorMs;
      this.#stats.failures++;
      throw error;
    }
    this.#oldestMs = Number.POSITIVE_INFINITY;
    this.#stats.cuts++;
    this.#stats.seconds += (clock.monotonicMs() - startMs) / 1000;
    this.#tell(meta, range, startMs);
    await this.#onBlock();
  }

  /** What is in blocks leaves: queries that begin read it there. */
  #truncateHead(): Promise<void> {
    const minTimeMs = this.#floorMs;
    if (minTimeMs <= this.#headFromMs) return Promise.resolve();
    this.#stats.truncations++;
    return this.#counted(async () => {
      await this.#truncation.head(minTimeMs);
      this.#headFromMs = minTimeMs;
    });
  }

  /** The log keeps what the head has. */
  #truncateLog(): Promise<void> {
    const minTimeMs = this.#headFromMs;
    if (minTimeMs <= this.#logFromMs) return Promise.resolve();
    return this.#counted(async () => {
      await this.#truncation.log(minTimeMs);
      this.#logFromMs = minTimeMs;
    });
  }

  async #counted(truncation: () => Promise<void>): Promise<void> {
    try {
      await truncation();
    } catch (error) {
      this.#stats.truncationFailures++;
      throw error;
    }
  }

  /** The largest shares of a shard's memory that are held, and that late samples take beside it. */
  async #fullest(): Promise<{ held: number; late: number }> {
    const { shards, options } = this.#parts;
    const shares = await Promise.all(shards.handles.map(({ client }) => client.call('counters', {}, 'rules')));
    const most = (bytesOf: (share: Record<string, number>) => number) => Math.max(...shares.map(bytesOf));
    const shardBytes = options.memoryBytes / shards.count;
    return {
      held: most(({ heldBytes, histogramBytes = 0 }) => heldBytes! + histogramBytes) / shardBytes,
      late: most(({ lateBytes = 0 }) => lateBytes) / shardBytes,
    };
  }

  async #findOldest(floorMs = this.#floorMs): Promise<number> {
    const times = await Promise.all(
      this.#parts.shards.handles.map(async ({ client }) => {
        let oldest = Number.POSITIVE_INFINITY;
        for (let from: number | undefined = 0; from !== undefined && !this.#closed; ) {
          const minTimeMs = Math.max(floorMs, -(2 ** 52));
          const { next, oldestMs }: { next: number | undefined; oldestMs: number } = await client.call(
            'oldestTime',
            { minTimeMs, from },
            'rules',
          );
          oldest = Math.min(oldest, oldestMs);
          from = next;
        }
        return oldest;
      }),
    );
    return Math.min(...times);
  }

  #tell(meta: BlockMeta | undefined, { minTimeMs, maxTimeMs }: TimeRange, startMs: number): void {
    const { clock, logger } = this.#parts;
    const duration = `${((clock.monotonicMs() - startMs) / 1000).toFixed(3)}s`;
    if (meta === undefined) logger.info('Head cut: nothing there', { mint: minTimeMs, maxt: maxTimeMs, duration });
    else {
      const { series, samples } = meta.stats;
      logger.info('write block', { mint: minTimeMs, maxt: maxTimeMs, ulid: meta.ulid, series, samples, duration });
    }
  }
}
