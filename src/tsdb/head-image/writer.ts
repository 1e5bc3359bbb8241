// Writing an image of the head: under a temporary name, page by page; whole, synced and renamed, or not there at all.

import { type Disk, DiskError, type FileHandle, folderOf } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { IMAGE_HEADER_BYTES, IMAGE_MAGIC, IMAGE_PAGE_HEADER_BYTES, IMAGE_VERSION } from './layout.js';

/** A page of records, and their checksum. */
export interface ImagePage {
  readonly records: ArrayBuffer;
  readonly crc: number;
}

export class HeadImageWriter {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #file: FileHandle;
  #offset = IMAGE_HEADER_BYTES;
  #pages = 0;
  #isClosed = false;

  /** The image will have all samples of the log's segments before `segment`. Throws DiskError. */
  constructor(disk: Disk, path: string, segment: number, crc: Crc32c) {
    this.#disk = disk;
    this.#path = path;
    disk.makeFolder(folderOf(path));
    disk.remove(this.#temporary);
    this.#file = disk.open(this.#temporary, 'create');
    this.#do(() => disk.pwrite(this.#file, header(segment, crc), 0));
  }

  /** Throws DiskError: then nothing is left of it. */
  add({ records, crc }: ImagePage): void {
    const head = new DataView(new ArrayBuffer(IMAGE_PAGE_HEADER_BYTES));
    head.setUint32(0, records.byteLength, true);
    head.setUint32(4, crc, true);
    this.#do(() => {
      this.#disk.pwrite(this.#file, new Uint8Array(head.buffer), this.#offset);
      this.#disk.pwrite(this.#file, new Uint8Array(records), this.#offset + IMAGE_PAGE_HEADER_BYTES);
    });
    this.#offset += IMAGE_PAGE_HEADER_BYTES + records.byteLength;
    this.#pages++;
  }

  /** It is there now, in place of one before it; gives its bytes. Throws DiskError. */
  finish(): number {
    const end = new DataView(new ArrayBuffer(IMAGE_PAGE_HEADER_BYTES));
    end.setUint32(4, this.#pages, true);
    this.#do(() => {
      this.#disk.pwrite(this.#file, new Uint8Array(end.buffer), this.#offset);
      this.#disk.fdatasync(this.#file);
      this.#close();
      this.#disk.rename(this.#temporary, this.#path);
      this.#disk.syncFolder(folderOf(this.#path));
    });
    return this.#offset + IMAGE_PAGE_HEADER_BYTES;
  }

  /** Nothing is left of what is not finished. */
  abort(): void {
    try {
      this.#close();
      this.#disk.remove(this.#temporary);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#disk.close(this.#file);
  }

  get #temporary(): string {
    return `${this.#path}.tmp`;
  }

  #do(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.abort();
      throw error;
    }
  }
}

function header(segment: number, crc: Crc32c): Uint8Array {
  const bytes = new Uint8Array(IMAGE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, IMAGE_MAGIC, true);
  view.setUint32(4, IMAGE_VERSION, true);
  view.setFloat64(8, segment, true);
  view.setUint32(16, crc.of(bytes.subarray(0, 16)), true);
  return bytes;
}
