// The façade of what files have when a shard starts. See assembly/head/attach.ts.

import { HEAD_HISTOGRAM_BYTES, ScanStatus } from '../../assembly/layout.js';
import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

/** What a scan of some bytes came to. */
export interface Scanned {
  /** Bytes that are done with. */
  readonly done: number;
  /** `end`: zeroes follow. `damaged`: what follows is no chunk, or not a whole one. */
  readonly outcome: 'more' | 'end' | 'damaged';
}

/** What is known of a file by now. */
export interface ScannedFile {
  /** -Infinity where it has no chunk. */
  readonly latestMs: number;
  readonly hasOutOfOrder: boolean;
  readonly chunks: number;
  /** Chunks that were passed over, because they begin before the ones in front of them end. */
  readonly overlapping: number;
}

/** A chunk of a series with histograms. */
export interface FiledHistogram {
  readonly ref: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly file: number;
  readonly offset: number;
  /** Of the whole record. */
  readonly bytes: number;
  /** 0 where the series has floats as well. */
  readonly encoding: number;
}

function noteAt(view: DataView, at: number): FiledHistogram {
  return {
    ref: Number(view.getBigUint64(at, true)),
    minTimeMs: Number(view.getBigInt64(at + 8, true)),
    maxTimeMs: Number(view.getBigInt64(at + 16, true)),
    file: view.getUint32(at + 24, true),
    offset: view.getUint32(at + 28, true),
    bytes: view.getUint32(at + 32, true),
    encoding: view.getUint32(at + 36, true),
  };
}

export class Attach {
  readonly #core: Core;
  #address = 0;
  readonly #bytes: number;

  /** Reads in pieces of so many bytes. */
  constructor(core: Core, bytes: number) {
    this.#core = core;
    this.#bytes = bytes;
  }

  /** Where bytes of files are put for scan(): lends. Throws OutOfMemory. */
  get buffer(): Uint8Array {
    if (this.#address === 0) this.#address = this.#core.exports.heap_alloc(this.#bytes) >>> 0;
    if (this.#address === 0) throw new OutOfMemory();
    return this.#core.u8(this.#address, this.#bytes);
  }

  beginFile(): void {
    this.#core.exports.attach_begin_file();
  }

  /** Reads the buffer's bytes from `from` to `to`, which are those from `offset` on of a file. Throws OutOfMemory. */
  scan(from: number, to: number, file: number, offset: number, minTimeMs: number): Scanned {
    const { exports } = this.#core;
    const done = exports.attach_scan(this.#address + from, to - from, file, offset, minTimeMs) >>> 0;
    const status: ScanStatus = exports.attach_status();
    if (status === ScanStatus.NoMemory) throw new OutOfMemory();
    return { done, outcome: status === ScanStatus.End ? 'end' : status === ScanStatus.Damaged ? 'damaged' : 'more' };
  }

  /** Chunks of series with histograms that scan() has found since it was last asked. */
  takeHistograms(): FiledHistogram[] {
    const { exports } = this.#core;
    const count = (exports.attach_histograms_bytes() >>> 0) / HEAD_HISTOGRAM_BYTES;
    if (count === 0) return [];
    const view = new DataView(
      this.#core.memory.buffer,
      exports.attach_histograms() >>> 0,
      count * HEAD_HISTOGRAM_BYTES,
    );
    const notes = Array.from({ length: count }, (_, i) => noteAt(view, i * HEAD_HISTOGRAM_BYTES));
    exports.attach_clear_histograms();
    return notes;
  }

  /** How many of the bytes from `from` to `to` are in front of the next chunk: all where there is none. */
  resync(from: number, to: number): number {
    return this.#core.exports.attach_resync(this.#address + from, to - from) >>> 0;
  }

  get file(): ScannedFile {
    const { exports } = this.#core;
    const latest = exports.attach_file_latest();
    return {
      latestMs: latest < -(2 ** 62) ? Number.NEGATIVE_INFINITY : latest,
      hasOutOfOrder: exports.attach_file_out_of_order(),
      chunks: exports.attach_file_chunks(),
      overlapping: exports.attach_file_overlapping(),
    };
  }

  /** Of all chunks in files. */
  get highestRef(): number {
    return this.#core.exports.attach_highest_ref();
  }

  /** The newest sample in chunks that series were given; undefined where there is none. */
  get newestMs(): number | undefined {
    const newest = this.#core.exports.attach_newest();
    return newest < -(2 ** 62) ? undefined : newest;
  }

  /** Gives the buffer back. */
  close(): void {
    if (this.#address !== 0) this.#core.exports.heap_free(this.#address, this.#bytes);
    this.#address = 0;
  }
}
