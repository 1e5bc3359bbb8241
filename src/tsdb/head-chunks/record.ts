// A chunk's record in a file of chunks_head, in TypeScript: for chunks of histograms. Those of floats are made in the core
// (assembly/head/chunk-record.ts, which draws it).

import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader, BytesError, ByteWriter } from '../bytes.js';
import { RECORD_CRC_BYTES } from './layout.js';

export interface HeadChunkRecord {
  readonly ref: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly encoding: number;
  readonly data: Uint8Array;
}

export function encodeHeadChunk(
  { ref, minTimeMs, maxTimeMs, encoding, data }: HeadChunkRecord,
  crc: Crc32c,
): Uint8Array {
  const out = new ByteWriter();
  out.u64(ref);
  out.i64(minTimeMs);
  out.i64(maxTimeMs);
  out.u8(encoding);
  out.uvarint(data.length);
  out.raw(data);
  const body = out.finish();
  const record = new Uint8Array(body.length + RECORD_CRC_BYTES);
  record.set(body);
  new DataView(record.buffer).setUint32(body.length, crc.of(body));
  return record;
}

/** undefined where the bytes are no whole record. */
export function decodeHeadChunk(record: Uint8Array, crc: Crc32c): HeadChunkRecord | undefined {
  const length = record.length - RECORD_CRC_BYTES;
  if (length <= 0) return undefined;
  const body = record.subarray(0, length);
  const sum = new DataView(record.buffer, record.byteOffset + length).getUint32(0);
  if (crc.of(body) !== sum) return undefined;
  try {
    const from = new ByteReader(body);
    const head = { ref: from.u64(), minTimeMs: from.i64(), maxTimeMs: from.i64(), encoding: from.u8() };
    const bytes = from.uvarint();
    return from.left === bytes ? { ...head, data: body.subarray(from.at) } : undefined;
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}
