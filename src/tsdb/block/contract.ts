// What the parts around a block hand to each other: symbols, label sets, chunks, the block's own description.
//
// A label set is the numbers of its strings in a table of sorted symbols: name, value, name, value, … in the order
// of names. Since the table is sorted, comparing two label sets of one table is comparing two runs of numbers, and
// nothing that handles many series ever compares strings.
//
// Times are milliseconds. Where a block or a head is meant, `min` is in it and `max` is not; of a chunk both are.

/** Prometheus's numbers for the kinds of chunks. */
export enum ChunkEncoding {
  Xor = 1,
  Histogram = 2,
  FloatHistogram = 3,
  /** Floats, in Prometheus since 3.14; older ones cannot read it. */
  Xor2 = 4,
}

/** Strings in byte order, each once, as UTF-8: string i ends at ends[i], where string i + 1 begins. */
export interface SymbolTable {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** Where a chunk is in its block: segment (from 0) × 2^32 + offset, as the index has it. */
export type ChunkRef = number & { readonly __ref: 'Chunk' };

/** Where a series is in its index: offset / 16. Ascends with the label sets. */
export type SeriesRef = number & { readonly __ref: 'BlockSeries' };

/** A chunk as the index describes it. */
export interface ChunkMeta {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly ref: ChunkRef;
}

/** A chunk on its way into a block. */
export interface StreamedChunk {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly encoding: ChunkEncoding;
  /** Without length, encoding and checksum. Lent: the writer copies. */
  readonly data: Uint8Array;
}

/** What is deleted of a series, both ends included. */
export interface DeletedInterval {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export interface BlockStats {
  readonly samples: number;
  readonly series: number;
  readonly chunks: number;
  readonly floatSamples?: number;
  readonly histogramSamples?: number;
  readonly tombstones?: number;
}

/** Where a block comes from. */
export interface Compaction {
  /** 1 for a block cut from a head, one more for each time it was merged. */
  readonly level: number;
  /** Blocks of level 1 that it holds, itself if it is one. */
  readonly sources: readonly string[];
  readonly parents?: readonly { readonly ulid: string; readonly minTimeMs: number; readonly maxTimeMs: number }[];
  /** Nothing is left of it: to be removed, not merged. */
  readonly deletable?: boolean;
  readonly failed?: boolean;
  readonly hints?: readonly string[];
}

/** meta.json. */
export interface BlockMeta {
  readonly ulid: string;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly stats: BlockStats;
  readonly compaction: Compaction;
  readonly version: 1;
}

/** The reason of a fault where a file or a folder is missing. */
export const NOT_THERE = 'not there';

/** Something in a block is not what it must be. */
export class BlockFault extends Error {
  override readonly name = 'BlockFault';
  constructor(
    /** The file. */
    readonly path: string,
    /** Where in it, in words: `symbol 812`, `series at 4096`, `chunk at 12345`. */
    readonly place: string,
    readonly reason: string,
  ) {
    super(`${path}: ${place}: ${reason}`);
  }

  /** A file is not there at all, which somebody who copies a block may cause. */
  get isMissing(): boolean {
    return this.reason === NOT_THERE;
  }
}
