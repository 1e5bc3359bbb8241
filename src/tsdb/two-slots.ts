// A small file that is written again and again, and read whole after any crash: two slots, written in turn, so that one is
// always whole.
//
//   0                          4096                      8192
//   │ slot of even generations │ slot of odd generations │
//
//   slot, big-endian
//     0       4       8            16
//     ┌───────┬───────┬────────────┬──────────────────
//     │ magic │ crc   │ generation │ what it says ...
//     └───────┴───────┴────────────┴──────────────────
//                     └── crc is over these ───────┘

import { type Disk, DiskError, type FileHandle, folderOf } from '../base/disk.js';
import type { Crc32c } from '../wasm/crc32c.js';

const SLOT_BYTES = 4096;
const HEAD_BYTES = 16;
const CHECKED_FROM = 8;

/** What a slot may say, in bytes. */
export const SLOT_BODY_BYTES_MAX = SLOT_BYTES - HEAD_BYTES;

/** How a state is told in a slot. */
export interface SlotFormat<State> {
  readonly magic: number;
  /** At most SLOT_BODY_BYTES_MAX bytes. */
  encode(state: State): Uint8Array;
  /** How long the body is, by what it says itself; more than there is where it cannot be one. */
  bytesOf(body: DataView): number;
  /** Of a body whose checksum is right. */
  decode(body: DataView): State;
}

export type SlotsFound<State> =
  | { readonly outcome: 'absent' | 'damaged' }
  | { readonly outcome: 'found'; readonly generation: number; readonly state: State };

export function readSlots<State>(disk: Disk, path: string, crc: Crc32c, format: SlotFormat<State>): SlotsFound<State> {
  if (disk.stat(path) === undefined) return { outcome: 'absent' };
  let bytes: Uint8Array;
  try {
    bytes = disk.readFile(path);
  } catch (error) {
    if (error instanceof DiskError) return { outcome: 'damaged' };
    throw error;
  }
  const slots = [0, SLOT_BYTES].map((at) => decodeSlot(bytes.subarray(at, at + SLOT_BYTES), crc, format));
  const [even, odd] = slots;
  const newest = (even?.generation ?? -1) > (odd?.generation ?? -1) ? even : odd;
  return newest === undefined ? { outcome: 'damaged' } : { outcome: 'found', ...newest };
}

/** Keeps such a file up to date. */
export class SlotsWriter<State> {
  readonly #disk: Disk;
  readonly #crc: Crc32c;
  readonly #format: SlotFormat<State>;
  readonly #file: FileHandle;
  #generation: number;

  /** Opens or makes the file. `generation` is that of what readSlots() found, 0 where there was nothing. Throws DiskError. */
  constructor(disk: Disk, path: string, crc: Crc32c, format: SlotFormat<State>, generation: number) {
    this.#disk = disk;
    this.#crc = crc;
    this.#format = format;
    this.#generation = generation;
    const there = disk.stat(path) !== undefined;
    this.#file = disk.open(path, there ? 'write' : 'create');
    if (!there) disk.syncFolder(folderOf(path));
  }

  /** It is on the disk then. Throws DiskError: then the file says this, or what it said before. */
  write(state: State): void {
    const generation = this.#generation + 1;
    const slot = encodeSlot(generation, this.#format.magic, this.#format.encode(state), this.#crc);
    this.#disk.pwrite(this.#file, slot, (generation % 2) * SLOT_BYTES);
    this.#disk.fdatasync(this.#file);
    this.#generation = generation;
  }

  close(): void {
    this.#disk.close(this.#file);
  }
}

function encodeSlot(generation: number, magic: number, body: Uint8Array, crc: Crc32c): Uint8Array {
  const slot = new Uint8Array(SLOT_BYTES);
  const view = new DataView(slot.buffer);
  slot.set(body, HEAD_BYTES);
  view.setUint32(0, magic);
  view.setBigUint64(CHECKED_FROM, BigInt(generation));
  view.setUint32(4, crc.of(slot.subarray(CHECKED_FROM, HEAD_BYTES + body.length)));
  return slot;
}

function decodeSlot<State>(
  found: Uint8Array,
  crc: Crc32c,
  format: SlotFormat<State>,
): { generation: number; state: State } | undefined {
  const slot = new Uint8Array(SLOT_BYTES);
  slot.set(found);
  const head = new DataView(slot.buffer, 0, HEAD_BYTES);
  const body = new DataView(slot.buffer, HEAD_BYTES);
  if (head.getUint32(0) !== format.magic) return undefined;
  const bytes = format.bytesOf(body);
  if (bytes > body.byteLength) return undefined;
  if (head.getUint32(4) !== crc.of(slot.subarray(CHECKED_FROM, HEAD_BYTES + bytes))) return undefined;
  return { generation: Number(head.getBigUint64(CHECKED_FROM)), state: format.decode(body) };
}
