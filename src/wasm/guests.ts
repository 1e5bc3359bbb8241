// The façade of guests: series of blocks that the head does not have. See assembly/head/guests.ts.

import { SERIES_FOREIGN, SERIES_UNKNOWN } from '../../assembly/layout.js';
import type { Core } from './core.js';
import type { SeriesIndex } from './head.js';
import { OutOfMemory } from './out-of-memory.js';

/** In place of a series: another shard has these labels. */
export const FOREIGN = SERIES_FOREIGN;
/** In place of a series: nobody has looked yet, or the series is gone. */
export const UNKNOWN = SERIES_UNKNOWN;
/** Numbers of guests are from here on. */
const FIRST_GUEST = 2 ** 31;

/** Label sets as numbers of strings. */
export interface LabelRows {
  /** UTF-8. */
  readonly strings: readonly Uint8Array[];
  /** Of each set: its pairs, then the numbers of name and value of each, names ascending. */
  readonly rows: readonly number[];
  readonly count: number;
}

export function isGuest(series: number): boolean {
  return series >= FIRST_GUEST && series < UNKNOWN;
}

export class Guests {
  readonly #core: Core;
  readonly #shard: number;
  readonly #shards: number;

  constructor(core: Core, place: { readonly index: number; readonly count: number }) {
    this.#core = core;
    this.#shard = place.index;
    this.#shards = place.count;
  }

  /** Guests since they were last dropped. */
  get count(): number {
    return this.#core.exports.guests_count() >>> 0;
  }

  /** Brings numbers that were found once up to date, in place. Gives how many are UNKNOWN. */
  renew(numbers: Uint32Array): number {
    return this.#withBlock(numbers.length * 4, (address) => {
      this.#core.u32(address, numbers.length).set(numbers);
      const unknown = this.#core.exports.series_renew(address, numbers.length) >>> 0;
      numbers.set(this.#core.u32(address, numbers.length));
      return unknown;
    });
  }

  /** The series of label sets: of the head, or guests, made where there is none yet; FOREIGN, or UNKNOWN where a set has a name twice. */
  invite({ strings, rows, count }: LabelRows): Uint32Array {
    const stringBytes = strings.reduce((sum, { length }) => sum + length, 0);
    const rowsAt = strings.length * 8;
    const outAt = rowsAt + rows.length * 4;
    const textAt = outAt + count * 4;
    return this.#withBlock(textAt + stringBytes, (address) => {
      const { bytes } = this.#core;
      const entries = this.#core.u32(address, strings.length * 2);
      let at = address + textAt;
      strings.forEach((text, i) => {
        entries[2 * i] = at;
        entries[2 * i + 1] = text.length;
        bytes.set(text, at);
        at += text.length;
      });
      this.#core.u32(address + rowsAt, rows.length).set(rows);
      const out = address + outAt;
      const { guests_invite } = this.#core.exports;
      const done = guests_invite(address + rowsAt, count, address, this.#shard, this.#shards, out) >>> 0;
      if (done < count) throw new OutOfMemory();
      return this.#core.u32(out, count).slice();
    });
  }

  /** Forgets all. No query may be open. */
  drop(): void {
    this.#core.exports.guests_drop();
  }

  #withBlock<T>(bytes: number, action: (address: number) => T): T {
    const size = Math.max(bytes, 16);
    const address = this.#core.exports.heap_alloc(size) >>> 0;
    if (address === 0) throw new OutOfMemory();
    try {
      return action(address);
    } finally {
      this.#core.exports.heap_free(address, size);
    }
  }
}

/** Whether a number names a series, of the head or a guest. */
export function isSeries(number: number): number is SeriesIndex {
  return number < UNKNOWN;
}
