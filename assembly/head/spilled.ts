// The chunks of a series that are in files of chunks_head: where each is, and when its samples were.
//
//   slot ─► list   0       4          8         16     20       24     32
//                  ┌───────┬──────────┬─────────┬──────┬────────┬──────┬── ─
//                  │ count │ capacity │ held to │ file │ offset │ time │ …      entries of 16 bytes, oldest first
//                  │ u32   │ u32      │ i64     │ u32  │ u32    │ u64  │
//                  └───────┴──────────┴─────────┴──────┴────────┴──────┴── ─
//     time   of the last sample, 48 bits, signed │ the span in steps of 256 ms, rounded up, 16 bits
//     held   chunks that begin at or before this stay in memory: something was deleted there (i64.MIN_VALUE: nothing was)
//
// A slot is a u32 of whoever has the list: 0 where there is none. The chunks of a list are apart in time. The newest of
// them may be in memory as well; the rest of the series comes behind them.

import { CHUNK_WINDOW_MS } from '../layout';
import * as heap from '../memory/heap';

const COUNT: usize = 0;
const CAPACITY: usize = 4;
const HELD: usize = 8;
const HEADER_BYTES: usize = 16;
/**
 * Lists grow by seven entries, which is what most come to between two head cuts. All series grow at the same pace: with
 * smaller steps each size would leave as many free blocks behind as there are series.
 */
const STEP_BYTES: usize = 128;

const FILE: usize = 0;
const OFFSET: usize = 4;
const TIME: usize = 8;
const ENTRY_BYTES: usize = 16;

const SPAN_BITS: i64 = 16;
const SPAN_MAX: i64 = 0xffff;
const SPAN_STEP: i64 = 256;
const TIME_MAX: i64 = (<i64>1) << 47;
const WINDOW: i64 = CHUNK_WINDOW_MS;

export function count(slot: usize): u32 {
  const list = <usize>load<u32>(slot);
  return list == 0 ? 0 : load<u32>(list, COUNT);
}

/** The time of the last sample that is in a file; i64.MIN_VALUE where none is. */
export function newest(slot: usize): i64 {
  const used = count(slot);
  return used == 0 ? i64.MIN_VALUE : maxOf(at(slot, used - 1));
}

/** The address of an entry, 0 … count() - 1: good until the list changes. */
export function at(slot: usize, index: u32): usize {
  return <usize>load<u32>(slot) + HEADER_BYTES + <usize>index * ENTRY_BYTES;
}

export function fileOf(entry: usize): u32 {
  return load<u32>(entry, FILE);
}

export function offsetOf(entry: usize): u32 {
  return load<u32>(entry, OFFSET);
}

/** The time of the last sample. */
export function maxOf(entry: usize): i64 {
  return load<i64>(entry, TIME) >> SPAN_BITS;
}

/** A time that no sample is before; less than 256 ms before the first one. Chunks do not cross multiples of CHUNK_WINDOW_MS. */
export function minOf(entry: usize): i64 {
  const last = maxOf(entry);
  const rest = last % WINDOW;
  const window = last - (rest < 0 ? rest + WINDOW : rest);
  return max(window, last - (load<i64>(entry, TIME) & SPAN_MAX) * SPAN_STEP);
}

/** Whether a chunk in a file ends at a time. */
export function hasEnd(slot: usize, time: i64): bool {
  let left = count(slot);
  while (left > 0 && maxOf(at(slot, left - 1)) > time) left--;
  return left > 0 && maxOf(at(slot, left - 1)) == time;
}

/** Whether an entry can say these times. */
export function canSay(minT: i64, maxT: i64): bool {
  return minT <= maxT && maxT < TIME_MAX && maxT >= -TIME_MAX && spanOf(minT, maxT) <= SPAN_MAX;
}

/** Makes room for `more` entries; false where the memory limit says no, and nothing has changed. */
export function reserve(slot: usize, more: u32): bool {
  const list = <usize>load<u32>(slot);
  const need = bytesFor(count(slot) + more);
  return (list != 0 && need <= <usize>load<u32>(list, CAPACITY)) || move(slot, need);
}

/** Adds a chunk that is later than those before it; there is room. */
export function push(slot: usize, file: u32, offset: u32, minT: i64, maxT: i64): void {
  const list = <usize>load<u32>(slot);
  const used = load<u32>(list, COUNT);
  assert(bytesFor(used + 1) <= <usize>load<u32>(list, CAPACITY), 'nobody made room');
  const entry = at(slot, used);
  store<u32>(entry, file, FILE);
  store<u32>(entry, offset, OFFSET);
  store<i64>(entry, (maxT << SPAN_BITS) | spanOf(minT, maxT), TIME);
  store<u32>(list, used + 1, COUNT);
}

/** Forgets the chunks that end before a time, and that something was deleted before it. Gives how many these are that also end before `resident`. */
export function dropBefore(slot: usize, mint: i64, resident: i64): u32 {
  if (load<u32>(slot) == 0) return 0;
  if (heldTo(slot) < mint) setHeld(slot, i64.MIN_VALUE);
  const used = count(slot);
  let gone: u32 = 0;
  let only: u32 = 0;
  while (gone < used && maxOf(at(slot, gone)) < mint) {
    if (maxOf(at(slot, gone)) < resident) only++;
    gone++;
  }
  if (gone != 0) memory.copy(at(slot, 0), at(slot, gone), <usize>(used - gone) * ENTRY_BYTES);
  truncate(slot, used - gone);
  return only;
}

/** Keeps the first `left` chunks. */
export function truncate(slot: usize, left: u32): void {
  const list = <usize>load<u32>(slot);
  if (list == 0) return;
  store<u32>(list, left, COUNT);
  if (left == 0 && heldTo(slot) == i64.MIN_VALUE) release(slot);
  // Where memory is refused the list stays as large as it is.
  else if (capacityFor(bytesFor(left)) < <usize>load<u32>(list, CAPACITY)) move(slot, bytesFor(left));
}

export function release(slot: usize): void {
  const list = <usize>load<u32>(slot);
  if (list != 0) heap.free(list, <usize>load<u32>(list, CAPACITY));
  store<u32>(slot, 0);
}

/** Up to which time chunks have to stay in memory; i64.MIN_VALUE where they need not. */
export function heldTo(slot: usize): i64 {
  const list = <usize>load<u32>(slot);
  return list == 0 ? i64.MIN_VALUE : load<i64>(list, HELD);
}

/** Chunks that begin at or before a time stay in memory from now on; there is a list: reserve() makes one. */
export function hold(slot: usize, time: i64): void {
  if (time > heldTo(slot)) setHeld(slot, time);
}

function setHeld(slot: usize, time: i64): void {
  store<i64>(<usize>load<u32>(slot), time, HELD);
}

/** Puts the list into a block of another size. */
function move(slot: usize, bytes: usize): bool {
  const capacity = capacityFor(bytes);
  const block = heap.alloc(capacity);
  if (block == 0) return false;
  const list = <usize>load<u32>(slot);
  if (list == 0) {
    store<u32>(block, 0, COUNT);
    store<i64>(block, i64.MIN_VALUE, HELD);
  } else {
    memory.copy(block, list, bytesFor(load<u32>(list, COUNT)));
    heap.free(list, <usize>load<u32>(list, CAPACITY));
  }
  store<u32>(block, <u32>capacity, CAPACITY);
  store<u32>(slot, <u32>block);
  return true;
}

function capacityFor(bytes: usize): usize {
  return heap.roundUp((bytes + STEP_BYTES - 1) & ~(STEP_BYTES - 1));
}

function bytesFor(entries: u32): usize {
  return HEADER_BYTES + <usize>entries * ENTRY_BYTES;
}

function spanOf(minT: i64, maxT: i64): i64 {
  return (maxT - minT + SPAN_STEP - 1) / SPAN_STEP;
}
