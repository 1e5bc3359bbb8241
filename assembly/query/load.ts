// What a block has of some series of a query, brought from its files' bytes into the query's history (history.ts).
//
//   known() ─► what the cache has of entries ─┐
//   bytes of the index ─► entries() ──────────┴─► wanted chunks ─► those that the cache has ──────────┬─► link(): references,
//                                                               └─► bytes of a segment ─► chunks() ──┘   linked newest first
//
//   series (8 bytes)      wanted (40 bytes): a chunk, in the order of entries, and of times within each
//   0      4              0      8      16        20       24      28      32     36
//   ┌─────┬───────┐       ┌──────┬──────┬─────────┬────────┬───────┬───────┬──────┬──────┐
//   │ ref │ place │       │ minT │ maxT │ segment │ offset │ place │ bytes │ data │ kept │   data   where its data are; 0 before
//   │ u32 │ u32   │       │ i64  │ i64  │ u32     │ u32    │ u32   │ u32   │ u32  │ u32  │          they were found, or where
//   └─────┴───────┘       └──────┴──────┴─────────┴────────┴───────┴───────┴──────┴──────┘          they are not good
//                                                                                            kept   in its cached entry; 0: there is none
//
// `places` has for each place of the window the newest time so far (f64), and `entries` the address of the newest chunk
// so far (u32), as history.ts draws them. `pins` is the window's, see cache/pages.ts.
//
// Nothing is believed that is read: lengths are bounded, checksums compared. A series of which anything is not as it is
// in all blocks of ours (damage, chunks that overlap, other encodings, an entry or a chunk that the bytes do not reach)
// gets HISTORY_SKIP, and the reader in TypeScript looks after it: it knows the words for what is wrong.
//
// The bytes of entry and chunk: docs/formats/block.md.

import { update as crcOf } from '../bytes/crc32c';
import { readVarint, varintEnd } from '../bytes/varint';
import * as cache from '../cache/chunks';
import { Kept } from '../cache/chunks';
import { refer } from '../chunk/read';
import {
  BLOCK_CHUNK_XOR,
  CACHE_CHUNK_BYTES,
  HISTORY_SKIP,
  LOAD_SERIES_BYTES,
  LOAD_WANTED_BYTES,
  REFERENCE_BYTES,
} from '../layout';
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
  data: u32;
  kept: u32;
}

/** Chunks that were found since clear(). */
const wanted: usize = memory.data(16, 8);
/** An entry that the cache has no room for. */
const uncached: usize = memory.data(16, 8);

/** Where the entries of the next series may be in the cache. */
const likely: usize = memory.data(64, 4);

let missing: u32 = 0;

let arenaBytes: u32 = 0;
let failed: bool = false;

export function wantedAddress(): usize {
  return buffer.address(wanted);
}

export function wantedCount(): u32 {
  return buffer.length(wanted) / WANTED_BYTES;
}

/** How many of them have to be read. */
export function missingCount(): u32 {
  return missing;
}

export function clear(): void {
  buffer.truncate(wanted, 0);
  missing = 0;
}

/** Gives the memory of a large window back. */
export function release(): void {
  buffer.clear(wanted);
  buffer.clear(uncached);
}

// --- Entries of the index ---

/**
 * Adds the chunks of those of `count` series whose entries are in the cache to those that are wanted; the others come to stand in
 * front, and their number is given. isRefused() where the memory limit says no.
 */
export function known(
  block: u32,
  series: usize,
  count: u32,
  places: usize,
  into: usize,
  pins: usize,
  mint: f64,
  maxt: f64,
): u32 {
  failed = false;
  let left: u32 = 0;
  for (let i: u32 = 0; i < count && !failed; i++) {
    const one = series + <usize>i * SERIES_BYTES;
    const ref = load<u32>(one);
    const next = i % cache.TOGETHER;
    if (next == 0) findLikely(block, one, min(count - i, cache.TOGETHER));
    const place = load<u32>(one, 4);
    const flags = into + ((<usize>place) << 2);
    if ((load<u32>(flags) & HISTORY_SKIP) != 0) continue;
    const entry = cache.entryOf(load<u32>(likely + ((<usize>next) << 2)), block, ref, pins);
    if (entry == 0) {
      const other = series + <usize>left * SERIES_BYTES;
      left++;
      store<u32>(other, ref);
      store<u32>(other, place, 4);
    } else if (!wantSeries(entry, place, places, pins, <i64>mint, <i64>maxt) && !failed) {
      skip(flags);
    }
  }
  return left;
}

function findLikely(block: u32, series: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(series + <usize>i * SERIES_BYTES);
    store<u32>(likely + ((<usize>i) << 2), cache.likelyEntry(block, ref));
  }
}

/** Adds the chunks of a cached entry; false, and none, where they cannot be loaded here. */
function wantSeries(entry: usize, place: u32, places: usize, pins: usize, mint: i64, maxt: i64): bool {
  const newest = places + ((<usize>place) << 3);
  return wantChunks(cache.chunksOf(entry), cache.countOf(entry), true, place, newest, pins, mint, maxt);
}

/** A reading position, and the end that nothing goes beyond. */
let at: usize = 0;
let end: usize = 0;
/** Whether it ended before a field did. */
let isCut: bool = false;

/**
 * Adds the chunks of `count` series of a block that overlap [mint, maxt] to those that are wanted, and their entries to the cache.
 * The index is there from its byte `from` on, `length` bytes at `bytes`. False where the memory limit says no.
 */
export function entries(
  block: u32,
  bytes: usize,
  from: f64,
  length: u32,
  series: usize,
  count: u32,
  places: usize,
  into: usize,
  pins: usize,
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
    const ref = load<u32>(one);
    const start = ((<u64>ref) << REF_LOG2) - <u64>from;
    if (start >= <u64>length || !open(bytes + <usize>start, limit)) {
      skip(flags);
      continue;
    }
    const isGood = readEntry(block, ref, place, places + ((<usize>place) << 3), pins, <i64>mint, <i64>maxt);
    if (failed) return false;
    if (!isGood) skip(flags);
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

/** Wants the chunks of the entry under way; false where there is more to it than this knows. */
function readEntry(block: u32, ref: u32, place: u32, newest: usize, pins: usize, mint: i64, maxt: i64): bool {
  isCut = false;
  let labels = uvarint();
  if (labels > <u64>(end - at)) return false;
  for (labels <<= 1; labels > 0 && !isCut; labels--) uvarint();
  const count = <u32>uvarint();
  if (isCut || count > <u32>(end - at)) return false;
  const entry = cache.beginEntry(count, pins);
  const chunks = entry != 0 ? cache.chunksOf(entry) : buffer.reserve(uncached, count * <u32>CACHE_CHUNK_BYTES + 8);
  if (chunks == 0) {
    failed = true;
    return false;
  }
  if (!readChunks(chunks, count)) return false;
  if (entry != 0) cache.publishEntry(entry, block, ref);
  return wantChunks(chunks, count, entry != 0, place, newest, pins, mint, maxt);
}

/** Reads where the chunks of the entry under way are. */
function readChunks(chunks: usize, count: u32): bool {
  let maxT: i64 = 0;
  let ref: i64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const minT = i == 0 ? varint() : maxT + <i64>uvarint();
    const span = uvarint();
    maxT = minT + <i64>span;
    ref += i == 0 ? <i64>uvarint() : varint();
    if (isCut || maxT < minT || span > <u64>u32.MAX_VALUE || ref < 0) return false;
    const kept = cache.keptAt(chunks, i);
    kept.minT = minT;
    kept.span = <u32>span;
    kept.segment = <u32>(ref >> 32);
    kept.offset = <u32>ref;
    kept.data = 0;
    kept.stamp = 0;
    kept.bytes = 0;
  }
  return at == end;
}

/** Adds the chunks of an entry that overlap [mint, maxt]; false, and none, where they are not behind those of older blocks, each behind the other. */
function wantChunks(
  chunks: usize,
  count: u32,
  isCached: bool,
  place: u32,
  newest: usize,
  pins: usize,
  mint: i64,
  maxt: i64,
): bool {
  const before = buffer.length(wanted);
  const missed = missing;
  let last = load<f64>(newest);
  for (let i: u32 = 0; i < count; i++) {
    const kept = cache.keptAt(chunks, i);
    const maxT = kept.minT + <i64>kept.span;
    if (maxT < mint || kept.minT > maxt) continue;
    if (<f64>kept.minT <= last || !want(place, kept, isCached, pins)) {
      buffer.truncate(wanted, before);
      missing = missed;
      return false;
    }
    last = <f64>maxT;
  }
  store<f64>(newest, last);
  return true;
}

function want(place: u32, kept: Kept, isCached: bool, pins: usize): bool {
  const address = buffer.reserve(wanted, WANTED_BYTES);
  if (address == 0) {
    failed = true;
    return false;
  }
  const one = changetype<Wanted>(address);
  one.minT = kept.minT;
  one.maxT = kept.minT + <i64>kept.span;
  one.segment = kept.segment;
  one.offset = kept.offset;
  one.place = place;
  one.bytes = kept.bytes;
  one.data = isCached ? <u32>cache.dataOf(kept, pins) : 0;
  one.kept = isCached ? <u32>changetype<usize>(kept) : 0;
  if (one.data == 0) missing++;
  cache.count(one.data != 0);
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
 * Finds the data of those of `count` wanted chunks, from number `first` on, that have none yet. Their segment is there from its
 * byte `from` on, `length` bytes at `bytes`. What the cache has no room for is copied to memory of arenaSize() bytes, which is
 * given, and the caller's; 0 where there is none, or isRefused().
 */
export function chunks(bytes: usize, from: u32, length: u32, first: u32, count: u32, into: usize, pins: usize): usize {
  const limit = bytes + <usize>length;
  const begin = buffer.address(wanted) + <usize>first * <usize>WANTED_BYTES;
  const behind = begin + <usize>count * <usize>WANTED_BYTES;
  arenaBytes = 0;
  failed = false;
  for (let each = begin; each < behind; each += <usize>WANTED_BYTES) {
    const one = changetype<Wanted>(each);
    if (one.data == 0) check(one, bytes, from, limit, into, pins);
  }
  if (arenaBytes == 0) return 0;
  const arena = heap.alloc(arenaBytes);
  if (arena == 0) {
    failed = true;
    return 0;
  }
  let free = arena;
  for (let each = begin; each < behind; each += <usize>WANTED_BYTES) {
    const one = changetype<Wanted>(each);
    if (one.data != 0 || one.bytes == 0) continue;
    readVarint(bytes + <usize>(one.offset - from), limit);
    memory.copy(free, varintEnd + 1, one.bytes);
    one.data = <u32>free;
    free += room(one.bytes);
  }
  return arena;
}

/** Looks whether a chunk is one of floats, and intact; gives it to the cache, or adds what it takes to the arena's size. */
function check(one: Wanted, bytes: usize, from: u32, limit: usize, into: usize, pins: usize): void {
  const flags = into + ((<usize>one.place) << 2);
  one.bytes = 0;
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
  if (one.kept != 0) one.data = <u32>cache.keep(changetype<Kept>(<usize>one.kept), data, one.bytes, pins);
  if (one.data == 0) arenaBytes += <u32>room(one.bytes);
}

/** What a copy takes: up to the next multiple of 8. */
function room(length: u32): usize {
  return (<usize>length + 7) & ~7;
}

/**
 * Links the wanted chunks in front of those of their series, as references in memory of arenaSize() bytes, which is given, and
 * the caller's; 0 where there is nothing to link, or isRefused(). Series with a bad chunk are left to TypeScript.
 */
export function link(into: usize): usize {
  failed = false;
  arenaBytes = wantedCount() * <u32>REFERENCE_BYTES;
  if (arenaBytes == 0) return 0;
  const arena = heap.alloc(arenaBytes);
  if (arena == 0) {
    failed = true;
    return 0;
  }
  let free = arena;
  const begin = buffer.address(wanted);
  const behind = begin + <usize>buffer.length(wanted);
  for (let each = begin; each < behind; each += <usize>WANTED_BYTES) {
    const one = changetype<Wanted>(each);
    const flags = into + ((<usize>one.place) << 2);
    if (one.data == 0 || (load<u32>(flags) & HISTORY_SKIP) != 0) continue;
    refer(free, one.minT, one.maxT, load<u32>(flags), one.data, one.bytes);
    store<u32>(flags, <u32>free);
    free += <usize>REFERENCE_BYTES;
  }
  return arena;
}
