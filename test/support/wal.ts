// Logs for tests: written to a disk in memory, read back as plain values.

import type { Disk } from '../../src/base/disk.js';
import type { Prng } from '../../src/base/prng.js';
import { type LogDamage, type ReadOptions, type ReadSummary, readSegments } from '../../src/tsdb/wal/reader.js';
import { LogWriter, type WriterOptions } from '../../src/tsdb/wal/writer.js';
import { Core } from '../../src/wasm/core.js';
import { SimDisk } from './sim-disk.js';

export const FOLDER = 'data/wal';

let shared: Core | undefined;

/** One core for all tests of a file: each would cost a memory. */
export function testCore(): Core {
  shared ??= new Core();
  return shared;
}

export function emptyDisk(): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder(FOLDER);
  disk.syncFolder('');
  disk.syncFolder('data');
  return disk;
}

export function writerOn(disk: Disk, options: Partial<WriterOptions> = {}): LogWriter {
  return new LogWriter({ disk, folder: FOLDER, core: testCore(), segment: 0, stepBytes: 0, ...options });
}

export interface ReadBack {
  readonly records: Uint8Array[];
  readonly places: { segment: number; offset: number }[];
  readonly damages: readonly LogDamage[];
  readonly summary: ReadSummary;
}

export function readBack(disk: Disk, options: Partial<ReadOptions> = {}): ReadBack {
  const records: Uint8Array[] = [];
  const places: { segment: number; offset: number }[] = [];
  const summary = readSegments(
    { disk, folder: FOLDER, core: testCore(), ...options },
    {
      record(record) {
        records.push(record.bytes.slice());
        places.push({ segment: record.segment, offset: record.offset });
      },
    },
  );
  return { records, places, damages: summary.damages, summary };
}

/** `length` bytes that a number determines, the number first: records that can be told apart. */
export function recordOf(id: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (id * 31 + i * 7 + (i >> 8)) & 0xff;
  if (length >= 5) {
    bytes[0] = 0xfe;
    new DataView(bytes.buffer).setUint32(1, id);
  }
  return bytes;
}

/** Cuts a record into random parts, some of them empty. */
export function inParts(record: Uint8Array, prng: Prng): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < record.length) {
    const length = Math.min(record.length - at, prng.int(prng.float() < 0.2 ? 1 : 20000));
    parts.push(record.subarray(at, at + length));
    at += length;
    if (length === 0 && prng.float() < 0.5) parts.push(record.subarray(at, (at = Math.min(record.length, at + 3))));
  }
  return parts;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s+/g, ''), 'hex'));
}
