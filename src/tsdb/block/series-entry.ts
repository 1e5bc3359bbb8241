// A series as the index has it: its labels as symbol numbers, its chunks with their times.
//
//   ┌─────────────┬───────────────────┬──────────────────────────────┬──────────────────┬──────────┬─────────┐
//   │ len uvarint │ labels n uvarint  │ n × (name, value) uvarint    │ chunks m uvarint │ chunks   │ crc u32 │
//   └─────────────┴───────────────────┴──────────────────────────────┴──────────────────┴──────────┴─────────┘
//     the first chunk   mint varint, maxt - mint uvarint, ref uvarint
//     any other         mint - maxt of the one before uvarint, maxt - mint uvarint, ref - ref of the one before varint
//
// Differences are of 64 bits and wrap: chunks that overlap have a "negative" one in a uvarint.

import { type ByteReader, BytesError } from '../bytes.js';
import type { ChunkMeta, ChunkRef } from './contract.js';

/** One series, for reading many: what is in it is replaced by the next. */
export class SeriesEntry {
  labelCount = 0;
  chunkCount = 0;
  #labels = new Uint32Array(32);
  /** Of chunk i, all three: times in milliseconds, both ends in it, and its ref. */
  minTimesMs = new Float64Array(8);
  maxTimesMs = new Float64Array(8);
  chunkRefs = new Float64Array(8);

  /** Symbol numbers: name, value, … in the order of names. Lends, until the next series. */
  get labels(): Uint32Array {
    return this.#labels.subarray(0, this.labelCount * 2);
  }

  chunk(i: number): ChunkMeta {
    return {
      minTimeMs: this.minTimesMs[i]!,
      maxTimeMs: this.maxTimesMs[i]!,
      ref: this.chunkRefs[i]! as ChunkRef,
    };
  }

  chunks(): ChunkMeta[] {
    return Array.from({ length: this.chunkCount }, (_, i) => this.chunk(i));
  }

  /** Reads the content of an entry. Throws BytesError; what is in it then means nothing. */
  decode(from: ByteReader, symbols: number): void {
    this.#decodeLabels(from, symbols);
    this.#decodeChunks(from);
    if (from.left !== 0) throw new BytesError(from.at, `${from.left} bytes behind the last chunk`);
  }

  #decodeLabels(from: ByteReader, symbols: number): void {
    const count = from.uvarint();
    if (count * 2 > from.left) throw new BytesError(from.at, `${count} labels in ${from.left} bytes`);
    if (count * 2 > this.#labels.length) this.#labels = new Uint32Array(count * 4);
    let before = -1;
    for (let i = 0; i < count * 2; i += 2) {
      const name = from.uvarint();
      const value = from.uvarint();
      if (name >= symbols || value >= symbols)
        throw new BytesError(from.at, `a symbol beyond the ${symbols} there are`);
      if (name <= before) throw new BytesError(from.at, 'labels out of order');
      this.#labels[i] = name;
      this.#labels[i + 1] = value;
      before = name;
    }
    this.labelCount = count;
  }

  #decodeChunks(from: ByteReader): void {
    const count = from.uvarint();
    if (count * 3 > from.left) throw new BytesError(from.at, `${count} chunks in ${from.left} bytes`);
    if (count > this.chunkRefs.length) this.#grow(count * 2);
    let time = 0;
    let ref = 0;
    for (let i = 0; i < count; i++) {
      const start = i === 0 ? from.varint() : time + from.wrapped();
      const end = start + from.uvarint();
      ref += i === 0 ? from.uvarint() : from.varint();
      if (!(ref >= 0 && ref < 2 ** 53)) throw new BytesError(from.at, `a chunk at ${ref}`);
      this.minTimesMs[i] = start;
      this.maxTimesMs[i] = end;
      this.chunkRefs[i] = ref;
      time = end;
    }
    this.chunkCount = count;
  }

  #grow(chunks: number): void {
    this.minTimesMs = new Float64Array(chunks);
    this.maxTimesMs = new Float64Array(chunks);
    this.chunkRefs = new Float64Array(chunks);
  }
}
