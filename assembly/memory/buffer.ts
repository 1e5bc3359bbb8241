// A growable run of bytes.
//
//   header (16 bytes)
//   ┌─────────┬──────────┬────────┬────────┐
//   │ address │ capacity │ length │ –      │
//   └─────────┴──────────┴────────┴────────┘
//
// It doubles when full and moves then: an address into it is good until the next reserve().

import * as heap from './heap';

export const BUFFER_BYTES: usize = 16;

const ADDRESS: usize = 0;
const CAPACITY: usize = 4;
const LENGTH: usize = 8;
const CAPACITY_MIN: u32 = 256;
/** More is refused before a sum of lengths could pass 32 bits. */
const LENGTH_MAX: u64 = 0xffff0000;

export function address(buffer: usize): usize {
  return <usize>load<u32>(buffer, ADDRESS);
}

export function length(buffer: usize): u32 {
  return load<u32>(buffer, LENGTH);
}

/** Where the next byte goes, with room for `bytes`; 0 where the memory limit says no. Tell advance() what was written. */
export function reserve(buffer: usize, bytes: u32): usize {
  const used = load<u32>(buffer, LENGTH);
  const need = <u64>used + <u64>bytes;
  if (need > <u64>load<u32>(buffer, CAPACITY) && !grow(buffer, need)) return 0;
  return <usize>load<u32>(buffer, ADDRESS) + used;
}

export function advance(buffer: usize, bytes: u32): void {
  store<u32>(buffer, load<u32>(buffer, LENGTH) + bytes, LENGTH);
}

export function truncate(buffer: usize, length: u32): void {
  store<u32>(buffer, length, LENGTH);
}

/** Gives the memory back; the buffer is empty again. */
export function clear(buffer: usize): void {
  const capacity = load<u32>(buffer, CAPACITY);
  if (capacity != 0) heap.free(address(buffer), capacity);
  memory.fill(buffer, 0, BUFFER_BYTES);
}

/** Gives away the memory: the caller frees `capacity` bytes at the old address(). The buffer is empty again. */
export function detach(buffer: usize): void {
  memory.fill(buffer, 0, BUFFER_BYTES);
}

export function capacity(buffer: usize): u32 {
  return load<u32>(buffer, CAPACITY);
}

function grow(buffer: usize, need: u64): bool {
  if (need > LENGTH_MAX) return false;
  const old = load<u32>(buffer, CAPACITY);
  const doubled = min(<u64>old * 2, LENGTH_MAX);
  const capacity = <u32>heap.roundUp(<usize>max(max(need, doubled), CAPACITY_MIN));
  const block = heap.alloc(capacity);
  if (block == 0) return false;
  if (old != 0) {
    memory.copy(block, address(buffer), load<u32>(buffer, LENGTH));
    heap.free(address(buffer), old);
  }
  store<u32>(buffer, <u32>block, ADDRESS);
  store<u32>(buffer, capacity, CAPACITY);
  return true;
}
