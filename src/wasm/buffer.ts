// A block of linear memory that grows, keeping its content. Addresses change when it does.

import type { Core } from './core.js';

const CAPACITY_MIN = 65536;

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

  /** Makes room for `bytes`, keeping the first `keep`. False where the core's memory limit says no: nothing changed. */
  reserve(bytes: number, keep: number): boolean {
    if (bytes <= this.#capacity) return true;
    const capacity = Math.max(CAPACITY_MIN, this.#capacity * 2, bytes);
    const address = this.#core.exports.heap_alloc(capacity) >>> 0;
    if (address === 0) return false;
    this.#core.bytes.copyWithin(address, this.address, this.address + keep);
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
