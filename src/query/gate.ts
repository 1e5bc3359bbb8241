// How many queries run at a time, and who comes next.
//
//            ┌────────────────────── places: --query.max-concurrency ──────────────────────┐
//   enter ──►│ every query begins here        grow │ large ones: a part of the places      │──► leave
//            └─────────────────────────────────────┴───────────────────────────────────────┘
//
// What a query will cost shows only while it runs. One that turns out large `grows`: it
// needs one of the places for large queries then, and waits without any place until there
// is one. So large queries never take all places, and small ones find some free. One that
// keeps others waiting for longer than a small query takes loses its place, and has to
// grow at its next step.
//
// What waits is served by priority, and within one priority in the order of arrival:
// rules go before what people ask, so that a busy dashboard cannot keep an alert from
// being evaluated. Rules are never large.

import { Bag, type Bagged } from '../base/bag.js';
import type { Clock, Timer } from '../base/clock.js';

export const PRIORITIES = ['ingest', 'rules', 'ad-hoc'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Of all places, those that large queries leave alone. */
const SMALL_SHARE = 0.25;
/** A small query is over by then, even where it waited for two or three jobs of others in a shard. */
const SMALL_MS = 100;

interface Waiter {
  readonly admit: () => void;
}

/** `small` and `large` take a place, `lost` none until it grows, and `waiting` none until it may. */
type Size = 'small' | 'large' | 'lost' | 'waiting' | 'gone';

const GONE = 'the query has left its place';

/** Who has the places. */
interface Keeper {
  grow(held: Held, signal: AbortSignal): Promise<void>;
  leave(held: Held): void;
}

class Held implements Place, Bagged {
  place = -1;
  size: Size = 'small';
  readonly sinceMs: number;
  readonly #keeper: Keeper;
  /** undefined where it never grows. */
  readonly #signalOf: (() => AbortSignal) | undefined;
  #growing: Promise<void> | undefined;

  constructor(keeper: Keeper, sinceMs: number, signalOf: (() => AbortSignal) | undefined) {
    this.#keeper = keeper;
    this.sinceMs = sinceMs;
    this.#signalOf = signalOf;
  }

  get isLost(): boolean {
    return this.size === 'lost';
  }

  grow(): Promise<void> {
    if (this.#signalOf !== undefined) this.#growing ??= this.#keeper.grow(this, this.#signalOf());
    return this.#growing ?? Promise.resolve();
  }

  readonly leave = (): void => this.#keeper.leave(this);
}

/** A query's place. */
export interface Place {
  /** Whether somebody else has it: the query is to grow before it goes on. */
  readonly isLost: boolean;
  /** From here on it is large; waits where others are before it. Rejects with the signal's reason, and once it has left. */
  grow(): Promise<void>;
  /** Gives the place to the next; twice does no harm. */
  leave(): void;
}

export class Gate {
  readonly #most: number;
  readonly #largeMost: number;
  readonly #clock: Clock;
  readonly #waiting: Record<Priority, Set<Waiter>> = { ingest: new Set(), rules: new Set(), 'ad-hoc': new Set() };
  /** Large ones, all of them ad-hoc. */
  readonly #waitingLarge = new Set<Waiter>();
  /** Small ad-hoc ones that have a place. */
  readonly #small = new Bag<Held>();
  readonly #keeper: Keeper = {
    grow: (held, signal) => this.#grow(held, signal),
    leave: (held) => this.#giveUp(held, 'gone'),
  };
  #running = 0;
  #large = 0;
  #timer: Timer | undefined;

  /** `most`: queries that run at the same time, at least 1; `largeMost` bounds large ones still more. */
  constructor(most: number, clock: Clock, largeMost = Number.POSITIVE_INFINITY) {
    this.#most = most;
    this.#clock = clock;
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
    const admitted = wait(this.#waiting[priority], signal);
    this.#makeRoom();
    await admitted;
    return this.#place(priority, () => signal);
  }

  #place(priority: Priority, signalOf: () => AbortSignal): Place {
    const mayGrow = priority === 'ad-hoc';
    const held = new Held(this.#keeper, this.#clock.monotonicMs(), mayGrow ? signalOf : undefined);
    if (mayGrow) this.#small.add(held);
    return held;
  }

  async #grow(held: Held, signal: AbortSignal): Promise<void> {
    if (held.size === 'gone') throw new Error(GONE);
    if (held.size === 'small' && this.#large < this.#largeMost) {
      this.#small.remove(held);
      this.#large++;
      held.size = 'large';
    } else {
      this.#giveUp(held, 'waiting');
      const admitted = wait(this.#waitingLarge, signal);
      this.#pump();
      await admitted;
      this.#admitLarge(held);
    }
  }

  /** A place has come; it is given back where another part of the query has failed meanwhile. */
  #admitLarge(held: Held): void {
    const isGone = held.size === 'gone';
    held.size = 'large';
    if (!isGone) return;
    this.#giveUp(held, 'gone');
    throw new Error(GONE);
  }

  /** The query has no place from here on, for good or for now; what it had goes to the next. */
  #giveUp(held: Held, next: 'lost' | 'waiting' | 'gone'): void {
    const { size } = held;
    held.size = next;
    this.#small.remove(held);
    if (size === 'large') this.#large--;
    if (size !== 'large' && size !== 'small') return;
    this.#running--;
    this.#pump();
  }

  /** Somebody waits: who has had a place for too long loses it, now or as soon as it has. */
  #makeRoom(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const held of this.#small.list().sort((a, b) => a.sinceMs - b.sinceMs)) {
      if (this.#waitingSmall === 0) return;
      const leftMs = held.sinceMs + SMALL_MS - nowMs;
      if (leftMs > 0) {
        this.#timer ??= this.#clock.after(leftMs, () => {
          this.#timer = undefined;
          this.#makeRoom();
        });
        return;
      }
      this.#giveUp(held, 'lost');
    }
  }

  get #waitingSmall(): number {
    return this.waiting - this.#waitingLarge.size;
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
