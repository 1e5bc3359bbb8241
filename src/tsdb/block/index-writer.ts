// The index of a block, format 2, written in one pass.
//
//   ┌───────┬─────────┬─────────┬──────────┬─────────────────┬─────┐
//   │ magic │ symbols │ series  │ postings │ postings offset │ TOC │
//   │ 2     │         │ by 16   │ by 4     │ table           │     │
//   └───────┴─────────┴─────────┴──────────┴─────────────────┴─────┘
//
// Label indices, which Prometheus up to 3.5 writes and nobody reads, are left out, as newer ones do.
// docs/formats/block.md.

import type { Disk } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { ByteWriter } from '../bytes.js';
import type { ChunkMeta, SeriesRef, SymbolTable } from './contract.js';
import { FileSink } from './file-sink.js';
import { INDEX_MAGIC, INDEX_VERSION, SERIES_ALIGN } from './layout.js';
import { PostingsGatherer } from './postings-gatherer.js';

const POSTINGS_ALIGN = 4;
/** In the offset table: a key of two strings follows. */
const KEY_STRINGS = 2;
const NOTHING: SymbolTable = { bytes: new Uint8Array(0), ends: new Uint32Array(0) };
const EMPTY = new Uint8Array(0);

/** Where a list of postings begins. */
interface ListPlaces {
  readonly names: Uint32Array;
  readonly values: Uint32Array;
  readonly offsets: Float64Array;
}

export class IndexWriter {
  readonly #sink: FileSink;
  readonly #postings = new PostingsGatherer();
  readonly #entry = new ByteWriter(4096);
  readonly #length = new ByteWriter(16);
  #symbols = NOTHING;
  #symbolsAt = 0;
  #seriesAt = 0;
  #last = new Uint32Array(0);

  constructor(disk: Disk, core: Core, path: string) {
    this.#sink = new FileSink(disk, core, path);
    this.#sink.u32(INDEX_MAGIC);
    this.#sink.u8(INDEX_VERSION);
  }

  /** Once, before all series. The table is kept until the end. */
  writeSymbols(symbols: SymbolTable): void {
    const sink = this.#sink;
    this.#symbols = symbols;
    this.#symbolsAt = this.#beginSection();
    sink.u32(symbols.ends.length);
    for (let symbol = 0; symbol < symbols.ends.length; symbol++) {
      this.#entry.clear();
      this.#string(symbol);
      sink.bytes(this.#entry.finish());
    }
    this.#endSection(this.#symbolsAt);
    this.#seriesAt = sink.length;
  }

  /** Label sets ascend; chunks do not overlap and ascend, in time and in place. */
  addSeries(labels: Uint32Array, chunks: readonly ChunkMeta[]): SeriesRef {
    if (compareLabels(this.#last, labels) >= 0) throw new RangeError('label sets do not ascend');
    this.#last = labels.slice();
    const sink = this.#sink;
    sink.pad(SERIES_ALIGN);
    const ref = (sink.length / SERIES_ALIGN) as SeriesRef;
    if (ref >= 2 ** 32) throw new RangeError('an index ends at 64 GiB');
    this.#entry.clear();
    this.#entry.uvarint(labels.length / 2);
    for (const symbol of labels) this.#entry.uvarint(symbol);
    this.#chunks(chunks);
    const entry = this.#entry.finish();
    this.#length.clear();
    this.#length.uvarint(entry.length);
    sink.bytes(this.#length.finish());
    sink.beginChecksum();
    sink.bytes(entry);
    sink.checksum();
    this.#postings.add(ref, labels);
    return ref;
  }

  /** Writes what follows from the series; all is durable but the file's name. */
  finish(): void {
    const sink = this.#sink;
    const postingsAt = sink.length;
    const places = this.#writePostings();
    const tableAt = sink.length;
    this.#writeOffsets(postingsAt, places);
    sink.beginChecksum();
    // Symbols, series, label indices, their table, postings, their table.
    for (const at of [this.#symbolsAt, this.#seriesAt, postingsAt, tableAt, postingsAt, tableAt]) sink.u64(at);
    sink.checksum();
    sink.finish();
  }

  close(): void {
    this.#sink.close();
  }

  #chunks(chunks: readonly ChunkMeta[]): void {
    const entry = this.#entry;
    entry.uvarint(chunks.length);
    let maxTime = 0;
    let ref = 0;
    for (const [i, chunk] of chunks.entries()) {
      if (i === 0) {
        entry.varint(chunk.minTimeMs);
        entry.uvarint(chunk.maxTimeMs - chunk.minTimeMs);
        entry.uvarint(chunk.ref);
      } else {
        if (chunk.minTimeMs <= maxTime) throw new RangeError('chunks of a series overlap');
        entry.uvarint(chunk.minTimeMs - maxTime);
        entry.uvarint(chunk.maxTimeMs - chunk.minTimeMs);
        entry.varint(chunk.ref - ref);
      }
      maxTime = chunk.maxTimeMs;
      ref = chunk.ref;
    }
  }

  /** Every list, that of all series first; where the others are. */
  #writePostings(): ListPlaces {
    const gatherer = this.#postings;
    const size = gatherer.pairs;
    const places = { names: new Uint32Array(size), values: new Uint32Array(size), offsets: new Float64Array(size) };
    this.#list(gatherer.series, gatherer.refs());
    let rank = 0;
    for (const list of gatherer.lists()) {
      this.#sink.pad(POSTINGS_ALIGN);
      places.names[rank] = list.name;
      places.values[rank] = list.value;
      places.offsets[rank++] = this.#sink.length;
      this.#list(list.refs.length, [list.refs]);
    }
    return places;
  }

  #list(count: number, pieces: Iterable<Uint32Array>): void {
    const sink = this.#sink;
    sink.pad(POSTINGS_ALIGN);
    sink.u32(4 + count * 4);
    sink.beginChecksum();
    sink.u32(count);
    for (const piece of pieces) sink.u32s(piece);
    sink.checksum();
  }

  #writeOffsets(postingsAt: number, places: ListPlaces): void {
    const sink = this.#sink;
    const entry = this.#entry;
    const at = this.#beginSection();
    sink.u32(places.offsets.length + 1);
    entry.clear();
    entry.u8(KEY_STRINGS);
    entry.u8(0);
    entry.u8(0);
    entry.uvarint(Math.ceil(postingsAt / POSTINGS_ALIGN) * POSTINGS_ALIGN);
    sink.bytes(entry.finish());
    for (let rank = 0; rank < places.offsets.length; rank++) {
      entry.clear();
      entry.u8(KEY_STRINGS);
      this.#string(places.names[rank]!);
      this.#string(places.values[rank]!);
      entry.uvarint(places.offsets[rank]!);
      sink.bytes(entry.finish());
    }
    this.#endSection(at);
  }

  /** A section is its length, its content, and the content's checksum. Gives where it begins. */
  #beginSection(): number {
    const at = this.#sink.length;
    this.#sink.u32(0);
    this.#sink.beginChecksum();
    return at;
  }

  #endSection(at: number): void {
    const length = this.#sink.length - at - 4;
    if (length >= 2 ** 32) throw new RangeError('a section of an index ends at 4 GiB');
    this.#sink.checksum();
    this.#sink.patchU32(at, length);
  }

  #string(symbol: number): void {
    const { bytes, ends } = this.#symbols;
    const from = symbol === 0 ? 0 : ends[symbol - 1]!;
    this.#entry.uvarint(ends[symbol]! - from);
    this.#entry.raw(ends[symbol] === from ? EMPTY : bytes.subarray(from, ends[symbol]));
  }
}

/** The order of series: below 0 where `a` comes first. */
export function compareLabels(a: Uint32Array, b: Uint32Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
