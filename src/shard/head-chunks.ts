// What files of chunks_head have, read when a shard starts: every shard reads all of them, and keeps its own by the log.
//
//   file ──► pieces in the core's memory ──► records checked, by ref ──► with the log: the series' lists
//
// What is damaged is passed over, up to the next whole record. A file that does not begin as they do is left alone, unless it is
// known for one of ours: the manifest of these files tells how far their records went, and which were there.

import { type Disk, DiskError, type FileHandle } from '../base/disk.js';
import { ByteReader } from '../tsdb/bytes.js';
import type { HeadChunkFile } from '../tsdb/head-chunks/files.js';
import {
  HEAD_CHUNKS_HEADER_BYTES,
  HEAD_CHUNKS_MAGIC,
  HEAD_CHUNKS_VERSION,
  headChunksFolder,
  headChunksPath,
  listHeadChunks,
} from '../tsdb/head-chunks/layout.js';
import type { NotedFile } from '../tsdb/head-chunks/manifest.js';
import { Attach } from '../wasm/attach.js';
import type { Core } from '../wasm/core.js';
import type { HistogramAttach } from './histogram-attach.js';

/** The piece that is read at once. The largest record is 1 MiB and some bytes. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** While a whole record is looked for, so much of a piece is looked at once more with the next: more than one of ours takes. */
const OVERLAP_BYTES = 4096;

/** A part of a file that is lost. */
export interface HeadChunkDamage {
  readonly file: number;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  /** The disk refused it: it may give it back another time. */
  readonly isUnread?: true;
}

export interface HeadChunksReport {
  readonly files: readonly HeadChunkFile[];
  readonly chunks: number;
  /** Chunks that others of their series overlap: not used. */
  readonly overlapping: number;
  readonly damages: readonly HeadChunkDamage[];
  /** Files that must be there and are not, with samples that no block has. */
  readonly missing: readonly HeadChunkDamage[];
}

export interface HeadChunksOptions {
  readonly core: Core;
  readonly disk: Disk;
  readonly dataFolder: string;
  /** Chunks that end before it are passed over. */
  readonly minTimeMs: number;
  /** What must be there, by number of file. */
  readonly noted: ReadonlyMap<number, NotedFile>;
}

/** Reads all files, in steps of some MiB; `histograms` hears of chunks of histograms. Throws OutOfMemory and DiskError. */
export function* readingHeadChunks(
  { core, disk, dataFolder, minTimeMs, noted }: HeadChunksOptions,
  histograms: HistogramAttach,
): Generator<void, HeadChunksReport, void> {
  const folder = headChunksFolder(dataFolder);
  const attach = new Attach(core, PIECE_BYTES);
  const files: HeadChunkFile[] = [];
  const damages: HeadChunkDamage[] = [];
  let [chunks, overlapping] = [0, 0];
  try {
    for (const file of listHeadChunks(disk, folder)) {
      const path = headChunksPath(folder, file);
      attach.beginFile();
      const notedBytes = noted.get(file)?.bytes;
      const scan = { disk, file, minTimeMs, notedBytes, attach, histograms };
      const { damages: lost, endBytes } = yield* readingFile(path, scan);
      damages.push(...lost);
      const { latestMs, hasOutOfOrder, ...found } = attach.file;
      chunks += found.chunks;
      overlapping += found.overlapping;
      // What was not understood is as old as its file, for all we know.
      const writtenMs = lost.length > 0 ? modifiedMs(disk, path) : Number.NEGATIVE_INFINITY;
      files.push({ file, latestMs: Math.max(latestMs, writtenMs), bytes: endBytes, hasOutOfOrder });
    }
    const missing = missingFiles(noted, files, minTimeMs);
    return { files, chunks, overlapping, damages, missing };
  } finally {
    attach.close();
  }
}

/** Of what blocks have nothing is lost: whoever was here since may have removed it. */
function missingFiles(
  noted: ReadonlyMap<number, NotedFile>,
  there: readonly HeadChunkFile[],
  minTimeMs: number,
): HeadChunkDamage[] {
  const numbers = new Set(there.map(({ file }) => file));
  return [...noted]
    .filter(([file, { latestMs }]) => !numbers.has(file) && latestMs >= minTimeMs)
    .map(([file, { bytes }]) => ({ file, offset: 0, bytes, reason: 'the file is not there' }));
}

/** What a scan of a file came to. */
interface FileFound {
  readonly damages: HeadChunkDamage[];
  /** Behind its last record. */
  readonly endBytes: number;
}

/** Gives what of a file is lost, also because the disk refuses it. */
function* readingFile(path: string, parts: Omit<ScanParts, 'handle'>): Generator<void, FileFound, void> {
  const { disk, file } = parts;
  let handle: FileHandle | undefined;
  try {
    handle = disk.open(path, 'read');
    return yield* new FileScan({ ...parts, handle }).all();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    const damage = { file, offset: 0, bytes: 0, reason: error.message, isUnread: true } as const;
    return { damages: [damage], endBytes: parts.notedBytes ?? 0 };
  } finally {
    if (handle !== undefined) disk.close(handle);
  }
}

function modifiedMs(disk: Disk, path: string): number {
  try {
    return disk.stat(path)?.modifiedMs ?? Number.POSITIVE_INFINITY;
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return Number.POSITIVE_INFINITY;
  }
}

interface ScanParts {
  readonly disk: Disk;
  readonly handle: FileHandle;
  readonly file: number;
  readonly minTimeMs: number;
  /** Up to here the file had records; undefined where nobody knows. */
  readonly notedBytes: number | undefined;
  readonly attach: Attach;
  readonly histograms: HistogramAttach;
}

class FileScan {
  readonly #parts: ScanParts;
  readonly #attach: Attach;
  readonly #size: number;
  readonly #notedBytes: number;
  readonly #damages: HeadChunkDamage[] = [];
  /** Where a loss begins whose end is not found yet. */
  #lostFrom: number | undefined;
  /** Behind the last record. */
  #endBytes = HEAD_CHUNKS_HEADER_BYTES;
  /** The buffer has the file's bytes from `offset` on, so many of them. */
  #offset = HEAD_CHUNKS_HEADER_BYTES;
  #filled = 0;

  constructor(parts: ScanParts) {
    this.#parts = parts;
    this.#attach = parts.attach;
    this.#size = parts.disk.size(parts.handle);
    this.#notedBytes = parts.notedBytes ?? 0;
  }

  *all(): Generator<void, FileFound, void> {
    if (!this.#hasHeader()) {
      const reason = 'it does not begin as such files do';
      const isOurs = this.#size > HEAD_CHUNKS_HEADER_BYTES && this.#notedBytes > HEAD_CHUNKS_HEADER_BYTES;
      const bytes = isOurs ? HEAD_CHUNKS_HEADER_BYTES : Math.max(this.#size, this.#notedBytes);
      this.#damages.push({ file: this.#parts.file, offset: 0, bytes, reason });
      if (!isOurs) return { damages: this.#damages, endBytes: 0 };
    }
    yield* this.#records();
    return { damages: this.#damages, endBytes: this.#endBytes };
  }

  #hasHeader(): boolean {
    const bytes = new Uint8Array(HEAD_CHUNKS_HEADER_BYTES);
    if (this.#parts.disk.pread(this.#parts.handle, bytes, 0) < bytes.length) return false;
    const header = new ByteReader(bytes);
    return header.u32() === HEAD_CHUNKS_MAGIC && header.u8() === HEAD_CHUNKS_VERSION;
  }

  *#records(): Generator<void, void, void> {
    for (;;) {
      const isWhole = this.#fill();
      const { at, ended } = this.#scanBuffer();
      if (ended) return;
      if (isWhole) {
        this.#finish(at);
        return;
      }
      this.#drop(this.#lostFrom === undefined ? at : Math.max(1, this.#filled - OVERLAP_BYTES));
      yield;
    }
  }

  /** Goes through the buffer as far as that has whole records; `ended` where the file has no more. */
  #scanBuffer(): { readonly at: number; readonly ended: boolean } {
    const { file, minTimeMs, histograms } = this.#parts;
    for (let at = 0; ; ) {
      if (this.#lostFrom !== undefined) {
        at += this.#attach.resync(at, this.#filled);
        if (at >= this.#filled) return { at, ended: false };
        this.#lose(this.#offset + at, 'a chunk is damaged');
      }
      const { done, outcome } = this.#attach.scan(at, this.#filled, file, this.#offset + at, minTimeMs);
      at += done;
      if (done > 0) this.#endBytes = this.#offset + at;
      for (const chunk of this.#attach.takeHistograms()) histograms.note(chunk);
      if (outcome === 'more') return { at, ended: false };
      // Zeroes where there must be records are no end.
      if (outcome === 'end' && this.#offset + at >= this.#notedBytes) return { at, ended: true };
      this.#lostFrom = this.#offset + at;
    }
  }

  /** The file ends with the buffer, and its last records at `at`. */
  #finish(at: number): void {
    const end = this.#offset + at;
    // Fewer bytes than a record has: zeroes, or one that was cut short; or nothing, where there was more.
    if (this.#lostFrom === undefined && (this.#hasMore(at) || end < this.#notedBytes)) this.#lostFrom = end;
    const isShort = this.#size < this.#notedBytes;
    this.#lose(
      (this.#lostFrom ?? 0) < this.#notedBytes ? this.#notedBytes : this.#size,
      isShort ? 'the file was longer' : 'the file ends in a damaged chunk',
    );
  }

  #lose(to: number, reason: string): void {
    const from = this.#lostFrom;
    if (from === undefined || to <= from) return;
    this.#damages.push({ file: this.#parts.file, offset: from, bytes: to - from, reason });
    this.#lostFrom = undefined;
  }

  /** Fills the buffer; whether the file ends with it. */
  #fill(): boolean {
    const { buffer } = this.#attach;
    const from = this.#offset + this.#filled;
    const count = this.#parts.disk.pread(this.#parts.handle, buffer.subarray(this.#filled), from);
    this.#filled += count;
    return this.#filled < buffer.length || this.#offset + this.#filled >= this.#size;
  }

  #drop(bytes: number): void {
    this.#attach.buffer.copyWithin(0, bytes, this.#filled);
    this.#filled -= bytes;
    this.#offset += bytes;
  }

  #hasMore(at: number): boolean {
    return this.#attach.buffer.subarray(at, this.#filled).some((byte) => byte !== 0);
  }
}
