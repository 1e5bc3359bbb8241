// Snappy's block format, decoded into a buffer whose size was checked before.
//
//   ┌─────────────────────────┬─────────┬─────────┬─
//   │ decoded length, uvarint │ element │ element │ …
//   └─────────────────────────┴─────────┴─────────┴─
//   low two bits of an element's first byte
//   00  literal   upper six bits: length - 1, or 60..63: length - 1 follows in 1..4 bytes
//   01  copy      length 4..11, offset of 11 bits
//   10  copy      length 1..64, offset of 2 bytes
//   11  copy      length 1..64, offset of 4 bytes
//
// Format: format_description.txt of google/snappy. Every read and write is checked
// against the end of its buffer. Short pieces are copied 16 bytes at a time, which may write and read up to
// 15 bytes behind an end: both buffers have BODY_SLACK bytes there.

import { readVarint, varintEnd } from '../bytes/varint';

const LITERAL: u32 = 0;
const CHUNK: usize = 16;

/** Where the input turned out to be wrong. */
export let errorAt: usize = 0;

/** The decoded length that the block declares, or -1 where it does not even do that. */
export function declaredLength(block: usize, bytes: usize): i64 {
  const length = readVarint(block, block + min(bytes, 5));
  return varintEnd == 0 || length > 0xffffffff ? -1 : <i64>length;
}

/** Decodes a block to `to`, where as many bytes fit as it declares. False: it is malformed, see errorAt. */
export function decode(block: usize, bytes: usize, to: usize): bool {
  const declared = declaredLength(block, bytes);
  errorAt = block;
  if (declared < 0) return false;
  let at = varintEnd;
  const end = block + bytes;
  let out = to;
  const outEnd = to + <usize>declared;
  while (at < end) {
    errorAt = at;
    const tag: u32 = load<u8>(at);
    at++;
    if ((tag & 3) == LITERAL) {
      let length: usize = tag >> 2;
      if (length >= 60) {
        const width = length - 59;
        if (width > end - at) return false;
        length = readLittle(at, width);
        at += width;
      }
      // Compared before 1 is added: with it, 2^32 would be 0.
      if (length >= end - at || length >= outEnd - out) return false;
      length++;
      copyApart(out, at, length);
      at += length;
      out += length;
      continue;
    }
    const width: usize = (tag & 3) == 3 ? 4 : tag & 3;
    if (width > end - at) return false;
    let offset = readLittle(at, width);
    at += width;
    let length: usize = (tag >> 2) + 1;
    if (width == 1) {
      length = ((tag >> 2) & 7) + 4;
      offset |= (<usize>(tag >> 5)) << 8;
    }
    if (offset == 0 || offset > out - to || length > outEnd - out) return false;
    copyBack(out, offset, length);
    out += length;
  }
  errorAt = at;
  return out == outEnd;
}

function readLittle(at: usize, width: usize): usize {
  let value: usize = 0;
  for (let i: usize = 0; i < width; i++) value |= (<usize>load<u8>(at + i)) << (i << 3);
  return value;
}

/** Copies between buffers that do not touch. */
function copyApart(to: usize, from: usize, length: usize): void {
  if (length > 64) {
    memory.copy(to, from, length);
    return;
  }
  for (let i: usize = 0; i < length; i += CHUNK) v128.store(to + i, v128.load(from + i));
}

/** Copies from `offset` bytes before `to`, at most 64 bytes, which may reach into what is being written. */
function copyBack(to: usize, offset: usize, length: usize): void {
  const from = to - offset;
  if (offset >= CHUNK) {
    for (let i: usize = 0; i < length; i += CHUNK) v128.store(to + i, v128.load(from + i));
    return;
  }
  if (offset >= 8) {
    for (let i: usize = 0; i < length; i += 8) store<u64>(to + i, load<u64>(from + i));
    return;
  }
  for (let i: usize = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
}
