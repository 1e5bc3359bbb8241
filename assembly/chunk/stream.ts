// The bit stream of an open chunk: writing bits at its end. Reading them back is read.ts's.
//
// The layout of blocks and tail is drawn in state.ts. Writing is two-phased, so that a
// refused allocation changes nothing: reserve() takes the one block that the coming bits
// may need, then put() cannot fail.

import * as heap from '../memory/heap';
import { BLOCK_BYTES, ChunkState, PAYLOAD_BYTES } from './state';

const BLOCK_MASK: usize = BLOCK_BYTES - 1;

/** The block that reserve() took for the puts that follow it. */
let reserved: usize = 0;

/**
 * Makes sure that `bits` more bits fit; false where memory is refused.
 * At most 192 bits: then never more than one new block is needed.
 */
export function reserve(state: ChunkState, bits: u32): bool {
  const words: usize = ((<u32>state.tailBits + bits) >>> 6) as usize;
  if (words == 0) return true;
  assert(words <= 3, 'more bits than one block takes');
  const cursor: usize = state.cursor;
  if (cursor != 0 && (cursor & BLOCK_MASK) + words * sizeof<u64>() <= PAYLOAD_BYTES) return true;
  reserved = heap.alloc(BLOCK_BYTES);
  assert((reserved & BLOCK_MASK) == 0, 'blocks are aligned to their size');
  return reserved != 0;
}

/** Appends the low `bits` (1 to 64) bits of `value`, which has no others set. */
export function put(state: ChunkState, value: u64, bits: u32): void {
  const free: u32 = 64 - <u32>state.tailBits;
  if (bits < free) {
    state.tail |= value << (free - bits);
    state.tailBits += <u8>bits;
    return;
  }
  const rest: u32 = bits - free;
  flush(state, state.tail | (value >> rest));
  state.tail = rest == 0 ? 0 : value << (64 - rest);
  state.tailBits = <u8>rest;
}

/** Moves 64 complete bits into the blocks, in byte order of the stream. */
function flush(state: ChunkState, word: u64): void {
  const swapped = bswap<u64>(word);
  const cursor: usize = state.cursor;
  const fill = cursor & BLOCK_MASK;
  if (cursor != 0 && fill + sizeof<u64>() <= PAYLOAD_BYTES) {
    store<u64>(cursor, swapped);
    state.cursor = <u32>(cursor + sizeof<u64>());
    return;
  }
  assert(reserved != 0, 'put without reserve');
  const block = reserved;
  reserved = 0;
  store<u32>(block, <u32>(cursor & ~BLOCK_MASK), PAYLOAD_BYTES);
  if (cursor != 0 && fill < PAYLOAD_BYTES) {
    // Half a word is left in the old block.
    store<u32>(cursor, <u32>swapped);
    store<u32>(block, <u32>(swapped >> 32));
    state.cursor = <u32>(block + sizeof<u32>());
  } else {
    store<u64>(block, swapped);
    state.cursor = <u32>(block + sizeof<u64>());
  }
}

/**
 * Fills the stream of an empty chunk with what read.copy() gave of another: `bytes` bytes in blocks, a multiple of 8, and behind them
 * those of `tailBits` bits. The count in front is left out. False where memory is refused; then nothing has changed.
 */
export function refill(state: ChunkState, from: usize, bytes: usize, tailBits: u8): bool {
  let block: usize = 0;
  let fill: usize = 0;
  for (let at: usize = 0; at < bytes; at += fill) {
    const next = heap.alloc(BLOCK_BYTES);
    if (next == 0) {
      if (block != 0) state.cursor = <u32>(block + fill);
      clear(state);
      return false;
    }
    fill = min(bytes - at, PAYLOAD_BYTES);
    memory.copy(next, from + at, fill);
    if (at == 0) store<u16>(next, 0);
    store<u32>(next, <u32>block, PAYLOAD_BYTES);
    block = next;
  }
  state.cursor = block == 0 ? 0 : <u32>(block + fill);
  let tail: u64 = 0;
  for (let i: usize = 0; i < (<usize>tailBits + 7) >> 3; i++) {
    const byte: u64 = bytes == 0 && i < 2 ? 0 : <u64>load<u8>(from + bytes + i);
    tail |= byte << (<u64>(56 - i * 8));
  }
  state.tail = tail;
  state.tailBits = tailBits;
  return true;
}

/** Gives the blocks back and leaves the stream empty. */
export function clear(state: ChunkState): void {
  const cursor: usize = state.cursor;
  let block = cursor & ~BLOCK_MASK;
  while (block != 0) {
    const previous: usize = load<u32>(block, PAYLOAD_BYTES);
    heap.free(block, BLOCK_BYTES);
    block = previous;
  }
  state.cursor = 0;
  state.tail = 0;
  state.tailBits = 0;
}
