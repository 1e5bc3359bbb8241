// The histograms of a shard's series: for each that has any, its sealed chunks and the open one.
//
//   places ─ oldest, in files of chunks_head ─►│─ sealed, in memory ─►│ open
//
// The head in WebAssembly knows when the newest histogram of a series was, and who may see it (assembly/head/histograms.ts);
// it is asked first, and what it accepts is appended here. A float that came since ends the open chunk, so that no
// chunk reaches over samples of the other kind. Chunks are those of blocks: docs/formats/chunk.md.

import { DiskError } from '../base/disk.js';
import { type StoredHistogram, sameStored } from '../model/stored-histogram.js';
import { decodeHistogramChunk, type HistogramSample } from '../tsdb/chunk/histogram.js';
import { HistogramAppender, type SealedHistograms } from '../tsdb/chunk/histogram-appender.js';
import type { AppendBounds, Head, HistogramFate, SeriesIndex } from '../wasm/head.js';
import { type DeletedTimes, HistogramDeletion } from './histogram-deletion.js';
import { type HistogramPlace, HistogramPlaces, PLACE_BYTES, type ReadHistograms } from './histogram-places.js';
import { Faults } from './history/faults.js';

/** A chunk for readers. */
export type HistogramChunk = Omit<SealedHistograms, 'count'>;

interface Entry {
  /** Low half of the ref: says whether the series is still that one. */
  readonly ref: number;
  /** Chunks that are in files alone: all are older than those in memory. */
  readonly places: HistogramPlaces;
  /** Chunks that begin by then stay in memory, since something was deleted there: the log has tombstones for what files have. */
  heldToMs: number;
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
  readonly #read: ReadHistograms;
  readonly #series = new Map<SeriesIndex, Entry>();
  #bytes = 0;
  #appended = 0;
  #begun = 0;
  #sealed = 0;

  /** `read` gets chunks back from files. */
  constructor(head: Head, read: ReadHistograms = () => undefined) {
    this.#head = head;
    this.#read = read;
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
    return {
      ...{ histogramsAppended: this.#appended, histogramSeries: this.#series.size, histogramBytes: this.#bytes },
      histogramChunksSealed: this.#sealed,
    };
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

  /** Samples of chunks that touch [startMs, endMs], those from `cutMs` on left out, oldest first; what files do not give is a fault. */
  samples(series: SeriesIndex, startMs: number, endMs: number, cutMs: number, faults: Faults): HistogramSample[] {
    const chunks = [...this.#filedQuietly(series, startMs, endMs, faults), ...this.#inMemory(series, startMs, endMs)];
    return chunks.flatMap(({ data, isFloat, maxTimeMs }) => {
      const all = decodeHistogramChunk(data, isFloat);
      return maxTimeMs < cutMs ? all : all.filter(({ timeMs }) => timeMs < cutMs);
    });
  }

  /** Chunks that touch [startMs, endMs], oldest first, the open one as it is. What is damaged is a fault. Throws DiskError. */
  chunks(series: SeriesIndex, startMs: number, endMs: number, faults: Faults): HistogramChunk[] {
    const places = this.#find(series)?.places.touching(startMs, endMs) ?? [];
    return [...this.#readAll(places, faults), ...this.#inMemory(series, startMs, endMs)];
  }

  /** Whether any sample of chunks that touch [startMs, endMs] is such; the newest chunks are looked at first. */
  some(series: SeriesIndex, startMs: number, endMs: number, isSuch: (sample: HistogramSample) => boolean): boolean {
    const isIn = ({ data, isFloat }: HistogramChunk) => decodeHistogramChunk(data, isFloat).some(isSuch);
    if (this.#inMemory(series, startMs, endMs).some(isIn)) return true;
    const places = this.#find(series)?.places.touching(startMs, endMs) ?? [];
    return places.reverse().some((place) => this.#quietly(place, new Faults()).some(isIn));
  }

  #readAll(places: readonly HistogramPlace[], faults: Faults): HistogramChunk[] {
    return places.flatMap((place) => {
      const chunk = this.#read(place);
      if (chunk === undefined) faults.addAt(placeText(place), place, 'a chunk is damaged');
      return chunk ?? [];
    });
  }

  #filedQuietly(series: SeriesIndex, startMs: number, endMs: number, faults: Faults): HistogramChunk[] {
    const places = this.#find(series)?.places.touching(startMs, endMs) ?? [];
    return places.flatMap((place) => this.#quietly(place, faults));
  }

  #quietly(place: HistogramPlace, faults: Faults): HistogramChunk[] {
    try {
      return this.#readAll([place], faults);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      faults.addAt(placeText(place), place, error.message);
      return [];
    }
  }

  #inMemory(series: SeriesIndex, startMs: number, endMs: number): SealedHistograms[] {
    const entry = this.#find(series);
    if (entry === undefined) return [];
    const { sealed, open } = entry;
    const chunks = sealed.filter(({ minTimeMs, maxTimeMs }) => maxTimeMs >= startMs && minTimeMs <= endMs);
    if (open !== undefined && open.maxTimeMs >= startMs && open.minTimeMs <= endMs) chunks.push(open.peek()!);
    return chunks;
  }

  /** Sealed chunks of a series that may leave for files, oldest first: all but the newest. */
  spillable(series: SeriesIndex): readonly SealedHistograms[] {
    const entry = this.#find(series);
    const first = entry?.sealed[0];
    return entry === undefined || first === undefined || first.minTimeMs <= entry.heldToMs
      ? []
      : entry.sealed.slice(0, -1);
  }

  /** A chunk that was the oldest in memory is in a file: it leaves. */
  confirmSpilled(series: SeriesIndex, chunk: SealedHistograms, file: number, offset: number, bytes: number): void {
    const entry = this.#find(series);
    if (entry === undefined || entry.sealed[0] !== chunk) return;
    entry.sealed.shift();
    const { isFloat, minTimeMs, maxTimeMs } = chunk;
    entry.places.push({ isFloat, minTimeMs, maxTimeMs, file, offset, bytes });
    this.#bytes += PLACE_BYTES - chunk.data.length - SEALED_BYTES;
  }

  /** Up to which time histograms of a series are in files; -Infinity where none are. */
  filedToMs(series: SeriesIndex): number {
    return this.#find(series)?.places.newestMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Gives a series that has nothing yet what files have of it; false where that is not so. */
  attach(series: SeriesIndex, places: HistogramPlaces): boolean {
    if (this.#find(series) !== undefined || !this.#head.replayHistogram(series, places.newestMs)) return false;
    const entry: Entry = { ...this.#make(series), places };
    this.#series.set(series, entry);
    this.#bytes += places.count * PLACE_BYTES;
    return true;
  }

  /** The time of the oldest sample at or after a time, to a chunk; Infinity where there is none. */
  oldestFrom(minTimeMs: number): number {
    let oldestMs = Infinity;
    for (const { places, sealed, open } of this.#series.values()) {
      const filed = places.firstEndingFrom(minTimeMs);
      const inMemory = sealed.find(({ maxTimeMs }) => maxTimeMs >= minTimeMs) ?? open;
      const first = filed < places.count ? places.at(filed) : inMemory;
      if (first !== undefined && first.maxTimeMs >= minTimeMs) oldestMs = Math.min(oldestMs, first.minTimeMs);
    }
    return Math.max(oldestMs, minTimeMs);
  }

  /**
   * Deletes the samples of a range, both ends in it; gives the times of the first and the last of them. Chunks of files that it touches,
   * and all behind them, are in memory from then on. Throws DiskError.
   */
  delete(series: SeriesIndex, minTimeMs: number, maxTimeMs: number, faults: Faults): DeletedTimes | undefined {
    const entry = this.#find(series);
    if (entry === undefined) return undefined;
    if (entry.places.touching(minTimeMs, maxTimeMs).length > 0) this.#recall(entry, minTimeMs, faults);
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
    entry.heldToMs = Math.max(entry.heldToMs, deletion.deleted.lastMs);
    const openBytes = entry.open?.bytes ?? 0;
    this.#bytes += chunkBytes(entry.sealed) - before + openBytes - entry.openBytes;
    entry.openBytes = openBytes;
    this.#dropIfEmpty(series, entry);
    return deletion.deleted;
  }

  #recall(entry: Entry, fromMs: number, faults: Faults): void {
    const { places, sealed } = entry;
    const first = places.firstEndingFrom(fromMs);
    const all = Array.from({ length: places.count - first }, (_, i) => places.at(first + i));
    const read = this.#readAll(all, faults).map((chunk) => ({ ...chunk, count: countOf(chunk) }));
    places.takeFrom(first);
    sealed.unshift(...read);
    this.#bytes += chunkBytes(read) - all.length * PLACE_BYTES;
  }

  /** Drops chunks that end before a time, and what is left of series that are gone. */
  dropBefore(minTimeMs: number): void {
    for (const [series, entry] of this.#series) {
      const { sealed, open, places } = entry;
      const isGone = this.#head.ref(series) === 0 || this.#head.refLow(series) !== entry.ref;
      this.#bytes -= PLACE_BYTES * places.dropBefore(isGone ? Number.POSITIVE_INFINITY : minTimeMs);
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

  #dropIfEmpty(series: SeriesIndex, { places, sealed, open }: Entry): void {
    if (places.count > 0 || sealed.length > 0 || open !== undefined) return;
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
    this.#sealed++;
    this.#bytes += chunk.data.length + SEALED_BYTES;
  }

  #find(series: SeriesIndex): Entry | undefined {
    const entry = this.#series.get(series);
    return entry !== undefined && entry.ref === this.#head.refLow(series) ? entry : undefined;
  }

  #make(series: SeriesIndex): Entry {
    const entry: Entry = {
      ...{ ref: this.#head.refLow(series), places: new HistogramPlaces(), heldToMs: Number.NEGATIVE_INFINITY },
      ...{ sealed: [], open: undefined, openBytes: 0 },
    };
    this.#series.set(series, entry);
    this.#bytes += ENTRY_BYTES;
    this.#begun++;
    return entry;
  }
}

function placeText({ file, offset }: HistogramPlace): string {
  return `chunks_head/${String(file).padStart(6, '0')} at ${offset}`;
}

/** A chunk's first two bytes. */
function countOf({ data }: HistogramChunk): number {
  return new DataView(data.buffer, data.byteOffset).getUint16(0);
}

function chunkBytes(chunks: readonly SealedHistograms[]): number {
  return chunks.reduce((sum, { data }) => sum + data.length + SEALED_BYTES, 0);
}
