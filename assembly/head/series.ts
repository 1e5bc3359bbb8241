// The series table: one 64-byte record for each series of this shard, found by
// its index (dense, never given out twice) or by its label set.
//
//   record (64 bytes, one cache line)
//   0        4        8        12       16                            52     64
//   ┌────────┬────────┬────────┬────────┬─────────────────────────────┬──────┐
//   │ ref lo │ labels │ sealed │ append │ open chunk's encoder state  │ –    │
//   └────────┴────────┴────────┴────────┴─────────────────────────────┴──────┘
//     ref lo   low 32 bits of the WAL ref
//     labels   address of the label set; 0 means the series is gone, bit 0 that it is going
//     sealed   newest sealed chunk; each links to the one before
//     append   number of the last append that touched the series (isolation, see journal.ts)
//   The state is drawn in chunk/state.ts; its time and value are the series' newest sample.
//
//   label set
//   ┌──────────────────────────┬─────────┬─────────┬───
//   │ schema:24 │ ref high:8   │ value 0 │ value 1 │ …     a symbol for each name of the schema
//   └──────────────────────────┴─────────┴─────────┴───
//
// The hash of a label set is folded from the seeded hashes of its strings, so it
// is the same in every shard and after every restart, and nobody can choose it.

import { hash64 } from '../bytes/hash';
import * as schemas from '../labels/schemas';
import * as scratch from '../labels/scratch';
import * as symbols from '../labels/symbols';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as table from '../memory/table';
import * as vector from '../memory/vector';
import * as pairs from '../postings/pairs';

export const NONE: u32 = 0xffffffff;

const LOG2: u32 = 6;
const REF: usize = 0;
const LABELS: usize = 4;
const SEALED: usize = 8;
const APPEND: usize = 12;
const CHUNK: usize = 16;

/** Set in the labels' address while a series waits for its postings to be swept. */
const GOING: u32 = 1;

const records: usize = memory.data(16, 8);
const index: usize = memory.data(16, 8);
/** Name and value symbols, and hashes, of the label set being resolved. */
const names: usize = memory.data(16, 8);
let alive: u32 = 0;
let created: f64 = 0;
let removed: f64 = 0;

/** The hash of the label set that resolve() saw last. */
let lastHash: u64 = 0;

// --- Records ---

export function at(series: u32): usize {
  return vector.at(records, series, LOG2);
}

/** The record of a series that is there; 0 for one that is gone or never was. */
export function find(series: u32): usize {
  const record = vector.find(records, series, LOG2);
  if (record == 0) return 0;
  const set = load<u32>(record, LABELS);
  return set == 0 || (set & GOING) != 0 ? 0 : record;
}

/** One more than the highest series index. */
export function bound(): u32 {
  return vector.count(records);
}

export function count(): u32 {
  return alive;
}

export function createdTotal(): f64 {
  return created;
}

export function removedTotal(): f64 {
  return removed;
}

export function refLow(record: usize): u32 {
  return load<u32>(record, REF);
}

export function ref(record: usize): u64 {
  return ((<u64>(load<u32>(labels(record)) >>> 24)) << 32) | <u64>load<u32>(record, REF);
}

export function labels(record: usize): usize {
  return <usize>load<u32>(record, LABELS);
}

export function sealed(record: usize): usize {
  return <usize>load<u32>(record, SEALED);
}

export function setSealed(record: usize, chunk: usize): void {
  store<u32>(record, <u32>chunk, SEALED);
}

export function lastAppend(record: usize): u32 {
  return load<u32>(record, APPEND);
}

export function setLastAppend(record: usize, append: u32): void {
  store<u32>(record, append, APPEND);
}

export function chunk(record: usize): usize {
  return record + CHUNK;
}

// --- Label sets ---

export function schemaOf(set: usize): u32 {
  return load<u32>(set) & 0xffffff;
}

/** The address of the first value symbol. */
export function values(set: usize): usize {
  return set + 4;
}

/** The value symbol of a name in a label set; symbols.NONE where the set does not have the name. */
export function valueOf(set: usize, name: u32): u32 {
  const place = schemas.indexOf(schemaOf(set), name);
  return place < 0 ? symbols.NONE : load<u32>(values(set) + ((<usize>place) << 2));
}

/** The hash of the labels in the scratch: which shard owns them, and where they are in its table. */
export function hashScratch(): u64 {
  const count = scratch.count();
  let hash: u64 = count;
  for (let i: u32 = 0; i < count; i++) {
    hash = fold(hash, hash64(scratch.nameAddress(i), scratch.nameLength(i)));
    hash = fold(hash, hash64(scratch.valueAddress(i), scratch.valueLength(i)));
  }
  return finish(hash);
}

/** The shard, of `count`, that owns the labels in the scratch: by the high bits of their hash, since tables use the low ones. */
export function ownerOfScratch(count: u32): u32 {
  return <u32>(((hashScratch() >> 32) * <u64>count) >> 32);
}

function hashSet(set: usize): u64 {
  const schema = schemaOf(set);
  const count = schemas.count(schema);
  let hash: u64 = count;
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(schemas.names(schema) + ((<usize>i) << 2));
    const value = load<u32>(values(set) + ((<usize>i) << 2));
    hash = fold(hash, hash64(symbols.address(name), symbols.length(name)));
    hash = fold(hash, hash64(symbols.address(value), symbols.length(value)));
  }
  return finish(hash);
}

function fold(hash: u64, part: u64): u64 {
  hash = (hash ^ part) * 0x9fb21c651e98df25;
  return hash ^ (hash >> 32);
}

function finish(hash: u64): u64 {
  hash *= 0xd6e8feb86659fd93;
  return hash ^ (hash >> 29);
}

// --- Finding and making ---

/** The series of the labels in the scratch, or NONE. */
export function resolve(): u32 {
  const count = scratch.count();
  lastHash = hashScratch();
  if (!roomForSymbols(count)) return NONE;
  const list = buffer.address(names);
  for (let i: u32 = 0; i < count; i++) {
    const name = symbols.find(scratch.nameAddress(i), scratch.nameLength(i));
    const value = symbols.find(scratch.valueAddress(i), scratch.valueLength(i));
    if (name == symbols.NONE || value == symbols.NONE) return NONE;
    store<u32>(list + ((<usize>i) << 3), name);
    store<u32>(list + ((<usize>i) << 3), value, 4);
  }
  return lookup(list, count, <u32>lastHash);
}

/**
 * Makes a series of the labels in the scratch, which resolve() just did not find.
 * NONE where the memory limit says no; nothing is left half made then but interned strings.
 */
export function create(refValue: u64): u32 {
  const count = scratch.count();
  const set = internSet(count, refValue);
  if (set == 0) return NONE;
  const record = vector.push(records, LOG2);
  if (record == 0) {
    heap.free(set, setBytes(count));
    return NONE;
  }
  const series = vector.count(records) - 1;
  if (!post(set, series) || !table.insert(index, <u32>lastHash, series)) {
    // The record stays behind without labels: dead, and whoever meets it in a postings list skips it.
    heap.free(set, setBytes(count));
    return NONE;
  }
  const schema = schemaOf(set);
  for (let i: u32 = 0; i < schemas.count(schema); i++) symbols.retain(load<u32>(values(set) + ((<usize>i) << 2)));
  store<u32>(record, <u32>refValue, REF);
  store<u32>(record, <u32>set, LABELS);
  alive++;
  created += 1;
  return series;
}

/** First half of removing a series: nobody finds it any more. Its chunks are gone by now; its labels stay. */
export function retire(series: u32): void {
  const record = at(series);
  table.remove(index, <u32>hashSet(labels(record)), series);
  store<u32>(record, load<u32>(record, LABELS) | GOING, LABELS);
  alive--;
  removed += 1;
}

/** Second half, after the postings were swept: frees the labels of a retired series. */
export function destroy(series: u32): void {
  const record = at(series);
  const set = <usize>(load<u32>(record, LABELS) & ~GOING);
  const schema = schemaOf(set);
  const count = schemas.count(schema);
  for (let i: u32 = 0; i < count; i++) symbols.release(load<u32>(values(set) + ((<usize>i) << 2)));
  heap.free(set, setBytes(count));
  store<u32>(record, 0, LABELS);
}

/** Frees the pages of records on which every series is gone; never the last, which still fills. */
export function dropDeadPages(): void {
  const perPage: u32 = 1 << (16 - LOG2);
  const full = vector.count(records) & ~(perPage - 1);
  for (let first: u32 = 0; first < full; first += perPage) {
    if (vector.find(records, first, LOG2) == 0) continue;
    let i = first;
    while (i < first + perPage && load<u32>(at(i), LABELS) == 0) i++;
    if (i == first + perPage) vector.dropPage(records, first, LOG2);
  }
}

function lookup(list: usize, count: u32, hash: u32): u32 {
  let series = table.first(index, hash);
  while (series != table.NONE) {
    if (sameSet(labels(at(series)), list, count)) return series;
    series = table.next(index, hash);
  }
  return NONE;
}

function sameSet(set: usize, list: usize, count: u32): bool {
  const schema = schemaOf(set);
  if (schemas.count(schema) != count) return false;
  const schemaNames = schemas.names(schema);
  for (let i: u32 = 0; i < count; i++) {
    const pair = list + ((<usize>i) << 3);
    if (load<u32>(values(set) + ((<usize>i) << 2)) != load<u32>(pair, 4)) return false;
    if (load<u32>(schemaNames + ((<usize>i) << 2)) != load<u32>(pair)) return false;
  }
  return true;
}

/** The scratch as a label set in the heap, strings interned; 0 where the memory limit says no. */
function internSet(count: u32, refValue: u64): usize {
  if (!roomForSymbols(count)) return 0;
  const set = heap.alloc(setBytes(count));
  if (set == 0) return 0;
  const list = buffer.address(names);
  for (let i: u32 = 0; i < count; i++) {
    const name = internBytes(scratch.nameAddress(i), scratch.nameLength(i));
    const value = internBytes(scratch.valueAddress(i), scratch.valueLength(i));
    if (name == symbols.NONE || value == symbols.NONE) {
      heap.free(set, setBytes(count));
      return 0;
    }
    store<u32>(list + ((<usize>i) << 2), name);
    store<u32>(values(set) + ((<usize>i) << 2), value);
  }
  const schema = schemas.intern(list, count);
  if (schema == schemas.NONE) {
    heap.free(set, setBytes(count));
    return 0;
  }
  store<u32>(set, schema | ((<u32>(refValue >> 32)) << 24));
  return set;
}

function internBytes(address: usize, length: u32): u32 {
  return symbols.intern(address, length, <u32>hash64(address, length));
}

function post(set: usize, series: u32): bool {
  const schema = schemaOf(set);
  const count = schemas.count(schema);
  const schemaNames = schemas.names(schema);
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(schemaNames + ((<usize>i) << 2));
    if (!pairs.add(name, load<u32>(values(set) + ((<usize>i) << 2)), series)) return false;
  }
  return true;
}

function roomForSymbols(count: u32): bool {
  buffer.truncate(names, 0);
  return buffer.reserve(names, max(count, 1) << 3) != 0;
}

function setBytes(count: u32): usize {
  return 4 + ((<usize>count) << 2);
}
