// What series have beside their floats: native histograms, in chunks (histogram-store.ts), and the start timestamps
// of samples, for which neither chunks nor the log have a place yet.
//
// Start timestamps do not outlive the shard, so nothing that anybody was promised may come here: only an append of a
// process that was started for it does (ShardSetup.sideSamples), which tests of the query language are.
//
// What an append brought is seen by queries whose watermark has passed it, as in the head.

import type { FloatHistogram } from '../model/histogram.js';
import type { HistogramTable } from '../model/histogram-table.js';
import { floatHistogramOf, isStaleHistogram, type StoredHistogram } from '../model/stored-histogram.js';
import type { SeriesIndex } from '../wasm/head.js';
import { isAfter } from './appends.js';
import type { HistogramStore } from './histogram-store.js';
import type { Faults } from './history/faults.js';

/** What of a series goes with its floats in one append. All move. */
export interface SideMessage {
  /** f64 ms: time and start timestamp of each float that has one. */
  readonly starts: ArrayBuffer;
  /** f64 ms, ascending. */
  readonly histogramTimes: ArrayBuffer;
  /** f64 ms, 0 where unknown. */
  readonly histogramStarts: ArrayBuffer;
  readonly histograms: HistogramTable;
}

/** What a query sees of a series, oldest first. */
export interface SideView {
  readonly histogramTimes: Float64Array;
  readonly histograms: readonly FloatHistogram[];
  /** Times of stale markers among the histograms. */
  readonly staleTimes: Float64Array;
  /** Start timestamps of samples, 0 where unknown. */
  startsOf(times: Float64Array): Float64Array | undefined;
}

/** (startMs, endMs]; from `cutMs` on the query must not see anything. */
export interface SideRange {
  readonly startMs: number;
  readonly endMs: number;
  readonly cutMs: number;
  readonly watermark: number;
  /** What could not be read goes here. */
  readonly faults: Faults;
}

interface Starts {
  /** Low half of the ref: an index is given again once its series is gone. */
  readonly ref: number;
  /** By time. */
  readonly starts: Map<number, { readonly startMs: number; readonly append: number }>;
}

export class SideSamples {
  readonly store: HistogramStore;
  readonly #starts = new Map<SeriesIndex, Starts>();
  readonly #refOf: (series: SeriesIndex) => number;

  /** `refOf` gives the low half of the ref of a series in the head. */
  constructor(store: HistogramStore, refOf: (series: SeriesIndex) => number) {
    this.store = store;
    this.#refOf = refOf;
  }

  get isEmpty(): boolean {
    return this.store.isEmpty && this.#starts.size === 0;
  }

  get hasStarts(): boolean {
    return this.#starts.size > 0;
  }

  has(series: SeriesIndex): boolean {
    return this.store.has(series) || this.#find(series) !== undefined;
  }

  /** Start timestamps of an append; its histograms go to the store. */
  addStarts(series: SeriesIndex, append: number, { starts, histogramTimes, histogramStarts }: SideMessage): void {
    const floats = new Float64Array(starts);
    const known = new Float64Array(histogramStarts);
    if (floats.length === 0 && known.every((startMs) => startMs === 0)) return;
    const side = this.#find(series) ?? this.#make(series);
    for (let i = 0; i < floats.length; i += 2) side.starts.set(floats[i]!, { startMs: floats[i + 1]!, append });
    new Float64Array(histogramTimes).forEach((timeMs, i) => {
      if (known[i] !== 0) side.starts.set(timeMs, { startMs: known[i]!, append });
    });
  }

  /** undefined for a series that has its floats alone. */
  view(series: SeriesIndex, { startMs, endMs, cutMs, watermark, faults }: SideRange): SideView | undefined {
    if (!this.has(series)) return undefined;
    const samples = this.store.samples(series, startMs, endMs, cutMs, faults);
    const seen = samples.filter(({ histogram }) => !isStaleHistogram(histogram));
    const stale = samples.filter(({ histogram }) => isStaleHistogram(histogram));
    const starts = this.#find(series)?.starts;
    return {
      histogramTimes: Float64Array.from(seen, ({ timeMs }) => timeMs),
      histograms: seen.map(({ histogram }) => floatHistogramOf(asAnswered(histogram))),
      staleTimes: Float64Array.from(stale, ({ timeMs }) => timeMs),
      startsOf: (times) =>
        starts &&
        times.map((timeMs) => {
          const start = starts.get(timeMs);
          return start === undefined || isAfter(start.append, watermark) ? 0 : start.startMs;
        }),
    };
  }

  #find(series: SeriesIndex): Starts | undefined {
    const side = this.#starts.get(series);
    return side !== undefined && side.ref === this.#refOf(series) ? side : undefined;
  }

  #make(series: SeriesIndex): Starts {
    const side = { ref: this.#refOf(series), starts: new Map() };
    this.#starts.set(series, side);
    return side;
  }
}

/** Of the first sample of a chunk nothing is said, be there a reset in front of it: it shows in the counts. */
export function asAnswered(histogram: StoredHistogram): StoredHistogram {
  return histogram.hint === 'reset' ? { ...histogram, hint: 'unknown' } : histogram;
}
