// Chunks of the head that are in files alone, loaded for who reads them.
//
//   wants, by place ──► those that the cache has ─────────────────────────────────────────────────────────┐
//                  └──► the others, by file and offset ──► few reads into the core's memory ──► checked ──┴──► linked
//
// What somebody loaded is good until chunks leave memory again (version): then it wants others.

import { type Disk, DiskError, type FileHandle } from '../../base/disk.js';
import { headChunksFolder, headChunksPath } from '../../tsdb/head-chunks/layout.js';
import { type ChunkCache, REFERENCE_BYTES } from '../../wasm/chunk-cache.js';
import type { Core } from '../../wasm/core.js';
import { type ChunkSlice, LoadedChunks } from '../../wasm/history.js';
import type { Query } from '../../wasm/query.js';
import { Spill } from '../../wasm/spill.js';
import { RECORD_BYTES_BESIDE, Wanted, type Wants } from '../../wasm/wanted.js';
import type { Faults } from './faults.js';
import type { TimeSpan } from './selection.js';

/** Read for a chunk whose length is not known: nearly all need less. Longer ones cost a second read. */
const GUESS_BYTES = 2176 + RECORD_BYTES_BESIDE;
/** No chunk that is read takes more. */
const RECORD_BYTES_MAX = 2 ** 20 + RECORD_BYTES_BESIDE;
/** Bytes between two chunks that are cheaper read than skipped: a call costs as much as 16 KiB of copying. */
const GAP_BYTES_MAX = 16 * 1024;
const RUN_BYTES_MAX = 1024 * 1024;
/** Linking a record may overwrite the byte in front of it. */
const FRONT_BYTES = 16;

/** Bytes of a chunk in linear memory, and what is left of it within a span, as chunks anew. */
export type Clip = (data: Uint8Array, times: TimeSpan, span: TimeSpan, faults: Faults) => Iterable<ClippedChunk>;

interface ClippedChunk {
  readonly mint: number;
  readonly maxt: number;
  readonly bytes: Uint8Array;
}

/** Wants of one file that come with one read. */
interface Run {
  readonly file: number;
  readonly from: number;
  end: number;
  readonly wants: number[];
}

export class SpilledChunks {
  readonly #core: Core;
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #wanted: Wanted;
  readonly #spill: Spill;
  readonly #clip: Clip;
  readonly #cache: ChunkCache;
  readonly #files = new Map<number, FileHandle>();

  /** `dataFolder` undefined: nothing is ever in files. */
  constructor(core: Core, disk: Disk, dataFolder: string | undefined, clip: Clip, cache: ChunkCache) {
    this.#core = core;
    this.#disk = disk;
    this.#folder = headChunksFolder(dataFolder ?? '');
    this.#wanted = new Wanted(core);
    this.#spill = new Spill(core);
    this.#clip = clip;
    this.#cache = cache;
  }

  /** Another number after chunks have left memory. */
  get version(): number {
    return this.#spill.evictions;
  }

  /** Whether anything ever was in files. */
  get hasAny(): boolean {
    return this.#spill.hasAny;
  }

  /** Whether anything from a time on may be in files alone. */
  mayHave(minTimeMs: number): boolean {
    return this.#spill.newestEvictedMs >= minTimeMs;
  }

  /** What a query wants within a span for its series from a place on, up to so many places and about so many chunks. Throws OutOfMemory. */
  wantsOf(query: Query, from: number, places: number, { minTimeMs, maxTimeMs }: TimeSpan, most: number): Wants {
    return this.#wanted.ofQuery(query.address, from, places, minTimeMs, maxTimeMs, most);
  }

  /** The same for the series of a list at an address. */
  wantsOfList(list: number, places: number, { minTimeMs, maxTimeMs }: TimeSpan, most = 2 ** 31): Wants {
    return this.#wanted.ofList(list, places, minTimeMs, maxTimeMs, most);
  }

  /**
   * Loads the chunks that are wanted behind those that are loaded by now. Of chunks that reach over the ends of the span only
   * what is within. What is damaged becomes a fault. Throws OutOfMemory and DiskError.
   */
  load(wants: Wants, loaded: LoadedChunks, span: TimeSpan, faults: Faults): void {
    const chunks = new Uint32Array(wants.count);
    for (const run of runsOf(wants, chunks)) this.#readRun(run, wants, chunks, loaded, faults);
    this.#showAll(wants, chunks, loaded, span, faults);
  }

  /** The same for queries: what cannot be read is a fault too, and what can is kept for the next. */
  loadQuietly(wants: Wants, loaded: LoadedChunks, span: TimeSpan, faults: Faults): void {
    const chunks = this.#known(wants, loaded);
    for (const run of runsOf(wants, chunks)) {
      try {
        this.#readRun(run, wants, chunks, loaded, faults);
        this.#keep(run, wants, chunks, loaded);
      } catch (error) {
        if (!(error instanceof DiskError)) throw error;
        for (const want of run.wants) faults.addAt(this.#placeOf(wants, want), timesOf(wants, want), error.message);
      }
    }
    this.#showAll(wants, chunks, loaded, span, faults);
  }

  /** Those of the wanted chunks that the cache has, where they are; 0 for the others. */
  #known(wants: Wants, loaded: LoadedChunks): Uint32Array {
    if (wants.count === 0) return new Uint32Array(0);
    const room = loaded.lend(wants.count * REFERENCE_BYTES);
    return this.#cache.find(wants.file, wants.offset, room, loaded.pins);
  }

  /** Shows copies of what was read, in the cache; where that has no room what was read stays as long as the window. */
  #keep(run: Run, wants: Wants, chunks: Uint32Array, loaded: LoadedChunks): void {
    for (const want of run.wants) {
      if (chunks[want] === 0) continue;
      const kept = this.#cache.keep(wants.file[want]!, wants.offset[want]!, chunks[want]!, loaded.pins);
      // A reference takes less than what was read.
      if (kept !== 0) this.#cache.refer(kept, chunks[want]!);
    }
  }

  /** Links what was found, of each series the oldest first: wants are newest first. */
  #showAll(wants: Wants, chunks: Uint32Array, loaded: LoadedChunks, span: TimeSpan, faults: Faults): void {
    for (let want = wants.count - 1; want >= 0; want--) {
      if (chunks[want] !== 0) this.#show(wants, want, chunks[want]!, loaded, span, faults);
    }
  }

  /**
   * Has the series of a list that have chunks in files within a span keep all from there on in memory, for somebody who changes
   * them. Throws OutOfMemory and DiskError.
   */
  recall(series: Uint32Array, { minTimeMs, maxTimeMs }: TimeSpan, faults: Faults): void {
    if (series.length === 0 || !this.hasAny) return;
    const loaded = new LoadedChunks(this.#core, 0, series.length);
    try {
      const wants = this.wantsOfList(this.#lendList(loaded, series), series.length, { ...EVER, minTimeMs });
      this.load(wants, loaded, EVER, faults);
      series.forEach((one, i) => {
        this.#wanted.recall(one, loaded.newest(i), minTimeMs, maxTimeMs);
      });
    } finally {
      loaded.release();
    }
  }

  /** Loads what of a list of series lies in a span, of the first series: `places` says how many these are. Of chunks across its ends only that. Release it. Throws OutOfMemory and DiskError. */
  loadList(series: Uint32Array, span: TimeSpan, most: number, faults: Faults): LoadedChunks {
    const wants = this.#withList(series, (list) => this.wantsOfList(list, series.length, span, most));
    const loaded = new LoadedChunks(this.#core, 0, wants.places);
    try {
      this.load(wants, loaded, span, faults);
      return loaded;
    } catch (error) {
      loaded.release();
      throw error;
    }
  }

  /** Shows the newest samples of those of some series that have none in memory any more. Throws OutOfMemory. */
  revive(series: Uint32Array, faults: Faults): void {
    if (!this.hasAny) return;
    const bare = series.filter((one) => this.#wanted.isBare(one));
    if (bare.length > 0) this.#reviveThese(bare, faults);
  }

  /** The same of all series. */
  reviveAll(faults: Faults): void {
    for (let from = 0, some = 1; some > 0; ) {
      const { next, series } = this.#wanted.bare(from, BARE_SERIES);
      from = next;
      some = series.length;
      if (some > 0) this.#reviveThese(series, faults);
    }
  }

  /** So many bytes of a file from an offset on; fewer where it ends. Throws DiskError. */
  readRecord(file: number, offset: number, bytes: number): Uint8Array {
    const record = new Uint8Array(bytes);
    return record.subarray(0, this.#disk.pread(this.#file(file), record, offset));
  }

  /** Closes the files: some may be removed now. Those that are wanted are opened again. */
  closeFiles(): void {
    for (const handle of this.#files.values()) this.#disk.close(handle);
    this.#files.clear();
  }

  #reviveThese(series: Uint32Array, faults: Faults): void {
    const loaded = new LoadedChunks(this.#core, 0, series.length);
    try {
      const newest = newestOf(this.wantsOfList(this.#lendList(loaded, series), series.length, EVER));
      this.loadQuietly(newest, loaded, EVER, faults);
      for (let i = 0; i < series.length; i++) {
        if (loaded.newest(i) !== 0) this.#wanted.revive(series[i]!, loaded.newest(i));
      }
    } finally {
      loaded.release();
    }
  }

  #withList<T>(series: Uint32Array, action: (list: number) => T): T {
    const lender = new LoadedChunks(this.#core, 0, 0);
    try {
      return action(this.#lendList(lender, series));
    } finally {
      lender.release();
    }
  }

  #lendList(lender: LoadedChunks, series: Uint32Array): number {
    const list = lender.lend(series.byteLength);
    this.#core.u32(list, series.length).set(series);
    return list;
  }

  /** Reads some chunks into lent memory, and says where they are. */
  #readRun(run: Run, wants: Wants, chunks: Uint32Array, loaded: LoadedChunks, faults: Faults): void {
    const file = this.#file(run.file);
    const bytes = run.end - run.from;
    const base = loaded.lend(FRONT_BYTES + bytes) + FRONT_BYTES;
    const there = this.#disk.pread(file, this.#core.u8(base, bytes), run.from);
    for (const want of run.wants) {
      const offset = wants.offset[want]! - run.from;
      const linked = this.#link(wants, want, base + offset, there - offset);
      const chunk = linked === 'short' && there === bytes ? this.#linkLong(wants, want, loaded) : linked;
      if (typeof chunk === 'number') chunks[want] = chunk;
      else faults.addAt(this.#placeOf(wants, want), timesOf(wants, want), 'a chunk is damaged');
    }
  }

  #link(wants: Wants, want: number, at: number, available: number): number | 'damaged' | 'short' {
    return available <= 0 ? 'short' : this.#wanted.link(wants.maxTimeMs[want]!, at, available, 0);
  }

  /** A chunk that is larger than ours are. */
  #linkLong(wants: Wants, want: number, loaded: LoadedChunks): number | 'damaged' | 'short' {
    const at = loaded.lend(FRONT_BYTES + RECORD_BYTES_MAX) + FRONT_BYTES;
    const into = this.#core.u8(at, RECORD_BYTES_MAX);
    const there = this.#disk.pread(this.#file(wants.file[want]!), into, wants.offset[want]!);
    return this.#link(wants, want, at, there);
  }

  #show(wants: Wants, want: number, chunk: number, loaded: LoadedChunks, span: TimeSpan, faults: Faults): void {
    const place = wants.place[want]!;
    const maxTimeMs = wants.maxTimeMs[want]!;
    if (wants.minTimeMs[want]! >= span.minTimeMs && maxTimeMs <= span.maxTimeMs) {
      loaded.link(place, chunk);
      return;
    }
    const { data, minTimeMs } = loaded.chunkAt(chunk);
    if (minTimeMs >= span.minTimeMs && maxTimeMs <= span.maxTimeMs) {
      loaded.link(place, chunk);
      return;
    }
    for (const { mint, maxt, bytes } of this.#clip(data, { minTimeMs, maxTimeMs }, span, faults)) {
      const slice: ChunkSlice = { place, minTimeMs: mint, maxTimeMs: maxt, start: 0, length: bytes.length };
      loaded.add(bytes, [slice]);
    }
  }

  #file(file: number): FileHandle {
    let handle = this.#files.get(file);
    if (handle === undefined) {
      handle = this.#disk.open(headChunksPath(this.#folder, file), 'read');
      this.#files.set(file, handle);
    }
    return handle;
  }

  #placeOf(wants: Wants, want: number): string {
    return `${headChunksPath(this.#folder, wants.file[want]!)} at ${wants.offset[want]}`;
  }
}

/** Series whose newest chunks are loaded at once. */
const BARE_SERIES = 4096;
const EVER = { minTimeMs: Number.NEGATIVE_INFINITY, maxTimeMs: Number.POSITIVE_INFINITY };

/** Of each place the newest chunk alone: it is the first of its place. */
function newestOf(wants: Wants): Wants {
  const kept = Array.from(wants.place.keys()).filter((i) => i === 0 || wants.place[i] !== wants.place[i - 1]);
  const take = <T extends Uint32Array | Float64Array>(column: T, into: T): T => {
    kept.forEach((from, to) => {
      into[to] = column[from]!;
    });
    return into;
  };
  const count = kept.length;
  return {
    ...{ places: wants.places, count },
    ...{ place: take(wants.place, new Uint32Array(count)), file: take(wants.file, new Uint32Array(count)) },
    ...{
      offset: take(wants.offset, new Uint32Array(count)),
      minTimeMs: take(wants.minTimeMs, new Float64Array(count)),
    },
    maxTimeMs: take(wants.maxTimeMs, new Float64Array(count)),
  };
}

/** Which chunks to read together, of those that are not there, in the order of files. */
function runsOf(wants: Wants, chunks: Uint32Array): Run[] {
  const { file, offset, count } = wants;
  const missing = new Uint32Array(count);
  let left = 0;
  for (let i = 0; i < count; i++) if (chunks[i] === 0) missing[left++] = i;
  const order = missing.subarray(0, left);
  order.sort((a, b) => file[a]! - file[b]! || offset[a]! - offset[b]!);
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const want of order) {
    const from = offset[want]!;
    const end = from + GUESS_BYTES;
    if (run?.file === file[want] && from <= run.end + GAP_BYTES_MAX && from - run.from <= RUN_BYTES_MAX) {
      run.end = end;
      run.wants.push(want);
    } else {
      run = { file: file[want]!, from, end, wants: [want] };
      runs.push(run);
    }
  }
  return runs;
}

function timesOf(wants: Wants, want: number): TimeSpan {
  return { minTimeMs: wants.minTimeMs[want]!, maxTimeMs: wants.maxTimeMs[want]! };
}
