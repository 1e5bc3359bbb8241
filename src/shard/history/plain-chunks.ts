// Chunks of newer servers as the core reads them: XOR2, which Prometheus writes since 3.14, becomes XOR.

import { BlockFault, ChunkEncoding } from '../../tsdb/block/contract.js';
import { ChunkFault } from '../../tsdb/chunk/bit-stream.js';
import { encodeXor } from '../../tsdb/chunk/xor.js';
import { decodeXor2 } from '../../tsdb/chunk/xor2.js';
import type { BlockChunks } from './block.js';

/** The same chunks; what needs no change is not copied. Throws a BlockFault where one cannot be read. */
export function plainChunks(read: BlockChunks, path: string): BlockChunks {
  const places = [...read.encodings.keys()].filter((i) => read.encodings[i] === ChunkEncoding.Xor2);
  if (places.length === 0) return read;
  const made = places.map((i) => asXor(read.bytes.subarray(read.starts[i]!, read.starts[i]! + read.lengths[i]!), path));
  const starts = read.starts.slice();
  const lengths = read.lengths.slice();
  const encodings = read.encodings.slice();
  const bytes = new Uint8Array(made.reduce((sum, { length }) => sum + length, read.bytes.length));
  bytes.set(read.bytes);
  let at = read.bytes.length;
  for (const [n, i] of places.entries()) {
    bytes.set(made[n]!, at);
    starts[i] = at;
    lengths[i] = made[n]!.length;
    encodings[i] = ChunkEncoding.Xor;
    at += made[n]!.length;
  }
  return { bytes, starts, lengths, encodings };
}

function asXor(data: Uint8Array, path: string): Uint8Array {
  try {
    return encodeXor(decodeXor2(data));
  } catch (error) {
    if (error instanceof ChunkFault) throw new BlockFault(path, 'a chunk of encoding 4', error.message);
    throw error;
  }
}
