// The series of a block in label order, with the symbols of the block to come, a few hundred read at a time.

import type { Block } from '../block/block.js';
import type { ChunkEncoding, DeletedInterval, StreamedChunk } from '../block/contract.js';
import { SeriesEntry } from '../block/series-entry.js';

/** Series and chunks of a batch: some hundred KB of chunks, unless one series has more. */
const BATCH_SERIES = 256;
const BATCH_CHUNKS = 4096;

interface BatchSeries {
  readonly ref: number;
  readonly labels: Uint32Array;
  readonly chunks: readonly StreamedChunk[];
  readonly deleted: readonly DeletedInterval[];
}

export class SeriesCursor {
  readonly #block: Block;
  readonly #numbers: Uint32Array;
  readonly #refs: Uint32Array;
  readonly #entry = new SeriesEntry();
  #next = 0;
  #batch: BatchSeries[] = [];
  #inBatch = -1;

  /** `numbers`: from the block's symbols to the new ones. Throws BlockFault and DiskError, as next() does. */
  constructor(block: Block, numbers: Uint32Array) {
    this.#block = block;
    this.#numbers = numbers;
    this.#refs = block.index.allSeries();
    this.next();
  }

  get block(): Block {
    return this.#block;
  }

  /** The series at hand; undefined behind the last. Lent until next(). */
  get series(): BatchSeries | undefined {
    return this.#batch[this.#inBatch];
  }

  next(): void {
    this.#inBatch++;
    if (this.#inBatch < this.#batch.length || this.#next === this.#refs.length) return;
    this.#batch = this.#readBatch();
    this.#inBatch = 0;
  }

  #readBatch(): BatchSeries[] {
    const { index, chunks, tombstones } = this.#block;
    const entry = this.#entry;
    const heads: { ref: number; labels: Uint32Array; from: number; to: number }[] = [];
    const refs: number[] = [];
    const times: number[] = [];
    while (this.#next < this.#refs.length && heads.length < BATCH_SERIES && refs.length < BATCH_CHUNKS) {
      const ref = this.#refs[this.#next++]!;
      index.series(ref, entry);
      const from = refs.length;
      for (let i = 0; i < entry.chunkCount; i++) {
        refs.push(entry.chunkRefs[i]!);
        times.push(entry.minTimesMs[i]!, entry.maxTimesMs[i]!);
      }
      heads.push({ ref, labels: entry.labels.map((symbol) => this.#numbers[symbol]!), from, to: refs.length });
    }
    const read = chunks.read(refs);
    const streamed = refs.map((_, i): StreamedChunk => {
      const start = read.starts[i]!;
      return {
        minTimeMs: times[2 * i]!,
        maxTimeMs: times[2 * i + 1]!,
        encoding: read.encodings[i]! as ChunkEncoding,
        data: read.bytes.subarray(start, start + read.lengths[i]!),
      };
    });
    return heads.map(({ ref, labels, from, to }) => ({
      ref,
      labels,
      chunks: streamed.slice(from, to),
      deleted: tombstones.of(ref),
    }));
  }
}
