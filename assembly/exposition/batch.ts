// Batches: what parsing gives to the shards, as rows that need no further thought.
//
//   row (24 bytes)
//   ┌──────────┬──────────┬──────────────┬──────────────┐
//   │ sid u32  │ ref u32  │ time i64, ms │ value u64    │
//   └──────────┴──────────┴──────────────┴──────────────┘
//   sid      the series' index in its owner, or SID_MISSING (not resolved yet), or SID_HOLE (no row at all)
//            SID_START beside it: not a sample, but when the series began (starts.ts)
//   ref      the low half of its WAL ref, so that the owner notices a sid that was given to another series
//   value    bits, never a number
//
// One batch for each owner shard. Several bodies may be parsed into them before they
// are taken; mark() and rollback() make each body all or nothing.

import { OWNERS_MAX, ROW_BYTES, SID_MISSING, SID_START } from '../layout';
import * as heap from '../memory/heap';

const BATCH_BYTES: usize = 16;
const ADDRESS: usize = 0;
const CAPACITY: usize = 4;
const COUNT: usize = 8;
const MARK: usize = 12;

const ROWS_MIN: u32 = 1024;
/** A batch larger than this gives its memory back when it is emptied. */
const ROWS_KEPT: u32 = 65536;

const REF: usize = 4;
const TIME: usize = 8;
const VALUE: usize = 16;

const batches: usize = memory.data(OWNERS_MAX * 16, 16);

/** The number of shards, and which of them this core is. */
export let owners: u32 = 1;
export let self: u32 = 0;

export function setOwners(count: u32, own: u32): void {
  assert(count > 0 && count <= <u32>OWNERS_MAX && own < count, 'no such shard');
  owners = count;
  self = own;
}

function batch(owner: u32): usize {
  return batches + <usize>owner * BATCH_BYTES;
}

/** The first row of an owner's batch: good until the next row is added. */
export function rows(owner: u32): usize {
  return <usize>load<u32>(batch(owner), ADDRESS);
}

export function rowCount(owner: u32): u32 {
  return load<u32>(batch(owner), COUNT);
}

/** The address of one row. */
export function rowAt(owner: u32, index: u32): usize {
  assert(index < rowCount(owner), 'row index past the end of the batch');
  return rows(owner) + <usize>index * ROW_BYTES;
}

/** Adds a row; false where the memory limit says no. */
export function addRow(owner: u32, sid: u32, ref: u32, time: i64, value: u64): bool {
  const at = batch(owner);
  const count = load<u32>(at, COUNT);
  if (count == load<u32>(at, CAPACITY) && !grow(at, count, count + 1)) return false;
  setRow(<usize>load<u32>(at, ADDRESS) + <usize>count * ROW_BYTES, sid, ref, time, value);
  store<u32>(at, count + 1, COUNT);
  return true;
}

function setRow(row: usize, sid: u32, ref: u32, time: i64, value: u64): void {
  store<u32>(row, sid);
  store<u32>(row, ref, REF);
  store<i64>(row, time, TIME);
  store<u64>(row, value, VALUE);
}

/** Makes room for `more` rows in front of an owner's others, to be set with setStart(); false where the memory limit says no. */
export function makeFront(owner: u32, more: u32): bool {
  const at = batch(owner);
  const count = load<u32>(at, COUNT);
  if (count + more > load<u32>(at, CAPACITY) && !grow(at, count, count + more)) return false;
  const first = <usize>load<u32>(at, ADDRESS);
  memory.copy(first + <usize>more * ROW_BYTES, first, <usize>count * ROW_BYTES);
  store<u32>(at, count + more, COUNT);
  return true;
}

/** Sets a row: that a series began. */
export function setStart(owner: u32, index: u32, sid: u32, ref: u32, time: i64): void {
  setRow(rowAt(owner, index), sid | <u32>SID_START, ref, time, 0);
}

export function rowTime(row: usize): i64 {
  return load<i64>(row, TIME);
}

export function rowValue(row: usize): u64 {
  return load<u64>(row, VALUE);
}

/** Whether a row waits for its series. */
export function isWaiting(row: usize): bool {
  return load<u32>(row) == <u32>SID_MISSING;
}

/** Drops the rows of one owner from `count` on. */
export function truncate(owner: u32, count: u32): void {
  assert(count <= rowCount(owner), 'a batch does not grow this way');
  store<u32>(batch(owner), count, COUNT);
}

/** Says of the row added last, which waits, that its series began then. */
export function markStart(owner: u32): void {
  const row = rowAt(owner, rowCount(owner) - 1);
  assert(isWaiting(row), 'the row waits for a series');
  store<u32>(row, <u32>SID_START, REF);
}

/** What a waiting row has beside its series: SID_START or nothing. */
export function rowMark(row: usize): u32 {
  return load<u32>(row, REF);
}

/** Gives a waiting row its series. */
export function patchRow(row: usize, sid: u32, ref: u32): void {
  assert(isWaiting(row), 'the row waits for a series');
  store<u32>(row, sid | load<u32>(row, REF));
  store<u32>(row, ref, REF);
}

/** Remembers how far the batches are filled. */
export function mark(): void {
  for (let owner: u32 = 0; owner < owners; owner++) store<u32>(batch(owner), rowCount(owner), MARK);
}

/** Drops the rows added since mark(). */
export function rollback(): void {
  for (let owner: u32 = 0; owner < owners; owner++) {
    const at = batch(owner);
    store<u32>(at, min(load<u32>(at, MARK), load<u32>(at, COUNT)), COUNT);
  }
}

/** Empties all batches; large ones give their memory back. */
export function clear(): void {
  for (let owner: u32 = 0; owner < owners; owner++) {
    const at = batch(owner);
    store<u32>(at, 0, COUNT);
    store<u32>(at, 0, MARK);
    const capacity = load<u32>(at, CAPACITY);
    if (capacity <= ROWS_KEPT) continue;
    heap.free(<usize>load<u32>(at, ADDRESS), <usize>capacity * ROW_BYTES);
    store<u32>(at, 0, ADDRESS);
    store<u32>(at, 0, CAPACITY);
  }
}

function grow(at: usize, count: u32, wanted: u32): bool {
  const old = load<u32>(at, CAPACITY);
  const capacity = max(max(ROWS_MIN, old * 2), wanted);
  const block = heap.alloc(<usize>capacity * ROW_BYTES);
  if (block == 0) return false;
  if (old != 0) {
    memory.copy(block, <usize>load<u32>(at, ADDRESS), <usize>count * ROW_BYTES);
    heap.free(<usize>load<u32>(at, ADDRESS), <usize>old * ROW_BYTES);
  }
  store<u32>(at, <u32>block, ADDRESS);
  store<u32>(at, capacity, CAPACITY);
  return true;
}
