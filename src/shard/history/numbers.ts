// The series of a block as the shard numbers them. Labels are hashed when a series is met for the first time, and
// again only where it has left the head since.

import { BlockFault } from '../../tsdb/block/contract.js';
import { type Guests, isGuest, type LabelRows, UNKNOWN } from '../../wasm/guests.js';
import type { HistoryBlock } from './block.js';

/** Refs are sparse, some five apart: numbers stand in pages that are made when they are needed. */
const PAGE_LOG2 = 12;
const PAGE_REFS = 2 ** PAGE_LOG2;
/** Label sets that are looked up at once: their strings are sent once. */
const BATCH_SERIES = 2048;

export class BlockNumbers {
  readonly #block: HistoryBlock;
  readonly #guests: Guests;
  readonly #pages: (Uint32Array | undefined)[] = [];

  constructor(block: HistoryBlock, guests: Guests) {
    this.#block = block;
    this.#guests = guests;
  }

  /** The numbers of series by their refs, FOREIGN for those of other shards. Throws BlockFault, DiskError, OutOfMemory. */
  of(refs: Uint32Array): Uint32Array {
    const numbers = new Uint32Array(refs.length);
    for (let i = 0; i < refs.length; i++) {
      const page = this.#pages[refs[i]! >>> PAGE_LOG2];
      numbers[i] = page === undefined ? UNKNOWN : page[refs[i]! % PAGE_REFS]!;
    }
    if (this.#guests.renew(numbers) === 0) return this.#note(refs, numbers);
    const unknown: number[] = [];
    for (let i = 0; i < refs.length; i++) if (numbers[i] === UNKNOWN) unknown.push(i);
    for (let from = 0; from < unknown.length; from += BATCH_SERIES) {
      const batch = unknown.slice(from, from + BATCH_SERIES);
      const found = this.#guests.invite(this.#labelRows(batch.map((i) => refs[i]!)));
      batch.forEach((i, place) => {
        if (found[place] === UNKNOWN) throw new BlockFault(this.#block.ulid, `series ${refs[i]}`, 'a label name twice');
        numbers[i] = found[place]!;
      });
    }
    return this.#note(refs, numbers);
  }

  /** Guests are gone: their series are looked up once more. */
  forgetGuests(): void {
    for (const page of this.#pages) {
      if (page === undefined) continue;
      for (let i = 0; i < PAGE_REFS; i++) if (isGuest(page[i]!)) page[i] = UNKNOWN;
    }
  }

  #note(refs: Uint32Array, numbers: Uint32Array): Uint32Array {
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i]!;
      const page = (this.#pages[ref >>> PAGE_LOG2] ??= new Uint32Array(PAGE_REFS).fill(UNKNOWN));
      page[ref % PAGE_REFS] = numbers[i]!;
    }
    return numbers;
  }

  #labelRows(refs: readonly number[]): LabelRows {
    const strings: Uint8Array[] = [];
    const places = new Map<number, number>();
    const rows: number[] = [];
    const place = (symbol: number): number => {
      let known = places.get(symbol);
      if (known === undefined) {
        known = strings.length;
        places.set(symbol, known);
        strings.push(this.#block.symbol(symbol).slice());
      }
      return known;
    };
    for (const ref of refs) {
      const labels = this.#block.entry(ref).labels.slice();
      rows.push(labels.length / 2);
      for (const symbol of labels) rows.push(place(symbol));
    }
    return { strings, rows, count: refs.length };
  }
}
