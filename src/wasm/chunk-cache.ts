// The façade of the cache of chunks that queries read from files. See assembly/cache/chunks.ts.

import { CHUNK_FOUND, REFERENCE_BYTES } from '../../assembly/layout.js';
import { type Core, PAGE_BYTES } from './core.js';

/** What a shard keeps where nobody says how much. */
const BYTES = 64 * 2 ** 20;
/** Of the shard's memory it is this share at the most, and nothing is kept where the shard holds more than the other. */
const SHARE_MAX = 0.125;
const CROWDED_SHARE = 0.7;
/** Pages that are ready before a query goes on, some four MB: what it reads at once fits mostly. */
const SPARE_PAGES = 64;

const WORDS = REFERENCE_BYTES / 4;
const FOUND_WORD = CHUNK_FOUND / 4;

export { REFERENCE_BYTES };

export class ChunkCache {
  readonly #core: Core;
  readonly #memoryBytes: number;
  readonly #numbers = new WeakMap<object, number>();
  #last = 0;

  constructor(core: Core, bytes = BYTES, memoryBytes = Number.POSITIVE_INFINITY) {
    this.#core = core;
    this.#memoryBytes = memoryBytes;
    core.exports.chunks_limit(Math.floor(Math.min(bytes, memoryBytes * SHARE_MAX) / PAGE_BYTES));
  }

  /** Before something is read for which queries do not pay: makes room, or gives all back where memory is short. */
  prepare(): void {
    const { exports } = this.#core;
    if (this.#core.heldBytes <= CROWDED_SHARE * this.#memoryBytes) exports.chunks_grow(SPARE_PAGES);
    else if (this.bytes > 0) exports.chunks_drop();
  }

  /** Of an opened block: no other one ever has it. */
  numberOf(block: object): number {
    let number = this.#numbers.get(block);
    if (number === undefined) {
      number = ++this.#last;
      this.#numbers.set(block, number);
    }
    return number;
  }

  /**
   * Makes chunks, in REFERENCE_BYTES each at an address, of what is kept of chunks of chunks_head, and stays while `pins` is.
   * Gives their addresses, 0 for those that have to be read.
   */
  find(file: Uint32Array, offset: Uint32Array, at: number, pins: number): Uint32Array {
    const count = file.length;
    const words = this.#core.u32(at, count * WORDS);
    for (let i = 0; i < count; i++) {
      words[i * WORDS] = file[i]!;
      words[i * WORDS + 1] = offset[i]!;
    }
    this.#core.exports.chunks_find_heads(at, count, pins);
    const found = new Uint32Array(count);
    for (let i = 0; i < count; i++) if (words[i * WORDS + FOUND_WORD] !== 0) found[i] = at + i * REFERENCE_BYTES;
    return found;
  }

  /** Keeps a chunk that was read, at an address, likewise; 0 where there is no room. */
  keep(file: number, offset: number, chunk: number, pins: number): number {
    return this.#core.exports.chunks_keep_head(file, offset, chunk, pins) >>> 0;
  }

  /** Makes a chunk of what is kept, in REFERENCE_BYTES at an address. */
  refer(kept: number, at: number): void {
    this.#core.exports.chunks_refer_head(kept, at);
  }

  get bytes(): number {
    return (this.#core.exports.chunks_pages() >>> 0) * PAGE_BYTES;
  }

  get counters(): Record<string, number> {
    const { exports } = this.#core;
    return {
      ...{ cachedChunkHits: exports.chunks_hits(), cachedChunkMisses: exports.chunks_misses() },
      cachedChunkBytes: this.bytes,
    };
  }
}
