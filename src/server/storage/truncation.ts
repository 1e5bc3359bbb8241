// What leaves the head and the log, each minute: samples before the window; where memory runs full, more than that.

import type { Timer } from '../../base/clock.js';
import type { StorageParts } from './options.js';

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

export class Truncation {
  readonly #parts: StorageParts;
  #timer: Timer | undefined;
  #cutUpToMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> = Promise.resolve();
  /** What of the window is kept: less than all of it while memory is short. */
  #keptMs: number;
  #closed = false;

  constructor(parts: StorageParts) {
    this.#parts = parts;
    this.#keptMs = parts.options.windowMs;
  }

  /** How much of the newest time is in memory now. */
  get keptMs(): number {
    return this.#keptMs;
  }

  /** Resolves when no truncation is under way. */
  settled(): Promise<void> {
    return this.#underWay;
  }

  schedule(): void {
    if (this.#closed) return;
    const { clock, logger, options } = this.#parts;
    const everyMs = Math.min(TRUNCATE_EVERY_MS, options.windowMs * TRUNCATE_EVERY_WINDOWS);
    this.#timer = clock.after(everyMs, () => {
      this.#underWay = this.#truncate()
        .catch((error: unknown) => {
          if (!this.#closed) logger.error('Truncating the head failed', { err: error as Error });
        })
        .finally(() => this.schedule());
    });
  }

  /** No step follows the one under way. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** Drops what lies before the window from the head and, now and then, from the log. */
  async #truncate(): Promise<void> {
    await this.#fitWindow();
    const minTimeMs = this.#parts.ingest.newestMs - this.#keptMs;
    if (!Number.isFinite(minTimeMs)) return;
    await this.#truncateHead(minTimeMs);
    const { windowMs } = this.#parts.options;
    if (this.#closed || minTimeMs - this.#cutUpToMs < windowMs * CHECKPOINT_EVERY_WINDOWS) return;
    const first = !Number.isFinite(this.#cutUpToMs);
    this.#cutUpToMs = minTimeMs;
    // Just after the start nothing is known to be old enough.
    if (!first) await this.#checkpoint(minTimeMs);
  }

  /** Where memory runs full the oldest samples go before their time, and the window is whole again when it may. */
  async #fitWindow(): Promise<void> {
    const { shards, options, logger } = this.#parts;
    const { windowMs, memoryBytes } = options;
    const shares = await Promise.all(shards.handles.map(({ client }) => client.call('counters', {}, 'rules')));
    const fullest = Math.max(...shares.map(({ heldBytes }) => heldBytes!)) / (memoryBytes / shards.count);
    const before = this.#keptMs;
    if (fullest > CROWDED_SHARE) this.#keptMs = Math.max(windowMs * KEPT_SHARE_MIN, before * KEPT_STEP);
    else if (fullest < ROOMY_SHARE) this.#keptMs = Math.min(windowMs, before / KEPT_STEP);
    if (this.#keptMs < before)
      logger.warn('The oldest samples leave the head early: the memory limit is reached', {
        kept: `${Math.round(this.#keptMs / 1000)}s`,
      });
  }

  async #truncateHead(minTimeMs: number): Promise<void> {
    const { shards, logger } = this.#parts;
    let removed = 0;
    for (const { client } of shards.handles) {
      for (let done = false; !done && !this.#closed; ) {
        const step = await client.call('truncate', { minTimeMs }, 'rules');
        done = step.done;
        if (done) removed += step.removed;
      }
    }
    if (removed === 0) return;
    shards.noteSeriesChange();
    logger.info('Head truncated', { min_time: minTimeMs, series_removed: removed });
  }

  /** The log keeps the series that are alive, and samples from a time on. */
  async #checkpoint(minTimeMs: number): Promise<void> {
    const { shards, log } = this.#parts;
    const refs = await Promise.all(shards.handles.map(({ client }) => client.call('liveRefs', {}, 'rules')));
    if (this.#closed) return;
    const shares = refs.map((share) => share.refs);
    await log.checkpoint(shares, minTimeMs);
  }
}
