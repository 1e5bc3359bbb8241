// What chunks_head must hold, noted outside it: a file that is gone, emptied or cut between two records looks like one that
// never was. The manifest of the log (../wal/manifest.ts) does the same for segments.
//
// A slot (../two-slots.ts) says, big-endian, counted from the slot's begin:
//
//   16        20      24
//   ┌─────────┬───────┬──────────────────────────────────────────────────────┬─
//   │ highest │ count │ file u32, bytes u64, time of its newest sample i64   │ ...
//   │ u32     │ u32   │                                                      │
//   └─────────┴───────┴──────────────────────────────────────────────────────┴─
//
// It is written behind each batch, and in front of each removal: it may know less than there is, never more. Who else may write
// chunks_head, a Prometheus, removes what blocks have and makes files with higher numbers: see believedFiles().

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { readSlots, SLOT_BODY_BYTES_MAX, type SlotFormat, type SlotsFound, SlotsWriter } from '../two-slots.js';
import { headChunksFolder, listHeadChunks } from './layout.js';

/** "NHC1": Narthex, head chunks, version 1. */
const MAGIC = 0x4e484331;
// Offsets in the body.
const HIGHEST_OFFSET = 0;
const COUNT_OFFSET = 4;
const HEAD_BYTES = 8;
const ENTRY_BYTES = 20;
/** In place of the time where a file has no sample. */
const NO_TIME = -(2n ** 63n);
/** In place of a time that nobody knows: later than all. */
const ANY_TIME = 2n ** 63n - 1n;

/** More files than a slot holds: the newest are noted. */
const ENTRIES_MAX = Math.floor((SLOT_BODY_BYTES_MAX - HEAD_BYTES) / ENTRY_BYTES);

export interface NotedFile {
  /** Up to its last record. */
  readonly bytes: number;
  /** No sample in it is later; -Infinity where it has none. */
  readonly latestMs: number;
}

export interface HeadChunksState {
  /** The highest number of a file that was there. */
  readonly highest: number;
  readonly files: ReadonlyMap<number, NotedFile>;
}

/** In a folder of ours. */
export function headChunksManifestPath(dataFolder: string): string {
  return `${dataFolder}/narthex/chunks_head.manifest`;
}

export function readHeadChunksManifest(disk: Disk, path: string, crc: Crc32c): SlotsFound<HeadChunksState> {
  return readSlots(disk, path, crc, FORMAT);
}

export class HeadChunksManifest extends SlotsWriter<HeadChunksState> {
  /** Goes on where the file is there. Throws DiskError. */
  constructor(disk: Disk, path: string, crc: Crc32c) {
    const found = readHeadChunksManifest(disk, path, crc);
    super(disk, path, crc, FORMAT, found.outcome === 'found' ? found.generation : 0);
  }
}

/** The files that must be there; none where another server was here since, which may have removed any. */
export function believedFiles(
  found: SlotsFound<HeadChunksState>,
  disk: Disk,
  dataFolder: string,
): ReadonlyMap<number, NotedFile> {
  if (found.outcome !== 'found') return new Map();
  const highest = listHeadChunks(disk, headChunksFolder(dataFolder)).at(-1) ?? 0;
  return highest <= found.state.highest ? found.state.files : new Map();
}

const FORMAT: SlotFormat<HeadChunksState> = {
  magic: MAGIC,
  bytesOf: (body) => HEAD_BYTES + body.getUint32(COUNT_OFFSET) * ENTRY_BYTES,
  encode: ({ highest, files }) => {
    const entries = [...files].sort((a, b) => a[0] - b[0]).slice(-ENTRIES_MAX);
    const body = new Uint8Array(HEAD_BYTES + entries.length * ENTRY_BYTES);
    const view = new DataView(body.buffer);
    view.setUint32(HIGHEST_OFFSET, highest);
    view.setUint32(COUNT_OFFSET, entries.length);
    for (const [i, [file, { bytes, latestMs }]] of entries.entries()) {
      const at = HEAD_BYTES + i * ENTRY_BYTES;
      view.setUint32(at, file);
      view.setBigUint64(at + 4, BigInt(bytes));
      view.setBigInt64(at + 12, encodeTime(latestMs));
    }
    return body;
  },
  decode: (body) => {
    const files = new Map<number, NotedFile>();
    for (let i = 0; i < body.getUint32(COUNT_OFFSET); i++) {
      const at = HEAD_BYTES + i * ENTRY_BYTES;
      files.set(body.getUint32(at), {
        bytes: Number(body.getBigUint64(at + 4)),
        latestMs: decodeTime(body.getBigInt64(at + 12)),
      });
    }
    return { highest: body.getUint32(HIGHEST_OFFSET), files };
  },
};

function encodeTime(timeMs: number): bigint {
  if (Number.isFinite(timeMs)) return BigInt(Math.ceil(timeMs));
  return timeMs < 0 ? NO_TIME : ANY_TIME;
}

function decodeTime(time: bigint): number {
  if (time === NO_TIME) return Number.NEGATIVE_INFINITY;
  return time === ANY_TIME ? Number.POSITIVE_INFINITY : Number(time);
}
