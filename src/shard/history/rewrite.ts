// Chunks that cannot be shown as they are: those of a series that overlap, in blocks or with the head, and those of which
// something is deleted. Their samples become fresh chunks. This is the rare case, and takes a hundred times longer.

import type { DeletedInterval } from '../../tsdb/block/contract.js';
import { mergeSamples } from '../../tsdb/compact/merge-chunks.js';
import type { FloatSample } from '../../tsdb/compact/samples.js';
import { type ChunkBytes, Chunks, type Samples } from '../../wasm/chunks.js';
import type { Core } from '../../wasm/core.js';
import { LoadedChunks } from '../../wasm/history.js';
import { OutOfMemory } from '../../wasm/out-of-memory.js';
import { Queries } from '../../wasm/query.js';
import type { Faults } from './faults.js';
import type { TimeSpan } from './selection.js';
import type { SpilledChunks } from './spilled.js';

/** A chunk of floats from a block. */
export interface Piece extends TimeSpan {
  readonly data: Uint8Array;
  readonly deleted: readonly DeletedInterval[];
  readonly ulid: string;
}

export class Rewriter {
  readonly #core: Core;
  readonly #chunks: Chunks;
  readonly #queries: Queries;

  readonly #watermark: () => number;

  constructor(core: Core, watermark: () => number) {
    this.#core = core;
    this.#watermark = watermark;
    this.#chunks = new Chunks(core);
    this.#queries = new Queries(core);
  }

  /** The samples that are left of pieces and head, oldest first, as chunks. */
  rewrite(pieces: readonly Piece[], head: Samples | undefined, faults: Faults): ChunkBytes[] {
    const parts: Samples[] = [];
    for (const { data, deleted, ulid, ...times } of pieces) {
      const samples = this.#chunks.decode(data);
      if (samples === undefined) faults.add(ulid, times, 'a chunk is damaged');
      else parts.push(without(samples, deleted));
    }
    if (head !== undefined) parts.push(head);
    return this.#chunks.encode(merged(parts));
  }

  /** What is left of a chunk of the head within a span. */
  clip(data: Uint8Array, times: TimeSpan, span: TimeSpan, faults: Faults): ChunkBytes[] {
    const deleted = [
      { minTimeMs: Number.NEGATIVE_INFINITY, maxTimeMs: span.minTimeMs - 1 },
      { minTimeMs: span.maxTimeMs + 1, maxTimeMs: Number.POSITIVE_INFINITY },
    ];
    return this.rewrite([{ data, deleted, ulid: 'of the head', ...times }], undefined, faults);
  }

  /** All samples that the head has of a series from the floor on, up to the end of a span. Which of them a query may see is its own business. */
  head(number: number, floorMs: number, { maxTimeMs }: TimeSpan, spilled: SpilledChunks, faults: Faults): Samples {
    const { exports } = this.#core;
    const address = exports.heap_alloc(16) >>> 0;
    if (address === 0) throw new OutOfMemory();
    this.#core.u32(address, 1)[0] = number;
    try {
      const list = { address, count: 1, bytes: 16 };
      const windowMs = maxTimeMs - floorMs + 1;
      const query = this.#queries.openAllSamples(list, this.#queries.view(this.#watermark()), windowMs, maxTimeMs);
      const loaded = new LoadedChunks(this.#core, 0, 1);
      try {
        const wants = spilled.wantsOf(query, 0, 1, { minTimeMs: floorMs, maxTimeMs }, 2 ** 31);
        spilled.loadQuietly(wants, loaded, { minTimeMs: floorMs, maxTimeMs: Number.POSITIVE_INFINITY }, faults);
        loaded.giveTo(query.address);
        query.next();
        const { times, values } = query.allSamples();
        return { times: new Float64Array(times), valueBits: new BigUint64Array(values) };
      } finally {
        query.close();
        loaded.release();
      }
    } finally {
      exports.heap_free(address, 16);
    }
  }
}

function without({ times, valueBits }: Samples, deleted: readonly DeletedInterval[]): Samples {
  if (deleted.length === 0) return { times, valueBits };
  const isLeft = (timeMs: number) =>
    !deleted.some(({ minTimeMs, maxTimeMs }) => timeMs >= minTimeMs && timeMs <= maxTimeMs);
  return { times: times.filter(isLeft), valueBits: valueBits.filter((_, i) => isLeft(times[i]!)) };
}

/** Of samples of one time the one that Prometheus takes, in queries as in blocks: so values stay when blocks are merged. */
function merged(parts: readonly Samples[]): Samples {
  const [only] = parts;
  if (parts.length === 1) return only!;
  const rows = parts
    .filter(({ times }) => times.length > 0)
    .sort((a, b) => a.times[0]! - b.times[0]! || a.times.at(-1)! - b.times.at(-1)!)
    .map(({ times, valueBits }) => Array.from(times, (timeMs, i): FloatSample => ({ timeMs, bits: valueBits[i]! })));
  const kept = mergeSamples(rows) as FloatSample[];
  return {
    times: Float64Array.from(kept, ({ timeMs }) => timeMs),
    valueBits: BigUint64Array.from(kept, ({ bits }) => bits),
  };
}
