// The line cache: what the lines of one scrape target (or the series of one remote-write stream) were last time.
//
// The n-th line of a scrape is nearly always the n-th line of the one before. So
// the entries lie in line order, and a line costs one hash compare with the entry that
// is next in line. Only when that fails is an index from hash to entry built and asked.
//
//   entry (24 bytes)
//   ┌──────────┬─────────┬─────────┬─────────┬──────────┬──────────┬──────────────────────┐
//   │ hash u64 │ sid u32 │ ref u32 │ len u16 │ owner u8 │ flags u8 │ seen u32             │
//   └──────────┴─────────┴─────────┴─────────┴──────────┴──────────┴──────────────────────┘
//   hash    of the raw series bytes, or of the whole line of a comment
//   sid     the series' index in its owner shard; of a TYPE comment: the type
//   ref     the low half of the series' WAL ref
//   len     of the raw bytes; 0 where they are more than u16 holds: then only the index finds it
//   seen    numbers of the last two parses that saw it: the one before << 16 | the last
//
// Numbers of parses run from 1 to 65,534 and then start over. A parse that fails
// gives every entry its former `seen` back, so it never happened.
//
// Invariants
//   - marked = entries whose last parse is `number`;
//   - carried = those of them that the parse before saw too: equal to what that
//     one marked exactly when nothing vanished;
//   - new entries are appended at the end, so a failed parse cuts them off.

import * as heap from '../memory/heap';
import * as batch from './batch';
import * as order from './order';

export const ENTRY_BYTES: usize = 24;
export const HASH: usize = 0;
export const SID: usize = 8;
export const REF: usize = 12;
export const LEN: usize = 16;
export const OWNER: usize = 18;
export const FLAGS: usize = 19;
export const SEEN: usize = 20;

/** The line is a comment that was looked at: HELP, TYPE or anything else. */
export const COMMENT: u32 = 1;
/** Metric relabelling drops this series. */
export const DROPPED: u32 = 2;
/** Gets a stale marker when it vanishes. */
export const TRACKED: u32 = 4;
/** The series is not known (any more). */
export const UNRESOLVED: u32 = 8;
/** What TYPE said when the series was unresolved: which label holds a float. */
export const FLOAT_LABEL: u32 = 16 + 32;
export const FLOAT_LABEL_SHIFT: u32 = 4;
/** TRACKED as the parse before the last left it. Without TRACKED: a timestamp of its own ended the watch. */
export const TRACKED_BEFORE: u32 = 64;
/** The series is called as if it had a start time for value: in a family that may have some, it is none (starts.ts). */
export const CREATED: u32 = 128;

/** As `carried`: there is something to look for. */
export const NOT_STEADY: u32 = 0xffffffff;

// The cache's own block.
export const ENTRIES: usize = 0;
export const CAPACITY: usize = 4;
export const COUNT: usize = 8;
const INDEX: usize = 12;
const SLOTS: usize = 16;
/** The last parse that was not taken back. */
export const NUMBER: usize = 20;
export const MARKED: usize = 24;
export const CARRIED: usize = 28;
const MARKED_BEFORE: usize = 32;
const COUNT_BEFORE: usize = 36;
const TARGET: usize = 40;
const TARGET_BYTES: usize = 44;
const HONOR: usize = 48;
const COMPACT_AT: usize = 52;
/** Parses in a row that did not need the index. */
const QUIET: usize = 56;
/** Of a remote-write stream: the entry that is next in line. */
export const NEXT: usize = 60;
/** Numbers of the last parse that was not taken back and of the one before that; NEVER for none. */
const GOOD: usize = 64;
const GOOD_BEFORE: usize = 68;
// Of order.ts: what the last parse saw, in order.
export const ORDER: usize = 72;
export const ORDER_COUNT: usize = 76;
export const ORDER_ROOM: usize = 80;
export const PAUSE: usize = 84;
export const PAUSE_LEFT: usize = 88;
/** When the last parse was, in ms; NO_TIME where there was none, or it was taken back. */
const TIME: usize = 96;
const CACHE_BYTES: usize = 112;
const NO_TIME: i64 = i64.MIN_VALUE;

const NUMBER_MAX: u32 = 65534;
const NEVER: u32 = 65535;
const LEN_MAX: usize = 65535;
const ENTRIES_MIN: u32 = 32;
const QUIET_PARSES: u32 = 4;
/** Below that many entries compaction is not worth a thought. */
const COMPACT_MIN: u32 = 64;
/** An entry survives that many parses without being seen. */
const UNSEEN_MAX: u32 = 4;

export const STALE_BITS: u64 = 0x7ff0000000000002;

/** A new cache; 0 where the memory limit says no. The caller owns it and hands it to close(). */
export function open(): usize {
  const cache = heap.alloc(CACHE_BYTES);
  if (cache == 0) return 0;
  memory.fill(cache, 0, CACHE_BYTES);
  store<u32>(cache, 1, NUMBER);
  store<u32>(cache, NEVER, GOOD);
  store<i64>(cache, NO_TIME, TIME);
  return cache;
}

export function close(cache: usize): void {
  order.discard(cache);
  dropIndex(cache);
  freeTarget(cache);
  const capacity = load<u32>(cache, CAPACITY);
  if (capacity != 0) heap.free(entries(cache), <usize>capacity * ENTRY_BYTES);
  heap.free(cache, CACHE_BYTES);
}

export function entries(cache: usize): usize {
  return <usize>load<u32>(cache, ENTRIES);
}

export function count(cache: usize): u32 {
  return load<u32>(cache, COUNT);
}

export function capacity(cache: usize): u32 {
  return load<u32>(cache, CAPACITY);
}

export function entryAt(cache: usize, index: u32): usize {
  assert(index < count(cache), 'entry index past the end of the cache');
  return entries(cache) + <usize>index * ENTRY_BYTES;
}

/** Bytes this cache holds. */
export function bytes(cache: usize): usize {
  return (
    CACHE_BYTES +
    <usize>load<u32>(cache, CAPACITY) * ENTRY_BYTES +
    <usize>load<u32>(cache, SLOTS) * sizeof<u32>() +
    load<u32>(cache, TARGET_BYTES)
  );
}

// ---- the target's labels, which every new series of this cache gets

/** Keeps labels as pairs; takes the block `pairs`. */
export function setTarget(cache: usize, pairs: usize, pairsBytes: usize, honor: bool): void {
  freeTarget(cache);
  store<u32>(cache, <u32>pairs, TARGET);
  store<u32>(cache, <u32>pairsBytes, TARGET_BYTES);
  store<u32>(cache, honor ? 1 : 0, HONOR);
}

export function target(cache: usize): usize {
  return <usize>load<u32>(cache, TARGET);
}

export function targetEnd(cache: usize): usize {
  return target(cache) + load<u32>(cache, TARGET_BYTES);
}

export function honorsLabels(cache: usize): bool {
  return load<u32>(cache, HONOR) != 0;
}

function freeTarget(cache: usize): void {
  const size = load<u32>(cache, TARGET_BYTES);
  if (size != 0) heap.free(target(cache), size);
  store<u32>(cache, 0, TARGET_BYTES);
}

// ---- one parse

/** Starts a parse; gives its number. commit() or abort() ends it. */
export function begin(cache: usize): u32 {
  order.apply(cache);
  const number = load<u32>(cache, NUMBER);
  if (number >= NUMBER_MAX) renumber(cache, number);
  if (count(cache) > COMPACT_MIN && load<u32>(cache, MARKED) * 2 < count(cache)) compact(cache);
  if (load<u32>(cache, INDEX) != 0 && load<u32>(cache, QUIET) >= QUIET_PARSES) {
    dropIndex(cache);
    trim(cache);
  }
  store<u32>(cache, count(cache), COUNT_BEFORE);
  order.start(cache);
  return load<u32>(cache, NUMBER) + 1;
}

/** Ends a parse that went well, with `found` lines found by hash. `marked` and `carried` as at the top. */
export function commit(cache: usize, marked: u32, carried: u32, found: u32): void {
  order.finish(cache, found, marked);
  store<u32>(cache, load<u32>(cache, MARKED), MARKED_BEFORE);
  store<u32>(cache, marked, MARKED);
  store<u32>(cache, carried, CARRIED);
  store<u32>(cache, load<u32>(cache, NUMBER) + 1, NUMBER);
  store<u32>(cache, load<u32>(cache, GOOD), GOOD_BEFORE);
  store<u32>(cache, load<u32>(cache, NUMBER), GOOD);
  store<u32>(cache, found > 0 ? 0 : load<u32>(cache, QUIET) + 1, QUIET);
}

/** When the last parse was. */
export function time(cache: usize): i64 {
  return load<i64>(cache, TIME);
}

export function setTime(cache: usize, time: i64): void {
  store<i64>(cache, time, TIME);
}

/** Undoes the parse with this number, whether it ended or not, and its entries' marks. */
export function abort(cache: usize, number: u32): void {
  order.discard(cache);
  const before = load<u32>(cache, COUNT_BEFORE);
  if (count(cache) > before) dropIndex(cache);
  store<u32>(cache, before, COUNT);
  const end = entries(cache) + <usize>before * ENTRY_BYTES;
  for (let entry = entries(cache); entry < end; entry += ENTRY_BYTES) {
    const seen = load<u32>(entry, SEEN);
    if ((seen & 0xffff) != number) continue;
    store<u32>(entry, seen >> 16, SEEN);
    const flags: u32 = load<u8>(entry, FLAGS);
    store<u8>(entry, <u8>((flags & ~TRACKED) | ((flags & TRACKED_BEFORE) != 0 ? TRACKED : 0)), FLAGS);
  }
  if (load<u32>(cache, NUMBER) != number) return;
  store<u32>(cache, number - 1, NUMBER);
  store<i64>(cache, NO_TIME, TIME);
  store<u32>(cache, load<u32>(cache, MARKED_BEFORE), MARKED);
  store<u32>(cache, load<u32>(cache, GOOD_BEFORE), GOOD);
}

// ---- requests of a remote-write stream, whose numbers are epochs

/** Starts a request. */
export function beginRequest(cache: usize): void {
  store<u32>(cache, count(cache), COUNT_BEFORE);
}

/** Cuts off the entries that a malformed request brought. */
export function endRequest(cache: usize): void {
  const before = load<u32>(cache, COUNT_BEFORE);
  if (count(cache) == before) return;
  store<u32>(cache, before, COUNT);
  dropIndex(cache);
}

/** Starts an epoch; entries that were not seen in the two before it are dropped. */
export function age(cache: usize): void {
  if (load<u32>(cache, NUMBER) >= NUMBER_MAX) renumber(cache, load<u32>(cache, NUMBER));
  const number = load<u32>(cache, NUMBER) + 1;
  store<u32>(cache, number, NUMBER);
  if (number > 2) dropBefore(cache, number - 2);
}

/** Starts the numbers over: 1 for the last parse's entries, 0 (long ago) for all others. */
function renumber(cache: usize, number: u32): void {
  const end = entries(cache) + <usize>count(cache) * ENTRY_BYTES;
  for (let entry = entries(cache); entry < end; entry += ENTRY_BYTES) {
    store<u32>(entry, (load<u32>(entry, SEEN) & 0xffff) == number ? 1 : 0, SEEN);
  }
  store<u32>(cache, load<u32>(cache, GOOD) == number ? 1 : NEVER, GOOD);
  store<u32>(cache, 1, NUMBER);
  store<u32>(cache, 0, COMPACT_AT);
}

/** Drops entries not seen for some parses, keeping the order of the rest. */
function compact(cache: usize): void {
  const number = load<u32>(cache, NUMBER);
  if (number < load<u32>(cache, COMPACT_AT)) return;
  store<u32>(cache, number + UNSEEN_MAX, COMPACT_AT);
  if (number > UNSEEN_MAX) dropBefore(cache, number - UNSEEN_MAX);
}

/** Drops entries whose last parse was before `number`. */
function dropBefore(cache: usize, number: u32): void {
  let kept = entries(cache);
  const end = kept + <usize>count(cache) * ENTRY_BYTES;
  for (let entry = kept; entry < end; entry += ENTRY_BYTES) {
    if ((load<u32>(entry, SEEN) & 0xffff) < number) continue;
    if (kept != entry) memory.copy(kept, entry, ENTRY_BYTES);
    kept += ENTRY_BYTES;
  }
  if (kept == end) return;
  store<u32>(cache, <u32>((kept - entries(cache)) / ENTRY_BYTES), COUNT);
  dropIndex(cache);
  shrink(cache);
}

// ---- entries

/** Appends an entry that names no series yet, seen now; gives its index, or -1 where the memory limit says no. */
export function append(cache: usize, hash: u64, length: usize, flags: u32, number: u32): i32 {
  const index = count(cache);
  if (index == load<u32>(cache, CAPACITY) && !resize(cache, max(ENTRIES_MIN, index + (index >> 1)))) return -1;
  const entry = entries(cache) + <usize>index * ENTRY_BYTES;
  store<u64>(entry, hash, HASH);
  store<u32>(entry, 0, SID);
  store<u32>(entry, 0, REF);
  store<u16>(entry, length <= LEN_MAX ? <u16>length : 0, LEN);
  store<u8>(entry, 0, OWNER);
  store<u8>(entry, <u8>flags, FLAGS);
  store<u32>(entry, number, SEEN);
  store<u32>(cache, index + 1, COUNT);
  if (load<u32>(cache, INDEX) != 0 && !indexEntry(cache, index)) dropIndex(cache);
  return <i32>index;
}

function resize(cache: usize, capacity: u32): bool {
  const old = load<u32>(cache, CAPACITY);
  // What the allocator rounds up to is capacity too.
  const size = heap.roundUp(<usize>capacity * ENTRY_BYTES);
  capacity = <u32>(size / ENTRY_BYTES);
  const block = heap.alloc(<usize>capacity * ENTRY_BYTES);
  if (block == 0) return false;
  if (old != 0) {
    memory.copy(block, entries(cache), <usize>count(cache) * ENTRY_BYTES);
    heap.free(entries(cache), <usize>old * ENTRY_BYTES);
  }
  store<u32>(cache, <u32>block, ENTRIES);
  store<u32>(cache, capacity, CAPACITY);
  return true;
}

/** Gives back what a cache that has settled does not fill, if that is worth a copy. */
function trim(cache: usize): void {
  const wanted = count(cache) + (count(cache) >> 4);
  if (heap.roundUp(<usize>wanted * ENTRY_BYTES) < heap.roundUp(<usize>capacity(cache) * ENTRY_BYTES))
    resize(cache, wanted);
}

/** Gives back memory when most of it is unused. */
function shrink(cache: usize): void {
  if (count(cache) * 4 < load<u32>(cache, CAPACITY))
    resize(cache, max(ENTRIES_MIN, count(cache) + (count(cache) >> 2)));
}

// ---- the index: open addressing, entry number + 1 in each slot, one to two thirds full

/** The entry with that hash, or -1. Builds the index where there is none. */
export function find(cache: usize, hash: u64): i32 {
  if (count(cache) == 0) return -1;
  if (load<u32>(cache, INDEX) == 0 && !buildIndex(cache)) return -1;
  const slots = <usize>load<u32>(cache, INDEX);
  const mask = load<u32>(cache, SLOTS) - 1;
  let slot = <u32>hash & mask;
  let number = load<u32>(slots + ((<usize>slot) << 2));
  while (number != 0 && load<u64>(entries(cache) + <usize>(number - 1) * ENTRY_BYTES, HASH) != hash) {
    slot = (slot + 1) & mask;
    number = load<u32>(slots + ((<usize>slot) << 2));
  }
  return <i32>number - 1;
}

function buildIndex(cache: usize): bool {
  dropIndex(cache);
  const entryCount = max(count(cache), ENTRIES_MIN);
  const wanted = entryCount + (entryCount >> 1);
  const slots: u32 = 1 << (32 - clz<u32>(wanted - 1));
  const block = heap.alloc((<usize>slots) << 2);
  if (block == 0) return false;
  memory.fill(block, 0, (<usize>slots) << 2);
  store<u32>(cache, <u32>block, INDEX);
  store<u32>(cache, slots, SLOTS);
  const total = count(cache);
  for (let index: u32 = 0; index < total; index++) place(cache, index);
  return true;
}

/** Adds one entry to the index, enlarging it where it gets more than two thirds full. */
function indexEntry(cache: usize, index: u32): bool {
  if (index + 1 > (load<u32>(cache, SLOTS) / 3) << 1) return buildIndex(cache);
  place(cache, index);
  return true;
}

function place(cache: usize, index: u32): void {
  const slots = <usize>load<u32>(cache, INDEX);
  const mask = load<u32>(cache, SLOTS) - 1;
  let slot = <u32>load<u64>(entries(cache) + <usize>index * ENTRY_BYTES, HASH) & mask;
  while (load<u32>(slots + ((<usize>slot) << 2)) != 0) slot = (slot + 1) & mask;
  store<u32>(slots + ((<usize>slot) << 2), index + 1);
}

export function dropIndex(cache: usize): void {
  const slots = load<u32>(cache, SLOTS);
  if (slots != 0) heap.free(<usize>load<u32>(cache, INDEX), (<usize>slots) << 2);
  store<u32>(cache, 0, INDEX);
  store<u32>(cache, 0, SLOTS);
}

// ---- staleness

/** Whether an entry stands for a series whose samples are written. */
function isWritten(flags: u32): bool {
  return (flags & (COMMENT | DROPPED | UNRESOLVED)) == 0;
}

/** Whether the parse `number` was the last to see an entry, and it is watched. */
function isWatched(entry: usize, number: u32): bool {
  const flags: u32 = load<u8>(entry, FLAGS);
  return (load<u32>(entry, SEEN) & 0xffff) == number && isWritten(flags) && (flags & TRACKED) != 0;
}

/** Whether the last parse ended an entry's watch: it did not see it, or with a timestamp of its own. */
function isGone(entry: usize, last: u32): bool {
  if (isWatched(entry, last - 1)) return true;
  const flags: u32 = load<u8>(entry, FLAGS);
  const letGo = (flags & (TRACKED | TRACKED_BEFORE)) == TRACKED_BEFORE;
  return letGo && isWritten(flags) && (load<u32>(entry, SEEN) & 0xffff) == last;
}

function addStale(entry: usize, time: i64): bool {
  return batch.addRow(load<u8>(entry, OWNER), load<u32>(entry, SID), load<u32>(entry, REF), time, STALE_BITS);
}

/** Whether the last parse saw every entry that the one before saw. */
export function isSteady(cache: usize): bool {
  return load<u32>(cache, CARRIED) == load<u32>(cache, MARKED_BEFORE);
}

/**
 * Writes a stale marker for every series that the parse before the last saw and the
 * last did not. A series that goes on under another spelling of its labels is not stale.
 * False where the memory limit says no.
 */
export function writeVanished(cache: usize, time: i64): bool {
  if (isSteady(cache)) return true;
  const last = load<u32>(cache, NUMBER);
  const end = entries(cache) + <usize>count(cache) * ENTRY_BYTES;
  let gone: u32 = 0;
  for (let entry = entries(cache); entry < end; entry += ENTRY_BYTES) {
    if (isGone(entry, last)) gone++;
  }
  if (gone == 0) return true;
  const slots: u32 = 1 << (32 - clz<u32>(gone * 2));
  const block = heap.alloc((<usize>slots) << 2);
  if (block == 0) return false;
  memory.fill(block, 0, (<usize>slots) << 2);
  for (let entry = entries(cache); entry < end; entry += ENTRY_BYTES) {
    if (isGone(entry, last)) placeSeries(block, slots - 1, entry);
  }
  // One that is watched now may be another spelling of one that went.
  for (let entry = entries(cache); entry < end; entry += ENTRY_BYTES) {
    if (isWatched(entry, last)) removeSeries(block, slots - 1, entry);
  }
  let stored = true;
  for (let slot: u32 = 0; slot < slots && stored; slot++) {
    const entry = <usize>load<u32>(block + ((<usize>slot) << 2));
    if (entry > REMOVED) stored = addStale(entry, time);
  }
  heap.free(block, (<usize>slots) << 2);
  return stored;
}

/** Stands in a slot whose series goes on. */
const REMOVED: usize = 1;

function seriesSlot(mask: u32, entry: usize): u32 {
  return (load<u32>(entry, SID) * 0x9e3779b1 + load<u8>(entry, OWNER)) & mask;
}

function placeSeries(block: usize, mask: u32, entry: usize): void {
  let slot = seriesSlot(mask, entry);
  while (load<u32>(block + ((<usize>slot) << 2)) != 0) slot = (slot + 1) & mask;
  store<u32>(block + ((<usize>slot) << 2), <u32>entry);
}

function removeSeries(block: usize, mask: u32, entry: usize): void {
  for (let slot = seriesSlot(mask, entry); ; slot = (slot + 1) & mask) {
    const other = <usize>load<u32>(block + ((<usize>slot) << 2));
    if (other == 0) return;
    if (other == REMOVED || load<u32>(other, SID) != load<u32>(entry, SID)) continue;
    if (load<u8>(other, OWNER) == load<u8>(entry, OWNER)) store<u32>(block + ((<usize>slot) << 2), <u32>REMOVED);
  }
}

/** Series that the last parse saw and the good one before it did not, those that metric relabelling drops aside. */
export function countAdded(cache: usize): u32 {
  if (load<u32>(cache, MARKED) == load<u32>(cache, CARRIED)) return 0;
  const last = load<u32>(cache, NUMBER);
  const before = load<u32>(cache, GOOD_BEFORE);
  const end = entries(cache) + <usize>count(cache) * ENTRY_BYTES;
  let added: u32 = 0;
  for (let entry = entries(cache); entry < end; entry += ENTRY_BYTES) {
    const seen = load<u32>(entry, SEEN);
    if ((seen & 0xffff) != last || seen >>> 16 == before) continue;
    if ((load<u8>(entry, FLAGS) & (COMMENT | DROPPED)) == 0) added++;
  }
  return added;
}

/** Writes a stale marker for every series the last parse saw; then nothing counts as seen. False: memory limit. */
export function writeAllStale(cache: usize, time: i64): bool {
  if (load<u32>(cache, MARKED) == 0) return true;
  const number = load<u32>(cache, NUMBER);
  const end = entries(cache) + <usize>count(cache) * ENTRY_BYTES;
  for (let entry = entries(cache); entry < end; entry += ENTRY_BYTES) {
    if (isWatched(entry, number) && !addStale(entry, time)) return false;
  }
  store<u32>(cache, number + 1, NUMBER);
  store<u32>(cache, 0, MARKED);
  store<u32>(cache, 0, MARKED_BEFORE);
  store<u32>(cache, 0, CARRIED);
  return true;
}

// ---- series that the owner does not know any more

/** Forgets the series of `owner` whose sids lie from `sids` on, u32 each. False: memory limit. */
export function forget(cache: usize, owner: u32, sids: usize, sidCount: u32): bool {
  let highest: u32 = 0;
  for (let i: u32 = 0; i < sidCount; i++) highest = max(highest, load<u32>(sids + ((<usize>i) << 2)));
  const bitmapBytes = (<usize>highest >> 3) + 1;
  const bitmap = heap.alloc(bitmapBytes);
  if (bitmap == 0) return false;
  memory.fill(bitmap, 0, bitmapBytes);
  for (let i: u32 = 0; i < sidCount; i++) {
    const sid = load<u32>(sids + ((<usize>i) << 2));
    store<u8>(bitmap + (sid >> 3), load<u8>(bitmap + (sid >> 3)) | <u8>((<u32>1) << (sid & 7)));
  }
  const end = entries(cache) + <usize>count(cache) * ENTRY_BYTES;
  for (let entry = entries(cache); entry < end; entry += ENTRY_BYTES) {
    const sid = load<u32>(entry, SID);
    const flags: u32 = load<u8>(entry, FLAGS);
    if (sid > highest || (flags & (COMMENT | DROPPED | UNRESOLVED)) != 0 || load<u8>(entry, OWNER) != owner) continue;
    if ((load<u8>(bitmap + (sid >> 3)) & ((<u32>1) << (sid & 7))) != 0)
      store<u8>(entry, <u8>(flags | UNRESOLVED), FLAGS);
  }
  heap.free(bitmap, bitmapBytes);
  return true;
}
