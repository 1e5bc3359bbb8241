// The façade of loading: what a block has of some series, found and checked in bytes of its files that were read into the
// core's memory. See assembly/query/load.ts.

import { LOAD_SERIES_BYTES, LOAD_WANTED_BYTES } from '../../assembly/layout.js';
import type { Core } from './core.js';
import type { LoadedChunks } from './history.js';
import { OutOfMemory } from './out-of-memory.js';

/** Bytes of files, in the core's memory. */
export interface FileBytes {
  readonly address: number;
  /** Where in the file they begin. */
  readonly from: number;
  readonly length: number;
}

/** Where a wanted chunk is. */
export interface ChunkPlace {
  readonly segment: number;
  readonly offset: number;
}

/** Both ends in it; whole milliseconds. */
interface Times {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

const SEGMENT_WORD = 4;
const OFFSET_WORD = 5;
const WANTED_WORDS = LOAD_WANTED_BYTES / 4;
const SERIES_WORDS = LOAD_SERIES_BYTES / 4;
const NOTHING = new Uint32Array(0);

/** One window of places, block by block, oldest first. To be closed. */
export class BlockLoads {
  readonly #core: Core;
  readonly #loaded: LoadedChunks;
  /** Room for the window's series, then for the newest time so far of each place, then for bytes of files. */
  readonly #memory: { readonly address: number; readonly bytes: number };
  readonly #newest: Float64Array;
  readonly #filesAt: number;
  #wanted: Uint32Array = NOTHING;

  /** `fileBytes`: the most that is read of a file at a time. Throws OutOfMemory. */
  constructor(core: Core, loaded: LoadedChunks, fileBytes: number) {
    this.#core = core;
    this.#loaded = loaded;
    const { count } = loaded;
    const newestAt = count * LOAD_SERIES_BYTES;
    const bytes = newestAt + count * 8 + fileBytes;
    const address = core.exports.heap_alloc(bytes) >>> 0;
    if (address === 0) throw new OutOfMemory();
    this.#memory = { address, bytes };
    this.#newest = core.f64(address + newestAt, count).fill(Number.NEGATIVE_INFINITY);
    this.#filesAt = address + newestAt + count * 8;
  }

  close(): void {
    this.#core.exports.heap_free(this.#memory.address, this.#memory.bytes);
    this.#core.exports.load_release();
  }

  /** The newest time that was found of each place of the window. */
  get newestTimes(): Float64Array {
    return this.#newest;
  }

  /** Begins with a block. */
  begin(): void {
    this.#core.exports.load_clear();
  }

  /** Memory for bytes of a file: lends, until it is asked for again. */
  room(from: number, length: number): { readonly bytes: FileBytes; readonly into: Uint8Array } {
    return { bytes: { address: this.#filesAt, from, length }, into: this.#core.u8(this.#filesAt, length) };
  }

  /** Finds the chunks of series, each a ref and a place of the window, that have samples in a span. Throws OutOfMemory. */
  want(series: Uint32Array, { address, from, length }: FileBytes, { minTimeMs, maxTimeMs }: Times): void {
    const { exports } = this.#core;
    this.#core.u32(this.#memory.address, series.length).set(series);
    const places = this.#newest.byteOffset;
    const count = series.length / SERIES_WORDS;
    const into = this.#loaded.address;
    if (!exports.load_entries(address, from, length, this.#memory.address, count, places, into, minTimeMs, maxTimeMs))
      throw new OutOfMemory();
  }

  /** How many chunks of the block were found; then place() says where they are. */
  countWanted(): number {
    const { exports } = this.#core;
    const count = exports.load_wanted_count() >>> 0;
    this.#wanted = count === 0 ? NOTHING : this.#core.u32(exports.load_wanted(), count * WANTED_WORDS);
    return count;
  }

  place(chunk: number): ChunkPlace {
    const at = chunk * WANTED_WORDS;
    return { segment: this.#wanted[at + SEGMENT_WORD]!, offset: this.#wanted[at + OFFSET_WORD]! };
  }

  /** Loads `count` chunks that were found, from number `first` on, out of a part of their segment. Throws OutOfMemory. */
  load({ address, from, length }: FileBytes, first: number, count: number): void {
    const { exports } = this.#core;
    const arena = exports.load_chunks(address, from, length, first, count, this.#loaded.address) >>> 0;
    if (arena !== 0) this.#loaded.take(arena, exports.load_arena_size() >>> 0);
    else if (exports.load_refused()) throw new OutOfMemory();
  }
}
