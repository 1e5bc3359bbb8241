// Blocks are merged, and those that are kept no longer go: looked at each minute.
//
//   compactor   merge ──► a block more      expire ──► marked                    removed
//   main          └──► whoever reads blocks hears of it, and lets go of the others ──┘
//
// A block is removed when nobody reads it; a crash before that leaves it superseded, and the next look removes it.

import type { CompactionStep } from '../../tsdb/compact/housekeeping.js';
import { blockRanges } from '../../tsdb/compact/plan.js';
import type { Retention } from '../../tsdb/compact/retention.js';
import type { PolicyPreview } from '../../tsdb/downsample/preview.js';
import { NO_REWRITE, type RewriteSettings } from '../../tsdb/downsample/series-rewriter.js';
import type { StorageParts } from './options.js';
import { Rounds } from './rounds.js';

/** How often blocks are looked at; short ones need it more often. */
const LOOK_EVERY_MS = 60_000;
const LOOK_EVERY_RANGES = 1 / 20;

export interface BlockKeepingStats {
  /** Looks at what is there to merge. */
  readonly triggered: number;
  readonly compactions: number;
  readonly failures: number;
  /** Of blocks that shared time. */
  readonly vertical: number;
  /** Looks that found blocks too old, or too much. */
  readonly timeRetentions: number;
  readonly sizeRetentions: number;
  /** Of all blocks, as of the last look. */
  readonly bytes: number;
  /** A merge is under way. */
  readonly isMerging: boolean;
}

export type BlockKeepingParts = Pick<StorageParts, 'compactor' | 'clock' | 'logger'> & {
  readonly options: Pick<StorageParts['options'], 'blockMs' | 'blockMaxMs' | 'blockLookMs'>;
};

export interface BlockKeepingRooms {
  /** Looks which blocks there are: some may have come, or can be read again. */
  readonly look: () => Promise<void>;
  /** The blocks of the directory are others now: resolves when nobody reads those that are superseded. */
  readonly changed: () => Promise<void>;
  readonly retention: Retention;
  /** Nothing becomes of series where absent. */
  readonly settings?: RewriteSettings;
}

export class BlockKeeping {
  readonly #parts: BlockKeepingParts;
  readonly #rooms: BlockKeepingRooms;
  readonly #ranges: readonly number[];
  readonly #rounds: Rounds;
  readonly #stats = {
    triggered: 0,
    compactions: 0,
    failures: 0,
    vertical: 0,
    timeRetentions: 0,
    sizeRetentions: 0,
    bytes: 0,
    isMerging: false,
  };
  #retention: Retention;
  #settings: RewriteSettings;
  /** Hears how many seconds a compaction took. */
  onCompaction: ((seconds: number) => void) | undefined;
  /** Hears how many seconds it took to make all blocks anew of which something was deleted. */
  onCleanup: ((seconds: number) => void) | undefined;

  constructor(parts: BlockKeepingParts, rooms: BlockKeepingRooms) {
    this.#parts = parts;
    this.#rooms = rooms;
    this.#retention = rooms.retention;
    this.#settings = rooms.settings ?? NO_REWRITE;
    const { blockMs, blockMaxMs, blockLookMs } = parts.options;
    this.#ranges = blockRanges(blockMs, blockMaxMs ?? 0, rooms.retention.timeMs);
    this.#rounds = new Rounds({
      clock: parts.clock,
      everyMs: Math.min(blockLookMs ?? LOOK_EVERY_MS, blockMs * LOOK_EVERY_RANGES),
      round: () => this.#look(),
      onFailure: (err) => parts.logger.error('Looking after blocks failed: it is tried again', { err }),
    });
  }

  get stats(): BlockKeepingStats {
    return this.#stats;
  }

  get retention(): Retention {
    return this.#retention;
  }

  /** From the next look on. How large blocks become stays as it was at the start, as in Prometheus. */
  setRetention(retention: Retention): void {
    this.#retention = retention;
  }

  /** What becomes of series when blocks are made anew: from the next one on. */
  setSettings(settings: RewriteSettings): void {
    this.#settings = settings;
  }

  /** What policies would free of the blocks there are; those in force where absent. Rejects where one cannot be read. */
  async preview(policies = this.#settings.policies): Promise<readonly PolicyPreview[]> {
    const { compactor } = this.#parts;
    await compactor.call('beginPreview', { settings: { ...this.#settings, policies } });
    for (;;) {
      const step = await compactor.call('previewNext', {});
      if (step.state === 'done') return step.rows;
      if (step.state === 'failed') throw new Error(step.reason);
    }
  }

  /** Makes the blocks anew of which something is deleted. Resolves when none is left; rejects where one cannot be read or written. */
  async clean(): Promise<void> {
    const { compactor, clock } = this.#parts;
    const beginMs = clock.monotonicMs();
    while (!this.#rounds.isClosed) {
      const startMs = clock.monotonicMs();
      const step = await this.#toItsEnd(() => compactor.call('cleanBlocks', { nowMs: clock.nowMs() }));
      if (step.state === 'nothing') break;
      await this.#settle(step, (clock.monotonicMs() - startMs) / 1000);
      if (step.state === 'failed') throw new Error(`cleaning ${step.from.join(' ')} failed: ${step.reason}`);
    }
    this.onCleanup?.((clock.monotonicMs() - beginMs) / 1000);
  }

  /** Looks every now and then; not at once, since a server that has just started has more urgent things to do. */
  start(): void {
    this.#rounds.start();
  }

  /** Resolves when nothing is under way any more. The compactor is closed before that, or it takes its time. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #look(): Promise<void> {
    this.#stats.triggered++;
    await this.#rooms.look();
    await this.#compact();
    await this.#expire();
  }

  /** Merges as long as there is something to merge. */
  async #compact(): Promise<void> {
    const { compactor, clock } = this.#parts;
    while (!this.#rounds.isClosed) {
      const startMs = clock.monotonicMs();
      const end = await this.#toItsEnd(() =>
        compactor.call('compactBlocks', { ranges: this.#ranges, nowMs: clock.nowMs(), settings: this.#settings }),
      );
      if (end.state === 'nothing') return;
      await this.#settle(end, (clock.monotonicMs() - startMs) / 1000);
      if (end.state === 'failed') return;
    }
  }

  async #toItsEnd(next: () => Promise<CompactionStep>): Promise<Exclude<CompactionStep, { state: 'more' }>> {
    try {
      for (;;) {
        const step = await next();
        if (step.state !== 'more') return step;
        this.#stats.isMerging = true;
      }
    } finally {
      this.#stats.isMerging = false;
    }
  }

  /** Tells what became of blocks, and removes those that were made anew once nobody reads them. */
  async #settle(end: Exclude<CompactionStep, { state: 'more' | 'nothing' }>, seconds: number): Promise<void> {
    this.onCompaction?.(seconds);
    this.#tell(end, seconds);
    if (end.state === 'failed') return;
    await this.#rooms.changed();
    await this.#parts.compactor.call('removeBlocks', { ulids: end.from });
  }

  async #expire(): Promise<void> {
    const { compactor, logger } = this.#parts;
    if (this.#rounds.isClosed) return;
    const retention = this.#retention;
    const { superseded, byTime, bySize, totalBytes } = await compactor.call('expireBlocks', { retention });
    this.#stats.bytes = totalBytes;
    if (byTime.length > 0) this.#stats.timeRetentions++;
    if (bySize.length > 0) this.#stats.sizeRetentions++;
    const ulids = [...new Set([...superseded, ...byTime, ...bySize])];
    if (ulids.length === 0 || this.#rounds.isClosed) return;
    await this.#rooms.changed();
    await compactor.call('removeBlocks', { ulids });
    logger.info('Deleting obsolete blocks', { blocks: ulids.join(' ') });
  }

  #tell(end: Exclude<CompactionStep, { state: 'more' | 'nothing' }>, seconds: number): void {
    const { logger } = this.#parts;
    const sources = end.from.join(' ');
    const duration = `${seconds.toFixed(3)}s`;
    if (end.state === 'failed') {
      this.#stats.failures++;
      logger.error('Compaction failed', { sources, err: end.reason });
      return;
    }
    this.#stats.compactions++;
    if (end.isVertical) this.#stats.vertical++;
    if (end.made === undefined) logger.info('compact blocks resulted in empty block', { sources, duration });
    else {
      const { ulid, minTimeMs, maxTimeMs } = end.made;
      logger.info('compact blocks', { mint: minTimeMs, maxt: maxTimeMs, ulid, sources, duration });
    }
  }
}
