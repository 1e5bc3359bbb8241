// Label sets as numbers: each distinct one, as far as an operator keeps it, gets the next.
//
//   row ─► shape ─► words: the kept names' number, a number for each value ─► hash ─► its number
//
// Operators meet each row once or twice. Joining its strings into a key would cost more
// than all the rest of their work; here a row costs a look into a map for each value
// that differs from that of the row before, and leaves no garbage.

import type { Labels } from '../../model/labels.js';
import { type Keep, Projection } from './projection.js';

/** find() found nothing. */
export const NONE = -1;

const ALL: Keep = () => true;

export class LabelIndex {
  readonly #projection: Projection;
  readonly #symbols = new Symbols();
  /** Keys of all numbers, one after another; where each starts, and its hash. */
  #words = new Int32Array(1024);
  #wordCount = 0;
  #starts = new Int32Array(129);
  #hashes = new Int32Array(128);
  #size = 0;
  /** Open addressing: a number plus one, or 0. At most half full. */
  #table = new Int32Array(256);

  /** `keep` says which labels count. */
  constructor(keep = ALL) {
    this.#projection = new Projection(keep);
  }

  /** How many distinct ones there are: their numbers are those below. */
  get size(): number {
    return this.#size;
  }

  /** The number of a row's kept labels, the next one where they are new. */
  add(row: Labels): number {
    const hash = this.#write(row);
    const known = this.#lookUp(hash);
    return known === NONE ? this.#keep(hash) : known;
  }

  /** NONE where they were never added. */
  find(row: Labels): number {
    return this.#lookUp(this.#write(row));
  }

  /** What counts of a row's labels. */
  keptOf(row: Labels): Labels {
    return this.#projection.of(row);
  }

  /** Writes the key of a row behind the others, where it stays if it is new. */
  #write(row: Labels): number {
    const { kept, keptNames } = this.#projection.shapeOf(row);
    const count = kept.length;
    if (this.#wordCount + count + 1 > this.#words.length) this.#words = grown(this.#words, this.#wordCount + count + 1);
    const words = this.#words;
    let at = this.#wordCount;
    words[at++] = keptNames;
    let hash = keptNames;
    for (let i = 0; i < count; i++) {
      const word = this.#symbols.numberOf(row[kept[i]!]!, i);
      words[at++] = word;
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    this.#starts[this.#size + 1] = at;
    return hash;
  }

  #lookUp(hash: number): number {
    const mask = this.#table.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#table[slot]! - 1;
      if (number === NONE) return NONE;
      if (this.#hashes[number] === hash && this.#isWritten(number)) return number;
    }
  }

  /** Whether the key written last is that of a number. */
  #isWritten(number: number): boolean {
    const words = this.#words;
    const start = this.#starts[number]!;
    const own = this.#wordCount;
    const length = this.#starts[this.#size + 1]! - own;
    if (this.#starts[number + 1]! - start !== length) return false;
    for (let i = 0; i < length; i++) if (words[start + i] !== words[own + i]) return false;
    return true;
  }

  #keep(hash: number): number {
    const number = this.#size++;
    this.#wordCount = this.#starts[this.#size]!;
    this.#hashes[number] = hash;
    if (this.#size === this.#hashes.length) {
      this.#hashes = grown(this.#hashes, this.#size + 1);
      this.#starts = grown(this.#starts, this.#hashes.length + 1);
    }
    if (2 * this.#size > this.#table.length) this.#rehash();
    else this.#insert(number);
    return number;
  }

  #insert(number: number): void {
    const mask = this.#table.length - 1;
    let slot = this.#hashes[number]! & mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = number + 1;
  }

  #rehash(): void {
    this.#table = new Int32Array(this.#table.length * 4);
    for (let number = 0; number < this.#size; number++) this.#insert(number);
  }
}

/** Label values as numbers. */
class Symbols {
  readonly #numbers = new Map<string, number>();
  /** The value met last at each place of a row: often it comes again. */
  readonly #texts: string[] = [];
  readonly #last: number[] = [];

  numberOf(text: string, place: number): number {
    if (this.#texts[place] === text) return this.#last[place]!;
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.#numbers.size));
    this.#texts[place] = text;
    this.#last[place] = number;
    return number;
  }
}

/** A copy with room for `length` and as much again. */
function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * Math.max(length, array.length));
  larger.set(array);
  return larger;
}
