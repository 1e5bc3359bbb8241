// Which blocks are served, noted in `narthex/blocks.manifest`: one that is gone when the server starts looks like one that never
// was.
//
// A slot (../two-slots.ts) says, big-endian, counted from the slot's begin:
//
//   16      20
//   ┌───────┬─────────────────────────────────────────────────────┬─
//   │ count │ ULID, 26 letters; min time i64, max time i64        │ ...
//   │ u32   │                                                     │
//   └───────┴─────────────────────────────────────────────────────┴─
//
// It is written whenever another set is served, and so before blocks are removed that were merged, or are kept no longer.

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import type { BlockMeta } from '../block/contract.js';
import { isUlid } from '../block/ulid.js';
import { readSlots, SLOT_BODY_BYTES_MAX, type SlotFormat, type SlotsFound, SlotsWriter } from '../two-slots.js';

/** "NBL1": Narthex, list of blocks, version 1. */
const MAGIC = 0x4e424c31;
const HEAD_BYTES = 4;
const ULID_BYTES = 26;
const ENTRY_BYTES = ULID_BYTES + 16;
/** More blocks than a slot holds: the newest are noted. */
const ENTRIES_MAX = Math.floor((SLOT_BODY_BYTES_MAX - HEAD_BYTES) / ENTRY_BYTES);

export type NotedBlock = Pick<BlockMeta, 'ulid' | 'minTimeMs' | 'maxTimeMs'>;

export function blockListPath(dataFolder: string): string {
  return `${dataFolder}/narthex/blocks.manifest`;
}

export function readBlockListFile(disk: Disk, path: string, crc: Crc32c): SlotsFound<readonly NotedBlock[]> {
  return readSlots(disk, path, crc, FORMAT);
}

/** What was noted last; nothing where that cannot be read. */
export function readBlockList(disk: Disk, dataFolder: string, crc: Crc32c): readonly NotedBlock[] {
  const found = readBlockListFile(disk, blockListPath(dataFolder), crc);
  return found.outcome === 'found' ? found.state : [];
}

export class BlockList {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #crc: Crc32c;
  #writer: SlotsWriter<readonly NotedBlock[]> | undefined;

  constructor(disk: Disk, dataFolder: string, crc: Crc32c) {
    this.#disk = disk;
    this.#path = blockListPath(dataFolder);
    this.#crc = crc;
  }

  /** Throws DiskError. */
  write(blocks: readonly NotedBlock[]): void {
    this.#writer ??= this.#open();
    this.#writer.write(blocks);
  }

  #open(): SlotsWriter<readonly NotedBlock[]> {
    const found = readBlockListFile(this.#disk, this.#path, this.#crc);
    const generation = found.outcome === 'found' ? found.generation : 0;
    return new SlotsWriter(this.#disk, this.#path, this.#crc, FORMAT, generation);
  }
}

/**
 * The blocks that were noted, are not there, and should be: neither were `served` ones made of them, nor does a folder's name tell
 * that they were put aside.
 */
export function missingBlocks(
  noted: readonly NotedBlock[],
  served: readonly BlockMeta[],
  names: readonly string[],
): readonly NotedBlock[] {
  const made = new Set(
    served.flatMap(({ ulid, compaction }) => [
      ...[ulid, ...compaction.sources],
      ...(compaction.parents ?? []).map((parent) => parent.ulid),
    ]),
  );
  return noted.filter(({ ulid }) => !made.has(ulid) && !names.some((name) => name.startsWith(ulid)));
}

const FORMAT: SlotFormat<readonly NotedBlock[]> = {
  magic: MAGIC,
  bytesOf: (body) => HEAD_BYTES + body.getUint32(0) * ENTRY_BYTES,
  encode: (blocks) => {
    const newest = [...blocks].sort((a, b) => a.maxTimeMs - b.maxTimeMs).slice(-ENTRIES_MAX);
    const body = new Uint8Array(HEAD_BYTES + newest.length * ENTRY_BYTES);
    const view = new DataView(body.buffer);
    view.setUint32(0, newest.length);
    for (const [i, { ulid, minTimeMs, maxTimeMs }] of newest.entries()) {
      const at = HEAD_BYTES + i * ENTRY_BYTES;
      new TextEncoder().encodeInto(ulid, body.subarray(at, at + ULID_BYTES));
      view.setBigInt64(at + ULID_BYTES, BigInt(minTimeMs));
      view.setBigInt64(at + ULID_BYTES + 8, BigInt(maxTimeMs));
    }
    return body;
  },
  decode: (body) => {
    const entryAt = (at: number): NotedBlock => ({
      ulid: new TextDecoder().decode(new Uint8Array(body.buffer, body.byteOffset + at, ULID_BYTES)),
      minTimeMs: Number(body.getBigInt64(at + ULID_BYTES)),
      maxTimeMs: Number(body.getBigInt64(at + ULID_BYTES + 8)),
    });
    const entries = Array.from({ length: body.getUint32(0) }, (_, i) => entryAt(HEAD_BYTES + i * ENTRY_BYTES));
    return entries.filter(({ ulid }) => isUlid(ulid));
  },
};
