// Where series stand in a query's list.

import { isGuest } from '../../wasm/guests.js';

/** A table by number is made where it has at most this many entries for each series. */
const SPARSE = 16;
const TABLE_MIN = 4096;

/** An ascending run of numbers, the first at some place. */
class Run {
  readonly #numbers: Uint32Array;
  readonly #first: number;
  /** 1 + the place by number, less the first number. */
  readonly #table: Uint32Array | undefined;

  constructor(numbers: Uint32Array, first: number) {
    this.#numbers = numbers;
    this.#first = first;
    if (numbers.length === 0) return;
    const span = numbers[numbers.length - 1]! - numbers[0]! + 1;
    if (span > Math.max(numbers.length * SPARSE, TABLE_MIN)) return;
    this.#table = new Uint32Array(span);
    for (let i = 0; i < numbers.length; i++) this.#table[numbers[i]! - numbers[0]!] = i + 1;
  }

  of(number: number): number {
    if (this.#numbers.length === 0) return -1;
    const at = this.#table === undefined ? this.#search(number) : (this.#table[number - this.#numbers[0]!] ?? 0) - 1;
    return at < 0 ? -1 : this.#first + at;
  }

  #search(number: number): number {
    let from = 0;
    let to = this.#numbers.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#numbers[middle]! < number) from = middle + 1;
      else to = middle;
    }
    return this.#numbers[from] === number ? from : -1;
  }
}

export class Places {
  readonly #own: Run;
  readonly #guests: Run;

  /** Of ascending numbers, guests last. */
  constructor(numbers: Uint32Array) {
    const firstGuest = numbers.findIndex(isGuest);
    const own = firstGuest < 0 ? numbers.length : firstGuest;
    this.#own = new Run(numbers.subarray(0, own), 0);
    this.#guests = new Run(numbers.subarray(own), own);
  }

  /** -1 for a number that is not in the list. */
  of(number: number): number {
    return (isGuest(number) ? this.#guests : this.#own).of(number);
  }
}
