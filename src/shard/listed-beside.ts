// Series that a list names although they have no floats in its range of time: those with native histograms, and those
// of which all was deleted, which Prometheus lists until they leave the head.

import { isStaleHistogram } from '../model/stored-histogram.js';
import { Chunks } from '../wasm/chunks.js';
import type { Core } from '../wasm/core.js';
import { isGuest } from '../wasm/guests.js';
import type { Head, SeriesIndex } from '../wasm/head.js';
import { LoadedChunks } from '../wasm/history.js';
import type { Query } from '../wasm/query.js';
import type { HistogramStore } from './histogram-store.js';
import type { TimeSpan } from './history/selection.js';
import type { LateStore } from './late/late-store.js';

export class ListedBeside {
  readonly #core: Core;
  readonly #head: Head;
  readonly #histograms: HistogramStore;
  readonly #late: LateStore;

  constructor(core: Core, head: Head, histograms: HistogramStore, late: LateStore) {
    this.#core = core;
    this.#head = head;
    this.#histograms = histograms;
    this.#late = late;
  }

  /** Whether a series of the head is listed, whatever its floats are. */
  has(number: number, { minTimeMs, maxTimeMs }: TimeSpan): boolean {
    if (isGuest(number)) return false;
    const series = number as SeriesIndex;
    if (this.#histograms.has(series)) {
      return this.#histograms.some(
        ...([series, minTimeMs, maxTimeMs] as const),
        ({ timeMs, histogram }) => timeMs >= minTimeMs && timeMs <= maxTimeMs && !isStaleHistogram(histogram),
      );
    }
    return this.#head.emptiedAtMs(series) >= minTimeMs && !this.#late.has(series);
  }

  /** Has a query see one sample of each of its series, at the end of a span: it may begin before what a double tells apart. To be released. */
  standIns(query: Query, count: number, { maxTimeMs }: TimeSpan): LoadedChunks {
    const samples = { times: Float64Array.of(Math.floor(maxTimeMs)), valueBits: new BigUint64Array(1) };
    const [{ bytes, mint, maxt }] = new Chunks(this.#core).encode(samples) as [ReturnType<Chunks['encode']>[number]];
    const loaded = new LoadedChunks(this.#core, 0, count);
    const slices = Array.from({ length: count }, (_, place) => ({
      ...{ place, minTimeMs: mint, maxTimeMs: maxt, start: 0, length: bytes.length },
    }));
    loaded.add(bytes, slices);
    for (let place = 0; place < count; place++) loaded.setWhole(place);
    loaded.giveTo(query.address);
    return loaded;
  }
}
