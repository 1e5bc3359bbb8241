// Newest samples by the addresses of series records: where a shard says they are, and main's reading of them.
//
// Whoever reads sees to it that nobody writes meanwhile: docs/decisions/0062-newest-samples.md.

import {
  SERIES_APPEND,
  SERIES_BYTES,
  SERIES_COUNT,
  SERIES_SEALED,
  SERIES_TIME,
  SERIES_VALUE,
  STALE_HIGH,
  STALE_LOW,
} from '../../assembly/layout.js';
import { wordsOf } from '../model/value.js';
import type { Core } from './core.js';
import { type LabelTable, takeLabelTable } from './label-table.js';
import { OutOfMemory } from './out-of-memory.js';
import type { SeriesList } from './select.js';

/** Series by the addresses of their records, ascending by index, and their labels. May be moved to another thread. */
export interface Places extends LabelTable {
  /** u32. */
  readonly addresses: ArrayBuffer;
}

/** Where the series of a list are. */
export function placesOf(core: Core, list: SeriesList): Places {
  const bytes = Math.max(list.count, 1) * 4;
  const out = core.exports.heap_alloc(bytes) >>> 0;
  if (out === 0) throw new OutOfMemory();
  try {
    const count = core.exports.query_places(list.address, list.count, out);
    if (count < 0) throw new OutOfMemory();
    return { addresses: core.u32(out, count).slice().buffer, ...takeLabelTable(core) };
  } finally {
    core.exports.heap_free(out, bytes);
  }
}

/** The labels of series that are there, by their indexes. */
export function labelTableOf(core: Core, series: readonly number[]): LabelTable {
  const bytes = series.length * 4;
  const address = core.exports.heap_alloc(bytes) >>> 0;
  if (address === 0) throw new OutOfMemory();
  try {
    core.u32(address, series.length).set(series);
    return placesOf(core, { address, count: series.length, bytes });
  } finally {
    core.exports.heap_free(address, bytes);
  }
}

/** Which newest samples are wanted, and what of them. */
export interface NewestQuestion {
  /** Appends after this one must not be seen. */
  readonly watermark: number;
  /** Samples in (endMs - windowMs, endMs] count. */
  readonly endMs: number;
  readonly windowMs: number;
  /** `timestamp` gives times in seconds. */
  readonly fn: 'last' | 'timestamp';
}

/** A column of newest samples, one cell a series. */
export interface NewestColumn {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** What the newest sample of a series is to a question: not for us to say, none that counts, or one. */
const HIDDEN = 0;
const NONE = 1;
const THERE = 2;

const TIME_WORD = SERIES_TIME / 4;
const VALUE_WORD = SERIES_VALUE / 4;

/** The series records of a shard as another thread sees them. */
export class SeriesRecords {
  readonly #memory: WebAssembly.Memory;
  #words: Uint32Array;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#words = new Uint32Array(memory.buffer);
  }

  /**
   * Fills the cells from `offset` on. False where a series has a sample that the question must not see, or one past the
   * window: the shard finds the one before it.
   */
  newest(addresses: Uint32Array, question: NewestQuestion, { values, present }: NewestColumn, offset: number): boolean {
    const words = this.#current();
    const bits = wordsOf(values);
    for (let i = 0; i < addresses.length; i++) {
      const at = addresses[i]! >>> 2;
      const found = look(words, at, question);
      if (found === HIDDEN) return false;
      if (found === NONE) continue;
      const cell = offset + i;
      present[cell] = 1;
      if (question.fn === 'timestamp') values[cell] = timeAt(words, at) / 1000;
      else {
        bits[2 * cell] = words[at + VALUE_WORD]!;
        bits[2 * cell + 1] = words[at + VALUE_WORD + 1]!;
      }
    }
    return true;
  }

  /** Whether each of the series has a newest sample that counts. False also where the shard has to say. */
  haveNewest(addresses: Uint32Array, question: NewestQuestion): boolean {
    const words = this.#current();
    for (const address of addresses) if (look(words, address >>> 2, question) !== THERE) return false;
    return true;
  }

  /** All of memory as it is now: it may have grown. */
  #current(): Uint32Array {
    if (this.#words.buffer !== this.#memory.buffer) this.#words = new Uint32Array(this.#memory.buffer);
    return this.#words;
  }
}

/** At word `at`. */
function look(words: Uint32Array, at: number, { watermark, endMs, windowMs }: NewestQuestion): number {
  if (at + SERIES_BYTES / 4 > words.length) return HIDDEN;
  // As assembly/head/journal.ts compares them.
  if (((words[at + SERIES_APPEND / 4]! - watermark) | 0) > 0) return HIDDEN;
  const isEmpty = words[at + SERIES_SEALED / 4] === 0 && words[at + (SERIES_COUNT >>> 2)]! >>> 24 === 0;
  if (isEmpty) return NONE;
  const timeMs = timeAt(words, at);
  if (timeMs > endMs) return HIDDEN;
  const isStale = words[at + VALUE_WORD] === STALE_LOW && words[at + VALUE_WORD + 1] === STALE_HIGH;
  return timeMs <= endMs - windowMs || isStale ? NONE : THERE;
}

function timeAt(words: Uint32Array, at: number): number {
  return (words[at + TIME_WORD + 1]! | 0) * 2 ** 32 + words[at + TIME_WORD]!;
}
