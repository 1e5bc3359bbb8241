// Slots: room in a shard's shared memory that main fills with bodies.
//
// The shard lends one region at its start. Main hands out pieces of it, first fit from
// the low end, so that pages which were touched once serve again and the rest of the
// region costs no memory.
//
// Endless bodies must not starve the others: one that grows and grows leaves a quarter
// of the room to those whose length is known, or short.

import type { Span } from './protocol.js';

/** Slots start and end at multiples of this, so that they merge well. */
const GRAIN_BYTES = 4096;

/** A slot may grow to this length whatever else is there. */
const GROWN_BYTES_FREE = 2 ** 20;
/** Beyond it, only while so much of the region is in use. */
const GROWN_SHARE = 3 / 4;

/** Kernels write a little behind a body while they parse it: a line break it may lack, zeroes. */
const SLACK_BYTES = 64;

export interface Slot extends Span {
  /** Bytes really set aside; `bytes` was asked for. */
  readonly reserved: number;
  /** What it lies in: that of the shard as it was when the slot was taken. */
  readonly memory: WebAssembly.Memory;
}

export class Slots {
  /** Free pieces in address order; no two touch. */
  #free: { address: number; bytes: number }[];
  #memory: WebAssembly.Memory;
  readonly capacity: number;
  #used = 0;

  constructor(memory: WebAssembly.Memory, region: Span) {
    this.#memory = memory;
    this.#free = [{ ...region }];
    this.capacity = region.bytes;
  }

  /** The shard was made again, with another memory; slots of the old one are good for nothing. */
  restart(memory: WebAssembly.Memory, region: Span): void {
    this.#memory = memory;
    this.#free = [{ ...region }];
    this.#used = 0;
  }

  /** Whether a slot lies in the shard as it is now. */
  isCurrent(slot: Slot): boolean {
    return slot.memory === this.#memory;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** A slot of `bytes`; undefined where the region has no such piece left. */
  take(bytes: number): Slot | undefined {
    const reserved = reservedFor(bytes);
    const index = this.#free.findIndex((piece) => piece.bytes >= reserved);
    const piece = this.#free[index];
    if (piece === undefined) return undefined;
    const slot = { address: piece.address, bytes, reserved, memory: this.#memory };
    piece.address += reserved;
    piece.bytes -= reserved;
    if (piece.bytes === 0) this.#free.splice(index, 1);
    this.#used += reserved;
    return slot;
  }

  /**
   * A longer slot that begins with the first `kept` bytes of this one, which it replaces: at the same place if what follows
   * is free. undefined where there is no room, or it is for others: then the slot is as it was.
   */
  grow(slot: Slot, bytes: number, kept: number): Slot | undefined {
    const more = reservedFor(bytes) - slot.reserved;
    if (bytes > GROWN_BYTES_FREE && this.#used + more > GROWN_SHARE * this.capacity) return undefined;
    return this.isCurrent(slot) ? (this.#extend(slot, bytes) ?? this.#move(slot, bytes, kept)) : undefined;
  }

  #extend(slot: Slot, bytes: number): Slot | undefined {
    const reserved = reservedFor(bytes);
    const more = reserved - slot.reserved;
    const index = this.#free.findIndex(({ address }) => address === slot.address + slot.reserved);
    const next = this.#free[index];
    if (next === undefined || next.bytes < more) return undefined;
    next.address += more;
    next.bytes -= more;
    if (next.bytes === 0) this.#free.splice(index, 1);
    this.#used += more;
    return { ...slot, bytes, reserved };
  }

  #move(slot: Slot, bytes: number, kept: number): Slot | undefined {
    const larger = this.take(bytes);
    if (larger === undefined) return undefined;
    this.view(larger).set(this.view(slot).subarray(0, kept));
    this.give(slot);
    return larger;
  }

  give(slot: Slot): void {
    if (!this.isCurrent(slot)) return;
    this.#used -= slot.reserved;
    let at = this.#free.findIndex((piece) => piece.address > slot.address);
    if (at < 0) at = this.#free.length;
    this.#free.splice(at, 0, { address: slot.address, bytes: slot.reserved });
    this.#merge(at);
    if (at > 0) this.#merge(at - 1);
  }

  /** The bytes of a slot. The view stays good while the slot is held: shared memory never moves. */
  view(slot: Slot): Uint8Array {
    return new Uint8Array(slot.memory.buffer, slot.address, slot.bytes);
  }

  #merge(at: number): void {
    const piece = this.#free[at]!;
    const next = this.#free[at + 1];
    if (next === undefined || piece.address + piece.bytes !== next.address) return;
    piece.bytes += next.bytes;
    this.#free.splice(at + 1, 1);
  }
}

/** Whole grains, and the slack. */
function reservedFor(bytes: number): number {
  return Math.max(GRAIN_BYTES, Math.ceil((bytes + SLACK_BYTES) / GRAIN_BYTES) * GRAIN_BYTES);
}
