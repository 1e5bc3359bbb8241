// Names and values of series, each once: the strings of a label table leave the core, no label sets.

import type { Core } from './core.js';
import { takeStrings } from './label-table.js';
import { OutOfMemory } from './out-of-memory.js';
import type { SeriesList } from './select.js';

const encoder = new TextEncoder();

export class Listing {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The label names of some series: a copy of the strings, in no order. */
  names(list: SeriesList): ArrayBuffer {
    return this.#strings(this.#core.exports.listing_names(list.address, list.count));
  }

  /** The values of a label name that some series have, or that any series has: a copy of the strings, in no order. */
  values(name: string, list: SeriesList | undefined): ArrayBuffer {
    const { exports } = this.#core;
    const bytes = encoder.encode(name);
    const room = Math.max(bytes.length, 16);
    const address = exports.heap_alloc(room) >>> 0;
    if (address === 0) throw new OutOfMemory();
    this.#core.bytes.set(bytes, address);
    const fits =
      list === undefined
        ? exports.listing_all_values(address, bytes.length)
        : exports.listing_values(list.address, list.count, address, bytes.length);
    exports.heap_free(address, room);
    return this.#strings(fits);
  }

  #strings(fits: boolean): ArrayBuffer {
    if (!fits) throw new OutOfMemory();
    return takeStrings(this.#core);
  }
}
