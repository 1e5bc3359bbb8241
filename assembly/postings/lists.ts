// Postings lists: ascending series indexes, as varint deltas in linked blocks.
//
//   list (20 bytes)                                 block (32 bytes)
//   ┌────────┬────────┬────────┬────────┬────────┐   ┌──────────────────────┬──────┐
//   │ count  │ last   │ head   │ tail   │ used   │ ─►│ 28 bytes of varints  │ next │
//   └────────┴────────┴────────┴────────┴────────┘   └──────────────────────┴──────┘
//
// A delta may cross from one block into the next. A list of one has no block:
// `last` is the member, so a label value of a single series costs 20 bytes here.

import * as heap from '../memory/heap';

export const LIST_BYTES: usize = 20;

const COUNT: usize = 0;
const LAST: usize = 4;
const HEAD: usize = 8;
const TAIL: usize = 12;
const USED: usize = 16;

const BLOCK_BYTES: usize = 32;
const PAYLOAD: u32 = 28;
const NEXT: usize = 28;

export function count(list: usize): u32 {
  return load<u32>(list, COUNT);
}

/** The greatest member; 0 where there is none. */
export function last(list: usize): u32 {
  return load<u32>(list, LAST);
}

/** Adds a member greater than all there are; false where the memory limit says no. */
export function append(list: usize, member: u32): bool {
  const size = count(list);
  assert(size == 0 || member > last(list), 'members ascend');
  const newest = last(list);
  if (size == 1) {
    // The first member is written to a block together with the second.
    if (!reserve(list, varintBytes(newest) + varintBytes(member - newest))) return false;
    writeVarint(list, newest);
    writeVarint(list, member - newest);
  } else if (size > 1) {
    if (!reserve(list, varintBytes(member - newest))) return false;
    writeVarint(list, member - newest);
  }
  store<u32>(list, member, LAST);
  store<u32>(list, size + 1, COUNT);
  return true;
}

/** Writes all members as u32s to `into`; gives their number. */
export function decode(list: usize, into: usize): u32 {
  const size = count(list);
  if (size == 0) return 0;
  if (size == 1) {
    store<u32>(into, load<u32>(list, LAST));
    return 1;
  }
  let block = <usize>load<u32>(list, HEAD);
  let offset: u32 = 0;
  let member: u32 = 0;
  for (let i: u32 = 0; i < size; i++) {
    let delta: u32 = 0;
    let shift: u32 = 0;
    let byte: u32;
    do {
      if (offset == PAYLOAD) {
        block = <usize>load<u32>(block, NEXT);
        offset = 0;
      }
      byte = load<u8>(block + offset);
      offset++;
      delta |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    member += delta;
    store<u32>(into + ((<usize>i) << 2), member);
  }
  return size;
}

/** Gives all blocks back; the list is empty again. */
export function clear(list: usize): void {
  let block = <usize>load<u32>(list, HEAD);
  while (block != 0) {
    const next = <usize>load<u32>(block, NEXT);
    heap.free(block, BLOCK_BYTES);
    block = next;
  }
  memory.fill(list, 0, LIST_BYTES);
}

/** Room must have been made by reserve(). */
function writeVarint(list: usize, value: u32): void {
  let block = <usize>load<u32>(list, TAIL);
  let used = load<u32>(list, USED);
  while (true) {
    if (used == PAYLOAD) {
      block = <usize>load<u32>(block, NEXT);
      store<u32>(list, <u32>block, TAIL);
      used = 0;
    }
    if (value < 0x80) break;
    store<u8>(block + used, (value & 0x7f) | 0x80);
    value >>>= 7;
    used++;
  }
  store<u8>(block + used, value);
  store<u32>(list, used + 1, USED);
}

function varintBytes(value: u32): u32 {
  return value < 0x80 ? 1 : (38 - clz(value)) / 7;
}

/** Makes room for `bytes` (at most 10) before any is written, so that a write never stops half way. */
function reserve(list: usize, bytes: u32): bool {
  const tail = <usize>load<u32>(list, TAIL);
  if (tail != 0 && load<u32>(list, USED) + bytes <= PAYLOAD) return true;
  const block = heap.alloc(BLOCK_BYTES);
  if (block == 0) return false;
  store<u32>(block, 0, NEXT);
  if (tail == 0) {
    store<u32>(list, <u32>block, HEAD);
    store<u32>(list, <u32>block, TAIL);
    store<u32>(list, 0, USED);
  } else {
    store<u32>(tail, <u32>block, NEXT);
  }
  return true;
}
