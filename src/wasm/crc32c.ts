// CRC-32C over linear memory, and over bytes outside it.

import type { Core } from './core.js';

const SCRATCH_BYTES = 65536;

export class Crc32c {
  readonly #core: Core;
  #scratch = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** The checksum of `length` bytes of linear memory. `before` is the checksum of the bytes in front of them. */
  at(address: number, length: number, before = 0): number {
    return this.#core.exports.crc32c_update(before, address, length) >>> 0;
  }

  /** The checksum of bytes anywhere, behind others: copies them into linear memory, a piece at a time. */
  of(bytes: Uint8Array, before = 0): number {
    if (this.#scratch === 0) this.#scratch = this.#core.exports.heap_alloc(SCRATCH_BYTES) >>> 0;
    if (this.#scratch === 0) throw new RangeError('no memory left in the core for a checksum');
    let crc = before;
    for (let from = 0; from < bytes.length; from += SCRATCH_BYTES) {
      const piece = bytes.subarray(from, from + SCRATCH_BYTES);
      this.#core.bytes.set(piece, this.#scratch);
      crc = this.at(this.#scratch, piece.length, crc);
    }
    return crc;
  }

  /** How many of `length` bytes at `address` are zero before the first that is not. */
  zeroPrefix(address: number, length: number): number {
    return this.#core.exports.zeros_prefix(address, length) >>> 0;
  }
}
