// What the log must hold, noted outside it, so that bytes which are not there
// any more are missed as well: a segment emptied or cut short between two
// starts is legal to look at, and only this file says that there was more.
//
// Two slots, written in turn, so that one is always whole:
//
//   0                        4096                     8192
//   │ slot of even generations │ slot of odd generations │
//
//   slot, big-endian
//     0       4       8            16        20            24               32      36
//     ┌───────┬───────┬────────────┬─────────┬────────────┬────────────────┬───────┬───────────────────────────────┬─
//     │ magic │ crc   │ generation │ highest │ checkpoint │ its bytes      │ count │ segment u32, synced bytes u64 │ ...
//     └───────┴───────┴────────────┴─────────┴────────────┴────────────────┴───────┴───────────────────────────────┴─
//                     └───────────────────────────── crc is over these ────────────────────────────────┘
//
// It is written at most about once a second, so it may know less than there is, never more.
// A log with a segment above `highest` was written by another server in between: then it is not believed.

import { type Disk, DiskError, type FileHandle, folderOf } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';

/** "NLM2": Narthex, log manifest, version 2. */
const MAGIC = 0x4e4c4d32;
const SLOT_BYTES = 4096;
const HEAD_BYTES = 36;
const HIGHEST_OFFSET = 16;
const CHECKPOINT_OFFSET = 20;
const CHECKPOINT_BYTES_OFFSET = 24;
const COUNT_OFFSET = 32;
/** In place of a checkpoint's number. */
const NO_CHECKPOINT = -1;
const ENTRY_BYTES = 12;
const CHECKED_FROM = 8;

/** More segments than a slot holds: the newest are noted. */
export const ENTRIES_MAX = Math.floor((SLOT_BYTES - HEAD_BYTES) / ENTRY_BYTES);

export interface ManifestState {
  /** The highest segment number that we may have made a file for. */
  readonly highest: number;
  /** Bytes of each segment that are known to be on the disk. */
  readonly synced: ReadonlyMap<number, number>;
  /** The newest checkpoint, where there is one. */
  readonly checkpoint?: NotedCheckpoint;
}

export interface NotedCheckpoint {
  /** The last segment that it replaces. */
  readonly last: number;
  /** Of all its files. */
  readonly bytes: number;
}

export type ManifestFound =
  | { readonly outcome: 'absent' | 'damaged' }
  | { readonly outcome: 'found'; readonly generation: number; readonly state: ManifestState };

export function readManifest(disk: Disk, path: string, crc: Crc32c): ManifestFound {
  if (disk.stat(path) === undefined) return { outcome: 'absent' };
  let bytes: Uint8Array;
  try {
    bytes = disk.readFile(path);
  } catch (error) {
    if (error instanceof DiskError) return { outcome: 'damaged' };
    throw error;
  }
  const slots = [0, SLOT_BYTES].map((at) => decodeSlot(bytes.subarray(at, at + SLOT_BYTES), crc));
  const [even, odd] = slots;
  const newest = (even?.generation ?? -1) > (odd?.generation ?? -1) ? even : odd;
  return newest === undefined ? { outcome: 'damaged' } : { outcome: 'found', ...newest };
}

/** Keeps the manifest up to date. Its failures are the caller's to count: the log goes on without. */
export class ManifestWriter {
  readonly #disk: Disk;
  readonly #crc: Crc32c;
  readonly #file: FileHandle;
  #generation: number;

  /** Opens or makes the file. `generation` is that of what readManifest() found, 0 where there was nothing. */
  constructor(disk: Disk, path: string, crc: Crc32c, generation: number) {
    this.#disk = disk;
    this.#crc = crc;
    this.#generation = generation;
    const there = disk.stat(path) !== undefined;
    this.#file = disk.open(path, there ? 'write' : 'create');
    if (!there) disk.syncFolder(folderOf(path));
  }

  write(state: ManifestState): void {
    const generation = this.#generation + 1;
    this.#disk.pwrite(this.#file, encodeSlot(generation, state, this.#crc), (generation % 2) * SLOT_BYTES);
    this.#disk.fdatasync(this.#file);
    this.#generation = generation;
  }

  close(): void {
    this.#disk.close(this.#file);
  }
}

function encodeSlot(generation: number, state: ManifestState, crc: Crc32c): Uint8Array {
  const entries = [...state.synced].sort((a, b) => a[0] - b[0]).slice(-ENTRIES_MAX);
  const slot = new Uint8Array(SLOT_BYTES);
  const view = new DataView(slot.buffer);
  view.setUint32(0, MAGIC);
  view.setBigUint64(8, BigInt(generation));
  view.setInt32(HIGHEST_OFFSET, state.highest);
  view.setInt32(CHECKPOINT_OFFSET, state.checkpoint?.last ?? NO_CHECKPOINT);
  view.setBigUint64(CHECKPOINT_BYTES_OFFSET, BigInt(state.checkpoint?.bytes ?? 0));
  view.setUint32(COUNT_OFFSET, entries.length);
  for (const [i, [segment, bytes]] of entries.entries()) {
    view.setUint32(HEAD_BYTES + i * ENTRY_BYTES, segment);
    view.setBigUint64(HEAD_BYTES + i * ENTRY_BYTES + 4, BigInt(bytes));
  }
  const end = HEAD_BYTES + entries.length * ENTRY_BYTES;
  view.setUint32(4, crc.of(slot.subarray(CHECKED_FROM, end)));
  return slot;
}

function decodeSlot(slot: Uint8Array, crc: Crc32c): { generation: number; state: ManifestState } | undefined {
  if (slot.length < HEAD_BYTES) return undefined;
  const view = new DataView(slot.buffer, slot.byteOffset, slot.byteLength);
  const count = view.getUint32(COUNT_OFFSET);
  const end = HEAD_BYTES + count * ENTRY_BYTES;
  if (view.getUint32(0) !== MAGIC || end > slot.length) return undefined;
  if (view.getUint32(4) !== crc.of(slot.subarray(CHECKED_FROM, end))) return undefined;
  const synced = new Map<number, number>();
  for (let at = HEAD_BYTES; at < end; at += ENTRY_BYTES) {
    synced.set(view.getUint32(at), Number(view.getBigUint64(at + 4)));
  }
  const last = view.getInt32(CHECKPOINT_OFFSET);
  const checkpoint =
    last === NO_CHECKPOINT ? undefined : { last, bytes: Number(view.getBigUint64(CHECKPOINT_BYTES_OFFSET)) };
  return {
    generation: Number(view.getBigUint64(8)),
    state: { highest: view.getInt32(HIGHEST_OFFSET), synced, checkpoint },
  };
}
