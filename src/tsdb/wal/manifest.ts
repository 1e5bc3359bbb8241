// What the log must hold, noted outside it, so that bytes which are not there
// any more are missed as well: a segment emptied or cut short between two
// starts is legal to look at, and only this file says that there was more.
//
// A slot (two-slots.ts) says, big-endian, counted from the slot's begin:
//
//   16        20           24               32      36
//   ┌─────────┬────────────┬────────────────┬───────┬───────────────────────────────┬─
//   │ highest │ checkpoint │ its bytes      │ count │ segment u32, synced bytes u64 │ ...
//   └─────────┴────────────┴────────────────┴───────┴───────────────────────────────┴─
//
// It is written at most about once a second, so it may know less than there is, never more.
// A log with a segment above `highest` was written by another server in between: then it is not believed.

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { readSlots, SLOT_BODY_BYTES_MAX, type SlotFormat, type SlotsFound, SlotsWriter } from '../two-slots.js';

/** "NLM2": Narthex, log manifest, version 2. */
const MAGIC = 0x4e4c4d32;
// Offsets in the body.
const HIGHEST_OFFSET = 0;
const CHECKPOINT_OFFSET = 4;
const CHECKPOINT_BYTES_OFFSET = 8;
const COUNT_OFFSET = 16;
const HEAD_BYTES = 20;
/** In place of a checkpoint's number. */
const NO_CHECKPOINT = -1;
const ENTRY_BYTES = 12;

/** More segments than a slot holds: the newest are noted. */
export const ENTRIES_MAX = Math.floor((SLOT_BODY_BYTES_MAX - HEAD_BYTES) / ENTRY_BYTES);

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

export type ManifestFound = SlotsFound<ManifestState>;

export function readManifest(disk: Disk, path: string, crc: Crc32c): ManifestFound {
  return readSlots(disk, path, crc, FORMAT);
}

/** Keeps the manifest up to date. Its failures are the caller's to count: the log goes on without. */
export class ManifestWriter extends SlotsWriter<ManifestState> {
  constructor(disk: Disk, path: string, crc: Crc32c, generation: number) {
    super(disk, path, crc, FORMAT, generation);
  }
}

const FORMAT: SlotFormat<ManifestState> = {
  magic: MAGIC,
  bytesOf: (body) => HEAD_BYTES + body.getUint32(COUNT_OFFSET) * ENTRY_BYTES,
  encode: ({ highest, synced, checkpoint }) => {
    const entries = [...synced].sort((a, b) => a[0] - b[0]).slice(-ENTRIES_MAX);
    const body = new Uint8Array(HEAD_BYTES + entries.length * ENTRY_BYTES);
    const view = new DataView(body.buffer);
    view.setInt32(HIGHEST_OFFSET, highest);
    view.setInt32(CHECKPOINT_OFFSET, checkpoint?.last ?? NO_CHECKPOINT);
    view.setBigUint64(CHECKPOINT_BYTES_OFFSET, BigInt(checkpoint?.bytes ?? 0));
    view.setUint32(COUNT_OFFSET, entries.length);
    for (const [i, [segment, bytes]] of entries.entries()) {
      view.setUint32(HEAD_BYTES + i * ENTRY_BYTES, segment);
      view.setBigUint64(HEAD_BYTES + i * ENTRY_BYTES + 4, BigInt(bytes));
    }
    return body;
  },
  decode: (body) => {
    const synced = new Map<number, number>();
    for (let i = 0; i < body.getUint32(COUNT_OFFSET); i++) {
      const at = HEAD_BYTES + i * ENTRY_BYTES;
      synced.set(body.getUint32(at), Number(body.getBigUint64(at + 4)));
    }
    const last = body.getInt32(CHECKPOINT_OFFSET);
    const checkpoint =
      last === NO_CHECKPOINT ? undefined : { last, bytes: Number(body.getBigUint64(CHECKPOINT_BYTES_OFFSET)) };
    return { highest: body.getInt32(HIGHEST_OFFSET), synced, checkpoint };
  },
};
