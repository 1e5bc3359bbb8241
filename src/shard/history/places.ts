// Where series stand in a query's list.

import { isGuest } from '../../wasm/guests.js';

/** A table by number is made where it has at most this many entries for each series. */
const SPARSE = 16;
const TABLE_MIN = 4096;

export class Places {
  readonly #own: (number: number) => number;
  readonly #guests: (number: number) => number;

  /** Of numbers in any order, each once. */
  constructor(numbers: Uint32Array) {
    this.#own = finder(numbers, (number) => !isGuest(number));
    this.#guests = finder(numbers, isGuest);
  }

  /** -1 for a number that is not in the list. */
  of(number: number): number {
    return isGuest(number) ? this.#guests(number) : this.#own(number);
  }
}

/** Finds the places of some of the numbers: by a table where they are dense. */
function finder(numbers: Uint32Array, isWanted: (number: number) => boolean): (number: number) => number {
  let least = Number.POSITIVE_INFINITY;
  let greatest = -1;
  let count = 0;
  for (const number of numbers) {
    if (!isWanted(number)) continue;
    least = Math.min(least, number);
    greatest = Math.max(greatest, number);
    count++;
  }
  if (count === 0) return () => -1;
  if (greatest - least >= Math.max(count * SPARSE, TABLE_MIN)) {
    const places = new Map<number, number>();
    for (const [place, number] of numbers.entries()) if (isWanted(number)) places.set(number, place);
    return (number) => places.get(number) ?? -1;
  }
  // 1 + the place.
  const table = new Uint32Array(greatest - least + 1);
  for (const [place, number] of numbers.entries()) if (isWanted(number)) table[number - least] = place + 1;
  return (number) => (table[number - least] ?? 0) - 1;
}
