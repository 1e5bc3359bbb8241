// The façade of the head: series by their labels, appends, replay, truncation.
//
// An append fills parts: log bytes that stay in shared memory until the log has them.
//
//   head.beginAppend()                         starts the outcome
//   const part = head.openPart()               one for new series, one for samples
//   head.resolve(), or head.create(part, ref)  the series of the labels in the scratch
//   head.rows(address, count, header, part)    appends, and encodes what was accepted
//   head.outcome(), head.partSpan(part)        what happened; where the log finds the bytes
//   head.closePart(part)                       when the log has them

import {
  OUTCOME_ACCEPTED,
  OUTCOME_DUPLICATE,
  OUTCOME_FIRST_STATUS,
  OUTCOME_MAX_TIME,
  OUTCOME_MIN_TIME,
  OUTCOME_NO_MEMORY,
  OUTCOME_OUT_OF_ORDER,
  OUTCOME_REPEATED,
  OUTCOME_TOO_FAR,
  OUTCOME_TOO_OLD,
  OUTCOME_UNKNOWN,
  ROW_BYTES,
  Status,
} from '../../assembly/layout.js';
import type { Core } from './core.js';
import { OutOfMemory } from './out-of-memory.js';

/** A series in this core. Never given out twice; may be gone. */
export type SeriesIndex = number & { readonly __ref: 'Series' };

/** No such series, or no memory for one. */
export const NO_SERIES = 0xffffffff as SeriesIndex;

/** WAL bytes in linear memory, until released. */
export type PartRef = number & { readonly __ref: 'Part' };

export type Refusal = 'out of order' | 'duplicate' | 'too old' | 'too far' | 'no memory';

/** What happened to the samples of an append so far. */
export interface AppendOutcome {
  readonly accepted: number;
  readonly repeated: number;
  readonly outOfOrder: number;
  readonly duplicate: number;
  readonly tooOld: number;
  readonly tooFar: number;
  readonly noMemory: number;
  /** Rows whose series is gone. */
  readonly unknown: number;
  readonly firstRefusal: Refusal | undefined;
  /** Times of samples accepted in order; undefined where none was. */
  readonly minTimeMs: number | undefined;
  readonly maxTimeMs: number | undefined;
}

/** What rows are encoded against, and which times are acceptable. */
export interface AppendBounds {
  readonly append: number;
  readonly baseRef: number;
  readonly baseTimeMs: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** What is not in order is late from here on, and too old before; none is late where it is absent. */
  readonly lateTimeMs?: number;
}

/** What became of a histogram: appended, not taken (and counted), or late, and up to whoever keeps such. */
export type HistogramFate = 'appended' | 'refused' | 'late';

/** What became of a late sample. */
export type LateFate = 'kept' | 'repeated' | 'out of order' | 'no memory';

export interface ReplayTotals {
  readonly applied: number;
  /** Of the applied those that an image of the head had. */
  readonly imaged: number;
  /** Before the window, or not later than what the series has. */
  readonly skipped: number;
  /** Of other shards' series, or of none. */
  readonly foreign: number;
  readonly highestRef: number;
  /** Series of restoredSeries(). */
  readonly restored: number;
  /** undefined where nothing was applied. */
  readonly newestMs: number | undefined;
}

/** What deleteSamples() did. */
export interface DeletedSamples {
  /** Of each series that lost samples: its ref, the time of the first, the time of the last. */
  readonly intervals: Float64Array<ArrayBuffer>;
  /** Series of the list that were seen to: fewer than asked for where memory was refused. */
  readonly handled: number;
}

/** Numbers of an interval of deleted samples. */
export const DELETED_FIELDS = 3;

const LATE_FATES: Record<LateFate, Status> = {
  kept: Status.Ok,
  repeated: Status.Full,
  'out of order': Status.OutOfOrder,
  'no memory': Status.NoMemory,
};

/** The type of a record of the log that names series, and how large one is made here, about. */
const SERIES_RECORD = 1;
const RESTORED_BYTES = 64 * 1024;

/** What liveRefs() has of each series. */
const PAIR_BYTES = 16;

/** Where a row has the low half of its ref, its time and its value: see assembly/exposition/batch.ts. */
const ROW_REF_OFFSET = 4;
const ROW_TIME_OFFSET = 8;
const ROW_VALUE_OFFSET = 16;

const REFUSALS = new Map<Status, Refusal>([
  [Status.OutOfOrder, 'out of order'],
  [Status.Duplicate, 'duplicate'],
  [Status.TooOld, 'too old'],
  [Status.Invalid, 'too far'],
  [Status.NoMemory, 'no memory'],
]);

export class Head {
  readonly #core: Core;
  #replayRefusals = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  // --- Series ---

  get seriesCount(): number {
    return this.#core.exports.series_count() >>> 0;
  }

  /** The series of the labels in the scratch, or NO_SERIES. */
  resolve(): SeriesIndex {
    return (this.#core.exports.series_resolve() >>> 0) as SeriesIndex;
  }

  /** Makes a series of the labels in the scratch, which resolve() just did not find; NO_SERIES where memory is refused. */
  create(part: PartRef, ref: number): SeriesIndex {
    return (this.#core.exports.series_create(part, ref) >>> 0) as SeriesIndex;
  }

  /** The shard, of `shards`, that owns the labels in the scratch. */
  owner(shards: number): number {
    return shards === 1 ? 0 : this.#core.exports.series_owner(shards) >>> 0;
  }

  refLow(series: SeriesIndex): number {
    return this.#core.exports.series_ref_low(series) >>> 0;
  }

  /**
   * Refs of the series alive among `count` from `from` on, each with the time up to which files have its samples, or that `besides`
   * says where that is later; with the last of them second refs of all series, and -Infinity: pairs of f64, copies. Throws OutOfMemory.
   */
  liveRefs(from: number, count: number, besides?: (series: SeriesIndex) => number): Float64Array<ArrayBuffer> {
    const { exports } = this.#core;
    const here = Math.max(0, Math.min(count, (exports.series_bound() >>> 0) - from));
    const aliases = here === count ? 0 : exports.replay_alias_count() >>> 0;
    const refs = new Float64Array((here + aliases) * 2);
    let length = 0;
    const room = exports.heap_alloc(count * PAIR_BYTES) >>> 0;
    if (room === 0) throw new OutOfMemory();
    exports.spill_live_refs(from, here, room);
    const pairs = this.#core.f64(room, here * 2);
    for (let i = 0; i < here; i++) {
      const ref = pairs[2 * i]!;
      if (ref <= 0) continue;
      refs[length++] = ref;
      const filedToMs = pairs[2 * i + 1]!;
      refs[length++] = besides === undefined ? filedToMs : Math.max(filedToMs, besides((from + i) as SeriesIndex));
    }
    exports.heap_free(room, count * PAIR_BYTES);
    for (let i = 0; i < aliases; i++) {
      const ref = exports.replay_alias(i);
      if (ref <= 0) continue;
      refs[length++] = ref;
      refs[length++] = Number.NEGATIVE_INFINITY;
    }
    return refs.slice(0, length);
  }

  // --- Appends ---

  openPart(): PartRef {
    const part = this.#core.exports.part_open() >>> 0;
    if (part === 0) throw new OutOfMemory();
    return part as PartRef;
  }

  partSpan(part: PartRef): { address: number; bytes: number } {
    return { address: this.#core.exports.part_address(part) >>> 0, bytes: this.#core.exports.part_bytes(part) >>> 0 };
  }

  /** Whether so many bytes can be written at a part's end. */
  roomInPart(part: PartRef, bytes: number): boolean {
    return this.#core.exports.part_room(part, bytes) >>> 0 !== 0;
  }

  /** Writes bytes at a part's end: copies. */
  writePart(part: PartRef, bytes: Uint8Array): void {
    const at = this.#core.exports.part_room(part, bytes.length) >>> 0;
    if (at === 0) throw new OutOfMemory();
    this.#core.bytes.set(bytes, at);
    this.#core.exports.part_advance(part, bytes.length);
  }

  closePart(part: PartRef): void {
    this.#core.exports.part_close(part);
  }

  /** Starts counting an append's outcome. */
  beginAppend(): void {
    this.#core.exports.append_begin();
  }

  /** Appends rows that lie at an address. False where there is no memory to keep the books: nothing was appended. */
  rows(address: number, count: number, bounds: AppendBounds, part: PartRef): boolean {
    const { append, baseRef, baseTimeMs, minTimeMs, maxTimeMs, lateTimeMs = Infinity } = bounds;
    const { exports } = this.#core;
    const times = [baseTimeMs, minTimeMs, maxTimeMs, lateTimeMs] as const;
    return exports.append_rows(address, count, append, baseRef, ...times, part) === Status.Ok;
  }

  /** Rows of the last rows() that came late, by their indexes: lends. Each of them is to be settled. */
  lateRows(): Uint32Array {
    const { exports } = this.#core;
    return this.#core.u32(exports.append_late(), exports.append_late_count() >>> 0);
  }

  /** Counts a late sample as what became of it. */
  settleLate(series: SeriesIndex, fate: LateFate): void {
    this.#core.exports.append_settle_late(series, LATE_FATES[fate]);
  }

  /** A series has late samples beside the head: it stays, whatever the head has of it. False where memory is refused. */
  addLate(series: SeriesIndex): boolean {
    return this.#core.exports.late_add(series);
  }

  /** It has none any more. */
  removeLate(series: SeriesIndex): void {
    this.#core.exports.late_remove(series);
  }

  /**
   * Appends a histogram as far as the head knows of it; whoever calls keeps the sample. `isSame`: it is what the newest
   * histogram of the series is.
   */
  histogram(series: SeriesIndex, timeMs: number, bounds: AppendBounds, isSame: boolean): HistogramFate {
    const { append, minTimeMs, maxTimeMs, lateTimeMs = Infinity } = bounds;
    const { exports } = this.#core;
    const status = exports.append_histogram(series, append, timeMs, minTimeMs, maxTimeMs, lateTimeMs, isSame);
    if (status === Status.Late) return 'late';
    return status === Status.Ok ? 'appended' : 'refused';
  }

  /** Of a series of which all floats were deleted the time of the newest of them; far before all times of any other. */
  emptiedAtMs(series: SeriesIndex): number {
    return this.#core.exports.series_emptied_at(series);
  }

  /** The time of the newest sample of a series in the head; far before all times where there is none. */
  newestMs(series: SeriesIndex): number {
    return this.#core.exports.series_newest(series);
  }

  /** The time of the newest float of a series; far before all times where there was none. */
  newestFloatMs(series: SeriesIndex): number {
    return this.#core.exports.series_newest_float(series);
  }

  /** The whole ref; 0 for a series that is gone. */
  ref(series: SeriesIndex): number {
    return this.#core.exports.series_ref(series);
  }

  /** The series that a row names. */
  seriesOfRow(address: number, row: number): number {
    return this.#core.view.getUint32(address + row * ROW_BYTES, true);
  }

  /** The sample of a row. */
  row(address: number, row: number): { series: SeriesIndex; timeMs: number; bits: bigint } {
    const { view } = this.#core;
    const at = address + row * ROW_BYTES;
    return {
      series: view.getUint32(at, true) as SeriesIndex,
      timeMs: Number(view.getBigInt64(at + ROW_TIME_OFFSET, true)),
      bits: view.getBigUint64(at + ROW_VALUE_OFFSET, true),
    };
  }

  /** Low half of the ref of the first row at an address. */
  nearRef(address: number): number {
    return this.#core.view.getUint32(address + ROW_REF_OFFSET, true);
  }

  /** Indexes of the rows whose series is gone: lends. */
  unknownRows(count: number): Uint32Array {
    return this.#core.u32(this.#core.exports.append_unknown(), count);
  }

  outcome(): AppendOutcome {
    const at = this.#core.exports.append_outcome() >>> 0;
    const { view } = this.#core;
    const count = (offset: number) => view.getUint32(at + offset, true);
    const accepted = count(OUTCOME_ACCEPTED);
    const minTimeMs = Number(view.getBigInt64(at + OUTCOME_MIN_TIME, true));
    const maxTimeMs = Number(view.getBigInt64(at + OUTCOME_MAX_TIME, true));
    const hasTimes = minTimeMs <= maxTimeMs;
    return {
      accepted,
      repeated: count(OUTCOME_REPEATED),
      outOfOrder: count(OUTCOME_OUT_OF_ORDER),
      duplicate: count(OUTCOME_DUPLICATE),
      tooOld: count(OUTCOME_TOO_OLD),
      tooFar: count(OUTCOME_TOO_FAR),
      noMemory: count(OUTCOME_NO_MEMORY),
      unknown: count(OUTCOME_UNKNOWN),
      firstRefusal: REFUSALS.get(count(OUTCOME_FIRST_STATUS)),
      minTimeMs: hasTimes ? minTimeMs : undefined,
      maxTimeMs: hasTimes ? maxTimeMs : undefined,
    };
  }

  /** Another number after each change of which series there are. */
  get seriesVersion(): number {
    const { exports } = this.#core;
    return exports.series_created() + exports.series_removed();
  }

  /** Every append up to here is visible to all. */
  commit(watermark: number): void {
    this.#core.exports.journal_commit(watermark);
  }

  // --- Replay ---

  /** Records of which something found no memory. */
  get replayRefusals(): number {
    return this.#replayRefusals;
  }

  beginReplay(shard: number, shards: number): void {
    this.#core.exports.replay_begin(shard, shards);
  }

  /** A series record in linear memory; a reason where it is no such record, or where memory is refused. */
  replaySeries(address: number, length: number): string | undefined {
    return this.#replayed(this.#core.exports.replay_series(address, length), 'series');
  }

  /**
   * A record of the copy of the log's series: those that no record has defined by now are made when their refs are asked for, and
   * at once where files have chunks of them.
   */
  replaySpare(address: number, length: number): string | undefined {
    return this.#replayed(this.#core.exports.replay_spare(address, length), 'spare series');
  }

  /** Records, copies, of the series that were made so and that the log does not have. */
  restoredSeries(): Uint8Array[] {
    const { exports } = this.#core;
    const records: Uint8Array[] = [];
    let entries: Uint8Array[] = [Uint8Array.of(SERIES_RECORD)];
    let bytes = 0;
    for (let entry = exports.spare_next(0) >>> 0; entry !== 0; entry = exports.spare_next(entry) >>> 0) {
      const length = exports.spare_bytes(entry) >>> 0;
      entries.push(this.#core.u8(entry, length).slice());
      bytes += length;
      if (bytes < RESTORED_BYTES) continue;
      records.push(Buffer.concat(entries));
      entries = [Uint8Array.of(SERIES_RECORD)];
      bytes = 0;
    }
    return bytes === 0 ? records : [...records, Buffer.concat(entries)];
  }

  replaySamples(address: number, length: number, minTimeMs: number): string | undefined {
    return this.#replayed(this.#core.exports.replay_samples(address, length, minTimeMs), 'samples');
  }

  /** Records of an image of the head, in linear memory; false where they are not as we write them, or memory is refused. */
  replayImage(address: number, length: number, minTimeMs: number): boolean {
    return this.#core.exports.replay_image(address, length, minTimeMs) === Status.Ok;
  }

  /** Samples of the last record that are earlier than what their series have: neither applied nor skipped. */
  replayLate(): { series: SeriesIndex; timeMs: number; bits: bigint }[] {
    const { exports } = this.#core;
    const address = exports.replay_late();
    return Array.from({ length: exports.replay_late_count() >>> 0 }, (_, row) => this.row(address, row));
  }

  /** A record of tombstones: what they name is deleted from what was replayed so far. */
  replayTombstones(address: number, length: number): string | undefined {
    return this.#replayed(this.#core.exports.replay_tombstones(address, length), 'tombstones');
  }

  /** The series of a ref in the log; NO_SERIES where it is not of this shard, or of none. */
  replayFind(ref: number): SeriesIndex {
    return (this.#core.exports.replay_find(ref) >>> 0) as SeriesIndex;
  }

  /** Whether a histogram is later than all that the series has: it is its newest sample then. */
  replayHistogram(series: SeriesIndex, timeMs: number): boolean {
    return this.#core.exports.replay_histogram(series, timeMs);
  }

  endReplay(): ReplayTotals {
    const { exports } = this.#core;
    const restored = exports.spare_made() >>> 0;
    exports.replay_end();
    const newest = exports.replay_newest();
    this.#replayRefusals += exports.replay_refused_spares() >>> 0;
    return {
      applied: exports.replay_applied(),
      imaged: exports.image_restored(),
      skipped: exports.replay_skipped(),
      foreign: exports.replay_foreign(),
      restored,
      highestRef: exports.replay_highest(),
      newestMs: newest < -(2 ** 62) ? undefined : newest,
    };
  }

  #replayed(status: Status, kind: string): string | undefined {
    if (status === Status.Ok) return undefined;
    if (status === Status.NoMemory) this.#replayRefusals++;
    if (status === Status.NoMemory) return `the memory limit is reached: ${kind} are lost`;
    return `${kind} record is malformed at byte ${this.#core.exports.replay_error_offset() >>> 0}`;
  }

  // --- Truncation: see assembly/head/truncate.ts ---

  /** One past the highest series index: what truncation scans up to. */
  get seriesBound(): number {
    return this.#core.exports.series_bound() >>> 0;
  }

  scan(minTimeMs: number, from: number, count: number): void {
    this.#core.exports.truncate_scan(minTimeMs, from, count);
  }

  get retiredCount(): number {
    return this.#core.exports.truncate_retired_count() >>> 0;
  }

  /** Indexes of the retired series: copies. */
  retired(): Uint32Array {
    return this.#core.u32(this.#core.exports.truncate_retired(), this.retiredCount).slice();
  }

  /** False where memory is refused: try again later. */
  beginSweep(): boolean {
    return this.#core.exports.truncate_begin_sweep();
  }

  /** Label names to sweep, 0 up to this. */
  get names(): number {
    return this.#core.exports.pairs_name_bound() >>> 0;
  }

  /** Sweeps some of a name; true where it has no more. */
  sweepName(name: number): boolean {
    return this.#core.exports.truncate_sweep(name);
  }

  /** Some of what is left to do after that; true where it was the last. */
  finishSweep(): boolean {
    return this.#core.exports.truncate_finish();
  }

  // --- Deletion: see assembly/head/delete.ts ---

  /**
   * Deletes samples from one time to another, both inclusive, of series at an address. Stops where memory is refused,
   * with the series so far done.
   */
  deleteSamples(address: number, count: number, minTimeMs: number, maxTimeMs: number): DeletedSamples {
    const { exports } = this.#core;
    const bytes = Math.max(count, 1) * DELETED_FIELDS * 8;
    const out = exports.heap_alloc(bytes) >>> 0;
    if (out === 0) throw new OutOfMemory();
    try {
      const losers = exports.delete_samples(address, count, minTimeMs, maxTimeMs, out) >>> 0;
      const intervals = this.#core.f64(out, losers * DELETED_FIELDS).slice();
      return { intervals, handled: exports.delete_handled() >>> 0 };
    } finally {
      exports.heap_free(out, bytes);
    }
  }

  // --- Numbers ---

  get counters(): Record<string, number> {
    const { exports } = this.#core;
    return {
      samplesAppended: exports.append_total(),
      samplesDeleted: exports.delete_total(),
      chunksSealed: exports.append_sealed_total(),
      chunksFreed: exports.truncate_chunks_freed() + exports.delete_chunks_freed() + exports.spill_rejoined(),
      chunksSpilled: exports.spill_total(),
      seriesCreated: exports.series_created(),
      seriesRemoved: exports.series_removed(),
      corruptChunks: exports.query_corrupt(),
      symbols: exports.symbols_count() >>> 0,
      symbolBytes: exports.symbols_bytes(),
      pairs: exports.pairs_total() >>> 0,
    };
  }
}
