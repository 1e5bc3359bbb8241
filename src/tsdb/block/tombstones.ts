// What is deleted of a block: intervals of time of some of its series, the data still there.
//
//   ┌──────────────────┬────────────┬──────────────────────────────────────────┬─────┬─────────┐
//   │ magic 0x0130ba30 │ version u8 │ ref uvarint, mint varint, maxt varint    │ ... │ crc u32 │
//   └──────────────────┴────────────┴──────────────────────────────────────────┴─────┴─────────┘
//                                   └────── the checksum is of these ──────────────┘
//
// A ref is that of the series in the index. Both ends of an interval are in it.

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader, BytesError, ByteWriter } from '../bytes.js';
import { BlockFault, type DeletedInterval, type SeriesRef } from './contract.js';
import { CRC_BYTES, TOMBSTONES_HEADER_BYTES, TOMBSTONES_MAGIC, TOMBSTONES_VERSION } from './layout.js';

const NONE: readonly DeletedInterval[] = [];

export class Tombstones {
  readonly #intervals = new Map<number, readonly DeletedInterval[]>();

  /** Deleted stretches of a series, apart from each other, rising. */
  of(series: SeriesRef | number): readonly DeletedInterval[] {
    return this.#intervals.get(series) ?? NONE;
  }

  /** Series of which something is deleted, rising. */
  series(): SeriesRef[] {
    return [...this.#intervals.keys()].sort((a, b) => a - b) as SeriesRef[];
  }

  /** Intervals of all series. */
  get count(): number {
    let count = 0;
    for (const intervals of this.#intervals.values()) count += intervals.length;
    return count;
  }

  get isEmpty(): boolean {
    return this.#intervals.size === 0;
  }

  add(series: SeriesRef | number, interval: DeletedInterval): void {
    this.#intervals.set(series, withInterval(this.of(series), interval));
  }
}

/** Reads a tombstones file; one that is not there deletes nothing. Throws BlockFault and DiskError. */
export function readTombstones(disk: Disk, path: string, crc: Crc32c): Tombstones {
  if (disk.stat(path) === undefined) return new Tombstones();
  const bytes = disk.readFile(path);
  try {
    return decodeTombstones(bytes, crc);
  } catch (error) {
    if (error instanceof BytesError) throw new BlockFault(path, `byte ${error.offset}`, error.reason);
    throw error;
  }
}

/** Replaces the tombstones of a block, whole or not at all. */
export function writeTombstones(disk: Disk, path: string, tombstones: Tombstones, crc: Crc32c): void {
  disk.writeFileAtomic(path, encodeTombstones(tombstones, crc));
}

/** Throws BytesError. */
export function decodeTombstones(bytes: Uint8Array, crc: Crc32c): Tombstones {
  const end = bytes.length - CRC_BYTES;
  if (end < TOMBSTONES_HEADER_BYTES) throw new BytesError(0, `${bytes.length} bytes are too few`);
  const head = new ByteReader(bytes);
  const magic = head.u32();
  if (magic !== TOMBSTONES_MAGIC) throw new BytesError(0, `no tombstones: it begins with ${magic.toString(16)}`);
  const version = head.u8();
  if (version !== TOMBSTONES_VERSION) throw new BytesError(4, `version ${version}, only ${TOMBSTONES_VERSION} is read`);
  const wanted = new ByteReader(bytes, end).u32();
  const found = crc.of(bytes.subarray(TOMBSTONES_HEADER_BYTES, end));
  if (found !== wanted) throw new BytesError(end, `checksum ${wanted}, the bytes have ${found}`);

  const tombstones = new Tombstones();
  const stones = new ByteReader(bytes.subarray(0, end), TOMBSTONES_HEADER_BYTES);
  while (stones.left > 0) {
    const series = stones.uvarint();
    tombstones.add(series, { minTimeMs: stones.varint(), maxTimeMs: stones.varint() });
  }
  return tombstones;
}

/** The file, series and intervals rising. */
export function encodeTombstones(tombstones: Tombstones, crc: Crc32c): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(TOMBSTONES_MAGIC);
  writer.u8(TOMBSTONES_VERSION);
  const stones = new ByteWriter();
  for (const series of tombstones.series()) {
    for (const { minTimeMs, maxTimeMs } of tombstones.of(series)) {
      stones.uvarint(series);
      stones.varint(minTimeMs);
      stones.varint(maxTimeMs);
    }
  }
  const content = stones.finish();
  writer.raw(content);
  writer.u32(crc.of(content));
  return writer.finish();
}

/** Intervals, apart and rising, with one more: those that it touches become one with it. */
export function withInterval(intervals: readonly DeletedInterval[], added: DeletedInterval): DeletedInterval[] {
  let { minTimeMs, maxTimeMs } = added;
  const before: DeletedInterval[] = [];
  const behind: DeletedInterval[] = [];
  for (const interval of intervals) {
    // Times are whole milliseconds: what ends at 4 and what begins at 5 leave nothing between them.
    if (interval.maxTimeMs + 1 < minTimeMs) before.push(interval);
    else if (interval.minTimeMs - 1 > maxTimeMs) behind.push(interval);
    else {
      minTimeMs = Math.min(minTimeMs, interval.minTimeMs);
      maxTimeMs = Math.max(maxTimeMs, interval.maxTimeMs);
    }
  }
  return [...before, { minTimeMs, maxTimeMs }, ...behind];
}
