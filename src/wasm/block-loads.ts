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
const DATA_WORD = 8;
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
  #block = 0;
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

  /** Begins with a block, of which the cache knows by its number. */
  begin(block: number): void {
    this.#block = block;
    this.#core.exports.load_clear();
  }

  /** Memory for bytes of a file: lends, until it is asked for again. */
  room(from: number, length: number): { readonly bytes: FileBytes; readonly into: Uint8Array } {
    return { bytes: { address: this.#filesAt, from, length }, into: this.#core.u8(this.#filesAt, length) };
  }

  /** Finds the chunks of those of some series that the cache knows; gives the others: lends. Throws OutOfMemory. */
  wantKnown(series: Uint32Array, { minTimeMs, maxTimeMs }: Times): Uint32Array {
    const { exports } = this.#core;
    const { address } = this.#memory;
    const lent = this.#core.u32(address, series.length);
    lent.set(series);
    const { address: into, pins } = this.#loaded;
    const count = series.length / SERIES_WORDS;
    const left = exports.load_known(
      ...([this.#block, address, count, this.#newest.byteOffset, into, pins] as const),
      ...([minTimeMs, maxTimeMs] as const),
    );
    if (exports.load_refused()) throw new OutOfMemory();
    return lent.slice(0, (left >>> 0) * SERIES_WORDS);
  }

  /** Finds the chunks of series, each a ref and a place of the window, that have samples in a span. Throws OutOfMemory. */
  want(series: Uint32Array, { address, from, length }: FileBytes, { minTimeMs, maxTimeMs }: Times): void {
    const { exports } = this.#core;
    this.#core.u32(this.#memory.address, series.length).set(series);
    const { address: into, pins } = this.#loaded;
    const places = this.#newest.byteOffset;
    const count = series.length / SERIES_WORDS;
    const isDone = exports.load_entries(
      ...([this.#block, address, from, length, this.#memory.address, count, places, into, pins] as const),
      ...([minTimeMs, maxTimeMs] as const),
    );
    if (!isDone) throw new OutOfMemory();
  }

  /** How many chunks of the block were found; then place() says where they are. */
  countWanted(): number {
    const { exports } = this.#core;
    const count = exports.load_wanted_count() >>> 0;
    this.#wanted = count === 0 ? NOTHING : this.#core.u32(exports.load_wanted(), count * WANTED_WORDS);
    return count;
  }

  /** How many of these have to be read. */
  get missing(): number {
    return this.#core.exports.load_missing() >>> 0;
  }

  isThere(chunk: number): boolean {
    return this.#wanted[chunk * WANTED_WORDS + DATA_WORD] !== 0;
  }

  place(chunk: number): ChunkPlace {
    const at = chunk * WANTED_WORDS;
    return { segment: this.#wanted[at + SEGMENT_WORD]!, offset: this.#wanted[at + OFFSET_WORD]! };
  }

  /** Loads those of `count` chunks that were found, from number `first` on, that are not there, out of a part of their segment. Throws OutOfMemory. */
  load({ address, from, length }: FileBytes, first: number, count: number): void {
    const { exports } = this.#core;
    const { address: into, pins } = this.#loaded;
    this.#take(exports.load_chunks(address, from, length, first, count, into, pins) >>> 0);
  }

  /** Shows what was loaded of the block behind what is of older ones. Throws OutOfMemory. */
  link(): void {
    this.#take(this.#core.exports.load_link(this.#loaded.address) >>> 0);
  }

  #take(arena: number): void {
    const { exports } = this.#core;
    if (arena !== 0) this.#loaded.take(arena, exports.load_arena_size() >>> 0);
    else if (exports.load_refused()) throw new OutOfMemory();
  }
}
