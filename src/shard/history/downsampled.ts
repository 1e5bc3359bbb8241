// Downsampled series of a block as functions over all values of a range want them: their samples rebuilt from aggregates.

import { BlockFault, ChunkEncoding } from '../../tsdb/block/contract.js';
import { ChunkFault } from '../../tsdb/chunk/bit-stream.js';
import { decodeXor, encodeXor, type FloatSamples } from '../../tsdb/chunk/xor.js';
import type { AggregatesReader } from '../../tsdb/downsample/aggregates-file.js';
import { rebuild } from '../../tsdb/downsample/rebuild.js';
import type { BlockChunks } from './block.js';
import type { TimeSpan } from './selection.js';

/** Samples of a chunk that is made: the core counts up to 65,535. */
const CHUNK_SAMPLES = 4096;

/** A chunk of floats that is nowhere on the disk. */
export interface MadeChunk extends TimeSpan {
  readonly data: Uint8Array;
}

/**
 * Chunks of as many samples as a series had, with the same aggregates in each window. `chunks` are all that it has.
 * Throws BlockFault and DiskError.
 */
export function rebuiltChunks(
  aggregates: AggregatesReader,
  ref: number,
  chunks: BlockChunks,
  path: string,
): MadeChunk[] {
  const { times, bits } = rebuild(joined(chunks, path), aggregates.of(ref));
  const made: MadeChunk[] = [];
  for (let from = 0; from < times.length; from += CHUNK_SAMPLES) {
    const to = Math.min(times.length, from + CHUNK_SAMPLES);
    const data = encodeXor({ times: times.subarray(from, to), bits: bits.subarray(from, to) });
    made.push({ minTimeMs: times[from]!, maxTimeMs: times[to - 1]!, data });
  }
  return made;
}

function joined({ bytes, starts, lengths, encodings }: BlockChunks, path: string): FloatSamples {
  const parts = Array.from(starts, (start, i) => {
    if (encodings[i] !== ChunkEncoding.Xor)
      throw new BlockFault(path, 'a downsampled series', 'has chunks of no floats');
    try {
      return decodeXor(bytes.subarray(start, start + lengths[i]!));
    } catch (error) {
      if (error instanceof ChunkFault) throw new BlockFault(path, 'a chunk', error.message);
      throw error;
    }
  });
  const count = parts.reduce((sum, { times }) => sum + times.length, 0);
  const all = { times: new Float64Array(count), bits: new BigUint64Array(count) };
  let at = 0;
  for (const { times, bits } of parts) {
    all.times.set(times, at);
    all.bits.set(bits, at);
    at += times.length;
  }
  return all;
}
