// One part of an import, read series by series in label order: only what lies in a range of time.

import type { Block } from '../block/block.js';
import type { ChunkEncoding, StreamedChunk } from '../block/contract.js';
import { SeriesEntry } from '../block/series-entry.js';

export class PartCursor {
  readonly #block: Block;
  readonly #numbers: Uint32Array;
  readonly #refs: Uint32Array;
  readonly #from: number;
  readonly #to: number;
  readonly #entry = new SeriesEntry();
  #next = 0;
  #labels: Uint32Array | undefined;

  /** `numbers`: from the part's symbols to those of all parts. The range's second end is not in it. */
  constructor(block: Block, numbers: Uint32Array, fromMs: number, toMs: number) {
    this.#block = block;
    this.#numbers = numbers;
    this.#refs = block.index.allSeries();
    this.#from = fromMs;
    this.#to = toMs;
    this.next();
  }

  /** Of the series at hand, which has chunks in the range; undefined behind the last. */
  get labels(): Uint32Array | undefined {
    return this.#labels;
  }

  next(): void {
    this.#labels = undefined;
    while (this.#next < this.#refs.length && this.#labels === undefined) {
      this.#block.index.series(this.#refs[this.#next++]!, this.#entry);
      if (this.#places().length > 0) this.#labels = this.#entry.labels.map((symbol) => this.#numbers[symbol]!);
    }
  }

  /** When the chunks of the series at hand begin that are in the range. */
  *times(): Generator<number> {
    for (const i of this.#places()) yield this.#entry.minTimesMs[i]!;
  }

  /** Those chunks; lent, until the next ones are asked for. */
  chunks(): StreamedChunk[] {
    const { minTimesMs, maxTimesMs, chunkRefs } = this.#entry;
    const places = this.#places();
    const read = this.#block.chunks.read(places.map((i) => chunkRefs[i]!));
    return places.map((i, at) => ({
      minTimeMs: minTimesMs[i]!,
      maxTimeMs: maxTimesMs[i]!,
      encoding: read.encodings[at]! as ChunkEncoding,
      data: read.bytes.subarray(read.starts[at]!, read.starts[at]! + read.lengths[at]!),
    }));
  }

  #places(): number[] {
    const places: number[] = [];
    const { minTimesMs, chunkCount } = this.#entry;
    for (let i = 0; i < chunkCount; i++) if (minTimesMs[i]! >= this.#from && minTimesMs[i]! < this.#to) places.push(i);
    return places;
  }
}
