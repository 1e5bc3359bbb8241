// A chunk as it stands in a file of chunks_head. Integers are big-endian.
//
//   0       8          16         24         25
//   ┌───────┬──────────┬──────────┬──────────┬─────────────────┬───────────────┬───────┐
//   │ ref   │ min time │ max time │ encoding │ length, uvarint │ length × byte │ crc   │   crc: CRC-32C of all in front of it
//   │ u64   │ i64      │ i64      │ u8       │ 1 … 5 bytes     │               │ u32   │
//   └───────┴──────────┴──────────┴──────────┴─────────────────┴───────────────┴───────┘
//
// A ref and times of zero end the file: what follows is room, or was never finished. See docs/formats/chunks-head.md.

import { update } from '../bytes/crc32c';
import { readVarint, varintEnd } from '../bytes/varint';
import { CHUNK_RECORD_CRC_BYTES, CHUNK_RECORD_HEAD_BYTES } from '../layout';

/** Prometheus's number for chunks of floats. */
export const XOR: u8 = 1;
/** Set in the encoding of a chunk whose samples came out of order. */
export const OUT_OF_ORDER: u8 = 0x80;

const MIN: usize = 8;
const MAX: usize = 16;
const ENCODING: usize = 24;
const HEAD: usize = CHUNK_RECORD_HEAD_BYTES;
const CRC: usize = CHUNK_RECORD_CRC_BYTES;

/** What read() found. */
export let ref: u64 = 0;
export let minT: i64 = 0;
export let maxT: i64 = 0;
export let encoding: u8 = 0;
export let data: usize = 0;
export let dataBytes: usize = 0;
/** Bytes of the whole record. */
export let recordBytes: usize = 0;

export enum Found {
  Chunk = 0,
  /** More bytes are needed to say. */
  Short = 1,
  /** A ref and times of zero. */
  Zeroes = 2,
  /** No length, or a wrong checksum. */
  Damaged = 3,
}

/** Looks at the record at `at`, of which `available` bytes are there. */
export function read(at: usize, available: usize): Found {
  if (available < HEAD) return Found.Short;
  ref = bswap<u64>(load<u64>(at));
  minT = <i64>bswap<u64>(load<u64>(at, MIN));
  maxT = <i64>bswap<u64>(load<u64>(at, MAX));
  if (ref == 0 && minT == 0 && maxT == 0) return Found.Zeroes;
  encoding = load<u8>(at, ENCODING);
  const stop = at + available;
  const length = readVarint(at + HEAD, min(stop, at + HEAD + 5));
  if (varintEnd == 0) return available < HEAD + 5 ? Found.Short : Found.Damaged;
  // No chunk is so large: what says so is damaged.
  if (length > 0xfffff) return Found.Damaged;
  data = varintEnd;
  dataBytes = <usize>length;
  recordBytes = data + dataBytes + CRC - at;
  if (recordBytes > available) return Found.Short;
  const crc = update(0, at, recordBytes - CRC);
  return bswap<u32>(load<u32>(data + dataBytes)) == crc ? Found.Chunk : Found.Damaged;
}

/** Bytes of a record of a chunk of so many. */
export function sizeFor(bytes: usize): usize {
  let size = HEAD + 1 + bytes + CRC;
  for (let left = bytes >>> 7; left != 0; left >>>= 7) size++;
  return size;
}

/** Writes a record of a chunk of floats; gives where it ends. */
export function write(at: usize, seriesRef: u64, first: i64, last: i64, from: usize, bytes: usize): usize {
  store<u64>(at, bswap<u64>(seriesRef));
  store<u64>(at, bswap<u64>(<u64>first), MIN);
  store<u64>(at, bswap<u64>(<u64>last), MAX);
  store<u8>(at, XOR, ENCODING);
  let end = at + HEAD;
  let left = bytes;
  for (; left >= 0x80; left >>>= 7) store<u8>(end++, <u8>left | 0x80);
  store<u8>(end++, <u8>left);
  memory.copy(end, from, bytes);
  end += bytes;
  store<u32>(end, bswap<u32>(update(0, at, end - at)));
  return end + CRC;
}
