// Whether chunks of a block hold what the index says: a share of them is decoded by the codecs in TypeScript, which
// have nothing in common with the core that encoded most of them. What a broken memory has made of a chunk shows here.

import type { Block } from '../block/block.js';
import { BlockFault } from '../block/contract.js';
import { SeriesEntry } from '../block/series-entry.js';
import { ChunkFault } from '../chunk/bit-stream.js';
import { decodeChunk } from '../chunk/decode.js';

/** One of so many is decoded. */
const EVERY = 16;
/** Read together. */
const BATCH_CHUNKS = 256;

interface WantedChunk {
  readonly ref: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Throws a BlockFault where a chunk cannot be decoded, is out of order, or does not begin and end when it should. */
export function checkDecoding(block: Block): void {
  const entry = new SeriesEntry();
  let batch: WantedChunk[] = [];
  let count = 0;
  for (const ref of block.index.allSeries()) {
    block.index.series(ref, entry);
    for (let i = 0; i < entry.chunkCount; i++) if (count++ % EVERY === 0) batch.push(entry.chunk(i));
    if (batch.length < BATCH_CHUNKS) continue;
    check(block, batch);
    batch = [];
  }
  check(block, batch);
}

function check(block: Block, batch: readonly WantedChunk[]): void {
  const { bytes, starts, lengths, encodings } = block.chunks.read(batch.map(({ ref }) => ref));
  for (const [i, chunk] of batch.entries()) {
    const reason = faultOf(encodings[i]!, bytes.subarray(starts[i]!, starts[i]! + lengths[i]!), chunk);
    if (reason !== undefined) throw new BlockFault(block.path, `chunk at ${chunk.ref}`, reason);
  }
}

function faultOf(encoding: number, data: Uint8Array, { minTimeMs, maxTimeMs }: WantedChunk): string | undefined {
  let times: ArrayLike<number>;
  try {
    const decoded = decodeChunk(encoding, data);
    times = decoded.kind === 'floats' ? decoded.floats.times : decoded.histograms.map(({ timeMs }) => timeMs);
  } catch (error) {
    if (error instanceof ChunkFault) return error.message;
    throw error;
  }
  for (let i = 1; i < times.length; i++)
    if (times[i]! <= times[i - 1]!) return `sample ${i} is not behind the one before`;
  const [first, last] = [times[0], times[times.length - 1]];
  if (first === minTimeMs && last === maxTimeMs) return undefined;
  return `it spans ${first} to ${last}, the index says ${minTimeMs} to ${maxTimeMs}`;
}
