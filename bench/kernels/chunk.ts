// The chunk kernel: append to open chunks, seal, decode. `node dist/bench/kernels/chunk.js [filter]`

import { pathToFileURL } from 'node:url';
import { CHUNK_BYTES_MAX, CHUNK_SAMPLES_MAX, DECODE_SLACK } from '../../assembly/layout.js';
import { type ChunkBytes, Chunks } from '../../src/wasm/chunks.js';
import { Core } from '../../src/wasm/core.js';
import { type Micro, printAll } from './micro.js';
import { SHAPES, type Shape, seriesColumns } from './series.js';

/** Six hours at 15 s: twelve chunks. */
const SAMPLES = 12 * CHUNK_SAMPLES_MAX;
/** So many that the branch predictor cannot learn them by heart. */
const SERIES = 64;

/** Append until full, release, from the start: the state and the blocks stay in cache. */
function append(shape: Shape): Micro {
  return {
    name: `chunk append ${shape}`,
    unit: 'sample',
    prepare: () => {
      const { exports, memory } = new Core();
      const all = SERIES * SAMPLES;
      const columns = exports.heap_alloc(all * 16);
      for (let seed = 0; seed < SERIES; seed++) {
        const { times, values } = seriesColumns(shape, SAMPLES, seed);
        new Float64Array(memory.buffer, columns, all).set(times, seed * SAMPLES);
        new Float64Array(memory.buffer, columns + all * 8, all).set(values, seed * SAMPLES);
      }
      const chunk = exports.chunk_open();
      return () => {
        for (let at = 0; at < all; at += CHUNK_SAMPLES_MAX) {
          exports.chunk_append_columns(chunk, columns + at * 8, columns + (all + at) * 8, CHUNK_SAMPLES_MAX);
          exports.chunk_free(exports.chunk_seal(chunk));
        }
        return all;
      };
    },
  };
}

function decode(shape: Shape): Micro {
  return {
    name: `chunk decode ${shape}`,
    unit: 'sample',
    prepare: () => {
      const core = new Core();
      const { exports } = core;
      const placed = Array.from({ length: SERIES }, (_, seed) => place(core, encode(core, shape, seed))).flat();
      const columns = exports.heap_alloc(CHUNK_SAMPLES_MAX * 16);
      const values = columns + CHUNK_SAMPLES_MAX * 8;
      const scratch = exports.heap_alloc(CHUNK_BYTES_MAX + DECODE_SLACK);
      return () => {
        for (const { data, bytes } of placed) {
          exports.chunk_decode(data, bytes, -Infinity, Infinity, true, columns, values, scratch);
        }
        return SERIES * SAMPLES;
      };
    },
  };
}

export function encode(core: Core, shape: Shape, seed: number): ChunkBytes[] {
  const { times, values } = seriesColumns(shape, SAMPLES, seed);
  return new Chunks(core).encode({ times, valueBits: new BigUint64Array(values.buffer) });
}

export function place(core: Core, chunks: readonly ChunkBytes[]): { data: number; bytes: number }[] {
  return chunks.map(({ bytes }) => {
    const data = core.exports.heap_alloc(bytes.length);
    core.bytes.set(bytes, data);
    return { data, bytes: bytes.length };
  });
}

export const chunkMicros: readonly Micro[] = [...SHAPES.map(append), ...SHAPES.map(decode)];

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) printAll(chunkMicros);
