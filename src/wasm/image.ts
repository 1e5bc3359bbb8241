// The façade of images of the head: what is in memory alone, out as records. See assembly/head/image.ts.

import type { Core } from './core.js';
import { Crc32c } from './crc32c.js';

export interface CollectedImage {
  readonly next: number;
  /** Empty where the series have nothing in memory alone. */
  readonly records: ArrayBuffer;
  readonly crc: number;
  /** Series have more than records can say, or memory has no room for these: the image would not be whole. */
  readonly isPartial: boolean;
}

export class Image {
  readonly #core: Core;
  readonly #crc: Crc32c;

  constructor(core: Core) {
    this.#core = core;
    this.#crc = new Crc32c(core);
  }

  /** Of `count` series from `from` on, in about `bytes`; the next begin with `next`. */
  collect(from: number, count: number, bytes: number): CollectedImage {
    const { exports } = this.#core;
    const next = exports.image_collect(from, count, bytes) >>> 0;
    const address = exports.image_page() >>> 0;
    const length = exports.image_page_bytes() >>> 0;
    return {
      next,
      records: this.#core.u8(address, length).slice().buffer as ArrayBuffer,
      crc: this.#crc.at(address, length),
      isPartial: exports.image_left_out() !== 0 || exports.image_refused(),
    };
  }

  /** Gives the memory of pages back. */
  end(): void {
    this.#core.exports.image_end();
  }
}
