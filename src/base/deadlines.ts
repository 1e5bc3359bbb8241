// Many deadlines behind one timer: nearly all are cancelled long before they are due, so
// setting and cancelling is what they cost.

import type { Clock, Timer } from './clock.js';

interface Deadline {
  /** By the monotonic clock. */
  readonly dueMs: number;
  readonly action: () => void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #open = new Set<Deadline>();
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `action` once, in `ms` milliseconds. */
  after(ms: number, action: () => void): Timer {
    const deadline = { dueMs: this.#clock.monotonicMs() + ms, action };
    this.#open.add(deadline);
    if (deadline.dueMs < this.#timerMs) this.#set(deadline.dueMs);
    return { cancel: () => void this.#open.delete(deadline) };
  }

  /** The timer stays where deadlines go: it then fires for nothing, and looks for the next. */
  #set(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerMs = dueMs;
    this.#timer = this.#clock.after(Math.max(0, dueMs - this.#clock.monotonicMs()), () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
    // A timer may come a fraction of a millisecond early.
    const nowMs = this.#clock.monotonicMs() + 1;
    const due = [...this.#open].filter(({ dueMs }) => dueMs <= nowMs);
    for (const deadline of due) this.#open.delete(deadline);
    for (const { action } of due) action();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#open) nextMs = Math.min(nextMs, dueMs);
    if (nextMs < this.#timerMs) this.#set(nextMs);
  }
}
