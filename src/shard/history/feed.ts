// Chunks of blocks, and of the head's files, for a query's series: loaded into the core's memory some series at a time.
//
//   place ──► what each block has of it in the span ──► apart in time, nothing deleted, floats ──► quick-load.ts
//                                                  └──► else: samples merged, deleted ones left out ──► fresh chunks
//         └──► chunks of the head that are in files alone (spilled.ts): behind those of blocks
//
// A window of places is loaded before the morsel that begins with it, and freed before the next is. Nothing is missing
// without a word: what cannot be read is a fault, which the query's answer names.

import { ChunkEncoding, type DeletedInterval } from '../../tsdb/block/contract.js';
import { ChunkFault } from '../../tsdb/chunk/bit-stream.js';
import type { ChunkCache } from '../../wasm/chunk-cache.js';
import type { Core } from '../../wasm/core.js';
import { isGuest } from '../../wasm/guests.js';
import { type ChunkSlice, LoadedChunks } from '../../wasm/history.js';
import type { Query } from '../../wasm/query.js';
import type { Wants } from '../../wasm/wanted.js';
import type { BlockChunks, ChunkSource } from './block.js';
import type { Faults } from './faults.js';
import type { BlockHistograms } from './histograms.js';
import { type IsAnswered, quickLoad } from './quick-load.js';
import type { Piece, Rewriter } from './rewrite.js';
import type { PlacedBlock, PlacedChunks, TimeSpan } from './selection.js';
import type { SpilledChunks } from './spilled.js';

/** Chunks that are loaded at once, about: a millisecond of reading, and a megabyte or two. */
const CHUNKS = 4096;
/** Places that are loaded at once, whatever blocks are thought to have of them. */
const PLACES_MIN = 64;
const PLACES_MAX = 16_384;
/** The same where samples of theirs came late, which takes far longer. */
const PLACES_LATE_MAX = 256;
/** Where no block has anything: most series have what they need in memory. */
const PLACES_OF_HEAD = 131_072;

export interface FeedOptions {
  readonly core: Core;
  readonly cache: ChunkCache;
  /** The query's list; empty where no block has anything for it. */
  readonly list: Uint32Array;
  /** Series of the query. */
  readonly count: number;
  readonly blocks: readonly PlacedBlock[];
  /** Samples that came late: of the head's series alone. */
  readonly late?: PlacedChunks | undefined;
  readonly spilled: SpilledChunks;
  readonly span: TimeSpan;
  /** Where the head begins. */
  readonly floorMs: number;
  readonly faults: Faults;
  readonly rewriter: Rewriter;
  /** Downsampled series show samples that are rebuilt from their aggregates, in place of those they have. */
  readonly wantsAggregates?: boolean;
  /** Takes the native histograms of a window; without it series that have some are left out. */
  readonly histograms?: BlockHistograms;
}

/** What a window wants of one block. */
interface Wanted {
  readonly block: ChunkSource;
  readonly refs: number[];
  readonly slices: { place: number; minTimeMs: number; maxTimeMs: number }[];
}

export class HistoryFeed {
  readonly #options: FeedOptions;
  readonly #places: number;
  #loaded: LoadedChunks | undefined;
  /** Of the spilled chunks, when the window was loaded. */
  #version = 0;
  /** Numbers of series that have other chunks than those of floats: they were skipped. */
  readonly #deferred: number[] = [];

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#places = placesAtOnce(options);
  }

  /** Before a morsel: sees to it that the series that come next have their chunks. Throws OutOfMemory. */
  load(query: Query, from = query.place): void {
    if (from < this.#options.count && !this.#isThere(from)) this.#loadFrom(query, from, this.#places);
  }

  /** Whether a query has come to the end of what is loaded, and there is more. */
  isSpent(query: Query): boolean {
    const { place } = query;
    return place < this.#options.count && this.#loaded !== undefined && !this.#isThere(place);
  }

  /** Whether nothing is to be loaded for a place. */
  #isThere(place: number): boolean {
    const { spilled } = this.#options;
    const loaded = this.#loaded;
    if (loaded === undefined) return !this.#hasBlocks && !spilled.mayHave(this.#headSpan.minTimeMs);
    return place >= loaded.from && place < loaded.from + loaded.count && this.#version === spilled.version;
  }

  get #hasBlocks(): boolean {
    return this.#options.blocks.length > 0 || this.#options.late !== undefined;
  }

  /** The head's part of the span. */
  get #headSpan(): TimeSpan {
    const { span, floorMs } = this.#options;
    return { minTimeMs: Math.max(span.minTimeMs, floorMs), maxTimeMs: span.maxTimeMs };
  }

  /** Whether the head may have the newest sample, where that is all that is asked for: not where anything later may be in a block. */
  #answers(query: Query): IsAnswered | undefined {
    const { blocks, floorMs, late, wantsAggregates } = this.#options;
    if (query.steps > 1 || late !== undefined || wantsAggregates === true) return undefined;
    if (blocks.some(({ block }) => block.maxTimeMs > floorMs)) return undefined;
    return (series) => query.isAnsweredByHead(series);
  }

  #loadFrom(query: Query, from: number, places: number): void {
    this.close();
    const { core, count, spilled } = this.#options;
    this.#version = spilled.version;
    const wants = spilled.wantsOf(query, from, Math.min(places, count - from), this.#headSpan, CHUNKS);
    const loaded = new LoadedChunks(core, from, wants.places);
    this.#loaded = loaded;
    this.#loadSpilled(this.#hasBlocks ? this.#loadBlocks(query, loaded, wants) : wants, loaded);
    loaded.giveTo(query.address);
  }

  /** Gives those of the head's chunks that are wanted all the same. */
  #loadBlocks(query: Query, loaded: LoadedChunks, wants: Wants): Wants {
    const { histograms, list } = this.#options;
    histograms?.clear();
    const window = new Window(this.#options, loaded, quickLoad(this.#options, loaded, this.#answers(query)));
    window.load();
    for (const place of window.skipped) this.#deferred.push(list[place]!);
    return chosen(wants, (place) => !window.skipped.has(place) && !window.whole.has(place));
  }

  /** Of chunks that reach into blocks what is behind these. */
  #loadSpilled(wants: Wants, loaded: LoadedChunks): void {
    const { spilled, floorMs, faults } = this.#options;
    spilled.loadQuietly(wants, loaded, { minTimeMs: floorMs, maxTimeMs: Number.POSITIVE_INFINITY }, faults);
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

/** How many series are loaded at once, by what blocks have of one on the average. */
function placesAtOnce({ blocks, late, span }: FeedOptions): number {
  if (blocks.length === 0 && late === undefined) return PLACES_OF_HEAD;
  let chunks = 0;
  for (const { block } of blocks) {
    const { minTimeMs, maxTimeMs } = within(block, span);
    chunks += Math.max(1, (block.chunksPerSeries * (maxTimeMs - minTimeMs)) / (block.maxTimeMs - block.minTimeMs));
  }
  return Math.min(
    late === undefined ? PLACES_MAX : PLACES_LATE_MAX,
    Math.max(PLACES_MIN, Math.floor(CHUNKS / Math.max(1, chunks))),
  );
}

/** The chunks of some places, planned and then read, one by one. */
class Window {
  readonly skipped = new Set<number>();
  /** Places whose chunks have the head's samples among them. */
  readonly whole = new Set<number>();
  readonly #loaded: LoadedChunks;
  readonly #options: FeedOptions;
  readonly #sources: readonly PlacedChunks[];
  readonly #wanted: Wanted[];
  /** What of a series has to be merged, by place. */
  readonly #pieces = new Map<number, Piece[]>();

  constructor(options: FeedOptions, loaded: LoadedChunks, places: readonly number[]) {
    this.#options = options;
    this.#loaded = loaded;
    this.#sources = options.late === undefined ? options.blocks : [...options.blocks, options.late];
    this.#wanted = this.#sources.map(({ block }) => ({ block, refs: [], slices: [] }));
    for (const place of places) this.#plan(place);
  }

  /** Which chunks a series needs, and whether they may go as they are. */
  #plan(place: number): void {
    const { span, floorMs, list } = this.#options;
    let last = Number.NEGATIVE_INFINITY;
    let isPlain = true;
    const rebuilt: Piece[] = [];
    for (const [i, { block, refs }] of this.#sources.entries()) {
      const ref = refs[place]!;
      if (ref === 0) continue;
      const entry = this.#options.faults.guard(block.ulid, within(block, span), () => block.entry(ref));
      if (entry === undefined) continue;
      const deleted = block.deleted(ref);
      if (this.#options.wantsAggregates && block.isDownsampled(ref)) {
        const made = this.#options.faults.guard(block.ulid, within(block, span), () => block.rebuilt(ref)) ?? [];
        for (const { data, ...times } of made) {
          if (times.maxTimeMs < span.minTimeMs || times.minTimeMs > span.maxTimeMs) continue;
          rebuilt.push({ data, ...times, deleted, ulid: block.ulid });
          last = Math.max(last, times.maxTimeMs);
        }
        continue;
      }
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
      }
    }
    // Samples that came late may be in a block where the head still has others.
    if (Number.isFinite(last) && last >= floorMs && !isGuest(list[place]!)) isPlain = false;
    if (!isPlain || rebuilt.length > 0) this.#pieces.set(place, rebuilt);
  }

  load(): void {
    this.#wanted.forEach((wanted, i) => {
      const { block, refs, slices } = wanted;
      const chunks = this.#options.faults.tryQuietly(() => block.chunks(refs));
      if (chunks !== undefined) this.#add(chunks, slices, this.#sources[i]!);
      else this.#addOneByOne(wanted, this.#sources[i]!);
    });
    for (const [place, pieces] of this.#pieces)
      if (!this.skipped.has(place) && pieces.length > 0) this.#rewrite(place, pieces);
    for (const place of this.skipped) this.#loaded.skip(place);
  }

  /** Where one of many cannot be read the others are read without it. */
  #addOneByOne({ block, refs, slices }: Wanted, placed: PlacedChunks): void {
    refs.forEach((ref, i) => {
      const chunks = this.#options.faults.guard(block.ulid, slices[i]!, () => block.chunks([ref]));
      if (chunks !== undefined) this.#add(chunks, [slices[i]!], placed);
    });
  }

  #add(
    { bytes, starts, lengths, encodings }: BlockChunks,
    wanted: Wanted['slices'],
    { block, refs }: PlacedChunks,
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
    this.#loaded.add(bytes, plain);
  }

  /** A chunk of native histograms, where somebody takes them; else the series is left out. */
  #addOther(
    block: ChunkSource,
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
    const { rewriter, list, floorMs, faults, span, spilled } = this.#options;
    const number = list[place]!;
    const withHead = !isGuest(number) && pieces.some(({ maxTimeMs }) => maxTimeMs >= floorMs);
    const fromMs = Math.max(floorMs, span.minTimeMs);
    const head = withHead ? rewriter.head(number, fromMs, span, spilled, faults) : undefined;
    const chunks = rewriter.rewrite(pieces, head, faults);
    for (const { mint, maxt, bytes } of chunks) {
      this.#loaded.add(bytes, [{ place, minTimeMs: mint, maxTimeMs: maxt, start: 0, length: bytes.length }]);
    }
    if (!withHead) return;
    this.#loaded.setWhole(place);
    this.whole.add(place);
  }
}

/** The wants of some places. */
function chosen(wants: Wants, isWanted: (place: number) => boolean): Wants {
  if (wants.place.every(isWanted)) return wants;
  const isKept = (_: number, i: number) => isWanted(wants.place[i]!);
  const place = wants.place.filter(isKept);
  return {
    ...{ places: wants.places, count: place.length, place },
    ...{ file: wants.file.filter(isKept), offset: wants.offset.filter(isKept) },
    ...{ minTimeMs: wants.minTimeMs.filter(isKept), maxTimeMs: wants.maxTimeMs.filter(isKept) },
  };
}

/** What of a span lies in a block. */
function within(block: ChunkSource, span: TimeSpan): TimeSpan {
  return {
    minTimeMs: Math.max(block.minTimeMs, span.minTimeMs),
    maxTimeMs: Math.min(block.maxTimeMs - 1, span.maxTimeMs),
  };
}
