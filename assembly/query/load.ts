// What a block has of some series of a query, brought from its files' bytes into the query's history (history.ts).
//
//   bytes of the index ──entries()──► wanted chunks ──► bytes of a segment ──chunks()──► Sealed, linked newest first
//
//   series (8 bytes)      wanted (32 bytes): a chunk, in the order of entries
//   0      4              0      8      16        20       24      28
//   ┌─────┬───────┐       ┌──────┬──────┬─────────┬────────┬───────┬───────┐
//   │ ref │ place │       │ minT │ maxT │ segment │ offset │ place │ bytes │      bytes   of its data, once it was checked;
//   │ u32 │ u32   │       │ i64  │ i64  │ u32     │ u32    │ u32   │ u32   │              0 where it is not to be loaded
//   └─────┴───────┘       └──────┴──────┴─────────┴────────┴───────┴───────┘
//
// `places` has for each place of the window the newest time so far (f64), and `entries` the address of the newest chunk
// so far (u32), as history.ts draws them.
//
// Nothing is believed that is read: lengths are bounded, checksums compared. A series of which anything is not as it is
// in all blocks of ours (damage, chunks that overlap, other encodings, an entry or a chunk that the bytes do not reach)
// gets HISTORY_SKIP, and the reader in TypeScript looks after it: it knows the words for what is wrong.
//
// The bytes of entry and chunk: docs/formats/block.md.

import { update as crcOf } from '../bytes/crc32c';
import { readVarint, varintEnd } from '../bytes/varint';
import { dataOf, Sealed } from '../chunk/read';
import { BLOCK_CHUNK_XOR, HISTORY_SKIP, LOAD_SERIES_BYTES, LOAD_WANTED_BYTES, SEALED_HEADER_BYTES } from '../layout';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';

const SERIES_BYTES: usize = LOAD_SERIES_BYTES;
const WANTED_BYTES: u32 = LOAD_WANTED_BYTES;
/** A series begins at a multiple of this, by which its ref counts. */
const REF_LOG2: u64 = 4;
const CRC_BYTES: usize = 4;

@unmanaged
class Wanted {
  minT: i64;
  maxT: i64;
  segment: u32;
  offset: u32;
  place: u32;
  bytes: u32;
}

/** Chunks that entries() found since clear(). */
const wanted: usize = memory.data(16, 8);

let arenaBytes: u32 = 0;
let failed: bool = false;

export function wantedAddress(): usize {
  return buffer.address(wanted);
}

export function wantedCount(): u32 {
  return buffer.length(wanted) / WANTED_BYTES;
}

export function clear(): void {
  buffer.truncate(wanted, 0);
}

/** Gives the memory of a large window back. */
export function release(): void {
  buffer.clear(wanted);
}

// --- Entries of the index ---

/** A reading position, and the end that nothing goes beyond. */
let at: usize = 0;
let end: usize = 0;
/** Whether it ended before a field did. */
let isCut: bool = false;

/**
 * Adds the chunks of `count` series that overlap [mint, maxt] to those that are wanted. The index is there from its byte
 * `from` on, `length` bytes at `bytes`. False where the memory limit says no.
 */
export function entries(
  bytes: usize,
  from: f64,
  length: u32,
  series: usize,
  count: u32,
  places: usize,
  into: usize,
  mint: f64,
  maxt: f64,
): bool {
  const limit = bytes + <usize>length;
  failed = false;
  for (let i: u32 = 0; i < count; i++) {
    const one = series + <usize>i * SERIES_BYTES;
    const place = load<u32>(one, 4);
    const flags = into + ((<usize>place) << 2);
    if ((load<u32>(flags) & HISTORY_SKIP) != 0) continue;
    const start = ((<u64>load<u32>(one)) << REF_LOG2) - <u64>from;
    if (start >= <u64>length || !open(bytes + <usize>start, limit)) {
      skip(flags);
      continue;
    }
    const before = buffer.length(wanted);
    const known = wantChunks(place, places + ((<usize>place) << 3), <i64>mint, <i64>maxt);
    if (failed) return false;
    if (known) continue;
    buffer.truncate(wanted, before);
    skip(flags);
  }
  return true;
}

function skip(flags: usize): void {
  store<u32>(flags, load<u32>(flags) | HISTORY_SKIP);
}

/** Sets out to read the entry at `start`; false where it is not whole, or not as its checksum says. */
function open(start: usize, limit: usize): bool {
  const length = readVarint(start, limit);
  if (varintEnd == 0) return false;
  at = varintEnd;
  if (length > <u64>(limit - at) || <usize>length + CRC_BYTES > limit - at) return false;
  end = at + <usize>length;
  return isIntact(at, <usize>length);
}

/** Whether the checksum behind some bytes is theirs. */
function isIntact(start: usize, length: usize): bool {
  return crcOf(0, start, length) == bswap<u32>(load<u32>(start + length));
}

function uvarint(): u64 {
  const value = readVarint(at, end);
  if (varintEnd == 0) isCut = true;
  else at = varintEnd;
  return value;
}

function varint(): i64 {
  const value = uvarint();
  return <i64>(value >> 1) ^ -(<i64>(value & 1));
}

/** The chunks of the entry under way; false where there is more to it than this knows. */
function wantChunks(place: u32, newest: usize, mint: i64, maxt: i64): bool {
  isCut = false;
  let labels = uvarint();
  if (labels > <u64>(end - at)) return false;
  for (labels <<= 1; labels > 0 && !isCut; labels--) uvarint();
  const count = uvarint();
  if (isCut || count > <u64>(end - at)) return false;
  let last = load<f64>(newest);
  let maxT: i64 = 0;
  let ref: i64 = 0;
  for (let i: u64 = 0; i < count; i++) {
    const minT = i == 0 ? varint() : maxT + <i64>uvarint();
    maxT = minT + <i64>uvarint();
    ref += i == 0 ? <i64>uvarint() : varint();
    if (isCut || maxT < minT || ref < 0) return false;
    if (maxT < mint || minT > maxt) continue;
    if (<f64>minT <= last) return false;
    last = <f64>maxT;
    if (!want(place, minT, maxT, <u64>ref)) return false;
  }
  if (at != end) return false;
  store<f64>(newest, last);
  return true;
}

function want(place: u32, minT: i64, maxT: i64, ref: u64): bool {
  const address = buffer.reserve(wanted, WANTED_BYTES);
  if (address == 0) {
    failed = true;
    return false;
  }
  const one = changetype<Wanted>(address);
  one.minT = minT;
  one.maxT = maxT;
  one.segment = <u32>(ref >> 32);
  one.offset = <u32>ref;
  one.place = place;
  one.bytes = 0;
  buffer.advance(wanted, WANTED_BYTES);
  return true;
}

// --- Chunks ---

/** Of the arena that chunks() gave last. */
export function arenaSize(): u32 {
  return arenaBytes;
}

/** Whether chunks() gave none because the memory limit said no. */
export function isRefused(): bool {
  return failed;
}

/**
 * Links `count` of the wanted chunks, from number `first` on, to their series. Their segment is there from its byte `from` on,
 * `length` bytes at `bytes`. Gives the memory that they were copied to, arenaSize() bytes, which is the caller's; 0 where
 * there is nothing to copy, or isRefused().
 */
export function chunks(bytes: usize, from: u32, length: u32, first: u32, count: u32, into: usize): usize {
  const limit = bytes + <usize>length;
  const begin = buffer.address(wanted) + <usize>first * <usize>WANTED_BYTES;
  const behind = begin + <usize>count * <usize>WANTED_BYTES;
  arenaBytes = 0;
  failed = false;
  for (let each = begin; each < behind; each += <usize>WANTED_BYTES)
    check(changetype<Wanted>(each), bytes, from, limit, into);
  if (arenaBytes == 0) return 0;
  const arena = heap.alloc(arenaBytes);
  if (arena == 0) {
    failed = true;
    return 0;
  }
  let free = arena;
  for (let each = begin; each < behind; each += <usize>WANTED_BYTES) {
    const one = changetype<Wanted>(each);
    const flags = into + ((<usize>one.place) << 2);
    // Of a series with a bad chunk those that were good are left to TypeScript, too.
    if (one.bytes != 0 && (load<u32>(flags) & HISTORY_SKIP) == 0) free += link(one, bytes, from, limit, flags, free);
  }
  return arena;
}

/** Looks whether a chunk is one of floats, and intact; adds what it takes to the arena's size. */
function check(one: Wanted, bytes: usize, from: u32, limit: usize, into: usize): void {
  const flags = into + ((<usize>one.place) << 2);
  if ((load<u32>(flags) & HISTORY_SKIP) != 0) return;
  const start = bytes + <usize>(one.offset - from);
  const length = one.offset < from || start >= limit ? 0 : readVarint(start, limit);
  const data = varintEnd + 1;
  if (
    length == 0 ||
    varintEnd == 0 ||
    length > <u64>(limit - start) ||
    data + <usize>length + CRC_BYTES > limit ||
    load<u8>(varintEnd) != BLOCK_CHUNK_XOR ||
    !isIntact(varintEnd, <usize>length + 1)
  ) {
    skip(flags);
    return;
  }
  one.bytes = <u32>length;
  arenaBytes += <u32>room(<usize>length);
}

/** Copies a chunk in front of those of its series; gives the room it took. */
function link(one: Wanted, bytes: usize, from: u32, limit: usize, flags: usize, free: usize): usize {
  readVarint(bytes + <usize>(one.offset - from), limit);
  const chunk = changetype<Sealed>(free);
  chunk.minT = one.minT;
  chunk.maxT = one.maxT;
  chunk.next = load<u32>(flags);
  chunk.bytes = one.bytes;
  memory.copy(dataOf(chunk), varintEnd + 1, one.bytes);
  store<u32>(flags, <u32>free);
  return room(one.bytes);
}

/** What a chunk takes: a header, and its bytes up to the next multiple of 8. */
function room(length: usize): usize {
  return <usize>SEALED_HEADER_BYTES + ((length + 7) & ~7);
}
