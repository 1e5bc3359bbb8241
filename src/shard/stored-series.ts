// Series as they are stored, a morsel at a time: all samples of a time range, stale markers among them, native
// histograms as they were written. For those who pass samples on; queries have side-samples.ts and the core's windows.

import type { Labels } from '../model/labels.js';
import type { HistogramSample } from '../tsdb/chunk/histogram.js';
import type { SeriesIndex } from '../wasm/head.js';
import type { MorselSize, Queries, Query, View } from '../wasm/query.js';
import type { SeriesList } from '../wasm/select.js';
import type { HistogramStore } from './histogram-store.js';
import type { HistoryFeed } from './history/feed.js';
import { BlockHistograms } from './history/histograms.js';
import type { OpenHistory } from './history/history.js';
import type { HistorySelection, TimeSpan } from './history/selection.js';
import { eachSeries } from './mixed-series.js';

export interface StoredSeries {
  /** In this shard: of the head, or a guest. */
  readonly number: number;
  readonly labels: Labels;
  /** Of floats: ascending, ms. */
  readonly times: Float64Array;
  /** To be moved as bits. */
  readonly values: Float64Array;
  /** Ascending. */
  readonly histograms: readonly HistogramSample[];
}

export interface StoredParts {
  readonly queries: Queries;
  readonly histograms: HistogramStore;
  readonly history: OpenHistory;
}

export class StoredReader {
  readonly #parts: StoredParts;
  readonly #query: Query;
  readonly #feed: HistoryFeed;
  readonly #blocks = new BlockHistograms();
  readonly #span: TimeSpan;
  #done: boolean;

  /** Takes the view; the list stays the caller's until close(). `selection` is what the list was joined of. Throws OutOfMemory. */
  constructor(
    parts: StoredParts,
    list: SeriesList,
    view: View,
    span: TimeSpan,
    selection: HistorySelection | undefined,
  ) {
    const windowMs = span.maxTimeMs - span.minTimeMs + 1;
    this.#parts = parts;
    this.#span = span;
    this.#query = parts.queries.openAllSamples(list, view, windowMs, span.maxTimeMs);
    this.#feed = parts.history.feed(this.#query, list, selection, span, this.#blocks);
    this.#done = list.count === 0;
  }

  get done(): boolean {
    return this.#done;
  }

  /** The next series in the order of the list, those without samples too. Throws OutOfMemory. */
  next(size: MorselSize): StoredSeries[] {
    this.#feed.load(this.#query);
    this.#done = this.#query.next(size);
    const raw = this.#query.allSamples();
    this.#parts.queries.trimRows();
    const numbers = new Uint32Array(raw.series);
    return [...eachSeries(raw)].map(({ labels, times, values }, i) => {
      const number = numbers[i]!;
      return { number, labels, times, values, histograms: this.#histogramsOf(number) };
    });
  }

  close(): void {
    this.#feed.close();
    this.#query.close();
  }

  /** Those of blocks, and behind them the head's. */
  #histogramsOf(number: number): HistogramSample[] {
    const { minTimeMs, maxTimeMs } = this.#span;
    const { floorMs, faults } = this.#parts.history;
    const series = number as SeriesIndex;
    const filed = this.#blocks.of(number);
    const own = this.#parts.histograms.has(series)
      ? this.#parts.histograms.samples(series, minTimeMs, maxTimeMs, this.#query.cutMs(number), faults)
      : [];
    if (own.length === 0 && filed.length === 0) return own;
    const known = new Set(filed.map(({ timeMs }) => timeMs));
    const rest = filed.length === 0 ? own : own.filter(({ timeMs }) => timeMs >= floorMs && !known.has(timeMs));
    const all = filed.length === 0 ? rest : [...filed, ...rest].sort((a, b) => a.timeMs - b.timeMs);
    return all.filter(({ timeMs }) => timeMs >= minTimeMs && timeMs <= maxTimeMs);
  }
}
