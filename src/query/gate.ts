// How many queries run at a time, and who comes next.
//
//            ┌────────────────────── places: --query.max-concurrency ──────────────────────┐
//   enter ──►│ every query begins here        grow │ large ones: a part of the places      │──► leave
//            └─────────────────────────────────────┴───────────────────────────────────────┘
//
// What a query will cost shows only while it runs. One that turns out large `grows`: it
// needs one of the places for large queries then, and waits without any place until there
// is one. So large queries never take all places, and small ones find some free.
//
// What waits is served by priority, and within one priority in the order of arrival:
// rules go before what people ask, so that a busy dashboard cannot keep an alert from
// being evaluated. Large rules wait for no place.

export const PRIORITIES = ['ingest', 'rules', 'ad-hoc'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Of all places, those that large queries leave alone. */
const SMALL_SHARE = 0.25;

interface Waiter {
  readonly admit: () => void;
}

/** A query's place. */
export interface Place {
  /** From here on it is large; waits where others are before it. Rejects with the signal's reason. */
  grow(): Promise<void>;
  /** Gives the place to the next; twice does no harm. */
  leave(): void;
}

export class Gate {
  readonly #most: number;
  readonly #largeMost: number;
  readonly #waiting: Record<Priority, Set<Waiter>> = { ingest: new Set(), rules: new Set(), 'ad-hoc': new Set() };
  /** Large ones, all of them ad-hoc. */
  readonly #waitingLarge = new Set<Waiter>();
  #running = 0;
  #large = 0;

  /** `most`: queries that run at the same time, at least 1; `largeMost` bounds large ones still more. */
  constructor(most: number, largeMost = Number.POSITIVE_INFINITY) {
    this.#most = most;
    this.#largeMost = Math.max(1, Math.min(largeMost, Math.ceil(most * (1 - SMALL_SHARE))));
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#waiting[priority].size, this.#waitingLarge.size);
  }

  /** A place where one is free, undefined where all are taken. */
  enterNow(priority: Priority, signalOf: () => AbortSignal): Place | undefined {
    if (this.#running >= this.#most) return undefined;
    this.#running++;
    return this.#place(priority, signalOf);
  }

  /** Waits for a place. Rejects with the signal's reason when that is aborted. */
  async enter(priority: Priority, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted();
    const place = this.enterNow(priority, () => signal);
    if (place !== undefined) return place;
    await wait(this.#waiting[priority], signal);
    return this.#place(priority, () => signal);
  }

  #place(priority: Priority, signalOf: () => AbortSignal): Place {
    let size: 'small' | 'large' | 'none' = 'small';
    const grow = async () => {
      if (this.#large < this.#largeMost) this.#large++;
      else {
        size = 'none';
        this.#running--;
        this.#pump();
        await wait(this.#waitingLarge, signalOf());
      }
      size = 'large';
    };
    let growing: Promise<void> | undefined;
    return {
      grow: () => {
        if (priority === 'ad-hoc') growing ??= grow();
        return growing ?? Promise.resolve();
      },
      leave: () => {
        if (size === 'none') return;
        this.#running--;
        if (size === 'large') this.#large--;
        size = 'none';
        this.#pump();
      },
    };
  }

  /** Free places go to those that wait. */
  #pump(): void {
    while (this.#running < this.#most) {
      const waiter = this.#next();
      if (waiter === undefined) return;
      this.#running++;
      waiter.admit();
    }
  }

  #next(): Waiter | undefined {
    for (const priority of PRIORITIES) {
      // Small ones always have some places that large ones cannot take, so these need not stand back.
      if (priority === 'ad-hoc' && this.#large < this.#largeMost) {
        const large = take(this.#waitingLarge);
        if (large !== undefined) {
          this.#large++;
          return large;
        }
      }
      const next = take(this.#waiting[priority]);
      if (next !== undefined) return next;
    }
    return undefined;
  }
}

function take(waiters: Set<Waiter>): Waiter | undefined {
  const [first] = waiters;
  if (first !== undefined) waiters.delete(first);
  return first;
}

function wait(waiters: Set<Waiter>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      waiters.delete(waiter);
      reject(signal.reason);
    };
    const waiter: Waiter = {
      admit: () => {
        signal.removeEventListener('abort', abort);
        resolve();
      },
    };
    waiters.add(waiter);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
