// What a head cut takes out of a shard, a few milliseconds a job. Nothing is changed, but for chunks that are split.

import type { Core } from '../wasm/core.js';
import { Export } from '../wasm/export.js';
import type { Head, SeriesIndex } from '../wasm/head.js';
import { withHistograms } from './export-histograms.js';
import type { HistogramStore } from './histogram-store.js';
import type { Reply, Request } from './protocol.js';

/** A step goes over so many series, or gives so many bytes: about two milliseconds either way. */
const SPLIT_SERIES = 4000;
const SCAN_SERIES = 40_000;
const PAGE_BYTES = 1024 * 1024;

export class ShardExports {
  readonly #head: Head;
  readonly #export: Export;
  readonly #histograms: HistogramStore;

  constructor(core: Core, head: Head, histograms: HistogramStore) {
    this.#head = head;
    this.#histograms = histograms;
    this.#export = new Export(core);
  }

  oldest({ minTimeMs, from }: Request<'oldestTime'>): Reply<'oldestTime'> {
    const floatMs = this.#export.oldest(minTimeMs, from, SCAN_SERIES);
    const oldestMs = from === 0 ? Math.min(floatMs, this.#histograms.oldestFrom(minTimeMs)) : floatMs;
    return { next: this.#upToBound(from + SCAN_SERIES), oldestMs };
  }

  split({ timeMs, from }: Request<'splitChunks'>): Reply<'splitChunks'> {
    this.#export.split(timeMs, from, SPLIT_SERIES);
    return { next: this.#upToBound(from + SPLIT_SERIES) };
  }

  series({ range, from }: Request<'exportSeries'>): Reply<'exportSeries'> {
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

  chunks({ range, series }: Request<'exportChunks'>): Reply<'exportChunks'> {
    const page = this.#export.chunks(range, series, PAGE_BYTES);
    if (this.#histograms.isEmpty) return page;
    return withHistograms(page, series, (one) =>
      this.#histograms.chunks(one as SeriesIndex, range.minTimeMs, range.maxTimeMs - 1),
    );
  }

  close(): void {
    this.#export.close();
  }

  #upToBound(next: number): number | undefined {
    return next < this.#head.seriesBound ? next : undefined;
  }
}
