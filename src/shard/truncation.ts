// Dropping what lies before the head's window, one bounded step a job.

import type { Head } from '../wasm/head.js';

/** Somebody whose caches name series. */
export interface NamesSeries {
  /** These series of `owner` are gone. */
  forget(owner: number, series: Uint32Array): void;
}

/** Series scanned in one step: about a millisecond when a chunk or two of each is dropped, two where half of them go. */
const SCAN_SERIES = 4000;

type Stage = { readonly name: 'scan'; from: number } | { readonly name: 'sweep'; nameNumber: number };

export class Truncation {
  readonly #head: Head;
  readonly #caches: readonly NamesSeries[];
  readonly #self: number;
  #stage: Stage | undefined;
  #removed = 0;

  constructor(head: Head, caches: readonly NamesSeries[], self: number) {
    this.#head = head;
    this.#caches = caches;
    this.#self = self;
  }

  /** The next step of forgetting all before a time; done after the last. */
  step(minTimeMs: number): { done: boolean; removed: number } {
    if (this.#stage === undefined) {
      this.#removed = 0;
      this.#stage = { name: 'scan', from: 0 };
    }
    if (this.#stage.name === 'scan') return this.#scan(this.#stage, minTimeMs);
    return this.#sweep(this.#stage);
  }

  #scan(stage: { from: number }, minTimeMs: number): { done: boolean; removed: number } {
    if (stage.from < this.#head.seriesBound) {
      this.#head.scan(minTimeMs, stage.from, SCAN_SERIES);
      stage.from += SCAN_SERIES;
      return { done: false, removed: this.#removed };
    }
    this.#removed = this.#head.retiredCount;
    if (this.#removed === 0) return this.#end();
    if (!this.#head.beginSweep()) return this.#end();
    const retired = this.#head.retired();
    for (const cache of this.#caches) cache.forget(this.#self, retired);
    this.#stage = { name: 'sweep', nameNumber: 0 };
    return { done: false, removed: this.#removed };
  }

  /** A list that finds no memory to be rewritten is tried again with the next step. */
  #sweep(stage: { nameNumber: number }): { done: boolean; removed: number } {
    if (stage.nameNumber < this.#head.names) {
      if (this.#head.sweepName(stage.nameNumber)) stage.nameNumber++;
      return { done: false, removed: this.#removed };
    }
    return this.#head.finishSweep() ? this.#end() : { done: false, removed: this.#removed };
  }

  #end(): { done: boolean; removed: number } {
    this.#stage = undefined;
    return { done: true, removed: this.#removed };
  }
}
