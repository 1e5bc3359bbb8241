// A walk: one body, line by line (or series by series), beside what the cache expects.
//
// Both parsers, of text and of remote writes, do the same with what they find: the
// entry that is next in line if it is that one, else the one the index knows, else a new
// one, whose rows wait in this shard's own batch for a series: a miss.
//
//   miss   (16 bytes)  │ entry │ first row │ offset in the body │ bytes of the series │
//
// A miss has all waiting rows from its first one up to the next miss's, or to a row that waits for nothing.

import { NO_ENTRY, SID_HOLE, SID_MISSING } from '../layout';
import * as batch from './batch';
import * as cache from './cache';
import {
  DROPPED,
  ENTRY_BYTES,
  FLAGS,
  FLOAT_LABEL,
  FLOAT_LABEL_SHIFT,
  HASH,
  OWNER,
  REF,
  SEEN,
  SID,
  TRACKED,
  TRACKED_BEFORE,
  UNRESOLVED,
} from './cache';
import * as list from './list';
import * as order from './order';

export const misses: usize = memory.data(16, 8);

const MISS_ROW: usize = 4;
const MISS_OFFSET: usize = 8;
const MISS_BYTES: usize = 12;

/** Lines by the way they took, since the core started: for metrics. */
export let linesExpected: u64 = 0;
export let linesKnown: u64 = 0;
export let linesNew: u64 = 0;

/** Samples of the last body that metric relabelling drops. */
export let dropped: u32 = 0;

/** The cache, and the number of this parse. */
export let current: usize = 0;
export let number: u32 = 0;
/** The entry that is next in line. */
export let expected: u32 = 0;
/** Entries seen so far; those of them that the parse before saw, too. */
export let marked: u32 = 0;
export let carried: u32 = 0;
/** Lines of this walk that were not where they were expected. */
export let found: u32 = 0;
/** Whether a series with a timestamp of its own is no longer watched. */
export let someLetGo: bool = false;

/** What was next in line before a detour. */
let detour: u32 = 0;
let bodyAt: usize = 0;

/** Starts a walk; `from` is the entry to expect first. */
export function start(into: usize, as: u32, body: usize, from: u32): void {
  list.clear(misses);
  batch.mark();
  current = into;
  number = as;
  bodyAt = body;
  expected = from;
  detour = from;
  marked = 0;
  carried = 0;
  found = 0;
  someLetGo = false;
}

/** Takes back what the walk gave: rows and misses. */
export function undo(): void {
  batch.rollback();
  list.clear(misses);
}

export function forgetDropped(): void {
  dropped = 0;
}

export function countDropped(): void {
  dropped++;
}

/** The next entry in line; 0 where none is. */
export function nextEntry(): usize {
  return expected < cache.count(current) ? cache.entries(current) + <usize>expected * ENTRY_BYTES : 0;
}

/** The next entry in line was that of the line. */
export function step(): void {
  expected++;
  linesExpected++;
}

/** Marks an entry as seen in this parse; false where it was already. */
export function touch(entry: usize): bool {
  const seen = load<u32>(entry, SEEN);
  const last = seen & 0xffff;
  if (last == number) return false;
  store<u32>(entry, (seen << 16) | number, SEEN);
  marked++;
  order.note(current, entry);
  if (last + 1 == number) carried++;
  return true;
}

/** A series starts or stops to be watched, or did so in the parse before; gives its flags. */
export function track(entry: usize, flags: u32, tracked: u32, firstTime: bool): u32 {
  let before = flags & TRACKED_BEFORE;
  if (firstTime) {
    const watched = (flags & TRACKED) != 0 && load<u32>(entry, SEEN) >> 16 == number - 1;
    before = watched ? TRACKED_BEFORE : 0;
  }
  if (tracked == 0 && before != 0) someLetGo = true;
  flags = (flags & ~(TRACKED | TRACKED_BEFORE)) | tracked | before;
  store<u8>(entry, <u8>flags, FLAGS);
  return flags;
}

/** The entry of a line that was not the expected one: by the detour's memory, the index, or anew. -1: memory limit. */
export function locate(hash: u64, length: usize, flags: u32): i32 {
  found++;
  // Behind lines that came or moved, what was expected before may still come.
  if (detour < cache.count(current) && load<u64>(cache.entryAt(current, detour), HASH) == hash) {
    expected = detour + 1;
    linesKnown++;
    return <i32>detour;
  }
  const known = cache.find(current, hash);
  if (known >= 0) {
    if (<u32>known != expected) detour = expected;
    expected = <u32>known + 1;
    linesKnown++;
    return known;
  }
  linesNew++;
  // Seen by no parse yet: touch() does that.
  const index = cache.append(current, hash, length, flags, 0);
  // A first scrape has nothing to expect; later, a new line leaves the expectation as it was.
  if (<u32>index == expected) {
    expected++;
    found--;
  }
  return index;
}

// ---- misses

/** The series of the line at `at` is not known: its rows follow. `float`: which label holds a number. */
export function addMiss(index: u32, at: usize, length: usize, float: u32): bool {
  if (index != <u32>NO_ENTRY) {
    const entry = cache.entryAt(current, index);
    const flags: u32 = load<u8>(entry, FLAGS);
    store<u8>(entry, <u8>((flags & ~FLOAT_LABEL) | (float << FLOAT_LABEL_SHIFT)), FLAGS);
  }
  return list.add(misses, index, batch.rowCount(batch.self), <u32>(at - bodyAt), <u32>length);
}

/** Takes the miss added last back; its rows are the caller's. */
export function removeMiss(): void {
  list.removeLast(misses);
}

/** A row of the miss added last. */
export function addWaiting(time: i64, bits: u64): bool {
  return batch.addRow(batch.self, <u32>SID_MISSING, 0, time, bits);
}

/** The entry of a miss; 0 where it has none. */
export function missEntry(from: usize, miss: u32): usize {
  const index = load<u32>(list.at(misses, miss));
  return index == <u32>NO_ENTRY ? 0 : cache.entryAt(from, index);
}

export function missOffset(miss: u32): usize {
  return <usize>load<u32>(list.at(misses, miss), MISS_OFFSET);
}

export function missBytes(miss: u32): usize {
  return <usize>load<u32>(list.at(misses, miss), MISS_BYTES);
}

/** Tells a miss its series: its entry remembers it, its rows get it or move to the owner's batch. False: memory limit. */
export function resolve(from: usize, miss: u32, sid: u32, ref: u32, owner: u32): bool {
  assert(owner < batch.owners, 'no such shard');
  const entry = missEntry(from, miss);
  if (entry != 0) {
    store<u32>(entry, sid, SID);
    store<u32>(entry, ref, REF);
    store<u8>(entry, <u8>owner, OWNER);
    store<u8>(entry, load<u8>(entry, FLAGS) & ~(<u8>UNRESOLVED), FLAGS);
  }
  return settleRows(miss, sid, ref, owner);
}

/** Settles a miss whose entry got its series from an earlier miss of the same body; false where it did not. */
export function settle(from: usize, miss: u32): bool {
  const entry = missEntry(from, miss);
  if (entry == 0 || (load<u8>(entry, FLAGS) & (UNRESOLVED | DROPPED)) != 0) return false;
  return settleRows(miss, load<u32>(entry, SID), load<u32>(entry, REF), load<u8>(entry, OWNER));
}

/** Makes the rows of a miss holes. `forGood`: metric relabelling drops the series, so its lines are skipped from now on. */
export function drop(from: usize, miss: u32, forGood: bool): void {
  settleRows(miss, <u32>SID_HOLE, 0, batch.self);
  const entry = missEntry(from, miss);
  if (!forGood || entry == 0) return;
  store<u8>(entry, (load<u8>(entry, FLAGS) & ~(<u8>UNRESOLVED)) | <u8>DROPPED, FLAGS);
  dropped++;
}

function settleRows(miss: u32, sid: u32, ref: u32, owner: u32): bool {
  const first = load<u32>(list.at(misses, miss), MISS_ROW);
  const end =
    miss + 1 < list.count(misses) ? load<u32>(list.at(misses, miss + 1), MISS_ROW) : batch.rowCount(batch.self);
  for (let index = first; index < end && batch.isWaiting(batch.rowAt(batch.self, index)); index++) {
    const row = batch.rowAt(batch.self, index);
    if (owner == batch.self) {
      batch.patchRow(row, sid, ref);
      continue;
    }
    const time = batch.rowTime(row);
    const bits = batch.rowValue(row);
    const mark = batch.rowMark(row);
    batch.patchRow(row, <u32>SID_HOLE, 0);
    if (!batch.addRow(owner, sid | mark, ref, time, bits)) return false;
  }
  return true;
}
