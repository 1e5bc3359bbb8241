// Sorting sequences of numbers without a comparison of two whole ones: multikey quicksort (Bentley and Sedgewick, 1997).
//
//   items with    a smaller key │ the pivot's key │ a larger key      at this depth
//                               └──► the same one deeper
//
// Strings and label sets are such sequences; both share long beginnings, which this looks at once for each item.

/** The key of an item at a depth: a positive number, or SEQUENCE_END behind its last. */
export type KeyAt = (item: number, depth: number) => number;

export const SEQUENCE_END = 0;

/** Ranges up to so many items are sorted by insertion. */
const SMALL = 12;

/** Sorts items by their sequences, in place. Equal ones stay together, in no order. */
export function sortSequences(items: Uint32Array, keyAt: KeyAt): void {
  new Sorter(items, keyAt).sort(0, items.length, 0);
}

class Sorter {
  readonly #items: Uint32Array;
  readonly #keyAt: KeyAt;
  /** What has a key smaller than, and up to, the pivot's ends here. */
  #equalFrom = 0;
  #equalTo = 0;

  constructor(items: Uint32Array, keyAt: KeyAt) {
    this.#items = items;
    this.#keyAt = keyAt;
  }

  /** Sorts [from, to), whose items are equal above `depth`. The largest of the three parts is the loop's next, so that calls nest little. */
  sort(from: number, to: number, depth: number): void {
    while (to - from > SMALL) {
      const pivot = this.#partition(from, to, depth);
      const [equalFrom, equalTo] = [this.#equalFrom, this.#equalTo];
      const parts: [from: number, to: number, depth: number][] = [
        [from, equalFrom, depth],
        [equalTo, to, depth],
        [equalFrom, pivot === SEQUENCE_END ? equalFrom : equalTo, depth + 1],
      ];
      parts.sort((a, b) => a[1] - a[0] - (b[1] - b[0]));
      this.sort(...parts[0]!);
      this.sort(...parts[1]!);
      [from, to, depth] = parts[2]!;
    }
    this.#insert(from, to, depth);
  }

  /** Deals [from, to) in three parts by their keys at `depth`; the key of the middle one. */
  #partition(from: number, to: number, depth: number): number {
    const items = this.#items;
    const keyAt = this.#keyAt;
    const pivot = this.#pivot(from, to, depth);
    let smaller = from;
    let at = from;
    let larger = to;
    while (at < larger) {
      const item = items[at]!;
      const key = keyAt(item, depth);
      if (key < pivot) {
        items[at++] = items[smaller]!;
        items[smaller++] = item;
      } else if (key > pivot) {
        items[at] = items[--larger]!;
        items[larger] = item;
      } else at++;
    }
    this.#equalFrom = smaller;
    this.#equalTo = larger;
    return pivot;
  }

  /** The median of three keys. */
  #pivot(from: number, to: number, depth: number): number {
    const a = this.#keyAt(this.#items[from]!, depth);
    const b = this.#keyAt(this.#items[(from + to) >>> 1]!, depth);
    const c = this.#keyAt(this.#items[to - 1]!, depth);
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }

  #insert(from: number, to: number, depth: number): void {
    const items = this.#items;
    for (let end = from + 1; end < to; end++) {
      const item = items[end]!;
      let at = end;
      for (; at > from && this.#isBefore(item, items[at - 1]!, depth); at--) items[at] = items[at - 1]!;
      items[at] = item;
    }
  }

  #isBefore(a: number, b: number, depth: number): boolean {
    for (; ; depth++) {
      const key = this.#keyAt(a, depth);
      const other = this.#keyAt(b, depth);
      if (key !== other) return key < other;
      if (key === SEQUENCE_END) return false;
    }
  }
}
