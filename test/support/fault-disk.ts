// A disk in memory that loses what was not synced and fails on command.
//
//   live      what programs see
//   pending   writes since the last sync of their file, and names since the last sync of their folder
//   durable   what is there after crash()
//
// A failed fdatasync drops the file's pending writes, and the next one
// "succeeds" without them, as Linux does.

import { type Disk, DiskError, type FileHandle, type FileStat } from '../../src/base/disk.js';
import type { Prng } from '../../src/base/prng.js';

export type Operation =
  | 'open'
  | 'pwrite'
  | 'pread'
  | 'fdatasync'
  | 'truncate'
  | 'syncFolder'
  | 'rename'
  | 'unlink'
  | 'makeFolder';

export interface Fault {
  readonly operation: Operation;
  /** Fails the n-th such call from now on, 1 for the next. */
  readonly nth: number;
  /** How many calls fail from then on; Infinity for as long as the fault stays. Default 1. */
  readonly times?: number;
  readonly code?: string;
  /** A failing pwrite writes this share of its bytes first. */
  readonly share?: number;
  /** Only for paths that contain this. */
  readonly path?: string;
}

const SECTOR_BYTES = 512;

interface Inode {
  live: Uint8Array;
  durable: Uint8Array;
  pending: { offset: number; bytes: Uint8Array }[];
  folder: boolean;
}

interface ArmedFault extends Fault {
  seen: number;
}

export class FaultDisk implements Disk {
  /** Every call, for tests of order: `fdatasync data/wal/00000000`. */
  readonly calls: string[] = [];
  /** Bytes of files that fit; ENOSPC beyond. */
  capacity = Number.POSITIVE_INFINITY;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  readonly #open = new Map<number, { inode: Inode; path: string }>();
  #nextFile = 3;
  #faults: ArmedFault[] = [];

  fail(fault: Fault): void {
    this.#faults.push({ ...fault, seen: 0 });
  }

  heal(): void {
    this.#faults = [];
    this.capacity = Number.POSITIVE_INFINITY;
  }

  /** Runs `action` on the disk as it is, no fault firing or counting: for looking at it. */
  quietly<T>(action: () => T): T {
    const faults = this.#faults;
    this.#faults = [];
    try {
      return action();
    } finally {
      this.#faults = faults;
    }
  }

  /**
   * The machine loses power: names and bytes are what was synced. With a generator, a random
   * part of the sectors still pending reaches the disk as well, in any order.
   */
  crash(prng?: Prng): void {
    this.#open.clear();
    this.#faults = [];
    for (const inode of new Set([...this.#names.values(), ...this.#durableNames.values()])) {
      if (prng !== undefined) {
        for (const write of inode.pending) {
          for (let at = 0; at < write.bytes.length; at += SECTOR_BYTES) {
            if (prng.float() < 0.5) continue;
            inode.durable = written(inode.durable, write.bytes.subarray(at, at + SECTOR_BYTES), write.offset + at);
          }
        }
      }
      inode.pending = [];
      inode.live = inode.durable.slice();
    }
    this.#names = new Map(this.#durableNames);
  }

  /** The process dies: what it wrote stays, its files close. */
  kill(): void {
    this.#open.clear();
    this.#faults = [];
  }

  /** Damages a file, on the disk and in the cache. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array | undefined): void {
    const inode = this.#inode('damage', path);
    const live = inode.live.slice();
    inode.live = change(live) ?? live;
    inode.durable = inode.live.slice();
    inode.pending = [];
  }

  /** Files that were opened and not closed. */
  get openFiles(): number {
    return this.#open.size;
  }

  /** Bytes of all files. */
  get usedBytes(): number {
    let sum = 0;
    for (const inode of this.#names.values()) sum += inode.live.length;
    return sum;
  }

  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    this.#call('open', path);
    let inode = this.#names.get(path);
    if (mode === 'create') {
      if (inode !== undefined) throw fault('open', path, 'EEXIST');
      inode = { live: new Uint8Array(0), durable: new Uint8Array(0), pending: [], folder: false };
      this.#inode('open', parent(path));
      this.#names.set(path, inode);
    }
    if (inode === undefined) throw fault('open', path, 'ENOENT');
    const file = this.#nextFile++;
    this.#open.set(file, { inode, path });
    return file as FileHandle;
  }

  close(file: FileHandle): void {
    this.#file('close', file);
    this.#open.delete(file);
  }

  pwrite(file: FileHandle, bytes: Uint8Array, offset: number): void {
    const { inode, path } = this.#file('pwrite', file);
    const failing = this.#find('pwrite', path);
    const room = this.capacity - this.usedBytes;
    const grows = Math.max(0, offset + bytes.length - inode.live.length);
    const fits = grows <= room ? bytes.length : Math.max(0, bytes.length - (grows - room));
    const count = failing === undefined ? fits : Math.floor(bytes.length * (failing.share ?? 0));
    const copy = Uint8Array.from(bytes.subarray(0, count));
    inode.live = written(inode.live, copy, offset);
    if (copy.length > 0) inode.pending.push({ offset, bytes: copy });
    if (failing !== undefined) throw fault('pwrite', path, failing.code ?? 'EIO');
    if (count < bytes.length) throw fault('pwrite', path, 'ENOSPC');
  }

  pread(file: FileHandle, into: Uint8Array, offset: number): number {
    const { inode, path } = this.#file('pread', file);
    this.#call('pread', path);
    const bytes = inode.live.subarray(offset, offset + into.length);
    into.set(bytes);
    return bytes.length;
  }

  fdatasync(file: FileHandle): void {
    const { inode, path } = this.#file('fdatasync', file);
    const failing = this.#find('fdatasync', path);
    if (failing !== undefined) {
      inode.pending = [];
      throw fault('fdatasync', path, failing.code ?? 'EIO');
    }
    for (const write of inode.pending) inode.durable = written(inode.durable, write.bytes, write.offset);
    inode.pending = [];
    if (inode.durable.length > inode.live.length) inode.durable = inode.durable.slice(0, inode.live.length);
  }

  truncate(file: FileHandle, size: number): void {
    const { inode, path } = this.#file('truncate', file);
    this.#call('truncate', path);
    const live = new Uint8Array(size);
    live.set(inode.live.subarray(0, size));
    inode.live = live;
    inode.pending = inode.pending
      .filter((write) => write.offset < size)
      .map((write) => ({ offset: write.offset, bytes: write.bytes.subarray(0, size - write.offset) }));
  }

  size(file: FileHandle): number {
    return this.#file('size', file).inode.live.length;
  }

  syncFolder(path: string): void {
    this.#call('syncFolder', path);
    for (const name of this.#durableNames.keys()) {
      if (parent(name) === path && !this.#names.has(name)) this.#forget(this.#durableNames, name);
    }
    for (const [name, inode] of this.#names) {
      // A folder's content is its own; a new folder's name brings nothing with it but what was synced in it.
      if (parent(name) === path) this.#durableNames.set(name, inode);
    }
  }

  rename(from: string, to: string): void {
    this.#call('rename', from);
    const moved = [...this.#names].filter(([name]) => name === from || name.startsWith(`${from}/`));
    if (moved.length === 0) throw fault('rename', from, 'ENOENT');
    this.#forget(this.#names, to);
    for (const [name, inode] of moved) {
      this.#names.delete(name);
      this.#names.set(to + name.slice(from.length), inode);
      // What a folder holds moves with it.
      if (name !== from && this.#durableNames.get(name) === inode) {
        this.#durableNames.set(to + name.slice(from.length), inode);
      }
    }
  }

  unlink(path: string): void {
    this.#call('unlink', path);
    if (!this.#names.delete(path)) throw fault('unlink', path, 'ENOENT');
  }

  remove(path: string): void {
    this.#call('unlink', path);
    this.#forget(this.#names, path);
  }

  makeFolder(path: string): void {
    this.#call('makeFolder', path);
    const steps = path.split('/');
    for (let i = 1; i <= steps.length; i++) {
      const name = steps.slice(0, i).join('/');
      if (!this.#names.has(name)) {
        this.#names.set(name, { live: new Uint8Array(0), durable: new Uint8Array(0), pending: [], folder: true });
      }
    }
  }

  list(path: string): string[] {
    this.#inode('list', path);
    return [...this.#names.keys()]
      .filter((name) => parent(name) === path)
      .map((name) => name.slice(path.length + 1))
      .sort();
  }

  stat(path: string): FileStat | undefined {
    const inode = this.#names.get(path);
    return inode && { size: inode.live.length, isDirectory: inode.folder, modifiedMs: 0 };
  }

  readFile(path: string): Uint8Array {
    this.#call('pread', path);
    return this.#inode('readFile', path).live.slice();
  }

  writeFileAtomic(path: string, bytes: Uint8Array): void {
    const temporary = `${path}.tmp`;
    this.remove(temporary);
    const file = this.open(temporary, 'create');
    try {
      this.pwrite(file, bytes, 0);
      this.fdatasync(file);
    } finally {
      this.close(file);
    }
    this.rename(temporary, path);
    this.syncFolder(parent(path));
  }

  freeBytes(): number {
    return Math.max(0, this.capacity - this.usedBytes);
  }

  #forget(names: Map<string, Inode>, path: string): void {
    for (const name of [...names.keys()]) if (name === path || name.startsWith(`${path}/`)) names.delete(name);
  }

  #inode(operation: string, path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw fault(operation, path, 'ENOENT');
    return inode;
  }

  #file(operation: string, file: FileHandle): { inode: Inode; path: string } {
    const open = this.#open.get(file);
    if (open === undefined) throw new Error(`${operation} on a file that is not open: ${file}`);
    return open;
  }

  #call(operation: Operation, path: string): void {
    const failing = this.#find(operation, path);
    if (failing !== undefined) throw fault(operation, path, failing.code ?? 'EIO');
  }

  #find(operation: Operation, path: string): Fault | undefined {
    this.calls.push(`${operation} ${path}`);
    let found: Fault | undefined;
    for (const armed of this.#faults) {
      if (armed.operation !== operation || !path.includes(armed.path ?? '')) continue;
      armed.seen++;
      if (armed.seen >= armed.nth && armed.seen < armed.nth + (armed.times ?? 1)) found ??= armed;
    }
    return found;
  }
}

function written(target: Uint8Array, bytes: Uint8Array, offset: number): Uint8Array {
  if (offset + bytes.length > target.length) {
    const grown = new Uint8Array(offset + bytes.length);
    grown.set(target);
    target = grown;
  }
  target.set(bytes, offset);
  return target;
}

function parent(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function fault(operation: string, path: string, code: string): DiskError {
  return new DiskError(operation, path, code, new Error(`${code} (injected)`));
}
