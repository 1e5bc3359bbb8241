// Chunks as a shard exports them (drawn in assembly/head/export.ts), series by series.

import type { ChunkEncoding, StreamedChunk } from '../block/contract.js';

/** In front of a series' chunks: their number. In front of a chunk: two f64 times, u32 bytes, u32 encoding. */
const SERIES_HEAD = 8;
const CHUNK_HEAD = 24;
const PADDING = 8;

export class ChunkPages {
  readonly #buffers: readonly ArrayBuffer[];
  #buffer = 0;
  #at = 0;
  #view = new DataView(new ArrayBuffer(0));

  constructor(buffers: readonly ArrayBuffer[]) {
    this.#buffers = buffers;
  }

  /** The chunks of the next series, oldest first: views of the page. */
  next(): StreamedChunk[] {
    while (this.#at === this.#view.byteLength) {
      const buffer = this.#buffers[this.#buffer++];
      if (buffer === undefined) throw new RangeError('a shard gave fewer chunks than it was asked for');
      this.#view = new DataView(buffer);
      this.#at = 0;
    }
    const count = this.#view.getUint32(this.#at, true);
    this.#at += SERIES_HEAD;
    return Array.from({ length: count }, () => this.#chunk());
  }

  #chunk(): StreamedChunk {
    const view = this.#view;
    const at = this.#at;
    const bytes = view.getUint32(at + 16, true);
    this.#at = at + CHUNK_HEAD + Math.ceil(bytes / PADDING) * PADDING;
    return {
      minTimeMs: view.getFloat64(at, true),
      maxTimeMs: view.getFloat64(at + 8, true),
      encoding: view.getUint32(at + 20, true) as ChunkEncoding,
      data: new Uint8Array(view.buffer, at + CHUNK_HEAD, bytes),
    };
  }
}
