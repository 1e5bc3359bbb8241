// What files of chunks_head have, read when a shard starts: every shard reads all of them, and keeps its own by the log.
//
//   file ──► pieces in the core's memory ──► records checked, by ref ──► with the log: the series' lists
//
// What is damaged is passed over, up to the next whole record. A file that does not begin as they do is left alone.

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
}

/** Reads all files, in steps of some MiB. Chunks that end before a time are passed over; `histograms` hears of those of histograms. Throws OutOfMemory and DiskError. */
export function* readingHeadChunks(
  core: Core,
  disk: Disk,
  dataFolder: string,
  minTimeMs: number,
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
      const lost = yield* readingFile(disk, path, file, attach, minTimeMs, histograms);
      damages.push(...lost);
      const { latestMs, hasOutOfOrder, ...found } = attach.file;
      chunks += found.chunks;
      overlapping += found.overlapping;
      // What was not understood is as old as its file, for all we know.
      const writtenMs = lost.length > 0 ? modifiedMs(disk, path) : Number.NEGATIVE_INFINITY;
      files.push({ file, latestMs: Math.max(latestMs, writtenMs), hasOutOfOrder });
    }
    return { files, chunks, overlapping, damages };
  } finally {
    attach.close();
  }
}

/** Gives what of a file is lost, also because the disk refuses it. */
function* readingFile(
  disk: Disk,
  path: string,
  file: number,
  attach: Attach,
  minTimeMs: number,
  histograms: HistogramAttach,
): Generator<void, HeadChunkDamage[], void> {
  let handle: FileHandle | undefined;
  try {
    handle = disk.open(path, 'read');
    const scan = new FileScan(disk, handle, file, attach, minTimeMs, histograms);
    return scan.hasHeader() ? yield* scan.all() : [scan.stranger()];
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return [{ file, offset: 0, bytes: 0, reason: error.message, isUnread: true }];
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

class FileScan {
  readonly #disk: Disk;
  readonly #handle: FileHandle;
  readonly #file: number;
  readonly #attach: Attach;
  readonly #minTimeMs: number;
  readonly #histograms: HistogramAttach;
  readonly #size: number;
  /** The buffer has the file's bytes from `offset` on, so many of them. */
  #offset = HEAD_CHUNKS_HEADER_BYTES;
  #filled = 0;

  constructor(
    disk: Disk,
    handle: FileHandle,
    file: number,
    attach: Attach,
    minTimeMs: number,
    histograms: HistogramAttach,
  ) {
    this.#histograms = histograms;
    this.#disk = disk;
    this.#handle = handle;
    this.#file = file;
    this.#attach = attach;
    this.#minTimeMs = minTimeMs;
    this.#size = disk.size(handle);
  }

  hasHeader(): boolean {
    const bytes = new Uint8Array(HEAD_CHUNKS_HEADER_BYTES);
    if (this.#disk.pread(this.#handle, bytes, 0) < bytes.length) return false;
    const header = new ByteReader(bytes);
    return header.u32() === HEAD_CHUNKS_MAGIC && header.u8() === HEAD_CHUNKS_VERSION;
  }

  stranger(): HeadChunkDamage {
    return { file: this.#file, offset: 0, bytes: this.#size, reason: 'it does not begin as such files do' };
  }

  /** Gives what is lost. */
  *all(): Generator<void, HeadChunkDamage[], void> {
    const damages: HeadChunkDamage[] = [];
    let lostFrom: number | undefined;
    const lose = (to: number, reason: string) => {
      if (lostFrom === undefined || to <= lostFrom) return;
      damages.push({ file: this.#file, offset: lostFrom, bytes: to - lostFrom, reason });
      lostFrom = undefined;
    };
    for (;;) {
      const isWhole = this.#fill();
      const offset = this.#offset;
      let at = 0;
      let ended = false;
      while (!ended) {
        if (lostFrom !== undefined) {
          at += this.#attach.resync(at, this.#filled);
          if (at >= this.#filled) break;
          lose(offset + at, 'a chunk is damaged');
        }
        const { done, outcome } = this.#attach.scan(at, this.#filled, this.#file, offset + at, this.#minTimeMs);
        at += done;
        for (const chunk of this.#attach.takeHistograms()) this.#histograms.note(chunk);
        if (outcome === 'end') return damages;
        if (outcome === 'damaged') lostFrom = offset + at;
        else ended = true;
      }
      if (isWhole) {
        // Fewer bytes than a record has: zeroes, or one that was cut short.
        if (lostFrom === undefined && this.#hasMore(at)) lostFrom = offset + at;
        lose(this.#size, 'the file ends in a damaged chunk');
        return damages;
      }
      this.#drop(lostFrom === undefined ? at : Math.max(1, this.#filled - OVERLAP_BYTES));
      yield;
    }
  }

  /** Fills the buffer; whether the file ends with it. */
  #fill(): boolean {
    const { buffer } = this.#attach;
    const from = this.#offset + this.#filled;
    const count = this.#disk.pread(this.#handle, buffer.subarray(this.#filled), from);
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
