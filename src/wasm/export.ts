// What leaves the head for a block: series, names, strings and chunks, in pages that are copied out of the core.
// The pages are drawn in assembly/head/export.ts.

import { CHUNK_WINDOW_MS } from '../../assembly/layout.js';
import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

export { CHUNK_WINDOW_MS };

/** A range of time: `min` is in it, `max` is not. */
export interface TimeRange {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Some series that have chunks in the range; the next page begins at `next`. */
export interface SeriesPage {
  readonly next: number;
  readonly series: ArrayBuffer;
}

/** Symbols of consecutive numbers; the next page begins at `next`. */
export interface SymbolsPage {
  readonly next: number;
  readonly lengths: ArrayBuffer;
  readonly bytes: ArrayBuffer;
}

export class Export {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The time of the oldest sample at or after a time, of `count` series from `from` on; Infinity where there is none. */
  oldest(minTimeMs: number, from: number, count: number): number {
    return this.#core.exports.export_oldest(minTimeMs, from, count);
  }

  /** Splits the chunks of `count` series from `from` on that cross a time. Throws OutOfMemory. */
  split(timeMs: number, from: number, count: number): void {
    if (!this.#core.exports.export_split(timeMs, from, count)) throw new OutOfMemory();
  }

  /** The series with chunks in a range, of `count` from `from` on, which there is, in about `bytes`. Throws OutOfMemory. */
  series({ minTimeMs, maxTimeMs }: TimeRange, from: number, count: number, bytes: number): SeriesPage {
    const next = this.#core.exports.export_series(minTimeMs, maxTimeMs, from, count, bytes) >>> 0;
    if (next === from) throw this.#outOfMemory();
    return { next, series: this.#page() };
  }

  /** The first of some series, which are there, in about `bytes`: at least one, if there is any. Throws OutOfMemory. */
  seriesOf(series: Uint32Array, bytes: number): { count: number; series: ArrayBuffer } {
    const { exports } = this.#core;
    const count = this.#withList(series, (list) => exports.export_series_of(list, series.length, bytes) >>> 0);
    if (count === 0 && series.length > 0) throw this.#outOfMemory();
    return { count, series: this.#page() };
  }

  /** The names of all schemas. Throws OutOfMemory. */
  schemas(): ArrayBuffer {
    if (!this.#core.exports.export_schemas()) throw this.#outOfMemory();
    return this.#page();
  }

  /** Symbols from `from` on, in about `bytes`; none where there are no more. Throws OutOfMemory. */
  symbols(from: number, bytes: number): SymbolsPage {
    const { exports } = this.#core;
    const next = exports.export_symbols(from, bytes) >>> 0;
    if (next === from && from < exports.symbols_bound() >>> 0) throw this.#outOfMemory();
    const strings = this.#core.u8(exports.export_strings(), exports.export_strings_bytes() >>> 0).slice();
    return { next, lengths: this.#page(), bytes: strings.buffer as ArrayBuffer };
  }

  /**
   * The chunks in a range of the first `count` of some series, in about `bytes`: at least of one. `entries` is where the chunks
   * loaded for them are, LoadedChunks.address. Throws OutOfMemory.
   */
  chunks(
    { minTimeMs, maxTimeMs }: TimeRange,
    series: Uint32Array,
    bytes: number,
    entries = 0,
  ): { count: number; chunks: ArrayBuffer } {
    const { exports } = this.#core;
    const count = this.#withList(
      series,
      (list) => exports.export_chunks(list, entries, series.length, minTimeMs, maxTimeMs, bytes) >>> 0,
    );
    if (count === 0 && series.length > 0) throw this.#outOfMemory();
    return { count, chunks: this.#page() };
  }

  /** Gives the memory of the pages back. */
  close(): void {
    this.#core.exports.export_clear();
  }

  #withList(series: Uint32Array, action: (list: number) => number): number {
    const bytes = Math.max(series.byteLength, 4);
    const list = this.#core.exports.heap_alloc(bytes) >>> 0;
    if (list === 0) throw new OutOfMemory();
    this.#core.u32(list, series.length).set(series);
    const result = action(list);
    this.#core.exports.heap_free(list, bytes);
    return result;
  }

  #page(): ArrayBuffer {
    const { exports } = this.#core;
    const bytes = exports.export_page_bytes() >>> 0;
    return this.#core.u8(exports.export_page(), bytes).slice().buffer as ArrayBuffer;
  }

  #outOfMemory(): OutOfMemory {
    this.close();
    return new OutOfMemory();
  }
}
