// One file of a SimDisk: what programs see, what is on the disk, and the changes in between.
//
//   live      ─ what a read gives
//   pending   ─ writes and cuts since the last sync, in order; at a crash each sector of a write goes its own way
//   durable   ─ what a crash leaves for certain
//
// A sync that fails drops the written pages and keeps the sizes, and the next one "succeeds" without them, as Linux does.

import type { Prng } from '../../src/base/prng.js';

export const SECTOR_BYTES = 512;

/** How a crash treats what was not synced. */
export interface Loss {
  readonly prng: Prng;
  /** The share of pending sectors, sizes and names that reach the disk all the same. */
  readonly kept: number;
}

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'size'; readonly size: number };

export class SimFile {
  #live = new Image();
  #durable = new Image();
  #pending: Change[] = [];

  get size(): number {
    return this.#live.size;
  }

  /** A copy of what programs see. */
  get bytes(): Uint8Array {
    return this.#live.bytes.slice();
  }

  /** A copy of what a crash would leave for certain. */
  get durableBytes(): Uint8Array {
    return this.#durable.bytes.slice();
  }

  write(bytes: Uint8Array, offset: number): void {
    if (bytes.length === 0) return;
    const copy = bytes.slice();
    this.#live.write(copy, offset);
    this.#pending.push({ kind: 'write', offset, bytes: copy });
  }

  read(into: Uint8Array, offset: number): number {
    const bytes = this.#live.bytes.subarray(offset, offset + into.length);
    into.set(bytes);
    return bytes.length;
  }

  truncate(size: number): void {
    this.#live.resize(size);
    this.#pending.push({ kind: 'size', size });
  }

  sync(): void {
    for (const change of this.#pending) this.#durable.apply(change);
    this.#pending = [];
  }

  /** A sync that failed: the pages count as clean from now on, and were never written. */
  losePages(): void {
    let size = this.#durable.size;
    this.#pending = this.#pending.map((change) => {
      size = change.kind === 'size' ? change.size : Math.max(size, change.offset + change.bytes.length);
      return { kind: 'size', size };
    });
  }

  crash(loss: Loss | undefined): void {
    if (loss !== undefined) for (const change of this.#pending) this.#settle(change, loss);
    this.#pending = [];
    this.#live = this.#durable.copy();
  }

  /** Other bytes, on the disk and in the cache. */
  replace(bytes: Uint8Array): void {
    this.#durable = Image.of(bytes);
    this.#live = Image.of(bytes);
    this.#pending = [];
  }

  copy(): SimFile {
    const copy = new SimFile();
    copy.#live = this.#live.copy();
    copy.#durable = this.#durable.copy();
    copy.#pending = [...this.#pending];
    return copy;
  }

  #settle(change: Change, { prng, kept }: Loss): void {
    if (change.kind === 'size') {
      if (prng.float() < kept) this.#durable.resize(change.size);
      return;
    }
    const end = change.offset + change.bytes.length;
    for (let at = change.offset; at < end; ) {
      const to = Math.min(end, at - (at % SECTOR_BYTES) + SECTOR_BYTES);
      if (prng.float() < kept) this.#durable.write(change.bytes.subarray(at - change.offset, to - change.offset), at);
      else if (to > this.#durable.size && prng.float() < kept / 4) this.#grow(at, to, prng);
      at = to;
    }
  }

  /** The file's size came to the disk before its data: zeroes there, or what the blocks held before. */
  #grow(from: number, to: number, prng: Prng): void {
    const old = Math.max(from, this.#durable.size);
    this.#durable.resize(to);
    if (prng.float() < 0.5) return;
    const garbage = Uint8Array.from({ length: to - old }, () => prng.int(256));
    this.#durable.write(garbage, old);
  }
}

/** Bytes that grow in strides, so that a file written piece by piece is not copied each time. */
class Image {
  #buffer = new Uint8Array(0);
  size = 0;

  static of(bytes: Uint8Array): Image {
    const image = new Image();
    image.write(bytes, 0);
    return image;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.size);
  }

  apply(change: Change): void {
    if (change.kind === 'size') this.resize(change.size);
    else this.write(change.bytes, change.offset);
  }

  write(bytes: Uint8Array, offset: number): void {
    if (offset + bytes.length > this.size) this.resize(offset + bytes.length);
    this.#buffer.set(bytes, offset);
  }

  resize(size: number): void {
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#buffer.length));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    if (size < this.size) this.#buffer.fill(0, size, this.size);
    this.size = size;
  }

  copy(): Image {
    return Image.of(this.bytes);
  }
}
