// A file of a block, read by pages: a few stay in memory, so that neighbours cost no call into the system.
//
// What is read twice is read from the system's cache. Ours saves the calls, and is small.

import { type Disk, DiskError, type FileHandle } from '../../base/disk.js';
import { BytesError } from '../bytes.js';
import { BlockFault, NOT_THERE } from './contract.js';

/** A call costs some 2 µs, and copying this much about as much. */
export const PAGE_BYTES = 16 * 1024;
/** Pages that one file keeps: half a MiB. */
const PAGES_DEFAULT = 32;

export class BlockFile {
  readonly path: string;
  readonly size: number;
  readonly #disk: Disk;
  readonly #file: FileHandle;
  readonly #pagesMax: number;
  /** By page number, the longest unused first. */
  readonly #pages = new Map<number, Uint8Array>();
  #newest = -1;
  #newestPage: Uint8Array = new Uint8Array(0);

  private constructor(disk: Disk, path: string, file: FileHandle, pagesMax: number) {
    this.path = path;
    this.size = disk.size(file);
    this.#disk = disk;
    this.#file = file;
    this.#pagesMax = pagesMax;
  }

  /** Throws a BlockFault where there is no such file, a DiskError where it cannot be opened. */
  static open(disk: Disk, path: string, pagesMax = PAGES_DEFAULT): BlockFile {
    let file: FileHandle;
    try {
      file = disk.open(path, 'read');
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') throw new BlockFault(path, 'file', NOT_THERE);
      throw error;
    }
    try {
      return new BlockFile(disk, path, file, pagesMax);
    } catch (error) {
      disk.close(file);
      throw error;
    }
  }

  close(): void {
    this.#disk.close(this.#file);
    this.#pages.clear();
  }

  /** `length` bytes at `at`. Lends: nobody writes to them. `what` is there, for the message of a BlockFault. */
  read(what: string, at: number, length: number): Uint8Array {
    if (at + length > this.size) {
      throw this.fault(what, at, `${length} bytes expected, ${Math.max(0, this.size - at)} left in the file`);
    }
    const number = Math.floor(at / PAGE_BYTES);
    const from = at - number * PAGE_BYTES;
    if (from + length <= PAGE_BYTES) return this.#page(number).subarray(from, from + length);
    const bytes = new Uint8Array(length);
    this.readInto(what, bytes, at);
    return bytes;
  }

  /** Up to `length` bytes at `at`, as many as the file has: to look at a length that stands in front. */
  peek(what: string, at: number, length: number): Uint8Array {
    return this.read(what, at, Math.min(length, Math.max(0, this.size - at)));
  }

  /** Fills `into` from `at` on, past the pages. A read that fails is tried once more. */
  readInto(what: string, into: Uint8Array, at: number): void {
    const read = () => this.#disk.pread(this.#file, into, at);
    let count: number;
    try {
      count = read();
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      count = read();
    }
    if (count < into.length) throw this.fault(what, at, `${into.length} bytes expected, the disk gave ${count}`);
  }

  fault(what: string, at: number, reason: string): BlockFault {
    return new BlockFault(this.path, `${what} at ${at}`, reason);
  }

  /** Runs `parse` over bytes that begin at `at`: what they lack is a fault of this file. */
  parse<T>(what: string, at: number, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (error instanceof BytesError) throw this.fault(what, at, error.message);
      throw error;
    }
  }

  #page(number: number): Uint8Array {
    if (number === this.#newest) return this.#newestPage;
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint8Array(Math.min(PAGE_BYTES, this.size - number * PAGE_BYTES));
      this.readInto('page', page, number * PAGE_BYTES);
    } else {
      this.#pages.delete(number);
    }
    this.#pages.set(number, page);
    if (this.#pages.size > this.#pagesMax) this.#pages.delete(this.#pages.keys().next().value!);
    this.#newest = number;
    this.#newestPage = page;
    return page;
  }
}
