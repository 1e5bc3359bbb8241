// The aggregates of a block's downsampled series: a file of ours beside Prometheus's, `aggregates` in the block's folder.
// Prometheus passes it over, and has the series at their lower resolution.
//
//   0       4         5          8
//   ┌───────┬─────────┬──────────┬───────┬───────┬── ─ ─ ┬───────────────────────────────┬────────────┬───────┐
//   │ magic │ version │ 3 zeroes │ entry │ entry │       │ table: count u32,             │ table's    │ crc   │
//   │ u32   │ 1       │          │       │       │       │   n × (series u32, offset u64)│ offset u64 │ u32   │
//   └───────┴─────────┴──────────┴───────┴───────┴── ─ ─ ┴───────────────────────────────┴────────────┴───────┘
//   entry   length u32 │ groups uvarint │ group … │ crc u32 of what is between
//   group   resolution (ms) uvarint │ counts │ sums │ mins │ maxs: each length uvarint, XOR chunk by the windows' last times
//
// Series are named by their refs in the index, rising. The table's checksum covers it and its offset. docs/formats/block.md.

import type { Disk } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import type { SeriesRef } from '../block/contract.js';
import { BlockFile } from '../block/file.js';
import { FileSink } from '../block/file-sink.js';
import { CRC_BYTES } from '../block/layout.js';
import { ByteReader, BytesError, ByteWriter } from '../bytes.js';
import { ChunkFault } from '../chunk/bit-stream.js';
import { decodeXor, encodeXor } from '../chunk/xor.js';
import type { Windows } from './windows.js';

export const AGGREGATES_NAME = 'aggregates';
const MAGIC = 0x4e584147;
const VERSION = 1;
const HEADER_BYTES = 8;
const LENGTH_BYTES = 4;
const OFFSET_BYTES = 8;
const FOOTER_BYTES = OFFSET_BYTES + CRC_BYTES;
const ROW_BYTES = 4 + OFFSET_BYTES;
/** Windows of a group: a chunk has at most 65,535 samples. */
const GROUP_WINDOWS_MAX = 32 * 1024;

export class AggregatesWriter {
  readonly #open: () => FileSink;
  readonly #refs: number[] = [];
  readonly #offsets: number[] = [];
  #sink: FileSink | undefined;

  /** Makes no file before the first series. */
  constructor(disk: Disk, core: Core, path: string) {
    this.#open = () => new FileSink(disk, core, path);
  }

  /** Series come in the order of their refs. Throws a DiskError. */
  add(ref: SeriesRef, groups: readonly Windows[]): void {
    const sink = (this.#sink ??= this.#begin());
    const bytes = encodeGroups(groups);
    this.#refs.push(ref);
    this.#offsets.push(sink.length);
    sink.u32(bytes.length);
    sink.beginChecksum();
    sink.bytes(bytes);
    sink.checksum();
  }

  /** All is durable but the file's name. False where there is no file. */
  finish(): boolean {
    const sink = this.#sink;
    if (sink === undefined) return false;
    const tableAt = sink.length;
    sink.beginChecksum();
    sink.u32(this.#refs.length);
    for (const [i, ref] of this.#refs.entries()) {
      sink.u32(ref);
      sink.u64(this.#offsets[i]!);
    }
    sink.u64(tableAt);
    sink.checksum();
    sink.finish();
    return true;
  }

  /** Again is no matter. */
  close(): void {
    this.#sink?.close();
  }

  #begin(): FileSink {
    const sink = this.#open();
    sink.u32(MAGIC);
    sink.u8(VERSION);
    sink.pad(HEADER_BYTES);
    return sink;
  }
}

export class AggregatesReader {
  readonly #file: BlockFile;
  readonly #crc: Crc32c;
  readonly #refs: Uint32Array;
  readonly #offsets: Float64Array;

  private constructor(file: BlockFile, crc: Crc32c) {
    this.#file = file;
    this.#crc = crc;
    const head = new ByteReader(file.read('aggregates', 0, HEADER_BYTES));
    if (head.u32() !== MAGIC || head.u8() !== VERSION) throw file.fault('aggregates', 0, 'not aggregates of version 1');
    const footerAt = file.size - FOOTER_BYTES;
    const tableAt = file.parse('table', footerAt, () =>
      new ByteReader(file.read('table', footerAt, FOOTER_BYTES)).u64(),
    );
    if (tableAt < HEADER_BYTES || tableAt > footerAt)
      throw file.fault('table', footerAt, `at ${tableAt}, which is nowhere`);
    const bytes = file.read('table', tableAt, file.size - tableAt).slice();
    const content = bytes.subarray(0, bytes.length - CRC_BYTES);
    if (crc.of(content) !== new ByteReader(bytes, content.length).u32()) {
      throw file.fault('table', tableAt, 'checksum of other bytes');
    }
    const table = new ByteReader(content);
    const count = file.parse('table', tableAt, () => table.u32());
    if (count * ROW_BYTES !== table.left - OFFSET_BYTES)
      throw file.fault('table', tableAt, `${count} series do not fit`);
    this.#refs = new Uint32Array(count);
    this.#offsets = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      this.#refs[i] = table.u32();
      this.#offsets[i] = table.u64();
    }
  }

  /** undefined where the block has none. Throws BlockFault and DiskError. */
  static open(disk: Disk, blockPath: string, crc: Crc32c): AggregatesReader | undefined {
    const path = `${blockPath}/${AGGREGATES_NAME}`;
    if (disk.stat(path) === undefined) return undefined;
    const file = BlockFile.open(disk, path);
    try {
      return new AggregatesReader(file, crc);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Of the series that have any, rising. */
  get refs(): Uint32Array {
    return this.#refs;
  }

  has(ref: number): boolean {
    return this.#find(ref) >= 0;
  }

  /** The windows of a series; none where it was not downsampled. Throws BlockFault and DiskError. */
  of(ref: number): readonly Windows[] {
    const found = this.#find(ref);
    if (found < 0) return [];
    const at = this.#offsets[found]!;
    const file = this.#file;
    return file.parse('aggregates', at, () => {
      const length = new ByteReader(file.read('aggregates', at, LENGTH_BYTES)).u32();
      const bytes = file.read('aggregates', at + LENGTH_BYTES, length + CRC_BYTES).slice();
      const content = bytes.subarray(0, length);
      if (new ByteReader(bytes, length).u32() !== this.#crc.of(content)) {
        throw file.fault('aggregates', at, 'checksum of other bytes');
      }
      return decodeGroups(content);
    });
  }

  close(): void {
    this.#file.close();
  }

  #find(ref: number): number {
    let low = 0;
    let high = this.#refs.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const other = this.#refs[middle]!;
      if (other === ref) return middle;
      if (other < ref) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/** Reads all aggregates of a block. Throws a BlockFault unless they are what they must be. */
export function checkAggregates(disk: Disk, crc: Crc32c, blockPath: string): void {
  const reader = AggregatesReader.open(disk, blockPath, crc);
  try {
    for (const ref of reader?.refs ?? []) reader!.of(ref);
  } finally {
    reader?.close();
  }
}

/** What aggregates of a series take in the file. */
export function aggregatesBytes(groups: readonly Windows[]): number {
  return groups.length === 0 ? 0 : encodeGroups(groups).length + LENGTH_BYTES + CRC_BYTES + ROW_BYTES;
}

function encodeGroups(groups: readonly Windows[]): Uint8Array {
  const entry = new ByteWriter(1024);
  const pieces = groups.flatMap(piecesOf);
  entry.uvarint(pieces.length);
  for (const piece of pieces) {
    entry.uvarint(piece.resolutionMs);
    for (const column of [piece.counts, piece.sums, piece.mins, piece.maxs]) {
      const chunk = encodeXor({ times: piece.lastMs, bits: bitsOf(column) });
      entry.uvarint(chunk.length);
      entry.raw(chunk);
    }
  }
  return entry.finish();
}

/** Throws BytesError. */
function decodeGroups(content: Uint8Array): Windows[] {
  const reader = new ByteReader(content);
  const groups: Windows[] = [];
  for (let left = reader.uvarint(); left > 0; left--) {
    const resolutionMs = reader.uvarint();
    const columns = [0, 1, 2, 3].map(() => decodeColumn(reader));
    const [counts, sums, mins, maxs] = columns.map(
      ({ bits }) => new Float64Array(bits.buffer, bits.byteOffset, bits.length),
    );
    const lastMs = columns[0]!.times;
    if (!(resolutionMs > 0) || columns.some(({ times }) => times.length !== lastMs.length)) {
      throw new BytesError(reader.at, 'columns of different lengths');
    }
    groups.push({ resolutionMs, lastMs, counts: counts!, sums: sums!, mins: mins!, maxs: maxs! });
  }
  return groups;
}

function decodeColumn(reader: ByteReader) {
  const at = reader.at;
  try {
    return decodeXor(reader.bytes(reader.uvarint()));
  } catch (error) {
    if (error instanceof ChunkFault) throw new BytesError(at, error.message);
    throw error;
  }
}

/** Groups of no more windows than a chunk may have. */
function piecesOf(group: Windows): Windows[] {
  const pieces: Windows[] = [];
  for (let from = 0; from < group.lastMs.length; from += GROUP_WINDOWS_MAX) {
    const cut = (column: Float64Array) => column.slice(from, from + GROUP_WINDOWS_MAX);
    const { resolutionMs, lastMs, counts, sums, mins, maxs } = group;
    pieces.push({
      ...{ resolutionMs, lastMs: cut(lastMs), counts: cut(counts), sums: cut(sums), mins: cut(mins), maxs: cut(maxs) },
    });
  }
  return pieces;
}

function bitsOf(column: Float64Array): BigUint64Array {
  return new BigUint64Array(column.buffer, column.byteOffset, column.length);
}
