// Many deadlines behind one timer: nearly all are cancelled long before they are due, so
// setting and cancelling is what they cost.

import { Bag, type Bagged } from './bag.js';
import type { Clock, Timer } from './clock.js';

interface Deadline extends Bagged {
  /** By the monotonic clock. */
  readonly dueMs: number;
  readonly action: () => void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #open = new Bag<Deadline>();
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `action` once, in `ms` milliseconds. */
  after(ms: number, action: () => void): Timer {
    const deadline: Deadline = { dueMs: this.#clock.monotonicMs() + ms, action, place: -1 };
    this.#open.add(deadline);
    if (deadline.dueMs < this.#timerMs) this.#set(deadline.dueMs);
    return { cancel: () => this.#open.remove(deadline) };
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
    const due = this.#open.list().filter(({ dueMs }) => dueMs <= nowMs);
    for (const deadline of due) this.#open.remove(deadline);
    due.sort((a, b) => a.dueMs - b.dueMs);
    for (const { action } of due) action();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#open.list()) nextMs = Math.min(nextMs, dueMs);
    if (nextMs < this.#timerMs) this.#set(nextMs);
  }
}
