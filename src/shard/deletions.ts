// Deleting samples in a shard, a page of series a job.

import type { Head, SeriesIndex } from '../wasm/head.js';
import type { Select } from '../wasm/select.js';
import type { HistogramStore } from './histogram-store.js';
import { Faults } from './history/faults.js';
import type { TimeSpan } from './history/selection.js';
import type { SpilledChunks } from './history/spilled.js';
import type { Reply, Request } from './protocol.js';

/** Series of one job. Making a chunk anew takes some 3 µs, and appends wait for the job's end. */
const PAGE_SERIES = 2_000;
const INDEX_BYTES = 4;

export class Deletions {
  readonly #head: Head;
  readonly #histograms: HistogramStore;
  readonly #select: Select;
  readonly #spilled: SpilledChunks;

  constructor(head: Head, histograms: HistogramStore, select: Select, spilled: SpilledChunks) {
    this.#head = head;
    this.#histograms = histograms;
    this.#spilled = spilled;
    this.#select = select;
  }

  /** The next page. Series that came since the first are taken too: they are behind all others. */
  step({ selectors, minTimeMs, maxTimeMs, after }: Request<'deleteSamples'>): Reply<'deleteSamples'> {
    const list = this.#select.anyOf(selectors);
    try {
      const indexes = this.#select.indexes(list);
      const from = firstAbove(indexes, after);
      const count = Math.min(PAGE_SERIES, indexes.length - from);
      const last = count === 0 ? after : indexes[from + count - 1]!;
      const done = from + count === indexes.length;
      const faults = new Faults();
      const series = indexes.slice(from, from + count);
      this.#spilled.recall(series, { minTimeMs, maxTimeMs }, faults);
      const address = list.address + from * INDEX_BYTES;
      const { intervals, handled } = this.#head.deleteSamples(address, count, minTimeMs, maxTimeMs);
      this.#spilled.revive(series, faults);
      const page = indexes.subarray(from, from + handled);
      const all = this.#withHistograms(page, intervals, { minTimeMs, maxTimeMs }, faults);
      const refused = handled < count;
      return { intervals: all.buffer as ArrayBuffer, after: last, done, refused, faults: faults.take() };
    } finally {
      this.#select.release(list);
    }
  }

  /** What the head deleted of some series, and what of their histograms goes as well: another interval of the same series. */
  #withHistograms(
    page: Uint32Array,
    intervals: Float64Array<ArrayBuffer>,
    { minTimeMs, maxTimeMs }: TimeSpan,
    faults: Faults,
  ): Float64Array {
    if (this.#histograms.isEmpty) return intervals;
    const fields = [...intervals];
    for (const index of page) {
      const series = index as SeriesIndex;
      const deleted = this.#histograms.delete(series, minTimeMs, maxTimeMs, faults);
      if (deleted !== undefined) fields.push(this.#head.ref(series), deleted.firstMs, deleted.lastMs);
    }
    return Float64Array.from(fields);
  }
}

/** Of ascending numbers, the place of the first above another. */
function firstAbove(ascending: Uint32Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
