// One group's loop: evaluate it when it is due, and remember what was missed.
//
//   due times   ──●─────────●─────────●─────────●─────────●──
//   evaluations   ├──┤      ├─────────────────────┤├──┤   ├──
//                                     missed    late
//
// An evaluation that takes too long costs those that were due meanwhile, except the last of them, which is late. Timestamps are due
// times, whatever the clock does in between.

import type { Clock, Timer } from '../base/clock.js';
import type { Group } from './group.js';
import { lastEvaluation } from './group-times.js';

export class GroupLoop {
  readonly group: Group;
  readonly #clock: Clock;
  #isStopped = false;
  /** Ends the wait under way. */
  #wake: (() => void) | undefined;
  readonly #ended: Promise<void>;

  /** Begins at once. */
  constructor(group: Group, clock: Clock) {
    this.group = group;
    this.#clock = clock;
    this.#ended = this.#run();
  }

  /** Resolves when the evaluation under way has ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.group.stop();
    this.#wake?.();
    return this.#ended;
  }

  async #run(): Promise<void> {
    const { spec } = this.group;
    let dueMs = lastEvaluation(spec, this.#clock.nowMs()) + spec.intervalMs;
    await this.#waitUntil(dueMs);
    for (let evaluations = 1; !this.#isStopped; evaluations++) {
      await this.group.evaluate(dueMs);
      // What alerts depend on may be scraped, or recorded, only now: the first evaluation says little.
      if (evaluations > 1 && !this.#isStopped && !this.group.isRestored) await this.group.restore();
      await this.#waitUntil(dueMs + spec.intervalMs);
      if (this.#isStopped) return;
      const missed = Math.max(0, Math.floor((this.#clock.nowMs() - dueMs) / spec.intervalMs) - 1);
      if (missed > 0) this.group.noteMissed(missed);
      dueMs += (missed + 1) * spec.intervalMs;
    }
  }

  /** At most one interval: a clock that is set back makes nobody wait for it. */
  #waitUntil(timeMs: number): Promise<void> {
    const waitMs = Math.min(timeMs - this.#clock.nowMs(), this.group.spec.intervalMs);
    if (waitMs <= 0 || this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer: Timer = this.#clock.after(waitMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
