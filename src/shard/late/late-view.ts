// The late samples that a query sees, in the form of one more block: its history feed reads and merges them like those
// of blocks that overlap.

import type { DeletedInterval, StreamedChunk } from '../../tsdb/block/contract.js';
import { isGuest } from '../../wasm/guests.js';
import type { SeriesIndex } from '../../wasm/head.js';
import type { BlockChunks, BlockEntry, ChunkSource } from '../history/block.js';
import type { PlacedChunks, TimeSpan } from '../history/selection.js';
import type { LateStore } from './late-store.js';

const NO_LABELS = new Uint32Array(0);

/** What one query sees of the late samples; to be closed. */
export class LateView {
  readonly #store: LateStore;
  readonly #watermark: number;
  readonly #letGo: () => void;

  constructor(store: LateStore, watermark: number) {
    this.#store = store;
    this.#watermark = watermark;
    this.#letGo = store.hold(watermark);
  }

  /** Whether there may be samples in a span of times. */
  touches(span: TimeSpan): boolean {
    return this.#store.touches(span);
  }

  /** Where the series that have late samples stand in a list of numbers. */
  place(list: Uint32Array): PlacedChunks {
    // A ref is one more than the series' number: 0 says that there is nothing.
    const refs = list.map((number) => (!isGuest(number) && this.#store.has(number as SeriesIndex) ? number + 1 : 0));
    return { block: new LateChunks(this.#store, this.#watermark), refs };
  }

  close(): void {
    this.#letGo();
  }
}

/** Chunks of late samples, named by their places among those that were asked for last. */
class LateChunks implements ChunkSource {
  readonly ulid = 'late samples';
  readonly minTimeMs = Number.NEGATIVE_INFINITY;
  readonly maxTimeMs = Number.POSITIVE_INFINITY;
  readonly #store: LateStore;
  readonly #watermark: number;
  /** Those of the entries that were given since chunks were read last. */
  #named: StreamedChunk[] = [];

  constructor(store: LateStore, watermark: number) {
    this.#store = store;
    this.#watermark = watermark;
  }

  entry(ref: number): BlockEntry {
    const chunks = this.#store.chunks((ref - 1) as SeriesIndex, this.#watermark);
    const first = this.#named.length;
    this.#named.push(...chunks);
    return {
      labels: NO_LABELS,
      chunkCount: chunks.length,
      minTimesMs: Float64Array.from(chunks, ({ minTimeMs }) => minTimeMs),
      maxTimesMs: Float64Array.from(chunks, ({ maxTimeMs }) => maxTimeMs),
      chunkRefs: Float64Array.from(chunks, (_, i) => first + i),
    };
  }

  chunks(refs: ArrayLike<number>): BlockChunks {
    const chunks = Array.from(refs, (ref) => this.#named[ref]!);
    this.#named = [];
    const lengths = Uint32Array.from(chunks, ({ data }) => data.length);
    const starts = new Uint32Array(chunks.length);
    const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    chunks.forEach(({ data }, i) => {
      starts[i] = at;
      bytes.set(data, at);
      at += data.length;
    });
    return { bytes, starts, lengths, encodings: Uint8Array.from(chunks, ({ encoding }) => encoding) };
  }

  deleted(): readonly DeletedInterval[] {
    return [];
  }

  isDownsampled(): boolean {
    return false;
  }

  rebuilt(): never[] {
    return [];
  }
}
