// The series of selectors that were asked of a block before: nothing in it changes, and dashboards ask again and again.

import type { Matcher } from '../../model/matcher.js';

/** Of all selections of one block: a megabyte. */
const REFS_MAX = 2 ** 18;
/** An entry takes memory beside its refs, a few hundred bytes with its matchers. */
const ENTRY_REFS = 64;

export class KeptSelections {
  /** By the matchers as text, the longest unused first. */
  readonly #refs = new Map<string, Uint32Array>();
  #size = 0;

  /** The refs for some matchers; `select` finds them where they are not known. What it throws is not kept. */
  get(matchers: readonly Matcher[], select: () => Uint32Array): Uint32Array {
    const key = JSON.stringify(matchers);
    const known = this.#refs.get(key);
    if (known !== undefined) {
      this.#refs.delete(key);
      this.#refs.set(key, known);
      return known;
    }
    const refs = select();
    this.#keep(key, refs);
    return refs;
  }

  #keep(key: string, refs: Uint32Array): void {
    const size = refs.length + ENTRY_REFS;
    if (size > REFS_MAX) return;
    this.#refs.set(key, refs);
    this.#size += size;
    while (this.#size > REFS_MAX) {
      const [oldest, dropped] = this.#refs.entries().next().value!;
      this.#refs.delete(oldest);
      this.#size -= dropped.length + ENTRY_REFS;
    }
  }
}
