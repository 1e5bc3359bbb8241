// The façade of sifting records of samples for a checkpoint: see assembly/head/sift.ts.

import { CoreBuffer } from './buffer.js';
import type { Core } from './core.js';

/** Up to which time samples are on the disk elsewhere, by ref, from the ref `least` on; NaN where nothing of a series is needed. */
export interface RefTimes {
  readonly least: number;
  readonly times: Float64Array;
}

export class Sift {
  readonly #core: Core;
  readonly #mint: number;
  readonly #least: number;
  readonly #refs: number;
  readonly #table: CoreBuffer;
  readonly #out: CoreBuffer;
  /** Samples of the last record, and how many of them went. */
  samples = 0;
  dropped = 0;

  private constructor(core: Core, { least, times }: RefTimes, mint: number) {
    this.#core = core;
    this.#mint = mint;
    this.#least = least;
    this.#refs = times.length;
    this.#table = new CoreBuffer(core);
    this.#out = new CoreBuffer(core);
  }

  /** Keeps samples from `mint` on that are nowhere else. Copies the table; undefined where memory has no room for it. */
  static open(core: Core, times: RefTimes, mint: number): Sift | undefined {
    const sift = new Sift(core, times, mint);
    if (!sift.#table.reserve(times.times.byteLength, 0)) return undefined;
    core.f64(sift.#table.address, times.times.length).set(times.times);
    return sift;
  }

  /**
   * What stays of a record of samples in linear memory: empty where nothing does. Lends, until the next call. 'malformed' where
   * it does not hold samples, undefined where memory has no room for it.
   */
  run(address: number, length: number): Uint8Array | 'malformed' | undefined {
    if (!this.#out.reserve(length, 0)) return undefined;
    const { exports } = this.#core;
    const into = this.#out.address;
    const kept = exports.sift(address, length, this.#mint, this.#least, this.#table.address, this.#refs, into);
    if (kept < 0) return 'malformed';
    this.samples = exports.sift_seen() >>> 0;
    this.dropped = exports.sift_dropped() >>> 0;
    return this.#core.u8(into, kept);
  }

  release(): void {
    this.#table.release();
    this.#out.release();
  }
}
