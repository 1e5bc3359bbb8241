// What becomes of one series when its blocks are made anew: dropped or downsampled as policies say, floats in the encoding
// that is wanted. What was downsampled before keeps its aggregates.

import { METRIC_NAME } from '../../model/labels.js';
import { ChunkEncoding, type DeletedInterval, type StreamedChunk, type SymbolTable } from '../block/contract.js';
import { decodeXor, encodeXor, type FloatSamples } from '../chunk/xor.js';
import { decodeXor2, encodeXor2 } from '../chunk/xor2.js';
import type { Sample, SampleCodec } from '../compact/samples.js';
import type { AggregatesReader } from './aggregates-file.js';
import { type Downsampled, downsample } from './downsample.js';
import { NO_POLICIES, type Policies, type Treatment, treatmentAt } from './policies.js';
import { PolicyMatch } from './policy-match.js';
import type { Windows } from './windows.js';

/** How floats are written: 'same' leaves chunks as they are. */
export type FloatEncoding = 'xor' | 'xor2' | 'same';

export interface RewriteSettings {
  readonly policies: Policies;
  readonly floats: FloatEncoding;
}

/** A series in one of the blocks that are made anew. */
export const NO_REWRITE: RewriteSettings = { policies: NO_POLICIES, floats: 'same' };

export interface ParentSeries {
  readonly aggregates: AggregatesReader | undefined;
  readonly ref: number;
  readonly deleted: readonly DeletedInterval[];
}

export interface RewrittenSeries {
  readonly chunks: readonly StreamedChunk[];
  readonly windows: readonly Windows[];
  /** The policy that decided; -1: none. */
  readonly policy: number;
  readonly treatment: Treatment;
}

const KEEP: Treatment = { kind: 'keep' };

export class SeriesRewriter {
  readonly #settings: RewriteSettings;
  readonly #ageMs: number;
  readonly #codec: SampleCodec;
  readonly #match: PolicyMatch;

  /** `ageMs` of the block to come; label sets are by `symbols`. */
  constructor(settings: RewriteSettings, ageMs: number, codec: SampleCodec, symbols: SymbolTable) {
    this.#settings = settings;
    this.#ageMs = ageMs;
    this.#codec = codec;
    this.#match = new PolicyMatch(symbols, settings.policies.list);
  }

  /** Throws UnreadableChunk, BlockFault and DiskError. */
  rewrite(labels: Uint32Array, chunks: readonly StreamedChunk[], parents: readonly ParentSeries[]): RewrittenSeries {
    const policy = this.#match.of(labels);
    const treatment = policy < 0 ? KEEP : treatmentAt(this.#settings.policies.list[policy]!, this.#ageMs);
    if (treatment.kind === 'drop') return { chunks: [], windows: [], policy, treatment };
    const windows = parents.flatMap(windowsOf);
    if (treatment.kind === 'downsample') {
      const lowered = this.#downsample(labels, chunks, windows, treatment.resolutionMs);
      if (lowered !== undefined) {
        const encoded = this.#codec.encode(samplesOf(lowered.samples)).map((chunk) => this.#recode(chunk));
        return { chunks: encoded, windows: lowered.windows, policy, treatment };
      }
    }
    const recoded = this.#settings.floats === 'same' ? chunks : chunks.map((chunk) => this.#recode(chunk));
    return { chunks: recoded, windows, policy, treatment };
  }

  /** undefined for series with native histograms, which stay as they are. */
  #downsample(
    labels: Uint32Array,
    chunks: readonly StreamedChunk[],
    windows: readonly Windows[],
    resolutionMs: number,
  ): Downsampled | undefined {
    const samples = chunks.flatMap((chunk) => this.#codec.decode(chunk));
    if (samples.length === 0 || samples.some(({ histogram }) => histogram !== undefined)) return undefined;
    const times = Float64Array.from(samples, ({ timeMs }) => timeMs);
    const bits = BigUint64Array.from(samples, (sample) => (sample as { bits: bigint }).bits);
    return downsample({ times, bits }, windows, resolutionMs, this.#match.valueOf(labels, METRIC_NAME));
  }

  #recode(chunk: StreamedChunk): StreamedChunk {
    const { encoding, data } = chunk;
    const { floats } = this.#settings;
    if (encoding === ChunkEncoding.Xor && floats === 'xor2') {
      return { ...chunk, encoding: ChunkEncoding.Xor2, data: encodeXor2(decodeXor(data)) };
    }
    if (encoding === ChunkEncoding.Xor2 && floats === 'xor') {
      return { ...chunk, encoding: ChunkEncoding.Xor, data: encodeXor(decodeXor2(data)) };
    }
    return chunk;
  }
}

function samplesOf({ times, bits }: FloatSamples): Sample[] {
  return Array.from(times, (timeMs, i) => ({ timeMs, bits: bits[i]! }));
}

/** Windows whose last sample is deleted go. */
function windowsOf({ aggregates, ref, deleted }: ParentSeries): Windows[] {
  const groups = aggregates?.of(ref) ?? [];
  if (deleted.length === 0) return [...groups];
  return groups.flatMap((group) => {
    const isLeft = (i: number) =>
      !deleted.some(({ minTimeMs, maxTimeMs }) => group.lastMs[i]! >= minTimeMs && group.lastMs[i]! <= maxTimeMs);
    const left = (column: Float64Array) => column.filter((_, i) => isLeft(i));
    const lastMs = left(group.lastMs);
    if (lastMs.length === 0) return [];
    const { resolutionMs, counts, sums, mins, maxs } = group;
    return [{ resolutionMs, lastMs, counts: left(counts), sums: left(sums), mins: left(mins), maxs: left(maxs) }];
  });
}
