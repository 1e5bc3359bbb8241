// A sealed chunk: the finished bytes of one chunk in one block of the heap.
//
//   0        8        16     20      24
//   ┌────────┬────────┬──────┬───────┬─────────────────────┐
//   │ minT   │ maxT   │ next │ bytes │ XOR chunk           │
//   │ i64    │ i64    │ u32  │ u32   │ `bytes` bytes       │
//   └────────┴────────┴──────┴───────┴─────────────────────┘
//
// `next` is the owner's, to link the chunks of a series; seal() sets it to 0.
// The bytes never change again, and are those of Prometheus's chunk files.

import { CHUNK_BYTES_MAX, SEALED_HEADER_BYTES } from '../layout';
import * as heap from '../memory/heap';
import { ChunkState } from './state';
import * as stream from './stream';

@unmanaged
export class Sealed {
  minT: i64;
  maxT: i64;
  next: u32;
  bytes: u32;
}

const HEADER_BYTES: usize = SEALED_HEADER_BYTES;

/** The chunk's bytes. */
export function dataOf(chunk: Sealed): usize {
  return changetype<usize>(chunk) + HEADER_BYTES;
}

/**
 * Turns the open chunk into a sealed one, which the caller owns, and empties it (its newest
 * time and value stay). 0 where memory is refused; then nothing has changed.
 */
export function seal(state: ChunkState): usize {
  assert(state.count > 0, 'an empty chunk has nothing to seal');
  const bytes = stream.size(state);
  const block = heap.alloc(HEADER_BYTES + bytes);
  if (block == 0) return 0;
  const chunk = changetype<Sealed>(block);
  copyBytes(state, dataOf(chunk), bytes);
  chunk.minT = firstTime(dataOf(chunk));
  chunk.maxT = state.time;
  chunk.next = 0;
  chunk.bytes = <u32>bytes;
  release(state);
  return block;
}

/** Gives a sealed chunk back. */
export function free(chunk: Sealed): void {
  heap.free(changetype<usize>(chunk), HEADER_BYTES + chunk.bytes);
}

/** Bytes of the open chunk as seal() or snapshot() would write them; at most CHUNK_BYTES_MAX. */
export function size(state: ChunkState): usize {
  return stream.size(state);
}

/** Copies the open chunk's bytes to `into`, which has room for size(); gives their number, 0 for an empty chunk. */
export function snapshot(state: ChunkState, into: usize): usize {
  const bytes = stream.size(state);
  assert(bytes <= <usize>CHUNK_BYTES_MAX, 'an open chunk is larger than the largest');
  if (bytes != 0) copyBytes(state, into, bytes);
  return bytes;
}

/** Empties the open chunk and gives its blocks back; its newest time and value stay. */
export function release(state: ChunkState): void {
  stream.clear(state);
  state.count = 0;
}

function copyBytes(state: ChunkState, into: usize, bytes: usize): void {
  stream.copy(state, into, bytes);
  store<u16>(into, bswap<u16>(<u16>state.count));
}

/** The time of the first sample of bytes that we wrote ourselves. */
function firstTime(data: usize): i64 {
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
