// Chunks as samples and back, for the few that cannot be copied: those that overlap, those of which a part is deleted.

import type { Chunks } from '../../wasm/chunks.js';
import { type ChunkEncoding, ChunkEncoding as Encoding, type StreamedChunk } from '../block/contract.js';

/** A sample of any kind. */
export interface Sample {
  readonly timeMs: number;
  /** Of a float. */
  readonly bits: bigint;
}

export interface SampleCodec {
  /** Throws UnreadableChunk. */
  decode(chunk: StreamedChunk): Sample[];
  /** Chunks of at most 120 samples. */
  encode(samples: readonly Sample[]): StreamedChunk[];
}

/** Its checksum is right, and yet it holds nothing that can be read. */
export class UnreadableChunk extends Error {
  override readonly name = 'UnreadableChunk';
  constructor(encoding: ChunkEncoding, minTimeMs: number) {
    super(`a chunk of encoding ${encoding} from ${new Date(minTimeMs).toISOString()} on cannot be read`);
  }
}

/** Floats, by way of the core. */
export class FloatCodec implements SampleCodec {
  readonly #chunks: Chunks;

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  decode({ encoding, minTimeMs, data }: StreamedChunk): Sample[] {
    const samples = encoding === Encoding.Xor ? this.#chunks.decode(data) : undefined;
    if (samples === undefined) throw new UnreadableChunk(encoding, minTimeMs);
    return Array.from(samples.times, (timeMs, i) => ({ timeMs, bits: samples.valueBits[i]! }));
  }

  encode(samples: readonly Sample[]): StreamedChunk[] {
    const times = Float64Array.from(samples, ({ timeMs }) => timeMs);
    const valueBits = BigUint64Array.from(samples, ({ bits }) => bits);
    return this.#chunks.encode({ times, valueBits }).map(({ mint, maxt, bytes }) => ({
      minTimeMs: mint,
      maxTimeMs: maxt,
      encoding: Encoding.Xor,
      data: bytes,
    }));
  }
}
