// Something that is done every now and then, never twice at once, until storage is closed.

import type { Clock, Timer } from '../../base/clock.js';

export interface RoundsOptions {
  readonly clock: Clock;
  /** From the end of one round to the beginning of the next. */
  readonly everyMs: number;
  /** The same after a round that failed; as ever where absent. */
  readonly retryMs?: number;
  readonly round: () => Promise<void>;
  /** Hears why a round failed, unless it ended because of close(). */
  readonly onFailure: (error: Error) => void;
}

export class Rounds {
  readonly #options: RoundsOptions;
  #timer: Timer | undefined;
  #underWay: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The first comes after a while, as the others do. */
  start(afterMs = this.#options.everyMs): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.after(afterMs, () => {
      this.#underWay = this.#run();
    });
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#underWay;
  }

  async #run(): Promise<void> {
    const { everyMs, retryMs = everyMs, round, onFailure } = this.#options;
    let nextMs = everyMs;
    try {
      await round();
    } catch (error) {
      nextMs = retryMs;
      if (!this.#isClosed) onFailure(error as Error);
    }
    this.start(nextMs);
  }
}
