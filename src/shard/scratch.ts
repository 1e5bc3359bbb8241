// What queries hold in a shard: series lists, columns to decode into, the state of groups. It is
// limited for each of them and for all together, so that queries never take the memory that
// new samples and series need.
//
// Nothing is counted block by block. A handler runs to its end before the next one, so what a
// query took is the difference that its handlers made; while one runs, the core gives out no
// more pages than its limits leave.

import { type Core, isTrap } from '../wasm/core.js';
import { OutOfMemory } from '../wasm/out-of-memory.js';
import { QueryFault } from './query-fault.js';

/** A limit, and how users know it. */
export interface ScratchLimit {
  readonly bytes: number;
  readonly name: string;
}

export interface ScratchLimits {
  readonly ofOne: ScratchLimit;
  readonly ofAll: ScratchLimit;
  /** What rules may take beyond that of all, so that what people ask leaves them some. */
  readonly rulesBytes?: number;
}

/** What one query holds. */
export interface ScratchShare {
  bytes: number;
  readonly isRule: boolean;
}

const UNLIMITED: ScratchLimit = { bytes: Number.POSITIVE_INFINITY, name: '' };

export class Scratch {
  readonly #core: Core;
  readonly #ofOne: ScratchLimit;
  readonly #ofAll: ScratchLimit;
  readonly #rulesBytes: number;
  #held = 0;

  constructor(core: Core, limits: ScratchLimits = { ofOne: UNLIMITED, ofAll: UNLIMITED }) {
    this.#core = core;
    this.#ofOne = limits.ofOne;
    this.#ofAll = limits.ofAll;
    this.#rulesBytes = limits.rulesBytes ?? 0;
  }

  /** What all queries hold, with the buffers kept between them. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Runs what may take memory for a query. Throws QueryFault where one of these limits, and not the shard's, says no. */
  use<T>(share: ScratchShare, action: () => T): T {
    const ownLeft = this.#ofOne.bytes - share.bytes;
    const allLeft = this.#ofAll.bytes + (share.isRule ? this.#rulesBytes : 0) - this.#held;
    const freeBytes = this.#core.freeBytes;
    try {
      return this.count(share, () => this.#core.within(Math.min(ownLeft, allLeft), action));
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      if (ownLeft < Math.min(allLeft, freeBytes)) {
        const message = `query would take more memory in a shard than one query may: ${this.#ofOne.name}`;
        throw new QueryFault('execution', message);
      }
      if (allLeft < freeBytes) {
        const message = `queries take all the memory in a shard that they may together: ${this.#ofAll.name}`;
        throw new QueryFault('memory', message);
      }
      throw error;
    }
  }

  /** Runs what gives memory back. */
  count<T>(share: ScratchShare | undefined, action: () => T): T {
    const before = this.#core.heldBytes;
    const settle = () => {
      const taken = this.#core.heldBytes - before;
      this.#held += taken;
      if (share !== undefined) share.bytes += taken;
    };
    try {
      const result = action();
      settle();
      return result;
    } catch (error) {
      if (!isTrap(error)) settle();
      throw error;
    }
  }
}
