// Writing chunks_head: batches of records, each of them there wholly or not at all.
//
//   file   header │ records │ 24 zeroes, then the rest of the batch │ zeroes …
//                             └─ written last: while ref and times of its first record are zero, a file ends there
//
//   1. the rest of the batch, fdatasync      2. the 24 bytes, fdatasync
//
// A crash in between leaves a file that ends in front of the batch, for us and for Prometheus, which deletes a file that has
// a damaged chunk, and all behind it. A file of which a write failed is not written to again: the next batch begins another.

import { type Disk, DiskError, type FileHandle, folderOf } from '../../base/disk.js';
import {
  HEAD_CHUNKS_FILE_BYTES_MAX,
  HEAD_CHUNKS_HEADER_BYTES,
  HEAD_CHUNKS_MAGIC,
  HEAD_CHUNKS_VERSION,
  headChunksPath,
  listHeadChunks,
  RECORD_START_BYTES,
} from './layout.js';

/** Files grow by so much: most syncs need not write a new size. */
const GROW_BYTES = 1024 * 1024;
/** What readers may look at behind the last record. */
const SLACK_BYTES = 64;

/** Where a batch begins. */
export interface HeadChunkPlace {
  readonly file: number;
  readonly offset: number;
}

interface OpenFile {
  readonly number: number;
  readonly handle: FileHandle;
  /** Behind the last batch. */
  end: number;
  size: number;
}

export class HeadChunkWriter {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #fileBytes: number;
  #file: OpenFile | undefined;
  /** The highest number there is. */
  #last: number;
  /** A batch of which nobody knows whether it is there: to be taken back first. */
  #doubtful: HeadChunkPlace | undefined;

  /** Makes the folder where it is not there. Throws DiskError. */
  constructor(disk: Disk, folder: string, fileBytes = HEAD_CHUNKS_FILE_BYTES_MAX) {
    this.#disk = disk;
    this.#folder = folder;
    this.#fileBytes = fileBytes;
    disk.makeFolder(folder);
    // Whoever made it may have failed before its name was durable.
    disk.syncFolder(folderOf(folder));
    this.#last = this.#withoutUnborn(listHeadChunks(disk, folder));
  }

  /** The file that is written to; undefined where the next batch begins one. */
  get current(): number | undefined {
    return this.#file?.number;
  }

  /** Writes records; they are on the disk when this returns. Throws DiskError: then none is there, now or later. */
  write(pieces: readonly Uint8Array[]): HeadChunkPlace {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.#doubtful !== undefined) this.#takeBack(this.#doubtful);
    if (this.#file !== undefined && this.#file.end + bytes + SLACK_BYTES > this.#fileBytes) this.#leave();
    const file = (this.#file ??= this.#begin());
    const offset = file.end;
    let isVisible = false;
    try {
      this.#grow(file, offset + bytes + SLACK_BYTES);
      this.#writeBehind(file, pieces);
      this.#disk.fdatasync(file.handle);
      isVisible = true;
      this.#disk.pwrite(file.handle, startOf(pieces), offset);
      this.#disk.fdatasync(file.handle);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      if (isVisible) this.#doubtful = { file: file.number, offset };
      this.#leave();
      if (this.#doubtful !== undefined) this.#takeBack(this.#doubtful);
      throw error;
    }
    file.end = offset + bytes;
    return { file: file.number, offset };
  }

  close(): void {
    this.#leave();
  }

  #begin(): OpenFile {
    const number = this.#last + 1;
    const path = headChunksPath(this.#folder, number);
    // One of ours that failed to begin.
    this.#disk.remove(path);
    const handle = this.#disk.open(path, 'create');
    try {
      this.#disk.pwrite(handle, header(), 0);
      this.#disk.fdatasync(handle);
      this.#disk.syncFolder(this.#folder);
    } catch (error) {
      this.#disk.close(handle);
      throw error;
    }
    this.#last = number;
    return { number, handle, end: HEAD_CHUNKS_HEADER_BYTES, size: HEAD_CHUNKS_HEADER_BYTES };
  }

  #grow(file: OpenFile, bytes: number): void {
    if (bytes <= file.size) return;
    const size = Math.ceil(bytes / GROW_BYTES) * GROW_BYTES;
    this.#disk.truncate(file.handle, size);
    file.size = size;
  }

  /** All but the start of the first record. */
  #writeBehind(file: OpenFile, pieces: readonly Uint8Array[]): void {
    let at = file.end;
    for (const piece of pieces) {
      const from = Math.max(0, Math.min(piece.length, file.end + RECORD_START_BYTES - at));
      if (from < piece.length) this.#disk.pwrite(file.handle, piece.subarray(from), at + from);
      at += piece.length;
    }
  }

  /** Nothing is written to the file any more. */
  #leave(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    try {
      this.#disk.close(file.handle);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
    }
  }

  /** Ends a file in front of a batch; through another descriptor, since of one that failed to sync nothing is to be hoped. */
  #takeBack({ file, offset }: HeadChunkPlace): void {
    const handle = this.#disk.open(headChunksPath(this.#folder, file), 'write');
    try {
      this.#disk.pwrite(handle, new Uint8Array(RECORD_START_BYTES), offset);
      this.#disk.fdatasync(handle);
      this.#doubtful = undefined;
    } finally {
      this.#disk.close(handle);
    }
  }

  /** The highest number, once a last file of nothing is removed: in front of others Prometheus takes none. */
  #withoutUnborn(files: readonly number[]): number {
    const last = files.at(-1);
    if (last === undefined) return 0;
    const path = headChunksPath(this.#folder, last);
    if (!this.#isBlank(path)) return last;
    this.#disk.unlink(path);
    this.#disk.syncFolder(this.#folder);
    return last - 1;
  }

  /** Whether a file ends within its header, or has zeroes and nothing else: where only its header is damaged chunks may follow. */
  #isBlank(path: string): boolean {
    const handle = this.#disk.open(path, 'read');
    try {
      const piece = new Uint8Array(Math.min(GROW_BYTES, this.#disk.size(handle)));
      for (let at = 0, count = 0; ; at += count) {
        count = this.#disk.pread(handle, piece, at);
        if (at === 0 && count < HEAD_CHUNKS_HEADER_BYTES) return true;
        if (count === 0) return true;
        if (piece.subarray(0, count).some((byte) => byte !== 0)) return false;
      }
    } finally {
      this.#disk.close(handle);
    }
  }
}

function header(): Uint8Array {
  const bytes = new Uint8Array(HEAD_CHUNKS_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, HEAD_CHUNKS_MAGIC);
  view.setUint8(4, HEAD_CHUNKS_VERSION);
  return bytes;
}

/** The start of the first record. */
function startOf(pieces: readonly Uint8Array[]): Uint8Array {
  const first = pieces.find(({ length }) => length > 0)!;
  return first.subarray(0, RECORD_START_BYTES);
}
