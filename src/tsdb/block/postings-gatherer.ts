// Which series have which label pair, gathered series by series, given out pair by pair.
//
// Memory is four bytes per label of every series, and four per series. Lists are made of that a few million
// entries at a time, so they never stand beside each other in full.

import type { SeriesRef } from './contract.js';
import { LabelPairs } from './label-pairs.js';
import { NumberList } from './number-list.js';

/** Entries of the lists that are made in one pass. */
const PASS_ENTRIES = 4 * 1024 * 1024;
const NOT_NOW = 0xffff_ffff;

/** The series that have a label pair, ascending. */
export interface PostingsList {
  readonly name: number;
  readonly value: number;
  /** Lent until the next list is asked for. */
  readonly refs: Uint32Array;
}

export class PostingsGatherer {
  readonly #passEntries: number;
  readonly #pairs = new LabelPairs();
  readonly #refs = new NumberList();
  /** Per series how many labels it has, then their pairs. */
  readonly #labels = new NumberList();

  constructor(passEntries = PASS_ENTRIES) {
    this.#passEntries = passEntries;
  }

  /** How many lists there will be. */
  get pairs(): number {
    return this.#pairs.size;
  }

  get series(): number {
    return this.#refs.length;
  }

  /** All series, ascending, as views. */
  refs(): Iterable<Uint32Array> {
    return this.#refs.pieces();
  }

  /** Adds a series. Refs ascend. */
  add(ref: SeriesRef, labels: Uint32Array): void {
    this.#refs.push(ref);
    this.#labels.push(labels.length / 2);
    for (let i = 0; i < labels.length; i += 2) this.#labels.push(this.#pairs.count(labels[i]!, labels[i + 1]!));
  }

  /** The lists of all pairs, by name, then value. */
  *lists(): Generator<PostingsList> {
    const pairs = this.#pairs;
    const order = pairs.sorted();
    /** Where the next ref of a pair goes, for the pairs of this pass. */
    const cursors = new Uint32Array(pairs.size).fill(NOT_NOW);
    let entries = new Uint32Array(0);
    for (let from = 0; from < order.length; ) {
      let total = 0;
      let to = from;
      while (to < order.length && (to === from || total + pairs.countOf(order[to]!) <= this.#passEntries)) {
        cursors[order[to]!] = total;
        total += pairs.countOf(order[to]!);
        to++;
      }
      if (entries.length < total) entries = new Uint32Array(total);
      this.#scatter(cursors, entries);
      for (let rank = from, start = 0; rank < to; rank++) {
        const pair = order[rank]!;
        const end = start + pairs.countOf(pair);
        yield { name: pairs.nameOf(pair), value: pairs.valueOf(pair), refs: entries.subarray(start, end) };
        cursors[pair] = NOT_NOW;
        start = end;
      }
      from = to;
    }
  }

  /** Gives every ref to the pairs of its series that have a cursor. */
  #scatter(cursors: Uint32Array, entries: Uint32Array): void {
    let series = 0;
    let left = 0;
    let ref = 0;
    for (const piece of this.#labels.pieces()) {
      for (const number of piece) {
        if (left === 0) {
          left = number;
          ref = this.#refs.at(series++);
          continue;
        }
        left--;
        const cursor = cursors[number]!;
        if (cursor === NOT_NOW) continue;
        entries[cursor] = ref;
        cursors[number] = cursor + 1;
      }
    }
  }
}
