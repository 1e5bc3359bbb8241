// How many queries run at a time, and who comes next.
//
// What waits is served by priority, and within one priority in the order of
// arrival: rules go before what people ask, so that a busy dashboard cannot keep
// an alert from being evaluated.

export const PRIORITIES = ['ingest', 'rules', 'ad-hoc'] as const;
export type Priority = (typeof PRIORITIES)[number];

interface Waiter {
  readonly admit: () => void;
}

export class Gate {
  readonly #most: number;
  readonly #waiting: Record<Priority, Set<Waiter>> = { ingest: new Set(), rules: new Set(), 'ad-hoc': new Set() };
  #running = 0;

  /** `most`: queries that run at the same time, at least 1. */
  constructor(most: number) {
    this.#most = most;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#waiting[priority].size, 0);
  }

  /** Waits for a place; the function it gives leaves it again. Rejects with the signal's reason when that is aborted. */
  async enter(priority: Priority, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#running < this.#most) this.#running++;
    else await this.#wait(priority, signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  #wait(priority: Priority, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting[priority].delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#waiting[priority].add(waiter);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** The place goes to the first that waits, if anyone does. */
  #leave(): void {
    for (const priority of PRIORITIES) {
      const [next] = this.#waiting[priority];
      if (next === undefined) continue;
      this.#waiting[priority].delete(next);
      next.admit();
      return;
    }
    this.#running--;
  }
}
