// The façade of reading chunks of files back: which are wanted, and what becomes of the bytes. See assembly/head/wanted.ts.

import {
  CHUNK_RECORD_CRC_BYTES,
  CHUNK_RECORD_HEAD_BYTES,
  CHUNK_RECORD_LENGTH_BYTES_MAX,
  LINK_DAMAGED,
  LINK_SHORT,
  Status,
  WANT_BYTES,
  WANT_FILE,
  WANT_MAX,
  WANT_OFFSET,
  WANT_PLACE,
  WANT_SPAN,
} from '../../assembly/layout.js';
import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

/** What of a record is not its data, at most. */
export const RECORD_BYTES_BESIDE = CHUNK_RECORD_HEAD_BYTES + CHUNK_RECORD_LENGTH_BYTES_MAX + CHUNK_RECORD_CRC_BYTES;

/** Chunks of files that somebody wants: in columns. */
export interface Wants {
  /** How many places of the list they are for. */
  readonly places: number;
  readonly count: number;
  /** Of each: the series' place in the list, file, offset, and its times; the first is some milliseconds early. */
  readonly place: Uint32Array;
  readonly file: Uint32Array;
  readonly offset: Uint32Array;
  readonly minTimeMs: Float64Array;
  readonly maxTimeMs: Float64Array;
}

const WORDS = WANT_BYTES / 4;
const TIME_LIMIT = 2 ** 52;

export class Wanted {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** For the series of a query from a place on, up to so many places and about so many chunks. Throws OutOfMemory. */
  ofQuery(query: number, from: number, places: number, minTimeMs: number, maxTimeMs: number, most: number): Wants {
    const { exports } = this.#core;
    const found = exports.query_wanted(query, from, places, within(minTimeMs), within(maxTimeMs), most) >>> 0;
    return this.#take(found, places);
  }

  /** For the series of a list at an address. Throws OutOfMemory. */
  ofList(list: number, places: number, minTimeMs: number, maxTimeMs: number, most: number): Wants {
    const { exports } = this.#core;
    return this.#take(exports.wanted_list(list, 0, places, within(minTimeMs), within(maxTimeMs), most) >>> 0, places);
  }

  /**
   * Makes a sealed chunk, linked to `next`, of a record at an address of which so many bytes are there, if it is one with that last
   * time. Its address, or why not. The byte in front of the record may be overwritten.
   */
  link(maxTimeMs: number, at: number, available: number, next: number): number | 'damaged' | 'short' {
    const linked = this.#core.exports.wanted_link(maxTimeMs, at, available, next) >>> 0;
    if (linked === LINK_DAMAGED) return 'damaged';
    return linked === LINK_SHORT ? 'short' : linked;
  }

  /** The series that have no sample in memory, of `most` from `from` on: copies. */
  bare(from: number, most: number): { next: number; series: Uint32Array } {
    const { exports } = this.#core;
    const next = exports.recall_list_bare(from, most) >>> 0;
    return { next, series: this.#core.u32(exports.recall_bare(), exports.recall_bare_count() >>> 0).slice() };
  }

  /** Whether a series is one of those. */
  isBare(series: number): boolean {
    return this.#core.exports.recall_is_bare(series);
  }

  /** Shows the newest sample of such a series, whose newest chunk was loaded. Throws OutOfMemory. */
  revive(series: number, loaded: number): void {
    if (!this.#core.exports.recall_revive(series, loaded)) throw new OutOfMemory();
  }

  /**
   * Has the chunks of a series that end at or after the begin of a span in memory from now on, and not in files, if any touches it;
   * those that are not in memory yet were loaded, and are linked at `loaded`. Throws OutOfMemory.
   */
  recall(series: number, loaded: number, minTimeMs: number, maxTimeMs: number): void {
    const status = this.#core.exports.recall_chunks(series, loaded, within(minTimeMs), within(maxTimeMs));
    if (status !== Status.Ok) throw new OutOfMemory();
  }

  #take(places: number, asked: number): Wants {
    if (places === 0 && asked > 0) throw new OutOfMemory();
    const { exports } = this.#core;
    const count = exports.wanted_count() >>> 0;
    const wants = {
      ...{ places, count, place: new Uint32Array(count), file: new Uint32Array(count), offset: new Uint32Array(count) },
      ...{ minTimeMs: new Float64Array(count), maxTimeMs: new Float64Array(count) },
    };
    if (count === 0) return wants;
    const words = this.#core.u32(exports.wanted_address(), count * WORDS);
    const numbers = this.#core.f64(exports.wanted_address(), (count * WORDS) / 2);
    for (let i = 0, at = 0; i < count; i++, at += WORDS) {
      wants.place[i] = words[at + WANT_PLACE / 4]!;
      wants.file[i] = words[at + WANT_FILE / 4]!;
      wants.offset[i] = words[at + WANT_OFFSET / 4]!;
      wants.maxTimeMs[i] = numbers[(at + WANT_MAX / 4) / 2]!;
      wants.minTimeMs[i] = wants.maxTimeMs[i]! - words[at + WANT_SPAN / 4]!;
    }
    return wants;
  }
}

function within(timeMs: number): number {
  return Math.max(-TIME_LIMIT, Math.min(TIME_LIMIT, timeMs));
}
