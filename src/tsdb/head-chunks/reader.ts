// Reading a file of chunks_head record by record: for people, and as a model for the core, which reads them at the start.

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader, BytesError } from '../bytes.js';
import {
  HEAD_CHUNKS_HEADER_BYTES,
  HEAD_CHUNKS_MAGIC,
  HEAD_CHUNKS_VERSION,
  RECORD_CRC_BYTES,
  RECORD_START_BYTES,
} from './layout.js';

export interface HeadChunk {
  readonly offset: number;
  readonly ref: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** With OUT_OF_ORDER in it where its samples came out of order. */
  readonly encoding: number;
  readonly data: Uint8Array;
}

/** A file of chunks_head is not as it should be from a place on. */
export class HeadChunkFault extends Error {
  override readonly name = 'HeadChunkFault';
  constructor(
    readonly path: string,
    readonly offset: number,
    reason: string,
  ) {
    super(`${path}: at ${offset}: ${reason}`);
  }
}

/** The chunks of a file, checked. Throws HeadChunkFault and DiskError. */
export function* readHeadChunks(disk: Disk, path: string, crc: Crc32c): Generator<HeadChunk, void, void> {
  const bytes = disk.readFile(path);
  const header = new ByteReader(bytes.subarray(0, HEAD_CHUNKS_HEADER_BYTES));
  const fault = (offset: number, reason: string) => new HeadChunkFault(path, offset, reason);
  if (bytes.length < HEAD_CHUNKS_HEADER_BYTES) throw fault(0, 'no header');
  const magic = header.u32();
  const version = header.u8();
  if (magic !== HEAD_CHUNKS_MAGIC) throw fault(0, `it begins with ${magic.toString(16)}`);
  if (version !== HEAD_CHUNKS_VERSION) throw fault(4, `version ${version}, only ${HEAD_CHUNKS_VERSION} is read`);
  let at = HEAD_CHUNKS_HEADER_BYTES;
  while (!isEnd(bytes, at)) {
    const from = new ByteReader(bytes, at);
    try {
      const [ref, minTimeMs, maxTimeMs, encoding] = [from.u64(), from.i64(), from.i64(), from.u8()];
      const data = from.bytes(from.uvarint());
      const sum = crc.of(bytes.subarray(at, from.at));
      if (from.u32() !== sum) throw fault(at, 'the checksum is wrong');
      yield { offset: at, ref, minTimeMs, maxTimeMs, encoding, data };
    } catch (error) {
      if (error instanceof BytesError) throw fault(at, error.message);
      throw error;
    }
    at = from.at;
  }
}

/** Zeroes where a record would begin, or nothing at all. */
function isEnd(bytes: Uint8Array, at: number): boolean {
  const left = bytes.length - at;
  const looked = left < RECORD_START_BYTES + RECORD_CRC_BYTES ? left : RECORD_START_BYTES;
  return bytes.subarray(at, at + looked).every((byte) => byte === 0);
}
