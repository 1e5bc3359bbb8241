// Names and values that were listed a moment ago: dashboards ask for the same lists again with every look at them.
// A list is good until a series came or went; what makes it, and how long, is not the cache's business.

/** Strings in one list; longer ones are made again each time. */
const STRINGS_MAX = 10_000;
const LISTS_MAX = 100;

interface Kept {
  readonly version: number;
  readonly list: readonly string[];
}

export class ListingCache {
  readonly #version: () => number;
  /** The one asked for longest ago comes first. */
  readonly #kept = new Map<string, Kept>();

  /** `version` is another number after any change of what lists are made from. */
  constructor(version: () => number) {
    this.#version = version;
  }

  /** The list of a key, made anew unless nothing changed since. */
  async get(key: string, make: () => Promise<readonly string[]>): Promise<readonly string[]> {
    // What changes while the list is made may be in it or not, so it counts as of before.
    const version = this.#version();
    const kept = this.#kept.get(key);
    if (kept?.version === version) return this.#keep(key, kept).list;
    const list = await make();
    if (list.length <= STRINGS_MAX) this.#keep(key, { version, list });
    else this.#kept.delete(key);
    return list;
  }

  /** The list is made anew the next time. */
  forget(key: string): void {
    this.#kept.delete(key);
  }

  #keep(key: string, kept: Kept): Kept {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (this.#kept.size > LISTS_MAX) this.#kept.delete(this.#kept.keys().next().value!);
    return kept;
  }
}
