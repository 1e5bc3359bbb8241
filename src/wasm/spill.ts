// The façade of spilling: sealed chunks leave as records for a file, and then memory. See assembly/head/spill.ts.

import type { Core } from './core.js';

/** Some records; the next begin with the series `next`. */
export interface SpillPage {
  readonly next: number;
  readonly records: ArrayBuffer;
  /** No sample that was collected since begin() is later. */
  readonly latestMs: number;
  /** The memory limit ended it: what was collected is to be confirmed before more is. */
  readonly isRefused: boolean;
}

export class Spill {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Forgets what was collected and not confirmed. */
  begin(): void {
    this.#core.exports.spill_begin();
  }

  /** The chunks that no file has of `count` series from `from` on, in about `bytes`; not of series that an append after `watermark` touched. */
  collect(from: number, count: number, watermark: number, bytes: number): SpillPage {
    const { exports } = this.#core;
    const next = exports.spill_collect(from, count, watermark, bytes) >>> 0;
    const records = this.#core.u8(exports.spill_page(), exports.spill_page_bytes() >>> 0).slice();
    return {
      ...{ next, records: records.buffer as ArrayBuffer },
      ...{ latestMs: exports.spill_latest(), isRefused: exports.spill_refused() },
    };
  }

  /** Whether chunks of histograms of a series may go to files: it has nothing else, and no append after `watermark` has touched it. */
  mayCarryHistograms(series: number, watermark: number): boolean {
    return this.#core.exports.spill_may_carry_histograms(series, watermark);
  }

  /** All pages since begin(), one behind the other, are in a file from a place on: `count` chunks more are noted. True where these were the last. */
  confirm(file: number, offset: number, count: number): boolean {
    return this.#core.exports.spill_confirm(file, offset, count);
  }

  /**
   * Chunks that files have leave memory, about `chunks` of them or those of the next `count` series, until `keepBytes` of sealed ones are left. True where
   * that is so, or all have had their turn.
   */
  evict(count: number, keepBytes: number, chunks: number): boolean {
    return this.#core.exports.spill_evict(count, Math.min(keepBytes, 2 ** 32 - 1), chunks);
  }

  /** Whether anything ever was in files. */
  get hasAny(): boolean {
    return this.#core.exports.spill_used();
  }

  /** Bytes of sealed chunks in memory. */
  get sealedBytes(): number {
    return this.#core.exports.sealed_bytes() >>> 0;
  }

  /** No chunk that is in files alone has a later sample. */
  get newestEvictedMs(): number {
    return this.#core.exports.spill_newest_evicted();
  }

  /** Another number after chunks have left memory. */
  get evictions(): number {
    return this.#core.exports.spill_evictions() >>> 0;
  }
}
