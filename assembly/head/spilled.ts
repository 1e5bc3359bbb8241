// The chunks of a series that are in files of chunks_head: where each is, and when its samples were.
//
//   slot ─► list   0       2          4      8      16          24     28       ↓ 28 more
//                  ┌───────┬──────────┬──────┬──────┬───────────┬──────┬── ─
//                  │ count │ capacity │ held │ base │ place     │ last │ …      entries of 12 bytes, oldest first
//                  │ u16   │ u16      │ u32  │ i64  │ u64       │ u32  │
//                  └───────┴──────────┴──────┴──────┴───────────┴──────┴── ─
//     capacity   of the block, in steps of 16 bytes
//     base       a time that no sample of an entry is at or before
//     held       chunks that begin at or before this, counted from the base, stay in memory: something was deleted there; 0: nothing was
//     place      file, 21 bits │ offset, 27 bits │ the span in steps of 256 ms, rounded up, 16 bits
//     last       the time of the last sample, from the base
//
// A slot is a u32 of whoever has the list: 0 where there is none. The chunks of a list are apart in time. The newest of
// them may be in memory as well; the rest of the series comes behind them.

import { CHUNK_WINDOW_MS } from '../layout';
import * as heap from '../memory/heap';

const COUNT: usize = 0;
const CAPACITY: usize = 2;
const HELD: usize = 4;
const BASE: usize = 8;
const HEADER_BYTES: usize = 16;
/**
 * Lists grow by six entries, which is what most come to between two head cuts. All series grow at the same pace: with
 * smaller steps there would be blocks of each size for all series at some time.
 */
const STEP_BYTES: usize = 96;
const CAPACITY_BITS: usize = 4;
/** So many, and those that are collected at once, have room in 16 bits. */
const COUNT_MAX: u32 = 0x8000;

const PLACE: usize = 0;
const LAST: usize = 8;
const ENTRY_BYTES: usize = 12;

const SPAN_BITS: u64 = 16;
const SPAN_MAX: i64 = 0xffff;
const SPAN_STEP: i64 = 256;
const OFFSET_BITS: u64 = 27;
const FILE_BITS: u64 = 21;
const WINDOW: i64 = CHUNK_WINDOW_MS;

/** In place of a held time that is too late to say. */
const FOREVER: u32 = 0xffffffff;

export function count(slot: usize): u32 {
  const list = <usize>load<u32>(slot);
  return list == 0 ? 0 : load<u16>(list, COUNT);
}

/** The time of the last sample that is in a file; i64.MIN_VALUE where none is. */
export function newest(slot: usize): i64 {
  const used = count(slot);
  return used == 0 ? i64.MIN_VALUE : maxOf(slot, used - 1);
}

/** The file of entry `index`, 0 … count() - 1. */
export function fileOf(slot: usize, index: u32): u32 {
  return <u32>(load<u64>(at(slot, index), PLACE) >> (OFFSET_BITS + SPAN_BITS));
}

export function offsetOf(slot: usize, index: u32): u32 {
  return <u32>(load<u64>(at(slot, index), PLACE) >> SPAN_BITS) & ((1 << (<u32>OFFSET_BITS)) - 1);
}

/** The time of the last sample. */
export function maxOf(slot: usize, index: u32): i64 {
  return baseOf(slot) + <i64>load<u32>(at(slot, index), LAST);
}

/** A time that no sample is before; less than 256 ms before the first one. Chunks do not cross multiples of CHUNK_WINDOW_MS. */
export function minOf(slot: usize, index: u32): i64 {
  const last = maxOf(slot, index);
  const rest = last % WINDOW;
  const window = last - (rest < 0 ? rest + WINDOW : rest);
  return max(window, last - (<i64>load<u64>(at(slot, index), PLACE) & SPAN_MAX) * SPAN_STEP);
}

/** Whether a chunk in a file ends at a time. */
export function hasEnd(slot: usize, time: i64): bool {
  let left = count(slot);
  while (left > 0 && maxOf(slot, left - 1) > time) left--;
  return left > 0 && maxOf(slot, left - 1) == time;
}

/** Whether a list that has room can say where a chunk of these times is. */
export function canSay(slot: usize, minT: i64, maxT: i64): bool {
  const base = baseOf(slot);
  return minT > base && canSpan(base + 1, maxT) && canTime(minT, maxT) && count(slot) < COUNT_MAX;
}

/** Whether a list can say when chunks were, the first of which begins at `first`, and the last of which ends at `last`. */
export function canSpan(first: i64, last: i64): bool {
  return first > i64.MIN_VALUE && last >= first && <u64>(last - first) < <u64>FOREVER - 1;
}

/** Whether a list can say where a chunk is. */
export function isPlace(file: u32, offset: u32): bool {
  return <u64>file >> FILE_BITS == 0 && <u64>offset >> OFFSET_BITS == 0;
}

/** Whether a list of its own could say all of a chunk. */
export function canBeListed(file: u32, offset: u32, minT: i64, maxT: i64): bool {
  return isPlace(file, offset) && canSpan(minT, maxT) && canTime(minT, maxT);
}

function canTime(minT: i64, maxT: i64): bool {
  return minT <= maxT && spanOf(minT, maxT) <= SPAN_MAX;
}

/** Makes room for `more` entries, the first of which begins at `time`; false where the memory limit says no, and nothing has changed. */
export function reserve(slot: usize, more: u32, time: i64): bool {
  const used = count(slot);
  const need = bytesFor(used + more);
  const hasRoom = load<u32>(slot) != 0 && need <= capacityOf(slot);
  if (!hasRoom && !move(slot, need)) return false;
  if (used == 0 && more != 0) rebase(slot, time - 1);
  return true;
}

/** Adds a chunk that is later than those before it, and that canSay(); there is room. */
export function push(slot: usize, file: u32, offset: u32, minT: i64, maxT: i64): void {
  const used = count(slot);
  assert(bytesFor(used + 1) <= capacityOf(slot), 'nobody made room');
  assert(canSay(slot, minT, maxT) && isPlace(file, offset), 'nobody asked whether it can be said');
  const entry = at(slot, used);
  const place = ((<u64>file) << OFFSET_BITS) | <u64>offset;
  store<u64>(entry, (place << SPAN_BITS) | <u64>spanOf(minT, maxT), PLACE);
  store<u32>(entry, <u32>(maxT - baseOf(slot)), LAST);
  setCount(slot, used + 1);
}

/** Forgets the chunks that end before a time, and that something was deleted before it. Gives how many these are that also end before `resident`. */
export function dropBefore(slot: usize, mint: i64, resident: i64): u32 {
  if (load<u32>(slot) == 0) return 0;
  if (heldTo(slot) < mint) setHeld(slot, i64.MIN_VALUE);
  const used = count(slot);
  let gone: u32 = 0;
  let only: u32 = 0;
  while (gone < used && maxOf(slot, gone) < mint) {
    if (maxOf(slot, gone) < resident) only++;
    gone++;
  }
  if (gone != 0) memory.copy(at(slot, 0), at(slot, gone), <usize>(used - gone) * ENTRY_BYTES);
  setCount(slot, used - gone);
  if (gone != 0 && gone < used) rebase(slot, minOf(slot, 0) - 1);
  truncate(slot, used - gone);
  return only;
}

/** Keeps the first `left` chunks. */
export function truncate(slot: usize, left: u32): void {
  if (load<u32>(slot) == 0) return;
  setCount(slot, left);
  if (left == 0 && heldTo(slot) == i64.MIN_VALUE) release(slot);
  // Where memory is refused the list stays as large as it is.
  else if (capacityFor(bytesFor(left)) < capacityOf(slot)) move(slot, bytesFor(left));
}

export function release(slot: usize): void {
  if (load<u32>(slot) != 0) heap.free(<usize>load<u32>(slot), capacityOf(slot));
  store<u32>(slot, 0);
}

/** Up to which time chunks have to stay in memory; i64.MIN_VALUE where they need not. */
export function heldTo(slot: usize): i64 {
  const list = <usize>load<u32>(slot);
  const held: u32 = list == 0 ? 0 : load<u32>(list, HELD);
  if (held == 0) return i64.MIN_VALUE;
  return held == FOREVER ? i64.MAX_VALUE : baseOf(slot) + <i64>held - 1;
}

/** Chunks that begin at or before a time stay in memory from now on, or more of them; there is a list: reserve() makes one. */
export function hold(slot: usize, time: i64): void {
  if (time <= heldTo(slot)) return;
  if (count(slot) == 0) store<i64>(<usize>load<u32>(slot), time, BASE);
  setHeld(slot, time);
}

function setHeld(slot: usize, time: i64): void {
  const base = baseOf(slot);
  // Far from each other their difference does not fit i64, but does u64.
  const past: u64 = time <= base ? 0 : <u64>(time - base);
  const held: u32 = past < <u64>FOREVER - 1 ? <u32>past + 1 : FOREVER;
  store<u32>(<usize>load<u32>(slot), time == i64.MIN_VALUE ? 0 : held, HELD);
}

/** Counts times from another base on, which is before the first chunk begins. */
function rebase(slot: usize, base: i64): void {
  const before = baseOf(slot);
  const held = heldTo(slot);
  store<i64>(<usize>load<u32>(slot), base, BASE);
  setHeld(slot, held);
  for (let i: u32 = 0; i < count(slot); i++) {
    const entry = at(slot, i);
    store<u32>(entry, <u32>(before + <i64>load<u32>(entry, LAST) - base), LAST);
  }
}

function baseOf(slot: usize): i64 {
  return load<i64>(<usize>load<u32>(slot), BASE);
}

function setCount(slot: usize, entries: u32): void {
  store<u16>(<usize>load<u32>(slot), <u16>entries, COUNT);
}

function capacityOf(slot: usize): usize {
  return (<usize>load<u16>(<usize>load<u32>(slot), CAPACITY)) << CAPACITY_BITS;
}

/** The address of an entry: good until the list changes. */
function at(slot: usize, index: u32): usize {
  return <usize>load<u32>(slot) + HEADER_BYTES + <usize>index * ENTRY_BYTES;
}

/** Puts the list into a block of another size. */
function move(slot: usize, bytes: usize): bool {
  const capacity = capacityFor(bytes);
  const block = heap.alloc(capacity);
  if (block == 0) return false;
  const list = <usize>load<u32>(slot);
  if (list == 0) {
    memory.fill(block, 0, HEADER_BYTES);
  } else {
    memory.copy(block, list, bytesFor(load<u16>(list, COUNT)));
    heap.free(list, capacityOf(slot));
  }
  store<u16>(block, <u16>(capacity >> CAPACITY_BITS), CAPACITY);
  store<u32>(slot, <u32>block);
  return true;
}

function capacityFor(bytes: usize): usize {
  return heap.roundUp(((bytes + STEP_BYTES - 1) / STEP_BYTES) * STEP_BYTES);
}

function bytesFor(entries: u32): usize {
  return HEADER_BYTES + <usize>entries * ENTRY_BYTES;
}

function spanOf(minT: i64, maxT: i64): i64 {
  return (maxT - minT + SPAN_STEP - 1) / SPAN_STEP;
}
