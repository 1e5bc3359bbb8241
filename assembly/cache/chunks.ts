// What queries read from files and the next ones need not read again: entries of blocks' indexes, and chunks.
//
//   record, in a page (pages.ts)
//   0          4
//   ┌──────────┬────────┬──────── ─ ─
//   │ size     │ bytes  │ data …                                                        a chunk of a block: its entry knows where
//   ├──────────┼────────┼───────┬─────┬───────┬───┬──────── ─ ─
//   │ size | 1 │ hash   │ block │ ref │ count │ – │ count × chunk                        the entry of a series in a block
//   ├──────────┼────────┼───────┼─────┴──┬────┴───┼──────┬───────┬───┬──────── ─ ─
//   │ size | 2 │ hash   │ file  │ offset │ minT   │ maxT │ bytes │ – │ data …           a chunk of the head, from chunks_head
//   └──────────┴────────┴───────┴────────┴────────┴──────┴───────┴───┴──────── ─ ─
//
//   chunk of an entry (32 bytes)
//   0      8      12        16       20     24      28      32
//   ┌──────┬──────┬─────────┬────────┬──────┬───────┬───────┐
//   │ minT │ span │ segment │ offset │ data │ stamp │ bytes │     data   where it is, if its page still has that stamp
//   │ i64  │ u32  │ u32     │ u32    │ u32  │ u32   │ u32   │            0: it was not kept
//   └──────┴──────┴─────────┴────────┴──────┴───────┴───────┘
//
// Files say what they say for ever: blocks are never changed, nor are batches of chunks_head that are on the disk, and no
// number of a file or an opened block is given twice. So nothing here is ever wrong, only unwanted, and goes as time does.

import * as read from '../chunk/read';
import { Sealed } from '../chunk/read';
import { CACHE_CHUNK_BYTES, CHUNK_FOUND, REFERENCE_BYTES } from '../layout';
import * as table from '../memory/table';
import * as pages from './pages';

const KIND_ENTRY: u32 = 1;
const KIND_HEAD: u32 = 2;
const KINDS: u32 = 7;

/** Looked for together. */
export const TOGETHER: u32 = 16;

const HASH: usize = 4;
/** Of both kinds that are found: a file, or a block, and the place in it. */
const FILE: usize = 8;
const PLACE: usize = 12;
const COUNT: usize = 16;
const CHUNKS: usize = 24;
const MIN: usize = 16;
const MAX: usize = 24;
const BYTES: usize = 32;
const HEAD_DATA: usize = 40;
const DATA: usize = 8;

/** A chunk of an entry. */
@unmanaged
export class Kept {
  minT: i64;
  span: u32;
  segment: u32;
  offset: u32;
  data: u32;
  stamp: u32;
  bytes: u32;
}

const KEPT_BYTES: usize = CACHE_CHUNK_BYTES;
const PLACE_BYTES: usize = REFERENCE_BYTES;

/** Records by hash. */
const index: usize = memory.data(<i32>table.TABLE_BYTES, 8);

let hits: f64 = 0;
let misses: f64 = 0;

/** Chunks that were there. */
export function hitsTotal(): f64 {
  return hits;
}

/** Chunks that had to be read. */
export function missesTotal(): f64 {
  return misses;
}

/** Of a chunk that somebody wanted. */
export function count(isThere: bool): void {
  if (isThere) hits += 1;
  else misses += 1;
}

/** Forgets everything, and gives back what nobody reads just now. */
export function drop(): void {
  table.clear(index);
  pages.shrink();
}

// --- Entries ---

/** Where the entry of a series in a block may be, for entryOf(): ask for some of them first, so that the processor fetches what they touch side by side. */
export function likelyEntry(block: u32, ref: u32): u32 {
  return table.first(index, hashOf(KIND_ENTRY, block, ref));
}

/** What is kept of a series' entry in a block, pinned for a window; 0 where that is nothing. */
export function entryOf(likely: u32, block: u32, ref: u32, pins: usize): usize {
  return recordOf(likely, KIND_ENTRY, block, ref, pins);
}

export function countOf(entry: usize): u32 {
  return load<u32>(entry, COUNT);
}

/** The chunk at an index of those that begin at `chunks`. */
export function keptAt(chunks: usize, i: u32): Kept {
  return changetype<Kept>(chunks + <usize>i * KEPT_BYTES);
}

export function chunksOf(entry: usize): usize {
  return entry + CHUNKS;
}

/** Room for an entry that nobody finds before publish(), pinned; 0 where there is none. */
export function beginEntry(count: u32, pins: usize): usize {
  const entry = record(CHUNKS + <usize>count * KEPT_BYTES, pins);
  if (entry != 0) store<u32>(entry, count, COUNT);
  return entry;
}

export function publishEntry(entry: usize, block: u32, ref: u32): void {
  publish(entry, KIND_ENTRY, block, ref);
}

/** The data of an entry's chunk, pinned; 0 where it is not there any more. */
export function dataOf(kept: Kept, pins: usize): usize {
  const data = <usize>kept.data;
  return data != 0 && pages.stampOf(data) == kept.stamp && pages.pin(data, pins) ? data : 0;
}

/** Keeps the data of an entry's chunk, pinned: its new address; 0 where there is no room. */
export function keep(kept: Kept, from: usize, bytes: u32, pins: usize): usize {
  const at = record(DATA + <usize>bytes, pins);
  if (at == 0) return 0;
  store<u32>(at, bytes, HASH);
  const data = at + DATA;
  memory.copy(data, from, bytes);
  kept.data = <u32>data;
  kept.stamp = pages.stampOf(data);
  kept.bytes = bytes;
  return data;
}

// --- Chunks of the head ---

/** Of a place: the file and the offset that are looked for, then whether they were found. */
const ASKED_OFFSET: usize = 4;
const ASKED_RECORD: usize = 8;
const FOUND: usize = CHUNK_FOUND;

/**
 * Looks for chunks of chunks_head: `places` has REFERENCE_BYTES for each, which begin with a file and an offset, u32 each. They become
 * references to what is kept, pinned for a window; the word at CHUNK_FOUND says whether it is.
 */
export function findHeads(places: usize, asked: u32, pins: usize): void {
  for (let from: u32 = 0; from < asked; from += TOGETHER) {
    const end = places + <usize>min(from + TOGETHER, asked) * PLACE_BYTES;
    const begin = places + <usize>from * PLACE_BYTES;
    for (let at = begin; at < end; at += PLACE_BYTES) {
      store<u32>(at, table.first(index, hashOf(KIND_HEAD, load<u32>(at), load<u32>(at, ASKED_OFFSET))), ASKED_RECORD);
    }
    for (let at = begin; at < end; at += PLACE_BYTES) findHead(at, pins);
  }
}

function findHead(at: usize, pins: usize): void {
  const found = recordOf(load<u32>(at, ASKED_RECORD), KIND_HEAD, load<u32>(at), load<u32>(at, ASKED_OFFSET), pins);
  count(found != 0);
  if (found != 0) referHead(found, at);
  store<u32>(at, u32(found != 0), FOUND);
}

/** Keeps a chunk that was read, pinned: its record; 0 where there is no room. */
export function keepHead(file: u32, offset: u32, address: usize, pins: usize): usize {
  const chunk = changetype<Sealed>(address);
  const bytes = read.bytesOf(chunk);
  const at = record(HEAD_DATA + <usize>bytes, pins);
  if (at == 0) return 0;
  store<i64>(at, chunk.minT, MIN);
  store<i64>(at, chunk.maxT, MAX);
  store<u32>(at, bytes, BYTES);
  memory.copy(at + HEAD_DATA, read.dataOf(chunk), bytes);
  publish(at, KIND_HEAD, file, offset);
  return at;
}

/** Makes a chunk of REFERENCE_BYTES at an address whose data are those of a record. */
export function referHead(record: usize, at: usize): void {
  const bytes = load<u32>(record, BYTES);
  read.refer(at, load<i64>(record, MIN), load<i64>(record, MAX), 0, record + HEAD_DATA, bytes);
}

// --- Records ---

/** Room for a record, pinned, that nobody finds yet; 0 where there is none. */
function record(bytes: usize, pins: usize): usize {
  const size = (<u32>bytes + 7) & ~7;
  let at = pages.alloc(size);
  if (at == 0) {
    const page = pages.stale(size);
    if (page == 0) return 0;
    forget(page);
    pages.restart(page);
    at = pages.alloc(size);
    if (at == 0) return 0;
  }
  store<u32>(at, size);
  return pages.pin(at, pins) ? at : 0;
}

/** Has a record found; where memory is refused it never is. */
function publish(at: usize, kind: u32, file: u32, place: u32): void {
  const hash = hashOf(kind, file, place);
  store<u32>(at, file, FILE);
  store<u32>(at, place, PLACE);
  store<u32>(at, hash, HASH);
  // An address is a multiple of 8, and an id may be any number but the last few.
  if (table.insert(index, hash, <u32>at)) store<u32>(at, load<u32>(at) | kind);
}

/** The record that somebody looks for, pinned, where the first with its hash is at `likely`; 0 where there is none. */
function recordOf(likely: u32, kind: u32, file: u32, place: u32, pins: usize): usize {
  let id = likely;
  if (id == table.NONE) return 0;
  if (!isRecord(<usize>id, kind, file, place)) id = another(kind, file, place);
  return id != table.NONE && pages.pin(<usize>id, pins) ? <usize>id : 0;
}

/** The same of those that share the hash. */
function another(kind: u32, file: u32, place: u32): u32 {
  const hash = hashOf(kind, file, place);
  let id = table.first(index, hash);
  while (id != table.NONE && !isRecord(<usize>id, kind, file, place)) id = table.next(index, hash);
  return id;
}

function isRecord(at: usize, kind: u32, file: u32, place: u32): bool {
  return (load<u32>(at) & KINDS) == kind && load<u32>(at, FILE) == file && load<u32>(at, PLACE) == place;
}

/** Nobody finds the records of a page any more. */
function forget(page: usize): void {
  const end = pages.end(page);
  for (let at = pages.first(page); at < end; at += <usize>(load<u32>(at) & ~KINDS)) {
    if ((load<u32>(at) & KINDS) != 0) table.remove(index, load<u32>(at, HASH), <u32>at);
  }
}

/** Places are chosen by no stranger. */
function hashOf(kind: u32, file: u32, place: u32): u32 {
  const mixed = (((<u64>file) << 32) | <u64>place) * 0x9e3779b97f4a7c15 + <u64>kind;
  return <u32>((mixed * 0xbf58476d1ce4e5b9) >> 32);
}
