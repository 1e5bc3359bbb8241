// What a chunk looks like to those who only read it: the block of a sealed one, the bytes of an open one.
//
//   0        8        16     20      24
//   ┌────────┬────────┬──────┬───────┬─────────────────────┐
//   │ minT   │ maxT   │ next │ bytes │ XOR chunk           │
//   │ i64    │ i64    │ u32  │ u32   │ `bytes` bytes       │
//   └────────┴────────┴──────┴───────┴─────────────────────┘
//
// `next` is the owner's, to link the chunks of a series, newest first. The bytes never change again, and are those
// of Prometheus's chunk files. Open chunks are drawn in state.ts. Where REFERENCE_FLAG is set in `bytes` the chunk is a
// reference: an address (u32) stands where the data would begin, of bytes that somebody else keeps.
//
// Nothing here allocates or has statics, so that it runs in any thread that may look at this memory.

import { CHUNK_BYTES_MAX, REFERENCE_FLAG, SEALED_HEADER_BYTES } from '../layout';
import { BLOCK_BYTES, ChunkState, PAYLOAD_BYTES } from './state';

@unmanaged
export class Sealed {
  minT: i64;
  maxT: i64;
  next: u32;
  bytes: u32;
}

const BLOCK_MASK: usize = BLOCK_BYTES - 1;
const REFERENCE: u32 = REFERENCE_FLAG;

/** The chunk's bytes. */
export function dataOf(chunk: Sealed): usize {
  const behind = changetype<usize>(chunk) + <usize>SEALED_HEADER_BYTES;
  return (chunk.bytes & REFERENCE) != 0 ? <usize>load<u32>(behind) : behind;
}

/** How many these are. */
export function bytesOf(chunk: Sealed): u32 {
  return chunk.bytes & ~REFERENCE;
}

/** Makes a reference, of REFERENCE_BYTES, to data that stay where they are as long as it is read. */
export function refer(at: usize, minT: i64, maxT: i64, next: u32, data: usize, bytes: u32): void {
  const chunk = changetype<Sealed>(at);
  chunk.minT = minT;
  chunk.maxT = maxT;
  chunk.next = next;
  chunk.bytes = bytes | REFERENCE;
  store<u32>(at + <usize>SEALED_HEADER_BYTES, <u32>data);
}

/** Bytes of the open chunk as seal() or snapshot() would write them, the last one padded with zero bits; at most CHUNK_BYTES_MAX. */
export function size(state: ChunkState): usize {
  const tailBytes: usize = (<usize>state.tailBits + 7) >> 3;
  const cursor: usize = state.cursor;
  if (cursor == 0) return tailBytes;
  let bytes = cursor & BLOCK_MASK;
  let block: usize = load<u32>(cursor & ~BLOCK_MASK, PAYLOAD_BYTES);
  while (block != 0) {
    bytes += PAYLOAD_BYTES;
    block = load<u32>(block, PAYLOAD_BYTES);
  }
  return bytes + tailBytes;
}

/** Copies the open chunk's bytes to `into`, which has room for size(); gives their number, 0 for an empty chunk. */
export function snapshot(state: ChunkState, into: usize): usize {
  const bytes = size(state);
  assert(bytes <= <usize>CHUNK_BYTES_MAX, 'an open chunk is larger than the largest');
  if (bytes != 0) copy(state, into, bytes);
  return bytes;
}

/** Copies the `bytes` that size() gave to `into`. */
export function copy(state: ChunkState, into: usize, bytes: usize): void {
  const tailBytes: usize = (<usize>state.tailBits + 7) >> 3;
  let at = into + bytes - tailBytes;
  for (let i: usize = 0; i < tailBytes; i++) store<u8>(at + i, <u8>(state.tail >> <u64>(56 - i * 8)));
  const cursor: usize = state.cursor;
  if (cursor != 0) {
    let block = cursor & ~BLOCK_MASK;
    at -= cursor & BLOCK_MASK;
    memory.copy(at, block, cursor & BLOCK_MASK);
    block = load<u32>(block, PAYLOAD_BYTES);
    while (block != 0) {
      at -= PAYLOAD_BYTES;
      v128.store(at, v128.load(block));
      v128.store(at, v128.load(block, PAYLOAD_BYTES - 16), PAYLOAD_BYTES - 16);
      block = load<u32>(block, PAYLOAD_BYTES);
    }
  }
  assert(at == into, 'size and blocks disagree');
  store<u16>(into, bswap<u16>(<u16>state.count));
}
