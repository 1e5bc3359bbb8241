// The series table: one 64-byte record for each series of this shard, found by
// its index (dense, never given out twice) or by its label set.
//
//   record (64 bytes, one cache line)
//   0        4        8        12       16                            52        56         64
//   ┌────────┬────────┬────────┬────────┬─────────────────────────────┬─────────┬──────────┐
//   │ ref lo │ labels │ sealed │ append │ open chunk's encoder state  │ spilled │ histogram│
//   └────────┴────────┴────────┴────────┴─────────────────────────────┴─────────┴──────────┘
//     ref lo   low 32 bits of the WAL ref
//     labels   address of the label set; 0 means the series is gone, bit 0 that it is going, bit 1 that it was lost
//     sealed   newest sealed chunk; each links to the one before
//     append   number of the last append that touched the series (isolation, see journal.ts)
//     spilled  the list of its chunks that are in files (spilled.ts), 0 where there are none
//     histogram  time of the newest sample that is a histogram, its highest bit flipped, so that 0 says none: see histograms.ts
//   The state is drawn in chunk/state.ts; its time and value are the series' newest sample. Main reads it, too
//   (layout.ts: SERIES_…): at times when no append is under way.
//
//   label set
//   ┌──────────────────────────┬─────────┬─────────┬───
//   │ schema:24 │ ref high:8   │ value 0 │ value 1 │ …     a symbol for each name of the schema
//   └──────────────────────────┴─────────┴─────────┴───
//
// Series of blocks that the head does not have are guests (guests.ts): records of the same form.
//
// The hash of a label set is folded from the seeded hashes of its strings, so it
// is the same in every shard and after every restart, and nobody can choose it.

import { equal } from '../bytes/equal';
import { hash64 } from '../bytes/hash';
import * as schemas from '../labels/schemas';
import * as scratch from '../labels/scratch';
import * as symbols from '../labels/symbols';
import { SERIES_APPEND, SERIES_FOREIGN, SERIES_SEALED, SERIES_TIME, SERIES_UNKNOWN } from '../layout';
import * as buffer from '../memory/buffer';
import * as heap from '../memory/heap';
import * as table from '../memory/table';
import * as vector from '../memory/vector';
import * as pairs from '../postings/pairs';
import * as guests from './guests';

export const NONE: u32 = 0xffffffff;
/** In place of a number: the labels belong to another shard; nobody knows who has them now. */
export const FOREIGN: u32 = <u32>SERIES_FOREIGN;
export const UNKNOWN: u32 = <u32>SERIES_UNKNOWN;

const LOG2: u32 = 6;
const REF: usize = 0;
const LABELS: usize = 4;
const SEALED: usize = SERIES_SEALED;
const APPEND: usize = SERIES_APPEND;
const CHUNK: usize = SERIES_TIME;
const SPILLED: usize = 52;
const HISTOGRAM: usize = 56;

/** Set in the labels' address while a series waits for its postings to be swept. */
const GOING: u32 = 1;
/** Set where memory was refused half way through create(): postings may name the series, so it is swept like the going. */
const LOST: u32 = 2;

const records: usize = memory.data(16, 8);
const index: usize = memory.data(16, 8);
/**
 * What is known of each label of the set being resolved: hashes and symbols of name and value (24 bytes each).
 * The symbols of the set before stay, because the next one mostly has the same names and some of the values, those of its target.
 * Of names only a schema's are remembered: those never go. Values are, until a symbol is freed.
 */
const parts: usize = memory.data(16, 8);
const PART_BYTES: u32 = 24;
const PART_NAME_HASH: usize = 0;
const PART_VALUE_HASH: usize = 8;
const PART_NAME: usize = 16;
const PART_VALUE: usize = 20;
let partCount: u32 = 0;
/** Whether the name symbols of the parts are a schema's. */
let remembers: bool = false;
/** The count of freed symbols when values were remembered. */
let symbolFrees: u32 = 0;
/** The name symbols of a set being interned. */
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
  return set == 0 || (set & (GOING | LOST)) != 0 ? 0 : record;
}

/** The same, for guests as well. */
export function findAny(number: u32): usize {
  return guests.isGuest(number) ? guests.find(number) : find(number);
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

/** Where the record has the list of its chunks in files: what spilled.ts works on. Not of guests. */
export function spilled(record: usize): usize {
  return record + SPILLED;
}

/** The time of the newest histogram; i64.MIN_VALUE where there was none. */
export function newestHistogram(record: usize): i64 {
  return load<i64>(record, HISTOGRAM) ^ i64.MIN_VALUE;
}

export function setNewestHistogram(record: usize, time: i64): void {
  store<i64>(record, time ^ i64.MIN_VALUE, HISTOGRAM);
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

/**
 * The hash of the labels in the scratch: which shard owns them, and where they are in its table. Leaves
 * the hashes of the strings in `parts` for who looks up or interns them next; 0 where there is no memory.
 */
export function hashScratch(): u64 {
  const count = scratch.count();
  if (!makeRoom(count)) return 0;
  if (!remembers) forgetNames();
  if (symbols.freeCount() != symbolFrees) forgetValues();
  let hash: u64 = count;
  for (let i: u32 = 0; i < count; i++) {
    const part = partAt(i);
    const name = hashName(i);
    const value = hashValue(i);
    store<u64>(part, name, PART_NAME_HASH);
    store<u64>(part, value, PART_VALUE_HASH);
    hash = fold(fold(hash, name), value);
  }
  return finish(hash);
}

/** Series come in runs with the same names, so the name at this place last time is tried before it is hashed. */
function hashName(i: u32): u64 {
  const at = scratch.nameAddress(i);
  const length = scratch.nameLength(i);
  const part = partAt(i);
  const symbol = load<u32>(part, PART_NAME);
  if (symbol != symbols.NONE && symbols.length(symbol) == length && equal(symbols.address(symbol), at, length)) {
    return load<u64>(part, PART_NAME_HASH);
  }
  store<u32>(part, symbols.NONE, PART_NAME);
  return hash64(at, length);
}

/** Likewise: series of a target come in runs, and some of their labels are the target's. */
function hashValue(i: u32): u64 {
  const at = scratch.valueAddress(i);
  const length = scratch.valueLength(i);
  const part = partAt(i);
  const symbol = load<u32>(part, PART_VALUE);
  if (symbol != symbols.NONE && symbols.length(symbol) == length && equal(symbols.address(symbol), at, length)) {
    return load<u64>(part, PART_VALUE_HASH);
  }
  store<u32>(part, symbols.NONE, PART_VALUE);
  return hash64(at, length);
}

/** The shard, of `count`, that owns the labels in the scratch. */
export function ownerOfScratch(count: u32): u32 {
  return ownerOf(hashScratch(), count);
}

/** By the high bits of the hash, since tables use the low ones. */
function ownerOf(hash: u64, count: u32): u32 {
  return <u32>(((hash >> 32) * <u64>count) >> 32);
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
  lastHash = hashScratch();
  return findSymbols() ? lookup(scratch.count(), <u32>lastHash) : NONE;
}

/**
 * The series of the labels in the scratch, or a guest, who is made where there is none; FOREIGN where they belong to
 * another shard of `shards`, NONE where the memory limit says no.
 */
export function invite(shard: u32, shards: u32): u32 {
  const count = scratch.count();
  lastHash = hashScratch();
  if (ownerOf(lastHash, shards) != shard) return FOREIGN;
  const hash = <u32>lastHash;
  if (findSymbols()) {
    const own = lookup(count, hash);
    if (own != NONE) return own;
    for (let guest = guests.first(hash); guest != table.NONE; guest = guests.next(hash)) {
      if (sameSet(labels(guests.find(guest)), count)) return guest;
    }
  }
  return makeGuest(count, hash);
}

function makeGuest(count: u32, hash: u32): u32 {
  if (partCount < count) return NONE;
  const set = internSet(count, 0);
  if (set == 0) return NONE;
  const record = guests.push(hash);
  if (record == 0) {
    dropUnused(count, set);
    heap.free(set, setBytes(count));
    return NONE;
  }
  for (let i: u32 = 0; i < count; i++) symbols.retain(valueAt(set, i));
  store<u32>(record, <u32>set, LABELS);
  return guests.GUEST | (guests.count() - 1);
}

/** Forgets all guests. No query may be open. */
export function dropGuests(): void {
  const count = guests.count();
  for (let i: u32 = 0; i < count; i++) destroySet(labels(guests.find(guests.GUEST | i)));
  guests.clear();
}

/** Where a guest has the labels of a series that was just made, the series takes its place. */
function relieveGuest(set: usize, hash: u32, series: u32): void {
  if (guests.waiting() == 0) return;
  const bytes = setBytes(schemas.count(schemaOf(set))) - 4;
  for (let guest = guests.first(hash); guest != table.NONE; guest = guests.next(hash)) {
    const other = labels(guests.find(guest));
    if (schemaOf(other) != schemaOf(set) || memory.compare(values(other), values(set), bytes) != 0) continue;
    guests.succeed(guest, hash, series);
    return;
  }
}

/**
 * Brings `count` numbers at `list` that were found once up to date: a guest that a series took the place of becomes that
 * series, a series that is gone UNKNOWN; those that are UNKNOWN or FOREIGN stay so. Gives how many are UNKNOWN.
 */
export function renew(list: usize, count: u32): u32 {
  let unknown: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = list + ((<usize>i) << 2);
    let number = load<u32>(at);
    if (number == FOREIGN) continue;
    if (number != UNKNOWN && guests.isGuest(number)) {
      const series = guests.successor(guests.find(number));
      if (series == NONE) continue;
      number = series;
    }
    if (number == UNKNOWN || find(number) == 0) {
      number = UNKNOWN;
      unknown++;
    }
    store<u32>(at, number);
  }
  return unknown;
}

/** Finds the symbols of the labels in the scratch, whose hashes are known; false where one has none. */
function findSymbols(): bool {
  const count = scratch.count();
  remembers = false;
  if (!makeRoom(count)) return false;
  for (let i: u32 = 0; i < count; i++) {
    const part = partAt(i);
    if (load<u32>(part, PART_NAME) == symbols.NONE) {
      const hash = <u32>load<u64>(part, PART_NAME_HASH);
      store<u32>(part, symbols.lookup(scratch.nameAddress(i), scratch.nameLength(i), hash), PART_NAME);
    }
    if (load<u32>(part, PART_VALUE) == symbols.NONE) {
      const hash = <u32>load<u64>(part, PART_VALUE_HASH);
      store<u32>(part, symbols.lookup(scratch.valueAddress(i), scratch.valueLength(i), hash), PART_VALUE);
    }
    if (load<u32>(part, PART_VALUE) == symbols.NONE || load<u32>(part, PART_NAME) == symbols.NONE) return false;
  }
  return true;
}

/**
 * Makes a series of the labels in the scratch, which resolve() just did not find. NONE where the memory limit
 * says no: mostly before anything was changed; else what was made is LOST, and goes with the next truncation.
 */
export function create(refValue: u64): u32 {
  const count = scratch.count();
  // Where resolve() had no room for the parts, they say nothing of these labels.
  if (partCount < count || !table.reserve(index, 1) || !pairs.reserve(count)) return NONE;
  const set = internSet(count, refValue);
  if (set == 0) return NONE;
  const record = vector.push(records, LOG2);
  if (record == 0) {
    dropUnused(count, set);
    heap.free(set, setBytes(count));
    return NONE;
  }
  const series = vector.count(records) - 1;
  for (let i: u32 = 0; i < count; i++) symbols.retain(valueAt(set, i));
  store<u32>(record, <u32>refValue, REF);
  if (!post(set, series)) {
    store<u32>(record, <u32>set | LOST, LABELS);
    return NONE;
  }
  table.insert(index, <u32>lastHash, series);
  store<u32>(record, <u32>set, LABELS);
  relieveGuest(set, <u32>lastHash, series);
  alive++;
  created += 1;
  return series;
}

/** Whether create() left the series half made. */
export function isLost(series: u32): bool {
  const record = vector.find(records, series, LOG2);
  return record != 0 && (load<u32>(record, LABELS) & LOST) != 0;
}

/** First half of removing a lost series; the second is destroy(), as for others. */
export function retireLost(series: u32): void {
  const record = at(series);
  store<u32>(record, (load<u32>(record, LABELS) & ~LOST) | GOING, LABELS);
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
  destroySet(<usize>(load<u32>(record, LABELS) & ~GOING));
  store<u32>(record, 0, LABELS);
}

function destroySet(set: usize): void {
  const count = schemas.count(schemaOf(set));
  for (let i: u32 = 0; i < count; i++) symbols.release(valueAt(set, i));
  heap.free(set, setBytes(count));
}

/** Where dropDeadPages() goes on. */
let looked: u32 = 0;

/** Frees of the next pages of records those on which every series is gone; never the last, which still fills. Whether it has come to the end. */
export function dropDeadPages(count: u32): bool {
  const perPage: u32 = 1 << (16 - LOG2);
  const full = vector.count(records) & ~(perPage - 1);
  const end = min(looked + count * perPage, full);
  for (; looked < end; looked += perPage) {
    if (vector.find(records, looked, LOG2) == 0) continue;
    let i = looked;
    while (i < looked + perPage && load<u32>(at(i), LABELS) == 0) i++;
    if (i == looked + perPage) vector.dropPage(records, looked, LOG2);
  }
  if (looked < full) return false;
  looked = 0;
  return true;
}

function lookup(count: u32, hash: u32): u32 {
  let series = table.first(index, hash);
  while (series != table.NONE) {
    if (sameSet(labels(at(series)), count)) {
      remembers = true;
      return series;
    }
    series = table.next(index, hash);
  }
  return NONE;
}

function sameSet(set: usize, count: u32): bool {
  const schema = schemaOf(set);
  if (schemas.count(schema) != count) return false;
  const schemaNames = schemas.names(schema);
  for (let i: u32 = 0; i < count; i++) {
    const part = partAt(i);
    if (load<u32>(values(set) + ((<usize>i) << 2)) != load<u32>(part, PART_VALUE)) return false;
    if (load<u32>(schemaNames + ((<usize>i) << 2)) != load<u32>(part, PART_NAME)) return false;
  }
  return true;
}

/** The scratch as a label set in the heap, strings interned; 0 where the memory limit says no. */
function internSet(count: u32, refValue: u64): usize {
  const set = heap.alloc(setBytes(count));
  if (set == 0) return 0;
  for (let i: u32 = 0; i < count; i++) {
    const part = partAt(i);
    let name = load<u32>(part, PART_NAME);
    if (name == symbols.NONE) {
      name = symbols.intern(scratch.nameAddress(i), scratch.nameLength(i), <u32>load<u64>(part, PART_NAME_HASH));
    }
    let value = load<u32>(part, PART_VALUE);
    if (value == symbols.NONE) {
      const hash = <u32>load<u64>(part, PART_VALUE_HASH);
      value = symbols.intern(scratch.valueAddress(i), scratch.valueLength(i), hash);
      store<u32>(part, value, PART_VALUE);
    }
    // Before the test: what was interned is dropped again below.
    store<u32>(buffer.address(names) + ((<usize>i) << 2), name);
    store<u32>(values(set) + ((<usize>i) << 2), value);
    if (name == symbols.NONE || value == symbols.NONE) return dropSet(set, i + 1, count);
  }
  const schema = schemas.intern(buffer.address(names), count);
  if (schema == schemas.NONE) return dropSet(set, count, count);
  // From here on the schema keeps the names, for ever, so they may be remembered.
  for (let i: u32 = 0; i < count; i++)
    store<u32>(partAt(i), load<u32>(schemas.names(schema) + ((<usize>i) << 2)), PART_NAME);
  remembers = true;
  store<u32>(set, schema | ((<u32>(refValue >> 32)) << 24));
  return set;
}

/** Frees a set whose first `done` labels are interned; gives 0. */
function dropSet(set: usize, done: u32, count: u32): usize {
  dropUnused(done, set);
  heap.free(set, setBytes(count));
  return 0;
}

/** Frees those of a set's first `count` strings that nobody has a reference to, however often they occur in it. */
function dropUnused(count: u32, set: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(buffer.address(names) + ((<usize>i) << 2));
    if (name != symbols.NONE) symbols.retain(name);
    if (valueAt(set, i) != symbols.NONE) symbols.retain(valueAt(set, i));
  }
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(buffer.address(names) + ((<usize>i) << 2));
    if (name != symbols.NONE) symbols.release(name);
    if (valueAt(set, i) != symbols.NONE) symbols.release(valueAt(set, i));
  }
}

function valueAt(set: usize, i: u32): u32 {
  return load<u32>(values(set) + ((<usize>i) << 2));
}

function post(set: usize, series: u32): bool {
  const schema = schemaOf(set);
  const count = schemas.count(schema);
  const schemaNames = schemas.names(schema);
  for (let i: u32 = 0; i < count; i++) {
    const name = load<u32>(schemaNames + ((<usize>i) << 2));
    if (!pairs.add(name, valueAt(set, i), series)) return false;
  }
  return true;
}

/** Makes sure of a part for each label; those never used before remember no name. False where memory is refused. */
function makeRoom(count: u32): bool {
  while (partCount < max(count, 1)) {
    const part = buffer.reserve(parts, PART_BYTES);
    if (part == 0 || buffer.reserve(names, 4) == 0) return false;
    store<u32>(part, symbols.NONE, PART_NAME);
    store<u32>(part, symbols.NONE, PART_VALUE);
    buffer.advance(parts, PART_BYTES);
    buffer.advance(names, 4);
    partCount++;
  }
  return true;
}

function forgetNames(): void {
  for (let i: u32 = 0; i < partCount; i++) store<u32>(partAt(i), symbols.NONE, PART_NAME);
  remembers = true;
}

function forgetValues(): void {
  for (let i: u32 = 0; i < partCount; i++) store<u32>(partAt(i), symbols.NONE, PART_VALUE);
  symbolFrees = symbols.freeCount();
}

function partAt(i: u32): usize {
  return buffer.address(parts) + <usize>(i * PART_BYTES);
}

function setBytes(count: u32): usize {
  return 4 + ((<usize>count) << 2);
}
