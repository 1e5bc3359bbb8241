// Sealed chunks: the finished bytes of one chunk in one block of the heap, drawn in read.ts.
// seal() sets `next` to 0.

import { SEALED_HEADER_BYTES } from '../layout';
import * as heap from '../memory/heap';
import * as read from './read';
import { Sealed } from './read';
import { ChunkState } from './state';
import * as stream from './stream';

let held: u32 = 0;

/** Bytes of all sealed chunks that are in memory. */
export function heldBytes(): u32 {
  return held;
}

/** A block for a chunk of so many bytes, whose fields the caller fills in; 0 where memory is refused. */
export function alloc(bytes: usize): usize {
  const block = heap.alloc(<usize>SEALED_HEADER_BYTES + bytes);
  if (block != 0) held += <u32>SEALED_HEADER_BYTES + <u32>bytes;
  return block;
}

/**
 * Turns the open chunk into a sealed one, which the caller owns, and empties it (its newest
 * time and value stay). 0 where memory is refused; then nothing has changed.
 */
export function seal(state: ChunkState): usize {
  assert(state.count > 0, 'an empty chunk has nothing to seal');
  const bytes = read.size(state);
  const block = alloc(bytes);
  if (block == 0) return 0;
  const chunk = changetype<Sealed>(block);
  const data = block + <usize>SEALED_HEADER_BYTES;
  read.copy(state, data, bytes);
  chunk.minT = firstTime(data);
  chunk.maxT = state.time;
  chunk.next = 0;
  chunk.bytes = <u32>bytes;
  release(state);
  return block;
}

/** Gives a sealed chunk back. */
export function free(chunk: Sealed): void {
  held -= <u32>SEALED_HEADER_BYTES + chunk.bytes;
  heap.free(changetype<usize>(chunk), <usize>SEALED_HEADER_BYTES + chunk.bytes);
}

/** Empties the open chunk and gives its blocks back; its newest time and value stay. */
export function release(state: ChunkState): void {
  stream.clear(state);
  state.count = 0;
}

/** The time of the first sample of bytes that we wrote ourselves. */
export function firstTime(data: usize): i64 {
  let at = data + sizeof<u16>();
  let zigzag: u64 = 0;
  let shift: u64 = 0;
  let byte = load<u8>(at);
  while (byte >= 0x80) {
    zigzag |= (<u64>(byte & 0x7f)) << shift;
    shift += 7;
    byte = load<u8>(++at);
  }
  zigzag |= (<u64>byte) << shift;
  return <i64>(zigzag >> 1) ^ -(<i64>(zigzag & 1));
}
