// Samples beside the head: native histograms, and the start timestamps of samples, for
// which neither chunks nor the log have a place yet.
//
// Nothing here outlives the shard, so nothing that anybody was promised may come here:
// only an append of a process that was started for it does (ShardSetup.sideSamples),
// which tests of the query language are. Chunks that hold such samples take the place of
// this file; readers ask for a series' histograms and starts, and need not know.
//
// A series is one of the head, with its floats there. What an append brought is seen by
// queries whose watermark has passed it, as in the head.

import { type FloatHistogram, withStoredHint } from '../model/histogram.js';
import { decodeHistograms, type HistogramTable } from '../model/histogram-table.js';
import type { SeriesIndex } from '../wasm/head.js';
import { isAfter } from './appends.js';

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
  readonly histogramStarts: Float64Array | undefined;
  /** Start timestamps of floats, 0 where unknown. */
  startsOf(times: Float64Array): Float64Array | undefined;
}

interface Side {
  /** Low half of the ref: an index is given again once its series is gone. */
  readonly ref: number;
  readonly histograms: SideHistogram[];
  /** Start timestamps of floats, by time. */
  readonly starts: Map<number, { readonly startMs: number; readonly append: number }>;
  lastFloatMs: number;
}

interface SideHistogram {
  readonly timeMs: number;
  readonly startMs: number;
  readonly histogram: FloatHistogram;
  readonly append: number;
}

export class SideSamples {
  readonly #series = new Map<SeriesIndex, Side>();
  readonly #refOf: (series: SeriesIndex) => number;

  /** `refOf` gives the low half of the ref of a series in the head. */
  constructor(refOf: (series: SeriesIndex) => number) {
    this.#refOf = refOf;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  has(series: SeriesIndex): boolean {
    return this.#find(series) !== undefined;
  }

  /** `floats` are the times of the floats that the append brought to the head, ascending. */
  add(series: SeriesIndex, append: number, floats: Float64Array, message: SideMessage): void {
    const side = this.#find(series) ?? this.#make(series);
    const starts = new Float64Array(message.starts);
    for (let i = 0; i < starts.length; i += 2) side.starts.set(starts[i]!, { startMs: starts[i + 1]!, append });

    const times = new Float64Array(message.histogramTimes);
    const histogramStarts = new Float64Array(message.histogramStarts);
    let float = 0;
    decodeHistograms(message.histograms).forEach((histogram, i) => {
      const timeMs = times[i]!;
      for (; float < floats.length && floats[float]! < timeMs; float++) side.lastFloatMs = floats[float]!;
      insert(side, { timeMs, startMs: histogramStarts[i]!, histogram, append });
    });
    if (floats.length > 0) side.lastFloatMs = Math.max(side.lastFloatMs, floats[floats.length - 1]!);
  }

  /** undefined for a series that has its floats alone. */
  view(series: SeriesIndex, watermark: number): SideView | undefined {
    const side = this.#find(series);
    if (side === undefined) return undefined;
    const seen = side.histograms.filter(({ append }) => !isAfter(append, watermark));
    return {
      histogramTimes: Float64Array.from(seen, ({ timeMs }) => timeMs),
      histograms: seen.map(({ histogram }) => histogram),
      histogramStarts: seen.some(({ startMs }) => startMs !== 0)
        ? Float64Array.from(seen, ({ startMs }) => startMs)
        : undefined,
      startsOf(times) {
        if (side.starts.size === 0) return undefined;
        return times.map((timeMs) => {
          const start = side.starts.get(timeMs);
          return start === undefined || isAfter(start.append, watermark) ? 0 : start.startMs;
        });
      },
    };
  }

  #find(series: SeriesIndex): Side | undefined {
    const side = this.#series.get(series);
    return side !== undefined && side.ref === this.#refOf(series) ? side : undefined;
  }

  #make(series: SeriesIndex): Side {
    const side = { ref: this.#refOf(series), histograms: [], starts: new Map(), lastFloatMs: -Infinity };
    this.#series.set(series, side);
    return side;
  }
}

/** Puts a histogram in its place; one at the same time gives way. */
function insert(side: Side, sample: SideHistogram): void {
  const { histograms } = side;
  let at = histograms.length;
  while (at > 0 && histograms[at - 1]!.timeMs > sample.timeMs) at--;
  const replaces = at > 0 && histograms[at - 1]!.timeMs === sample.timeMs;
  const place = replaces ? at - 1 : at;
  const before = histograms[place - 1];
  const follows = before !== undefined && !(side.lastFloatMs > before.timeMs && side.lastFloatMs < sample.timeMs);
  const stored = { ...sample, histogram: withStoredHint(sample.histogram, follows ? before.histogram : undefined) };
  histograms.splice(place, replaces ? 1 : 0, stored);
}
