// The samples of a series as chunks that do not cross the end of a block to come.

import { formatLabelSet, type Labels } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import { floatOf } from '../../model/stored-histogram.js';
import type { Chunks } from '../../wasm/chunks.js';
import { ChunkEncoding, type StreamedChunk } from '../block/contract.js';
import type { SeriesSamples } from './sample-buffer.js';

/** Samples that had the time of another of their series, and another value: the first was kept, as promtool does. */
export class Conflicts {
  #count = 0;
  #example = '';

  get count(): number {
    return this.#count;
  }

  /** The first that was met. */
  get example(): string {
    return this.#example;
  }

  note(labels: () => Labels, timeMs: number, kept: bigint, dropped: bigint): void {
    if (this.#count++ > 0) return;
    const [first, second] = [kept, dropped].map((bits) => formatFloat(floatOf(bits)));
    this.#example = `${formatLabelSet(labels())} at ${timeMs} is ${first} and ${second}`;
  }
}

/** Where the window of a time begins. */
export function windowOf(timeMs: number, blockMs: number): number {
  return Math.floor(timeMs / blockMs) * blockMs;
}

/** Samples by time; of those of one time the first is kept. */
export function windowChunks(
  samples: SeriesSamples,
  blockMs: number,
  chunks: Chunks,
  conflicts: Conflicts,
  labels: () => Labels,
): StreamedChunk[] {
  const { times, bits } = withoutTwins(samples, conflicts, labels);
  const all: StreamedChunk[] = [];
  for (let from = 0; from < times.length; ) {
    const end = windowOf(times[from]!, blockMs) + blockMs;
    let to = from + 1;
    while (to < times.length && times[to]! < end) to++;
    const encoded = chunks.encode({ times: times.subarray(from, to), valueBits: bits.subarray(from, to) });
    for (const { mint, maxt, bytes } of encoded) {
      all.push({ minTimeMs: mint, maxTimeMs: maxt, encoding: ChunkEncoding.Xor, data: bytes });
    }
    from = to;
  }
  return all;
}

/** Each time once, in place. */
function withoutTwins({ times, bits }: SeriesSamples, conflicts: Conflicts, labels: () => Labels): SeriesSamples {
  let count = times.length === 0 ? 0 : 1;
  for (let i = 1; i < times.length; i++) {
    if (times[i] !== times[count - 1]) {
      times[count] = times[i]!;
      bits[count++] = bits[i]!;
    } else if (bits[i] !== bits[count - 1]) conflicts.note(labels, times[i]!, bits[count - 1]!, bits[i]!);
  }
  return { times: times.subarray(0, count), bits: bits.subarray(0, count) };
}
