// The histograms of a shard's series: for each that has any, its sealed chunks and the open one.
//
// The head in WebAssembly knows when the newest histogram of a series was, and who may see it (assembly/head/histograms.ts);
// it is asked first, and what it accepts is appended here. A float that came since ends the open chunk, so that no
// chunk reaches over samples of the other kind. Chunks are those of blocks: docs/formats/chunk.md.

import { type StoredHistogram, sameStored } from '../model/stored-histogram.js';
import { decodeHistogramChunk, type HistogramSample } from '../tsdb/chunk/histogram.js';
import { HistogramAppender, type SealedHistograms } from '../tsdb/chunk/histogram-appender.js';
import type { AppendBounds, Head, HistogramFate, SeriesIndex } from '../wasm/head.js';
import { type DeletedTimes, HistogramDeletion } from './histogram-deletion.js';

interface Entry {
  /** Low half of the ref: says whether the series is still that one. */
  readonly ref: number;
  readonly sealed: SealedHistograms[];
  open: HistogramAppender | undefined;
  /** Memory of the open chunk as it was counted. */
  openBytes: number;
}

/** What a sealed chunk and an entry take besides bytes of chunks: objects of JavaScript, roughly. */
const SEALED_BYTES = 250;
const ENTRY_BYTES = 300;

export class HistogramStore {
  readonly #head: Head;
  readonly #series = new Map<SeriesIndex, Entry>();
  #bytes = 0;
  #appended = 0;
  #begun = 0;

  constructor(head: Head) {
    this.#head = head;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  /** Memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Another number after each series that got its first histogram. */
  get begun(): number {
    return this.#begun;
  }

  get counters(): Record<string, number> {
    return { histogramsAppended: this.#appended, histogramSeries: this.#series.size, histogramBytes: this.#bytes };
  }

  has(series: SeriesIndex): boolean {
    return this.#find(series) !== undefined;
  }

  /** Series with histograms, in no order. */
  series(): Iterable<SeriesIndex> {
    return this.#series.keys();
  }

  /** Appends a histogram where the head accepts it, which counts what came of it. */
  append(
    series: SeriesIndex,
    timeMs: number,
    histogram: StoredHistogram,
    bounds: AppendBounds,
  ): HistogramFate | 'repeated' {
    const open = this.#find(series)?.open;
    const isSame = open?.maxTimeMs === timeMs && open.last !== undefined && sameStored(open.last, histogram);
    const floatMs = this.#head.newestFloatMs(series);
    const fate = this.#head.histogram(series, timeMs, bounds, isSame);
    if (fate !== 'appended') return isSame && fate === 'refused' ? 'repeated' : fate;
    this.#put(series, timeMs, histogram, floatMs);
    this.#appended++;
    return fate;
  }

  /** The same while the log is read: false where it is not later than what the series has, or memory is refused. */
  replay(series: SeriesIndex, timeMs: number, histogram: StoredHistogram): boolean {
    const floatMs = this.#head.newestFloatMs(series);
    const isNewest = this.#head.replayHistogram(series, timeMs);
    if (isNewest) this.#put(series, timeMs, histogram, floatMs);
    return isNewest;
  }

  /** Samples of chunks that touch [startMs, endMs], those from `cutMs` on left out, oldest first. */
  samples(series: SeriesIndex, startMs: number, endMs: number, cutMs: number): HistogramSample[] {
    return this.chunks(series, startMs, endMs).flatMap(({ data, isFloat, maxTimeMs }) => {
      const all = decodeHistogramChunk(data, isFloat);
      return maxTimeMs < cutMs ? all : all.filter(({ timeMs }) => timeMs < cutMs);
    });
  }

  /** Chunks that touch [startMs, endMs], oldest first, the open one as it is. */
  chunks(series: SeriesIndex, startMs: number, endMs: number): SealedHistograms[] {
    const entry = this.#find(series);
    if (entry === undefined) return [];
    const { sealed, open } = entry;
    const chunks = sealed.filter(({ minTimeMs, maxTimeMs }) => maxTimeMs >= startMs && minTimeMs <= endMs);
    if (open !== undefined && open.maxTimeMs >= startMs && open.minTimeMs <= endMs) chunks.push(open.peek()!);
    return chunks;
  }

  /** The time of the oldest sample at or after a time, to a chunk; Infinity where there is none. */
  oldestFrom(minTimeMs: number): number {
    let oldestMs = Infinity;
    for (const { sealed, open } of this.#series.values()) {
      const first = sealed.find(({ maxTimeMs }) => maxTimeMs >= minTimeMs) ?? open;
      if (first !== undefined && first.maxTimeMs >= minTimeMs) oldestMs = Math.min(oldestMs, first.minTimeMs);
    }
    return Math.max(oldestMs, minTimeMs);
  }

  /** Deletes the samples of a range, both ends in it; gives the times of the first and the last of them. */
  delete(series: SeriesIndex, minTimeMs: number, maxTimeMs: number): DeletedTimes | undefined {
    const entry = this.#find(series);
    if (entry === undefined) return undefined;
    const { sealed, open } = entry;
    const deletion = new HistogramDeletion(minTimeMs, maxTimeMs);
    const before = chunkBytes(sealed);
    entry.sealed.splice(0, sealed.length, ...sealed.flatMap((chunk) => deletion.sealed(chunk)));
    if (open !== undefined) {
      const left = deletion.open(open);
      entry.sealed.push(...left.sealed);
      entry.open = left.open;
    }
    if (deletion.deleted === undefined) return undefined;
    const openBytes = entry.open?.bytes ?? 0;
    this.#bytes += chunkBytes(entry.sealed) - before + openBytes - entry.openBytes;
    entry.openBytes = openBytes;
    this.#dropIfEmpty(series, entry);
    return deletion.deleted;
  }

  /** Drops chunks that end before a time, and what is left of series that are gone. */
  dropBefore(minTimeMs: number): void {
    for (const [series, entry] of this.#series) {
      const { sealed, open } = entry;
      const isGone = this.#head.ref(series) === 0 || this.#head.refLow(series) !== entry.ref;
      const first = isGone ? sealed.length : sealed.findIndex(({ maxTimeMs }) => maxTimeMs >= minTimeMs);
      for (const { data } of sealed.splice(0, first < 0 ? sealed.length : first)) {
        this.#bytes -= data.length + SEALED_BYTES;
      }
      if (open !== undefined && (isGone || open.maxTimeMs < minTimeMs)) {
        this.#bytes -= entry.openBytes;
        entry.open = undefined;
        entry.openBytes = 0;
      }
      this.#dropIfEmpty(series, entry);
    }
  }

  #dropIfEmpty(series: SeriesIndex, { sealed, open }: Entry): void {
    if (sealed.length > 0 || open !== undefined) return;
    this.#series.delete(series);
    this.#bytes -= ENTRY_BYTES;
  }

  #put(series: SeriesIndex, timeMs: number, histogram: StoredHistogram, floatMs: number): void {
    const entry = this.#find(series) ?? this.#make(series);
    const { open } = entry;
    // Behind a float, or a histogram of the other kind, a chunk knows nothing of the counter before it.
    if (open !== undefined && (open.isFloat !== histogram.isFloat || floatMs > open.maxTimeMs)) {
      this.#seal(entry, open.peek());
      entry.open = undefined;
    }
    entry.open ??= new HistogramAppender(histogram.isFloat);
    this.#seal(entry, entry.open.append(timeMs, histogram));
    const { bytes } = entry.open;
    this.#bytes += bytes - entry.openBytes;
    entry.openBytes = bytes;
  }

  #seal(entry: Entry, chunk: SealedHistograms | undefined): void {
    if (chunk === undefined) return;
    entry.sealed.push(chunk);
    this.#bytes += chunk.data.length + SEALED_BYTES;
  }

  #find(series: SeriesIndex): Entry | undefined {
    const entry = this.#series.get(series);
    return entry !== undefined && entry.ref === this.#head.refLow(series) ? entry : undefined;
  }

  #make(series: SeriesIndex): Entry {
    const entry: Entry = { ref: this.#head.refLow(series), sealed: [], open: undefined, openBytes: 0 };
    this.#series.set(series, entry);
    this.#bytes += ENTRY_BYTES;
    this.#begun++;
    return entry;
  }
}

function chunkBytes(chunks: readonly SealedHistograms[]): number {
  return chunks.reduce((sum, { data }) => sum + data.length + SEALED_BYTES, 0);
}
