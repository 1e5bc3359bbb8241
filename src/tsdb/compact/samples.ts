// Chunks as samples and back, for the few that cannot be copied: those that overlap, those of which a part is deleted.

import type { StoredHistogram } from '../../model/stored-histogram.js';
import type { Chunks } from '../../wasm/chunks.js';
import { ChunkEncoding, type StreamedChunk } from '../block/contract.js';
import { ChunkFault } from '../chunk/bit-stream.js';
import { decodeChunk } from '../chunk/decode.js';
import { HistogramAppender, type SealedHistograms } from '../chunk/histogram-appender.js';

export interface FloatSample {
  readonly timeMs: number;
  readonly bits: bigint;
  readonly histogram?: undefined;
}

export interface HistogramSample {
  readonly timeMs: number;
  readonly histogram: StoredHistogram;
}

export type Sample = FloatSample | HistogramSample;

/** Its checksum is right, and yet it holds nothing that can be read. */
export class UnreadableChunk extends Error {
  override readonly name = 'UnreadableChunk';
  constructor(encoding: ChunkEncoding, minTimeMs: number, reason: string) {
    super(`a chunk of encoding ${encoding} from ${new Date(minTimeMs).toISOString()} on cannot be read: ${reason}`);
  }
}

/** A sample that no longer stands behind the one it was written behind: what it says of a counter's reset is void. */
export function detached(sample: Sample): Sample {
  const { timeMs, histogram } = sample;
  if (histogram === undefined || histogram.hint === 'gauge') return sample;
  return { timeMs, histogram: { ...histogram, hint: 'unknown' } };
}

export class SampleCodec {
  readonly #chunks: Chunks;

  /** The core encodes floats. */
  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  /** Throws UnreadableChunk. */
  decode({ encoding, minTimeMs, data }: StreamedChunk): Sample[] {
    try {
      const decoded = decodeChunk(encoding, data);
      if (decoded.kind === 'histograms') return [...decoded.histograms];
      const { times, bits } = decoded.floats;
      return Array.from(times, (timeMs, i) => ({ timeMs, bits: bits[i]! }));
    } catch (error) {
      if (error instanceof ChunkFault) throw new UnreadableChunk(encoding, minTimeMs, error.message);
      throw error;
    }
  }

  /** As many chunks as the samples need: one kind each, at most 120 floats, histograms of about a KiB. */
  encode(samples: readonly Sample[]): StreamedChunk[] {
    return runsOf(samples).flatMap((run) => {
      const isFloats = run[0]!.histogram === undefined;
      return isFloats ? this.#encodeFloats(run as FloatSample[]) : encodeHistograms(run as HistogramSample[]);
    });
  }

  #encodeFloats(samples: readonly FloatSample[]): StreamedChunk[] {
    const times = Float64Array.from(samples, ({ timeMs }) => timeMs);
    const valueBits = BigUint64Array.from(samples, ({ bits }) => bits);
    return this.#chunks.encode({ times, valueBits }).map(({ mint, maxt, bytes }) => ({
      minTimeMs: mint,
      maxTimeMs: maxt,
      encoding: ChunkEncoding.Xor,
      data: bytes,
    }));
  }
}

/** Samples that follow each other and are of one kind. */
function runsOf(samples: readonly Sample[]): Sample[][] {
  const runs: Sample[][] = [];
  let before: string | undefined;
  for (const sample of samples) {
    const kind = `${sample.histogram?.isFloat}`;
    if (kind === before) runs.at(-1)!.push(sample);
    else runs.push([sample]);
    before = kind;
  }
  return runs;
}

function encodeHistograms(samples: readonly HistogramSample[]): StreamedChunk[] {
  const appender = new HistogramAppender(samples[0]!.histogram.isFloat);
  const sealed: SealedHistograms[] = [];
  for (const { timeMs, histogram } of samples) {
    const cut = appender.append(timeMs, histogram);
    if (cut !== undefined) sealed.push(cut);
  }
  return [...sealed, appender.peek()!].map(({ isFloat, minTimeMs, maxTimeMs, data }) => ({
    minTimeMs,
    maxTimeMs,
    encoding: isFloat ? ChunkEncoding.FloatHistogram : ChunkEncoding.Histogram,
    data,
  }));
}
