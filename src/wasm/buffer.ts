// A block of linear memory that grows, keeping its content. Addresses change when it does.

import type { Core } from './core.js';

const CAPACITY_MIN = 65536;
/** Above it, a buffer is as long as was asked for, not twice what it was. */
const DOUBLED_MAX = 4 * 2 ** 20;

export class CoreBuffer {
  readonly #core: Core;
  #capacity = 0;
  address = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /**
   * Makes room for `bytes`, keeping the first `keep`. False where the core's memory limit says no: what was to be kept is
   * still there.
   */
  reserve(bytes: number, keep: number): boolean {
    if (bytes <= this.#capacity) return true;
    const capacity = Math.max(CAPACITY_MIN, Math.min(this.#capacity * 2, DOUBLED_MAX), bytes);
    // Both at once would be twice the memory, which a core never gives back.
    if (keep === 0) this.release();
    const address = this.#core.exports.heap_alloc(capacity) >>> 0;
    if (address === 0) return false;
    if (keep > 0) this.#core.bytes.copyWithin(address, this.address, this.address + keep);
    this.release();
    this.address = address;
    this.#capacity = capacity;
    return true;
  }

  release(): void {
    if (this.#capacity > 0) this.#core.exports.heap_free(this.address, this.#capacity);
    this.#capacity = 0;
    this.address = 0;
  }
}
