// What queries ask of a block. block-files.ts answers from the block's folder, tests from memory.

import type { Matcher } from '../../model/matcher.js';
import type { DeletedInterval } from '../../tsdb/block/contract.js';
import type { MadeChunk } from './downsampled.js';

/** A series of a block: its labels as symbol numbers, and of chunk i its times, both ends in it, and its ref. */
export interface BlockEntry {
  /** Name, value, … in the order of names. */
  readonly labels: Uint32Array;
  readonly chunkCount: number;
  readonly minTimesMs: Float64Array;
  readonly maxTimesMs: Float64Array;
  readonly chunkRefs: Float64Array;
}

/** Chunks in the order asked for. */
export interface BlockChunks {
  readonly bytes: Uint8Array;
  /** Where the data of a chunk begins in `bytes`: behind its encoding. */
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly encodings: Uint8Array;
}

/** The files of a block, for a reader that knows what is in them: nothing is checked. Every method throws a BlockFault or a DiskError. */
export interface BlockBytes {
  readonly indexBytes: number;
  /** Fills `into` with the index from `at` on. */
  readIndex(into: Uint8Array, at: number): void;
  segmentBytes(segment: number): number;
  readSegment(segment: number, into: Uint8Array, at: number): void;
}

/** Chunks of series, by refs. All that is lent is good until the next question; methods throw a BlockFault or a DiskError. */
export interface ChunkSource {
  readonly ulid: string;
  /** Times are from the first to before the last. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** Lends. */
  entry(ref: number): BlockEntry;
  /** Lends. */
  chunks(refs: ArrayLike<number>): BlockChunks;
  /** What is deleted of a series. */
  deleted(ref: number): readonly DeletedInterval[];
  /** Whether a series has aggregates beside its samples. */
  isDownsampled(ref: number): boolean;
  /** Its samples rebuilt from them; of a series that has some only. */
  rebuilt(ref: number): readonly MadeChunk[];
}

export interface HistoryBlock extends ChunkSource {
  /** About. */
  readonly chunksPerSeries: number;
  readonly files: BlockBytes;
  /** Whether anything is deleted of any series. */
  readonly hasDeleted: boolean;
  /** Refs of the series that match all matchers, ascending: nobody writes to them. `check` throws where nobody wants them any more. */
  select(matchers: readonly Matcher[], check?: () => void): Uint32Array;
  names(matchers: readonly Matcher[]): string[];
  values(name: string, matchers: readonly Matcher[]): string[];
  /** The UTF-8 of a symbol: lends. */
  symbol(number: number): Uint8Array;
  close(): void;
}
