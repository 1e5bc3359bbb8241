// Chunks of blocks for a query's series, loaded into the core's memory some series at a time.
//
//   place ──► what each block has of it in the span ──► plain: apart in time, nothing deleted ──► copied as they are
//                                                  └──► else: samples merged, deleted ones left out ──► fresh chunks
//
// A window of places is loaded before the morsel that begins with it, and freed before the next is. Nothing is missing
// without a word: what cannot be read is a fault, which the query's answer names.

import { ChunkEncoding, type DeletedInterval } from '../../tsdb/block/contract.js';
import { ChunkFault } from '../../tsdb/chunk/bit-stream.js';
import type { Core } from '../../wasm/core.js';
import { isGuest } from '../../wasm/guests.js';
import { type ChunkSlice, LoadedChunks } from '../../wasm/history.js';
import type { Query } from '../../wasm/query.js';
import type { BlockChunks, HistoryBlock } from './block.js';
import type { Faults } from './faults.js';
import type { BlockHistograms } from './histograms.js';
import type { Piece, Rewriter } from './rewrite.js';
import type { PlacedBlock, TimeSpan } from './selection.js';

/** How much is loaded at once: the first that is reached ends it. */
interface WindowSize {
  readonly chunks: number;
  readonly places: number;
}

/** Some milliseconds of reading, and a megabyte or two. */
const SOME: WindowSize = { chunks: 4096, places: 16_384 };
const ALL: WindowSize = { chunks: Number.POSITIVE_INFINITY, places: Number.POSITIVE_INFINITY };

export interface FeedOptions {
  readonly core: Core;
  /** The query's list. */
  readonly list: Uint32Array;
  readonly blocks: readonly PlacedBlock[];
  readonly span: TimeSpan;
  /** Where the head begins. */
  readonly floorMs: number;
  readonly faults: Faults;
  readonly rewriter: Rewriter;
  /** Takes the native histograms of a window; without it series that have some are left out. */
  readonly histograms?: BlockHistograms;
}

/** What a window wants of one block. */
interface Wanted {
  readonly block: HistoryBlock;
  readonly refs: number[];
  readonly slices: { place: number; minTimeMs: number; maxTimeMs: number }[];
}

export class HistoryFeed {
  readonly #options: FeedOptions;
  #loaded: LoadedChunks | undefined;
  /** Numbers of series that have other chunks than those of floats: they were skipped. */
  readonly #deferred: number[] = [];

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Before a morsel: sees to it that the series that come next have their chunks. Throws OutOfMemory. */
  load(query: Query): void {
    const from = query.place;
    const { list } = this.#options;
    if (from >= list.length || (this.#loaded !== undefined && from < this.#loaded.from + this.#loaded.count)) return;
    this.#loadFrom(query, from, SOME);
  }

  /** The same for all series at once, of a query that reads them in any order. */
  loadAll(query: Query): void {
    if (this.#options.list.length > 0) this.#loadFrom(query, 0, ALL);
  }

  #loadFrom(query: Query, from: number, most: WindowSize): void {
    this.close();
    this.#options.histograms?.clear();
    const window = new Window(this.#options, from, most);
    this.#loaded = window.loaded;
    window.load();
    for (const place of window.skipped) this.#deferred.push(this.#options.list[place]!);
    this.#loaded.giveTo(query.address);
  }

  /** Series that were left out, ascending; they are forgotten here. */
  takeDeferred(): Uint32Array {
    return Uint32Array.from(this.#deferred.splice(0)).sort();
  }

  get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }

  /** The query is evaluated no further with what was loaded. */
  close(): void {
    this.#loaded?.release();
    this.#loaded = undefined;
  }
}

/** The chunks of some places, planned and then read. */
class Window {
  readonly loaded: LoadedChunks;
  readonly skipped = new Set<number>();
  readonly #options: FeedOptions;
  readonly #wanted: Wanted[];
  /** What of a series has to be merged, by place. */
  readonly #pieces = new Map<number, Piece[]>();
  #chunks = 0;

  constructor(options: FeedOptions, from: number, { chunks, places }: WindowSize) {
    this.#options = options;
    this.#wanted = options.blocks.map(({ block }) => ({ block, refs: [], slices: [] }));
    const end = Math.min(options.list.length, from + places);
    let place = from;
    while (place < end && this.#chunks < chunks) this.#plan(place++);
    this.loaded = new LoadedChunks(options.core, from, place - from);
  }

  /** Which chunks a series needs, and whether they may go as they are. */
  #plan(place: number): void {
    const { blocks, span, floorMs, list } = this.#options;
    let last = Number.NEGATIVE_INFINITY;
    let isPlain = true;
    for (const [i, { block, refs }] of blocks.entries()) {
      const ref = refs[place]!;
      if (ref === 0) continue;
      const entry = this.#options.faults.guard(block.ulid, within(block, span), () => block.entry(ref));
      if (entry === undefined) continue;
      const deleted = block.deleted(ref);
      const { refs: chunkRefs, slices } = this.#wanted[i]!;
      for (let chunk = 0; chunk < entry.chunkCount; chunk++) {
        const minTimeMs = entry.minTimesMs[chunk]!;
        const maxTimeMs = entry.maxTimesMs[chunk]!;
        if (maxTimeMs < span.minTimeMs || minTimeMs > span.maxTimeMs) continue;
        if (minTimeMs <= last || deleted.some((one) => one.minTimeMs <= maxTimeMs && one.maxTimeMs >= minTimeMs))
          isPlain = false;
        last = Math.max(last, maxTimeMs);
        chunkRefs.push(entry.chunkRefs[chunk]!);
        slices.push({ place, minTimeMs, maxTimeMs });
        this.#chunks++;
      }
    }
    // Samples that came late may be in a block where the head still has others.
    if (last >= floorMs && !isGuest(list[place]!)) isPlain = false;
    if (!isPlain) this.#pieces.set(place, []);
  }

  load(): void {
    this.#wanted.forEach((wanted, i) => {
      const { block, refs, slices } = wanted;
      const chunks = this.#options.faults.tryQuietly(() => block.chunks(refs));
      if (chunks !== undefined) this.#add(chunks, slices, this.#options.blocks[i]!);
      else this.#addOneByOne(wanted, this.#options.blocks[i]!);
    });
    for (const [place, pieces] of this.#pieces)
      if (!this.skipped.has(place) && pieces.length > 0) this.#rewrite(place, pieces);
    for (const place of this.skipped) this.loaded.skip(place);
  }

  /** Where one of many cannot be read the others are read without it. */
  #addOneByOne({ block, refs, slices }: Wanted, placed: PlacedBlock): void {
    refs.forEach((ref, i) => {
      const chunks = this.#options.faults.guard(block.ulid, slices[i]!, () => block.chunks([ref]));
      if (chunks !== undefined) this.#add(chunks, [slices[i]!], placed);
    });
  }

  #add(
    { bytes, starts, lengths, encodings }: BlockChunks,
    wanted: Wanted['slices'],
    { block, refs }: PlacedBlock,
  ): void {
    const plain: ChunkSlice[] = [];
    for (let i = 0; i < wanted.length; i++) {
      const { place, minTimeMs, maxTimeMs } = wanted[i]!;
      const start = starts[i]!;
      const length = lengths[i]!;
      if (encodings[i] !== ChunkEncoding.Xor) {
        this.#addOther(
          block,
          wanted[i]!,
          encodings[i]!,
          bytes.slice(start, start + length),
          block.deleted(refs[place]!),
        );
        continue;
      }
      const pieces = this.#pieces.get(place);
      if (pieces === undefined) plain.push({ place, minTimeMs, maxTimeMs, start, length });
      else {
        const data = bytes.slice(start, start + length);
        pieces.push({ data, minTimeMs, maxTimeMs, deleted: block.deleted(refs[place]!), ulid: block.ulid });
      }
    }
    this.loaded.add(bytes, plain);
  }

  /** A chunk of native histograms, where somebody takes them; else the series is left out. */
  #addOther(
    block: HistoryBlock,
    times: Wanted['slices'][number],
    encoding: number,
    data: Uint8Array,
    deleted: readonly DeletedInterval[],
  ): void {
    const { histograms, list, faults } = this.#options;
    const isFloat = encoding === ChunkEncoding.FloatHistogram;
    if (!isFloat && encoding !== ChunkEncoding.Histogram) {
      faults.add(block.ulid, times, `a chunk of encoding ${encoding}, which is unknown`);
      return;
    }
    if (histograms === undefined) {
      this.skipped.add(times.place);
      return;
    }
    try {
      histograms.add(list[times.place]!, data, isFloat, deleted);
    } catch (error) {
      if (!(error instanceof ChunkFault)) throw error;
      faults.add(block.ulid, times, error.message);
    }
  }

  /** Samples of a series in order, each once, without those that are deleted; with the head's where they overlap. */
  #rewrite(place: number, pieces: readonly Piece[]): void {
    const { rewriter, list, floorMs, faults, span } = this.#options;
    const number = list[place]!;
    const withHead = !isGuest(number) && pieces.some(({ maxTimeMs }) => maxTimeMs >= floorMs);
    const chunks = rewriter.rewrite(pieces, withHead ? rewriter.head(number, floorMs, span) : undefined, faults);
    for (const { mint, maxt, bytes } of chunks) {
      this.loaded.add(bytes, [{ place, minTimeMs: mint, maxTimeMs: maxt, start: 0, length: bytes.length }]);
    }
    if (withHead) this.loaded.setWhole(place);
  }
}

/** What of a span lies in a block. */
function within(block: HistoryBlock, span: TimeSpan): TimeSpan {
  return {
    minTimeMs: Math.max(block.minTimeMs, span.minTimeMs),
    maxTimeMs: Math.min(block.maxTimeMs - 1, span.maxTimeMs),
  };
}
