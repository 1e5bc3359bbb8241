// The façade of a query's history: chunks from blocks, brought into the core's memory for the series that a query
// evaluates next. See assembly/query/history.ts.

import { HISTORY_SKIP, HISTORY_WHOLE, REFERENCE_FLAG, SEALED_HEADER_BYTES } from '../../assembly/layout.js';
import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

/** A chunk of floats as it stands in some bytes. Times in ms, both ends in it. */
export interface ChunkSlice {
  /** The series' place in the query's list. */
  readonly place: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly start: number;
  readonly length: number;
}

/** A run of memory that chunks were copied to. */
interface Arena {
  readonly address: number;
  readonly bytes: number;
}

/** The buffer of pages that the cache keeps for a window. */
const PINS_BYTES = 16;
const NEXT = 16;
const BYTES = 20;

/** Chunks that come before what the head has, of the series at places `from` … `from + count - 1` of a list. */
export class LoadedChunks {
  readonly from: number;
  readonly count: number;
  readonly #core: Core;
  /** In the core's memory: by place, the newest chunk so far and flags. */
  readonly #entries: Uint32Array;
  readonly #list: Arena;
  readonly #arenas: Arena[] = [];
  #isReleased = false;

  /** Throws OutOfMemory. */
  constructor(core: Core, from: number, count: number) {
    this.#core = core;
    this.from = from;
    this.count = count;
    this.#list = this.#alloc(PINS_BYTES + count * 4);
    core.u8(this.#list.address, PINS_BYTES + count * 4).fill(0);
    this.#entries = core.u32(this.address, count);
  }

  /** Where its entries are, for a kernel that adds to them. */
  get address(): number {
    return this.#list.address + PINS_BYTES;
  }

  /** Where it is noted what of the cache stays until release(). */
  get pins(): number {
    return this.#list.address;
  }

  /** Takes memory that a kernel copied chunks to. */
  take(address: number, bytes: number): void {
    this.#arenas.push({ address, bytes });
  }

  /** Places that were passed over, which begin anew. */
  takeSkipped(): number[] {
    const places: number[] = [];
    for (let i = 0; i < this.count; i++) {
      if ((this.#entries[i]! & HISTORY_SKIP) === 0) continue;
      this.#entries[i] = 0;
      places.push(this.from + i);
    }
    return places;
  }

  /** Copies chunks; each is later than those of its series that were added before. */
  add(bytes: Uint8Array, slices: readonly ChunkSlice[]): void {
    if (slices.length === 0) return;
    const size = slices.reduce((sum, { length }) => sum + room(length), 0);
    const arena = this.#alloc(size);
    this.#arenas.push(arena);
    const { bytes: memory } = this.#core;
    const words = this.#core.u32(arena.address, size >>> 2);
    let at = 0;
    for (const { place, minTimeMs, maxTimeMs, start, length } of slices) {
      const word = at >>> 2;
      putTime(words, word, minTimeMs);
      putTime(words, word + 2, maxTimeMs);
      words[word + 4] = this.#entries[place - this.from]!;
      words[word + 5] = length;
      memory.set(bytes.subarray(start, start + length), arena.address + at + SEALED_HEADER_BYTES);
      this.#entries[place - this.from] = arena.address + at;
      at += room(length);
    }
  }

  /** Memory that stays until release(), for chunks that link() names. Throws OutOfMemory. */
  lend(bytes: number): number {
    const arena = this.#alloc(bytes);
    this.#arenas.push(arena);
    return arena.address;
  }

  /** The newest chunk of a series so far; 0 for none. */
  newest(place: number): number {
    return this.#entries[place - this.from]!;
  }

  /** A chunk in lent memory is the newest now. */
  link(place: number, address: number): void {
    this.#core.view.setUint32(address + NEXT, this.#entries[place - this.from]!, true);
    this.#entries[place - this.from] = address;
  }

  /** A chunk in memory, whoever loaded it: its bytes are copied. */
  chunkAt(address: number): { readonly data: Uint8Array; readonly minTimeMs: number } {
    const { view } = this.#core;
    const minTimeMs = Number(view.getBigInt64(address, true));
    const bytes = view.getUint32(address + BYTES, true);
    const behind = address + SEALED_HEADER_BYTES;
    const data = (bytes & REFERENCE_FLAG) === 0 ? behind : view.getUint32(behind, true);
    return { data: this.#core.u8(data, bytes & ~REFERENCE_FLAG).slice(), minTimeMs };
  }

  /** The series is evaluated elsewhere. */
  skip(place: number): void {
    this.#entries[place - this.from] = HISTORY_SKIP;
  }

  /** The chunks of the series have what the head has of it, too. */
  setWhole(place: number): void {
    this.#entries[place - this.from]! |= HISTORY_WHOLE;
  }

  /** Has a query evaluate with these, up to the last of their places. They stay until release(). */
  giveTo(query: number): void {
    this.#core.exports.query_history(query, this.address, this.from, this.count);
  }

  /** The query must not be evaluated with them any more. */
  release(): void {
    for (const { address, bytes } of this.#arenas.splice(0)) this.#core.exports.heap_free(address, bytes);
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#core.exports.chunks_unpin(this.pins);
    this.#core.exports.heap_free(this.#list.address, this.#list.bytes);
  }

  #alloc(wanted: number): Arena {
    const bytes = Math.max(wanted, 16);
    const address = this.#core.exports.heap_alloc(bytes) >>> 0;
    if (address === 0) throw new OutOfMemory();
    return { address, bytes };
  }
}

/** What a chunk takes: a header, and its bytes up to the next multiple of 8. */
function room(length: number): number {
  return SEALED_HEADER_BYTES + ((length + 7) & ~7);
}

/** An i64 from whole milliseconds. */
function putTime(words: Uint32Array, at: number, timeMs: number): void {
  words[at] = timeMs % 2 ** 32;
  words[at + 1] = Math.floor(timeMs / 2 ** 32);
}
