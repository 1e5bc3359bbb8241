// WAL records of this shard's appends, as Prometheus writes them, encoded where
// the data is. The log thread frames them; docs/formats/wal.md draws them.
//
//   series    │ 1 │ ref u64 │ count uvarint │ (len uvarint, bytes) name, value … │ next series …
//   samples   │ 2 │ base ref u64 │ base time i64 │ (ref varint, time varint, value u64) …
//
// Fixed numbers are big-endian. Several shards may hold samples of one append,
// and one record must hold them all, so this file writes only the part behind the
// bases; the head of the record (17 bytes) is written by whoever joins the parts.

import * as scratch from '../labels/scratch';
import * as buffer from '../memory/buffer';

/** Three varints of ten bytes would never occur; this bounds one sample. */
export const SAMPLE_BYTES_MAX: u32 = 28;

const SERIES: u8 = 1;

/** Appends the labels in the scratch as a series with this ref; starts the record where the buffer is empty. */
export function writeSeries(out: usize, ref: u64): bool {
  const count = scratch.count();
  let need: u32 = 1 + 8 + 5;
  for (let i: u32 = 0; i < count; i++) need += 10 + scratch.nameLength(i) + scratch.valueLength(i);
  let at = buffer.reserve(out, need);
  if (at == 0) return false;
  const start = at;
  if (buffer.length(out) == 0) {
    store<u8>(at, SERIES);
    at++;
  }
  store<u64>(at, bswap<u64>(ref));
  at = writeUvarint(at + 8, count);
  for (let i: u32 = 0; i < count; i++) {
    at = writeString(at, scratch.nameAddress(i), scratch.nameLength(i));
    at = writeString(at, scratch.valueAddress(i), scratch.valueLength(i));
  }
  buffer.advance(out, <u32>(at - start));
  return true;
}

/** Writes one sample at `at`, where SAMPLE_BYTES_MAX fit; gives the address behind it. */
export function writeSample(at: usize, refDelta: i64, timeDelta: i64, value: u64): usize {
  at = writeVarint(at, refDelta);
  at = writeVarint(at, timeDelta);
  store<u64>(at, bswap<u64>(value));
  return at + 8;
}

function writeString(at: usize, from: usize, length: u32): usize {
  at = writeUvarint(at, length);
  memory.copy(at, from, length);
  return at + length;
}

function writeVarint(at: usize, value: i64): usize {
  let zigzag: u64 = <u64>(value << 1) ^ <u64>(value >> 63);
  while (zigzag >= 0x80) {
    store<u8>(at, <u8>zigzag | 0x80);
    zigzag >>= 7;
    at++;
  }
  store<u8>(at, <u8>zigzag);
  return at + 1;
}

function writeUvarint(at: usize, value: u32): usize {
  while (value >= 0x80) {
    store<u8>(at, <u8>value | 0x80);
    value >>>= 7;
    at++;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}
