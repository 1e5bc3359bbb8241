// Chunks of histograms that files have when a shard starts: by ref, until the log names its series.
//
// Of a series that has floats in files as well nothing is used: only Prometheus writes such, and its log has all of it.

import { ChunkEncoding } from '../tsdb/block/contract.js';
import { decodeSeries } from '../tsdb/wal/record.js';
import type { FiledHistogram } from '../wasm/attach.js';
import { type Head, NO_SERIES } from '../wasm/head.js';
import { HistogramPlaces } from './histogram-places.js';
import type { HistogramStore } from './histogram-store.js';

export class HistogramAttach {
  readonly #places = new Map<number, HistogramPlaces>();
  readonly #mixed = new Set<number>();
  #newestMs: number | undefined;

  /** Times of chunks that series were given go up to here; undefined where there are none. */
  get newestMs(): number | undefined {
    return this.#newestMs;
  }

  note({ ref, encoding, ...place }: FiledHistogram): void {
    const isKnown = encoding === ChunkEncoding.Histogram || encoding === ChunkEncoding.FloatHistogram;
    if (!isKnown || this.#mixed.has(ref)) {
      this.#mixed.add(ref);
      this.#places.delete(ref);
      return;
    }
    let places = this.#places.get(ref);
    if (places === undefined) this.#places.set(ref, (places = new HistogramPlaces()));
    // As among chunks of floats: what begins before the one in front of it ends is not used.
    if (place.minTimeMs <= places.newestMs) return;
    places.push({ ...place, isFloat: encoding === ChunkEncoding.FloatHistogram });
  }

  /** Gives series of which no record of the log was there theirs: those that find() makes of the copy of series. */
  takeSpares(head: Head, store: HistogramStore): void {
    for (const ref of [...this.#places.keys()]) this.#give(ref, head, store);
  }

  /** Gives the series that a record of the log has just named their chunks. */
  take(record: Uint8Array, head: Head, store: HistogramStore): void {
    if (this.#places.size === 0) return;
    for (const { ref } of decodeSeries(record)) this.#give(ref, head, store);
  }

  #give(ref: number, head: Head, store: HistogramStore): void {
    const places = this.#places.get(ref);
    const series = places === undefined ? NO_SERIES : head.replayFind(ref);
    if (places === undefined || series === NO_SERIES) return;
    this.#places.delete(ref);
    if (!store.attach(series, places)) return;
    this.#newestMs = Math.max(this.#newestMs ?? places.newestMs, places.newestMs);
  }
}
