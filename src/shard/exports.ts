// What a head cut takes out of a shard, a few milliseconds a job. Nothing is changed, but for chunks that are split.

import type { Core } from '../wasm/core.js';
import { Export, type TimeRange } from '../wasm/export.js';
import type { Head, SeriesIndex } from '../wasm/head.js';
import { chunkPage, withHistograms } from './export-histograms.js';
import type { HistogramStore } from './histogram-store.js';
import { Faults } from './history/faults.js';
import type { SpilledChunks } from './history/spilled.js';
import type { LateStore } from './late/late-store.js';
import type { Reply, Request } from './protocol.js';

/** A step goes over so many series, or gives so many bytes: one or two milliseconds either way. */
const SPLIT_SERIES = 4000;
const SCAN_SERIES = 5000;
/** The same where all chunks of each are looked at. */
const OLDEST_SERIES = 3000;
const PAGE_BYTES = 256 * 1024;
/** Late samples are decoded and encoded once more. */
const LATE_SERIES = 100;
/** Chunks that are read back from files for a page: about as many as fit. */
const PAGE_CHUNKS = 750;

export class ShardExports {
  readonly #head: Head;
  readonly #export: Export;
  readonly #histograms: HistogramStore;
  readonly #late: LateStore;
  readonly #spilled: SpilledChunks;

  constructor(core: Core, head: Head, histograms: HistogramStore, late: LateStore, spilled: SpilledChunks) {
    this.#spilled = spilled;
    this.#head = head;
    this.#histograms = histograms;
    this.#late = late;
    this.#export = new Export(core);
  }

  oldest({ minTimeMs, from }: Request<'oldestTime'>): Reply<'oldestTime'> {
    const floatMs = this.#export.oldest(minTimeMs, from, OLDEST_SERIES);
    const oldestMs = from === 0 ? Math.min(floatMs, this.#histograms.oldestFrom(minTimeMs)) : floatMs;
    return { next: this.#upToBound(from + OLDEST_SERIES), oldestMs };
  }

  split({ timeMs, from }: Request<'splitChunks'>): Reply<'splitChunks'> {
    this.#export.split(timeMs, from, SPLIT_SERIES);
    return { next: this.#upToBound(from + SPLIT_SERIES) };
  }

  series({ range, from, late }: Request<'exportSeries'>): Reply<'exportSeries'> {
    if (late) return this.#lateSeries(from);
    if (from >= this.#head.seriesBound) return { next: undefined, series: new ArrayBuffer(0) };
    const { next, series } = this.#export.series(range, from, SCAN_SERIES, PAGE_BYTES);
    return { next: this.#upToBound(next), series };
  }

  schemas(): Reply<'exportSchemas'> {
    return { schemas: this.#export.schemas() };
  }

  symbols({ from }: Request<'exportSymbols'>): Reply<'exportSymbols'> {
    const page = this.#export.symbols(from, PAGE_BYTES);
    return { ...page, next: page.next === from ? undefined : page.next };
  }

  chunks({ range, series, late }: Request<'exportChunks'>): Reply<'exportChunks'> {
    if (late) return { ...this.#lateChunks(range, series), damages: [] };
    const { page, damages } = this.#floats(range, series);
    if (this.#histograms.isEmpty) return { ...page, damages };
    const faults = new Faults();
    const all = withHistograms(page, series, (one) =>
      this.#histograms.chunks(one as SeriesIndex, range.minTimeMs, range.maxTimeMs - 1, faults),
    );
    return { ...all, damages: [...damages, ...faults.take()] };
  }

  /** With what is in files alone. What the disk refuses is an error: a block without it must not be made; what is damaged is lost. */
  #floats(range: TimeRange, series: Uint32Array) {
    const span = { minTimeMs: range.minTimeMs, maxTimeMs: range.maxTimeMs - 1 };
    if (!this.#spilled.mayHave(span.minTimeMs)) {
      return { page: this.#export.chunks(range, series, PAGE_BYTES), damages: [] };
    }
    const faults = new Faults();
    const loaded = this.#spilled.loadList(series, span, PAGE_CHUNKS, faults);
    try {
      const some = series.subarray(0, loaded.count);
      return { page: this.#export.chunks(range, some, PAGE_BYTES, loaded.address), damages: faults.take() };
    } finally {
      loaded.release();
    }
  }

  #lateSeries(from: number): Reply<'exportSeries'> {
    const all = this.#late.leavingSeries();
    const { count, series } = this.#export.seriesOf(all.subarray(from), PAGE_BYTES);
    return { next: from + count < all.length ? from + count : undefined, series };
  }

  #lateChunks(range: TimeRange, series: Uint32Array): Omit<Reply<'exportChunks'>, 'damages'> {
    const some = series.subarray(0, LATE_SERIES);
    const chunks = Array.from(some, (one) => this.#late.leavingChunks(one as SeriesIndex, range));
    return { count: some.length, chunks: chunkPage(chunks) };
  }

  close(): void {
    this.#export.close();
  }

  #upToBound(next: number): number | undefined {
    return next < this.#head.seriesBound ? next : undefined;
  }
}
