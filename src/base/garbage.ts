// Collecting this thread's garbage when it has come to rest.
//
// V8 collects garbage as objects are made. Behind a load nobody makes any: what its last requests left stays, and so does the
// room that was made for more, 40 MB and more. So whoever is at rest, and holds more than a collection has left before, collects once.

import { performance } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock, Timer } from './clock.js';

/** The heap of a thread's JavaScript. */
export interface ScriptHeap {
  /** What it takes of the process's memory. */
  readonly bytes: number;
  /** Of the time since it was asked last, the share in which the thread was busy. */
  takeBusyShare(): number;
  /** Collects all garbage: some ten milliseconds for each ten megabytes that live. */
  collect(): void;
}

/** How often it is looked, and how busy a thread at rest may be: V8 goes by the last seconds, too, when it gives room back. */
const LOOK_EVERY_MS = 5000;
const BUSY_SHARE_MAX = 0.02;
/** Less than this above what a collection leaves is not worth another, and requests that come now and then do not wait for one often. */
const GROWTH_BYTES = 8 * 2 ** 20;
const AGAIN_MS = 20_000;

/** Collects the garbage of a heap whenever its thread comes to rest. */
export class GarbageAtRest {
  readonly #clock: Clock;
  readonly #heap: ScriptHeap;
  readonly #alsoCollect: () => void;
  /** What the last collection left. */
  #leftBytes = 0;
  #collectedAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  /** `alsoCollect` has threads do the same that cannot look by themselves. */
  constructor(clock: Clock, heap: ScriptHeap, alsoCollect: () => void = () => {}) {
    this.#clock = clock;
    this.#heap = heap;
    this.#alsoCollect = alsoCollect;
  }

  start(): void {
    this.#timer = this.#clock.after(LOOK_EVERY_MS, () => {
      this.#look();
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const isAtRest = this.#heap.takeBusyShare() <= BUSY_SHARE_MAX;
    if (!isAtRest || this.#heap.bytes < this.#leftBytes + GROWTH_BYTES) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#collectedAtMs < AGAIN_MS) return;
    this.#collectedAtMs = nowMs;
    this.#heap.collect();
    this.#leftBytes = this.#heap.bytes;
    this.#alsoCollect();
  }
}

/** That of the thread that calls this. */
export function ownHeap(): ScriptHeap {
  // Node shows the function to programs started with this flag, and to contexts made while it is set.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  let before = performance.eventLoopUtilization();
  return {
    get bytes() {
      return getHeapStatistics().total_heap_size;
    },
    takeBusyShare() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    collect: () => collect(),
  };
}
