// Carrying sealed chunks of histograms to files, as assembly/head/spill.ts does it with those of floats: collected as records, noted when
// they are on the disk, and out of memory at once. A series' newest sealed chunk stays: recent queries read it.

import { ChunkEncoding } from '../tsdb/block/contract.js';
import type { SealedHistograms } from '../tsdb/chunk/histogram-appender.js';
import { encodeHeadChunk } from '../tsdb/head-chunks/record.js';
import type { Core } from '../wasm/core.js';
import { Crc32c } from '../wasm/crc32c.js';
import type { Head, SeriesIndex } from '../wasm/head.js';
import type { Spill } from '../wasm/spill.js';
import type { HistogramStore } from './histogram-store.js';

/** A chunk that was collected: where its record begins, of all that was collected. */
interface Note {
  readonly series: SeriesIndex;
  readonly chunk: SealedHistograms;
  readonly at: number;
  readonly bytes: number;
}

export interface HistogramPage {
  /** Where to go on; undefined after the last series. */
  readonly next: number | undefined;
  readonly records: ArrayBuffer;
  /** -Infinity where there is no record. */
  readonly latestMs: number;
}

export class HistogramSpilling {
  readonly #head: Head;
  readonly #store: HistogramStore;
  readonly #spill: Spill;
  readonly #crc: Crc32c;
  /** As they were when the round began. */
  #order: SeriesIndex[] = [];
  #notes: Note[] = [];

  constructor(core: Core, head: Head, store: HistogramStore, spill: Spill) {
    this.#head = head;
    this.#store = store;
    this.#spill = spill;
    this.#crc = new Crc32c(core);
  }

  /** Forgets what was collected and not confirmed. */
  begin(): void {
    this.#notes = [];
  }

  /** The chunks of the next series from place `from` on, in about `bytes`, behind `collected` bytes that come before them in the file. */
  collect(from: number, watermark: number, bytes: number, collected: number): HistogramPage {
    if (from === 0) this.#order = [...this.#store.series()];
    const pieces: Uint8Array[] = [];
    let latestMs = Number.NEGATIVE_INFINITY;
    let length = 0;
    let next = from;
    for (; next < this.#order.length && length < bytes; next++) {
      const series = this.#order[next]!;
      if (!this.#spill.mayCarryHistograms(series, watermark)) continue;
      for (const chunk of this.#store.spillable(series)) {
        const record = this.#encode(series, chunk);
        this.#notes.push({ series, chunk, at: collected + length, bytes: record.length });
        pieces.push(record);
        length += record.length;
        latestMs = Math.max(latestMs, chunk.maxTimeMs);
      }
    }
    const isEnd = next >= this.#order.length;
    if (isEnd) this.#order = [];
    return { next: isEnd ? undefined : next, records: joined(pieces, length), latestMs };
  }

  /** All that was collected since begin() is in a file, which has the first record at `offset`. */
  confirm(file: number, offset: number): void {
    for (const { series, chunk, at, bytes } of this.#notes) {
      this.#store.confirmSpilled(series, chunk, file, offset + at, bytes);
    }
    this.begin();
  }

  #encode(series: SeriesIndex, { minTimeMs, maxTimeMs, isFloat, data }: SealedHistograms): Uint8Array {
    const encoding = isFloat ? ChunkEncoding.FloatHistogram : ChunkEncoding.Histogram;
    return encodeHeadChunk({ ref: this.#head.ref(series), minTimeMs, maxTimeMs, encoding, data }, this.#crc);
  }
}

function joined(pieces: readonly Uint8Array[], length: number): ArrayBuffer {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all.buffer;
}
