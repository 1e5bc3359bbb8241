// Lists of fixed records of four words that one parse leaves behind: misses, metadata.
//
//   header (16 bytes)   │ address │ capacity │ count │ – │

import * as heap from '../memory/heap';

export const LIST_BYTES: usize = 16;
export const RECORD_BYTES: usize = 16;

const ADDRESS: usize = 0;
const CAPACITY: usize = 4;
const COUNT: usize = 8;
const RECORDS_MIN: u32 = 256;

/** A list larger than this gives its memory back when it is emptied. */
const RECORDS_KEPT: u32 = 16384;

export function count(list: usize): u32 {
  return load<u32>(list, COUNT);
}

export function at(list: usize, index: u32): usize {
  assert(index < count(list), 'index past the end of the list');
  return <usize>load<u32>(list, ADDRESS) + <usize>index * RECORD_BYTES;
}

/** The first record; 0 where there never was one. */
export function address(list: usize): usize {
  return <usize>load<u32>(list, ADDRESS);
}

/** Adds a record; false where the memory limit says no. */
export function add(list: usize, a: u32, b: u32, c: u32, d: u32): bool {
  const used = count(list);
  if (used == load<u32>(list, CAPACITY) && !grow(list, used)) return false;
  const record = address(list) + <usize>used * RECORD_BYTES;
  store<u32>(record, a);
  store<u32>(record, b, 4);
  store<u32>(record, c, 8);
  store<u32>(record, d, 12);
  store<u32>(list, used + 1, COUNT);
  return true;
}

export function removeLast(list: usize): void {
  assert(count(list) > 0, 'the list has a last record');
  store<u32>(list, count(list) - 1, COUNT);
}

export function clear(list: usize): void {
  store<u32>(list, 0, COUNT);
  const capacity = load<u32>(list, CAPACITY);
  if (capacity <= RECORDS_KEPT) return;
  heap.free(address(list), <usize>capacity * RECORD_BYTES);
  store<u32>(list, 0, ADDRESS);
  store<u32>(list, 0, CAPACITY);
}

function grow(list: usize, used: u32): bool {
  const old = load<u32>(list, CAPACITY);
  const capacity = max(RECORDS_MIN, old * 2);
  const block = heap.alloc(<usize>capacity * RECORD_BYTES);
  if (block == 0) return false;
  if (old != 0) {
    memory.copy(block, address(list), <usize>used * RECORD_BYTES);
    heap.free(address(list), <usize>old * RECORD_BYTES);
  }
  store<u32>(list, <u32>block, ADDRESS);
  store<u32>(list, capacity, CAPACITY);
  return true;
}
