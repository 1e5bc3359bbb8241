// The door to time: nothing else reads a clock or sets a timer.

import { performance } from 'node:perf_hooks';

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. It may jump. */
  nowMs(): number;
  /** Milliseconds from some start, never going back: for durations and deadlines. */
  monotonicMs(): number;
  /** Runs `action` once, after `ms` milliseconds of monotonic time. A pending timer does not keep the process alive. */
  after(ms: number, action: () => void): Timer;
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Runs `action` after the messages and I/O events that have arrived by now. */
export function soon(action: () => void): void {
  setImmediate(action);
}
