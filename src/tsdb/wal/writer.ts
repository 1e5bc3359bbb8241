// Writes records to segments: the one writer of a log folder.
//
// What is not yet synced is kept, framed, in linear memory, so that a failed
// write or sync loses nothing:
//
//   segment   │ synced ............│ written, unsynced ...│ zeroes, synced ...│
//             0               settled                  used           allocated
//   memory                         │ the same bytes       │
//
// - Zeroes read as empty pages. They are written ahead, so that a sync has only
//   data to flush and not the file's size too.
// - A batch never crosses a segment: it is in the log wholly or not at all.
// - After a failed write or sync the file is not trusted behind `settled`: it is
//   cut there, *then* a new segment gets the bytes kept in memory. A retried
//   fsync that answers "ok" would prove nothing (the kernel forgets the pages
//   it could not write). Prometheus drops all that follows a bad record, so the
//   cut must be on the disk before anything newer is.
// - When that does not work either the log is stuck: it refuses, keeps what it
//   has in memory, and retry() tries again.

import { type Disk, DiskError, type FileHandle, folderOf } from '../../base/disk.js';
import { CoreBuffer } from '../../wasm/buffer.js';
import { Copier } from '../../wasm/copier.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import {
  FRAGMENT_HEADER_BYTES,
  Fragment,
  framedBytes,
  KIND_MASK,
  PAGE_BYTES,
  pageEnd,
  SEGMENT_BYTES_DEFAULT,
  skipFullPage,
} from './page.js';
import { segmentPath } from './segments.js';

/** A record, as parts that are written one behind the other. May be views of shared memory: copied at once. */
export type RecordParts = readonly Uint8Array[];

/** Where a record or batch lies. */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

/**
 * The log cannot write now. None of the batch is in the log; what was appended before is kept in memory.
 * `code` is the system's: ENOSPC, EIO, …
 */
export class LogStuck extends Error {
  override readonly name = 'LogStuck';
  constructor(
    readonly code: string,
    cause: unknown,
  ) {
    super(`the log cannot be written (${code}): ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Whether the disk or the log refused: anything else is a defect. */
export function isRefusal(error: unknown): boolean {
  return error instanceof DiskError || error instanceof LogStuck;
}

export interface WriterOptions {
  readonly disk: Disk;
  readonly folder: string;
  /** Its memory holds the unsynced bytes; best an instance of the log's own. */
  readonly core: Core;
  /** The number of the first segment to make. */
  readonly segment: number;
  readonly segmentBytes?: number;
  /** Zeroes written ahead at a time; 0 for none. */
  readonly stepBytes?: number;
  /** Most unsynced bytes kept in memory: append() syncs by itself beyond. */
  readonly unsyncedBytesMax?: number;
  /** With false, written counts as safe, only segments' ends are synced, and there are no zeroes ahead. */
  readonly keepUnsynced?: boolean;
  /** Hears of each segment before its file is made. */
  readonly beforeSegment?: (segment: number) => void;
}

/** What happened so far, for metrics. */
export interface WriterStats {
  records: number;
  /** Bytes of segments, with headers and page ends. */
  bytes: number;
  syncs: number;
  /** Writes and syncs that failed. */
  failures: number;
  /** Segments cut and left because of a failure. */
  sealed: number;
}

/**
 * Measured: a commit of 2 KB, 22 KB, 200 KB syncs in 0.13, 0.13, 0.34 ms into zeroes that are on the disk, and in
 * 0.21, 0.28, 0.95 ms at the end of the file. The zeroes cost 4.5 ms a MiB, when nobody waits but whoever comes then.
 */
const STEP_BYTES_DEFAULT = 512 * 1024;

/** Commits this large gain less from zeroes than those cost. */
const LARGE_COMMIT_BYTES = 128 * 1024;

const UNSYNCED_BYTES_MAX_DEFAULT = 16 * 1024 * 1024;

const ZEROES = new Uint8Array(1024 * 1024);

interface OpenSegment {
  readonly number: number;
  readonly file: FileHandle;
  /** Up to here the bytes are on the disk and stay. */
  settled: number;
  /** Up to here records are written. */
  used: number;
  /** Up to here there are zeroes behind them. */
  allocated: number;
}

export class LogWriter {
  readonly stats: WriterStats = { records: 0, bytes: 0, syncs: 0, failures: 0, sealed: 0 };
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #segmentBytes: number;
  #isFolderDurable = false;
  readonly #stepBytes: number;
  readonly #unsyncedBytesMax: number;
  readonly #keepUnsynced: boolean;
  readonly #beforeSegment: (segment: number) => void;
  readonly #crc: Crc32c;
  readonly #copier: Copier;
  readonly #core: Core;

  /** The bytes of the current segment from `settled` on, framed. */
  #tail: CoreBuffer;
  #tailLength = 0;
  /** How much the last sync had to write. */
  #lastCommitBytes = 0;
  #current: OpenSegment | undefined;
  /** A segment that a write or sync failed in, until it is cut. */
  #failed: OpenSegment | undefined;
  /** The next segment, made ahead. */
  #ahead: OpenSegment | undefined;
  /** The number of the next segment to make. */
  #next: number;
  /** A file of that number which an attempt of ours left empty and could not remove. */
  #orphan = -1;
  #stuck: LogStuck | undefined;
  #lastError: DiskError | undefined;
  readonly #finished = new Map<number, number>();

  /** Makes the first segment; is stuck from the start where that is not possible now. */
  constructor(options: WriterOptions) {
    this.#disk = options.disk;
    this.#folder = options.folder;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES_DEFAULT;
    this.#keepUnsynced = options.keepUnsynced ?? true;
    const stepBytes = this.#keepUnsynced ? (options.stepBytes ?? STEP_BYTES_DEFAULT) : 0;
    this.#stepBytes = Math.min(stepBytes, this.#segmentBytes);
    this.#unsyncedBytesMax = options.unsyncedBytesMax ?? UNSYNCED_BYTES_MAX_DEFAULT;
    this.#beforeSegment = options.beforeSegment ?? (() => {});
    this.#core = options.core;
    this.#crc = new Crc32c(options.core);
    this.#copier = new Copier(options.core);
    this.#tail = new CoreBuffer(options.core);
    this.#next = options.segment;
    try {
      this.#current = this.#openSegment();
    } catch (error) {
      this.#stick(error);
    }
  }

  /** Where the next record begins, or could begin. */
  get position(): LogPosition {
    const at = this.#current ?? this.#failed;
    return at === undefined ? { segment: this.#next, offset: 0 } : { segment: at.number, offset: at.used };
  }

  /** Behind the last byte that is on the disk for good. */
  get synced(): LogPosition {
    const at = this.#current ?? this.#failed;
    return at === undefined ? { segment: this.#next, offset: 0 } : { segment: at.number, offset: at.settled };
  }

  get unsyncedBytes(): number {
    return this.#tailLength;
  }

  /** The highest segment number that this writer may have made a file for. */
  get highestSegment(): number {
    return this.#next - 1;
  }

  /** Lengths of the segments that were finished since the last call. */
  takeFinished(): ReadonlyMap<number, number> {
    const finished = new Map(this.#finished);
    this.#finished.clear();
    return finished;
  }

  /** Why the log refuses now. */
  get stuck(): LogStuck | undefined {
    return this.#stuck;
  }

  /**
   * Appends records, all or none, with one write. Copies the parts. They are safe after the next sync().
   * Throws LogStuck when the log cannot take them.
   */
  append(records: readonly RecordParts[]): LogPosition {
    if (this.#stuck !== undefined) throw this.#stuck;
    const payloads = records.reduce((sum, parts) => sum + lengthOf(parts), 0);
    // An upper bound: one header a record and one a page, and the end of the page before it.
    const bound = payloads + (records.length + 2 + payloads / (PAGE_BYTES / 2)) * (2 * FRAGMENT_HEADER_BYTES);
    if (this.#tailLength > 0 && this.#tailLength + bound > this.#unsyncedBytesMax) this.sync();
    if (this.#batchCrosses(records)) this.#guard(() => this.#roll());
    if (!this.#put(records)) {
      // Once more, in a new segment.
      this.#guard(() => this.#recover());
      if (!this.#put(records)) throw this.#stick(this.#lastError);
    }
    const segment = this.#current!;
    this.stats.records += records.length;
    if (!this.#keepUnsynced) this.#settle(segment);
    return { segment: segment.number, offset: segment.used };
  }

  /**
   * Makes all that was appended durable: one fdatasync.
   * Throws LogStuck when that cannot be said; the records stay in memory and a later retry() writes them again.
   */
  sync(): void {
    if (this.#stuck !== undefined) throw this.#stuck;
    const segment = this.#current!;
    if (segment.used === segment.settled && this.#keepUnsynced) return;
    this.#guard(() => this.#syncOrMove(segment));
  }

  /** Tries to get a stuck log going. True when it goes again: everything kept is written and synced. */
  retry(): boolean {
    if (this.#stuck === undefined) return true;
    try {
      this.#recover();
      this.#syncSegment(this.#current!);
      this.#stuck = undefined;
      return true;
    } catch (error) {
      this.#stick(error);
      return false;
    }
  }

  /**
   * Work for a quiet moment: zeroes ahead of need, and the next segment's file when this one is nearly full.
   * A disk that has no room for them is not a failure yet. Throws nothing: see `stuck` afterwards.
   */
  prepare(): void {
    const segment = this.#current;
    if (segment === undefined || this.#stepBytes === 0) return;
    try {
      this.#lengthen(segment);
      if (this.#ahead === undefined && this.#segmentBytes - segment.used < 2 * this.#stepBytes) {
        this.#ahead = this.#openSegment();
      }
    } catch (error) {
      if (!(error instanceof DiskError) && !(error instanceof LogStuck)) throw error;
    }
  }

  /** Begins a new segment, as before a checkpoint. */
  roll(): void {
    if (this.#stuck !== undefined) throw this.#stuck;
    if (this.#current!.used > 0) this.#guard(() => this.#roll());
  }

  /** Syncs, cuts the last segment to what is used, and closes. Throws LogStuck when not all is safe. */
  close(): void {
    try {
      if (this.#stuck !== undefined && !this.retry()) throw this.#stuck;
      this.sync();
      const segment = this.#current!;
      this.#guard(() => {
        this.#disk.truncate(segment.file, segment.used);
        this.#disk.fdatasync(segment.file);
      });
    } finally {
      for (const open of [this.#current, this.#failed]) if (open !== undefined) this.#closeQuietly(open);
      if (this.#ahead !== undefined) {
        this.#discard(this.#ahead);
        this.#next = this.#ahead.number;
      }
      this.#current = this.#failed = this.#ahead = undefined;
      this.#tail.release();
      this.#copier.release();
    }
  }

  // Framing

  /** Whether the batch, behind what is there, is larger than a segment may be. */
  #batchCrosses(records: readonly RecordParts[]): boolean {
    const { used } = this.#current!;
    if (used === 0) return false;
    let end = used;
    for (const parts of records) end += framedBytes(end, lengthOf(parts));
    return end > this.#segmentBytes;
  }

  /** Frames records behind the tail, which begins at `start` of its segment. */
  #frame(records: readonly RecordParts[], start: number): void {
    let end = start + this.#tailLength;
    for (const parts of records) end += framedBytes(end, lengthOf(parts));
    if (!this.#tail.reserve(end - start, this.#tailLength)) {
      throw new LogStuck('ENOMEM', new RangeError('the memory for unsynced records is exhausted'));
    }
    let at = start + this.#tailLength;
    for (const parts of records) at = this.#frameRecord(parts, start, at);
    this.#tailLength = at - start;
  }

  /** Frames and writes a batch behind what is there. False, and as if it never was, where the write fails. */
  #put(records: readonly RecordParts[]): boolean {
    const segment = this.#current!;
    const before = this.#tailLength;
    this.#frame(records, segment.settled);
    try {
      this.#write(segment, before);
      return true;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#lastError = error;
      this.#tailLength = before;
      this.#failCurrent();
      return false;
    }
  }

  /** Frames one record at offset `at`; gives the offset behind it. */
  #frameRecord(parts: RecordParts, start: number, at: number): number {
    const toTail = this.#tail.address - start;
    const bytes = this.#core.bytes;
    const view = this.#core.view;
    const length = lengthOf(parts);
    let part = 0;
    let inPart = 0;
    let done = 0;
    let first = true;
    do {
      const header = skipFullPage(at);
      bytes.fill(0, toTail + at, toTail + header);
      const payload = header + FRAGMENT_HEADER_BYTES;
      const room = PAGE_BYTES - (payload % PAGE_BYTES || PAGE_BYTES);
      const count = Math.min(room, length - done);
      for (let copied = 0; copied < count; ) {
        const source = parts[part]!;
        const piece = Math.min(source.length - inPart, count - copied);
        const whole = piece === source.length;
        this.#copier.copy(whole ? source : source.subarray(inPart, inPart + piece), toTail + payload + copied);
        copied += piece;
        inPart += piece;
        if (inPart === source.length) {
          part++;
          inPart = 0;
        }
      }
      view.setUint8(toTail + header, kindOf(first, done + count === length));
      view.setUint16(toTail + header + 1, count);
      view.setUint32(toTail + header + 3, this.#crc.at(toTail + payload, count));
      done += count;
      at = payload + count;
      first = false;
    } while (done < length);
    return at;
  }

  /** The records of the framed tail, as views of it. */
  #unframe(start: number): RecordParts[] {
    const records: Uint8Array[][] = [];
    const toTail = this.#tail.address - start;
    const view = this.#core.view;
    for (let at = start; at < start + this.#tailLength; ) {
      at = skipFullPage(at);
      const kind = view.getUint8(toTail + at) & KIND_MASK;
      const length = view.getUint16(toTail + at + 1);
      const payload = this.#core.u8(toTail + at + FRAGMENT_HEADER_BYTES, length);
      if (kind === Fragment.Full || kind === Fragment.First) records.push([payload]);
      else records.at(-1)!.push(payload);
      at += FRAGMENT_HEADER_BYTES + length;
    }
    return records;
  }

  // Writing

  /** Writes the tail from its byte `from` on. */
  #write(segment: OpenSegment, from: number): void {
    const bytes = this.#core.u8(this.#tail.address + from, this.#tailLength - from);
    this.#count(() => this.#disk.pwrite(segment.file, bytes, segment.settled + from));
    segment.used = segment.settled + this.#tailLength;
    segment.allocated = Math.max(segment.allocated, segment.used);
    this.stats.bytes += bytes.length;
  }

  #syncSegment(segment: OpenSegment): void {
    this.#count(() => this.#disk.fdatasync(segment.file));
    this.stats.syncs++;
    this.#settle(segment);
  }

  #settle(segment: OpenSegment): void {
    if (segment.used > segment.settled) this.#lastCommitBytes = segment.used - segment.settled;
    segment.settled = segment.used;
    this.#tailLength = 0;
  }

  /** Syncs; where that fails, in a new segment. */
  #syncOrMove(segment: OpenSegment): void {
    try {
      this.#syncSegment(segment);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#failCurrent();
      this.#recover();
      this.#syncSegment(this.#current!);
    }
  }

  /** Ends the current segment and begins the next. */
  #roll(): void {
    const segment = this.#current!;
    this.#syncOrMove(segment);
    // A failed sync has begun a new segment already.
    if (this.#current !== segment) return;
    const next = this.#ahead ?? this.#openSegment();
    this.#ahead = undefined;
    this.#current = next;
    this.#finish(segment);
    this.#trim(segment);
    this.#closeQuietly(segment);
  }

  /** A finished segment ends with its last page; further zeroes are given back. Either is legal where this fails. */
  #trim(segment: OpenSegment): void {
    try {
      this.#disk.truncate(segment.file, pageEnd(segment.used));
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
    }
  }

  #openSegment(): OpenSegment {
    const number = this.#next;
    const path = segmentPath(this.#folder, number);
    if (number === this.#orphan) this.#disk.remove(path);
    this.#orphan = -1;
    this.#beforeSegment(number);
    const file = this.#disk.open(path, 'create');
    const segment = { number, file, settled: 0, used: 0, allocated: 0 };
    try {
      this.#disk.syncFolder(this.#folder);
      // Whoever made the folder may have failed before its own name was durable.
      if (!this.#isFolderDurable) this.#disk.syncFolder(folderOf(this.#folder));
      this.#isFolderDurable = true;
      this.#next = number + 1;
      if (this.#writeZeroes(segment, 0)) this.#disk.fdatasync(file);
      return segment;
    } catch (error) {
      this.#discard(segment);
      throw error;
    }
  }

  /** Writes zeroes behind what is used, when few are left. */
  #lengthen(segment: OpenSegment): void {
    if (segment.allocated - segment.used >= this.#stepBytes / 2) return;
    if (segment.allocated >= this.#segmentBytes || this.#lastCommitBytes > LARGE_COMMIT_BYTES) return;
    const from = Math.max(segment.allocated, pageEnd(segment.used));
    if (this.#writeZeroes(segment, from)) this.#guard(() => this.#syncOrMove(segment));
  }

  /** False where the disk has no room for them. */
  #writeZeroes(segment: OpenSegment, from: number): boolean {
    const to = Math.min(from + this.#stepBytes, Math.max(this.#segmentBytes, from));
    if (to <= segment.allocated) return false;
    try {
      for (let at = from; at < to; at += ZEROES.length) {
        this.#disk.pwrite(segment.file, ZEROES.subarray(0, Math.min(ZEROES.length, to - at)), at);
      }
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return false;
    }
    segment.allocated = to;
    return true;
  }

  // Failure

  /** The current segment is not trusted behind what is settled. */
  #failCurrent(): void {
    this.#failed ??= this.#current;
    this.#current = undefined;
  }

  /** Cuts the failed segment, begins a new one, and writes there what memory keeps. */
  #recover(): void {
    if (this.#failed !== undefined) {
      this.#seal(this.#failed);
      this.#rebase(this.#failed.settled);
      this.#closeQuietly(this.#failed);
      this.#failed = undefined;
    }
    if (this.#current === undefined) {
      this.#current = this.#ahead ?? this.#openSegment();
      this.#ahead = undefined;
    }
    try {
      if (this.#tailLength > 0) this.#write(this.#current, 0);
    } catch (error) {
      this.#failCurrent();
      throw error;
    }
  }

  /**
   * Makes the failed segment end where it is settled, durably. One with nothing settled goes, where it
   * is the newest, so that trying again and again does not leave a row of empty segments. Can be repeated.
   */
  #seal(segment: OpenSegment): void {
    this.#disk.truncate(segment.file, segment.settled);
    this.#disk.truncate(segment.file, pageEnd(segment.settled));
    this.#disk.fdatasync(segment.file);
    if (segment.settled === 0 && segment.number === this.#next - 1) {
      this.#disk.remove(segmentPath(this.#folder, segment.number));
      this.#disk.syncFolder(this.#folder);
      this.#next = segment.number;
    } else {
      this.#finish(segment);
    }
    this.stats.sealed++;
  }

  #finish(segment: OpenSegment): void {
    this.#finished.set(segment.number, segment.settled);
  }

  /** Frames the tail anew, for the start of a segment. */
  #rebase(start: number): void {
    if (start === 0 || this.#tailLength === 0) return;
    const old = this.#tail;
    const fresh = new CoreBuffer(this.#core);
    // Shorter or longer than before by at most the headers of the pages it touches.
    if (!fresh.reserve(this.#tailLength + (this.#tailLength / PAGE_BYTES + 2) * FRAGMENT_HEADER_BYTES, 0)) {
      throw new LogStuck('ENOMEM', new RangeError('the memory for unsynced records is exhausted'));
    }
    const records = this.#unframe(start);
    this.#tail = fresh;
    this.#tailLength = 0;
    this.#frame(records, 0);
    old.release();
  }

  #closeQuietly(segment: OpenSegment): void {
    try {
      this.#disk.close(segment.file);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
    }
  }

  /** Takes away a segment that nothing was written to. */
  #discard(segment: OpenSegment): void {
    this.#closeQuietly(segment);
    if (this.#next === segment.number + 1) this.#next = segment.number;
    try {
      this.#disk.remove(segmentPath(this.#folder, segment.number));
      this.#disk.syncFolder(this.#folder);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#orphan = segment.number;
    }
  }

  #count(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.stats.failures++;
      throw error;
    }
  }

  /** Runs what has tried twice when it throws: then the log is stuck. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw this.#stick(error);
    }
  }

  /** Refuses from now on. The segment at hand is not gone on with: whether its descriptor still tells the truth is not known. */
  #stick(error: unknown): LogStuck {
    if (!(error instanceof LogStuck) && !(error instanceof DiskError)) throw error;
    this.#failCurrent();
    this.#stuck = error instanceof LogStuck ? error : new LogStuck(error.code, error);
    return this.#stuck;
  }
}

function lengthOf(parts: RecordParts): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

function kindOf(first: boolean, last: boolean): Fragment {
  if (first) return last ? Fragment.Full : Fragment.First;
  return last ? Fragment.Last : Fragment.Middle;
}

/** For a writer whose log is given up. */
export function closeQuietly(writer: LogWriter): void {
  try {
    writer.close();
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}
