// A block read the plain way, whole and at once: the model that writers and readers of blocks are held against.
// Believes nothing: checksums, alignment and order are asserted.

import assert from 'node:assert/strict';
import type { Disk } from '../../src/base/disk.js';

export interface ModelChunk {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly ref: number;
  readonly encoding: number;
  readonly data: Uint8Array;
}

export interface ModelSeries {
  readonly ref: number;
  /** Symbol numbers: name, value, … */
  readonly labels: readonly number[];
  readonly chunks: readonly ModelChunk[];
}

export interface ModelBlock {
  readonly symbols: readonly string[];
  readonly series: readonly ModelSeries[];
  /** By `name=value`, the key of all being `=`; in the order of the offset table. */
  readonly postings: ReadonlyMap<string, readonly number[]>;
  readonly meta: string;
  /** Where the sections begin: symbols, series, label indices, their table, postings, their table. */
  readonly toc: readonly number[];
  readonly index: Uint8Array;
}

export function readBlockModel(disk: Disk, folder: string): ModelBlock {
  const index = disk.readFile(`${folder}/index`);
  const segments = disk.list(`${folder}/chunks`).map((name) => disk.readFile(`${folder}/chunks/${name}`));
  const cursor = new Cursor(index, index.length - 52);
  const tocFrom = cursor.at;
  const toc = Array.from({ length: 6 }, () => cursor.u64());
  assert.equal(cursor.u32(), crc32c(index.subarray(tocFrom, tocFrom + 48)), 'checksum of the table of contents');
  const symbols = readSection(index, toc[0]!, (section) => section.string());
  return {
    symbols,
    series: readSeries(index, toc[1]!, segments, readAll(index, toc[5]!)),
    postings: readPostings(index, toc[5]!),
    meta: Buffer.from(disk.readFile(`${folder}/meta.json`)).toString(),
    toc,
    index,
  };
}

/** Labels of a series as text. */
export function labelsOf(block: ModelBlock, series: ModelSeries): string {
  const strings = series.labels.map((symbol) => block.symbols[symbol]);
  return JSON.stringify(strings);
}

function readSection<T>(index: Uint8Array, at: number, entry: (section: Cursor) => T): T[] {
  const cursor = new Cursor(index, at);
  const length = cursor.u32();
  const sum = crc32c(index.subarray(at + 4, at + 4 + length));
  const entries = Array.from({ length: cursor.u32() }, () => entry(cursor));
  assert.equal(cursor.at, at + 4 + length, `the section at ${at} ends with its last entry`);
  assert.equal(cursor.u32(), sum, `checksum of the section at ${at}`);
  return entries;
}

function readOffsets(index: Uint8Array, at: number): [key: string, offset: number][] {
  return readSection(index, at, (section) => {
    assert.equal(section.u8(), 2);
    const key = `${section.string()}=${section.string()}`;
    return [key, section.uvarint()];
  });
}

function readList(index: Uint8Array, at: number): number[] {
  assert.equal(at % 4, 0, 'postings are aligned');
  return readSection(index, at, (section) => section.u32());
}

function readAll(index: Uint8Array, tableAt: number): number[] {
  const [key, offset] = readOffsets(index, tableAt)[0]!;
  assert.equal(key, '=');
  return readList(index, offset);
}

function readPostings(index: Uint8Array, tableAt: number): Map<string, number[]> {
  return new Map(readOffsets(index, tableAt).map(([key, offset]) => [key, readList(index, offset)]));
}

function readSeries(index: Uint8Array, from: number, segments: Uint8Array[], refs: number[]): ModelSeries[] {
  return refs.map((ref) => {
    assert.ok(ref * 16 >= from);
    const cursor = new Cursor(index, ref * 16);
    const length = cursor.uvarint();
    const start = cursor.at;
    const labels = Array.from({ length: cursor.uvarint() * 2 }, () => cursor.uvarint());
    const chunks: ModelChunk[] = [];
    let time = 0;
    let chunkRef = 0;
    for (let left = cursor.uvarint(), first = true; left > 0; left--, first = false) {
      const minTimeMs = first ? cursor.varint() : time + cursor.uvarint();
      time = minTimeMs + cursor.uvarint();
      chunkRef = first ? cursor.uvarint() : chunkRef + cursor.varint();
      chunks.push({ minTimeMs, maxTimeMs: time, ref: chunkRef, ...readChunk(segments, chunkRef) });
    }
    assert.equal(cursor.at, start + length, `the series at ${ref * 16} ends with its last chunk`);
    assert.equal(cursor.u32(), crc32c(index.subarray(start, start + length)), `checksum of the series at ${ref * 16}`);
    return { ref, labels, chunks };
  });
}

function readChunk(segments: Uint8Array[], ref: number): { encoding: number; data: Uint8Array } {
  const segment = segments[Math.floor(ref / 2 ** 32)]!;
  const cursor = new Cursor(segment, ref % 2 ** 32);
  const length = cursor.uvarint();
  const from = cursor.at;
  const encoding = cursor.u8();
  const data = segment.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  assert.equal(cursor.u32(), crc32c(segment.subarray(from, from + 1 + length)), `checksum of the chunk at ${ref}`);
  return { encoding, data };
}

class Cursor {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  u8(): number {
    assert.ok(this.at < this.bytes.length, 'a read beyond the end');
    return this.bytes[this.at++]!;
  }

  u32(): number {
    return [0, 0, 0, 0].reduce((value) => value * 256 + this.u8(), 0);
  }

  u64(): number {
    return this.u32() * 2 ** 32 + this.u32();
  }

  uvarint(): number {
    const byte = this.u8();
    return byte < 128 ? byte : byte - 128 + 128 * this.uvarint();
  }

  varint(): number {
    const value = this.uvarint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  string(): string {
    const length = this.uvarint();
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString();
  }
}

/** Bit by bit. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
