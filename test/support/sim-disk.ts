// A disk in memory that loses what was not synced, fails on command, and stops the world at a chosen call.
//
//   crash(seed)     the machine loses power: a part of what was not synced is there, torn at sectors (sim-file.ts,
//                   sim-names.ts); without a seed, nothing of it
//   fail(fault)     the n-th call of a kind goes wrong
//   cutPowerAt(n)   the n-th call from now on never returns, nor does any after it, until crash() or kill()
//
// Habits are faults of a program instead of a disk: they stay through crashes, and are how tests plant a forgotten sync.

import { type Disk, DiskError, type FileHandle, type FileStat, replaceFile } from '../../src/base/disk.js';
import { Prng } from '../../src/base/prng.js';
import { SimFile } from './sim-file.js';
import { SimFolder, SimNames } from './sim-names.js';

export type Operation =
  | 'open'
  | 'close'
  | 'pwrite'
  | 'pread'
  | 'fdatasync'
  | 'truncate'
  | 'size'
  | 'syncFolder'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'makeFolder'
  | 'list'
  | 'stat'
  | 'statfs';

export interface Fault {
  /** Any call, where it is not said. */
  readonly operation?: Operation;
  /** Happens at the n-th such call from now on, 1 for the next. */
  readonly nth: number;
  /** How many calls fail from then on; Infinity for as long as the fault stays. Default 1. */
  readonly times?: number;
  readonly code?: string;
  /** A failing pwrite writes this share of its bytes first; a short pread gives this share. */
  readonly share?: number;
  /** Only for paths that contain this. */
  readonly path?: string;
  /**
   * What goes wrong:
   *   error  (default) the call throws; a failed fdatasync drops the file's written pages
   *   skip   the call says that all is well, and has done nothing
   *   short  a pread ends early
   *   flip   a pread gives one bit wrong, this time
   */
  readonly effect?: 'error' | 'skip' | 'short' | 'flip';
}

interface ArmedFault extends Fault {
  seen: number;
}

/** Calls that say that all is well and do nothing, always. */
export interface Habit {
  readonly skips: 'fdatasync' | 'syncFolder' | 'truncate' | 'unlink' | 'rename';
  /** Only for paths that match. */
  readonly path: RegExp;
}

const SKIP: Fault = { nth: 1, effect: 'skip' };

/** The power is gone. No program can catch this: it is not a DiskError. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** Of what was not synced, a crash keeps one of these shares: nothing, nearly nothing, half, nearly all, all. */
const KEPT_SHARES = [0, 0.1, 0.5, 0.9, 1];

export class SimDisk implements Disk {
  /** Every call, for tests of order: `fdatasync data/wal/00000000`. */
  readonly calls: string[] = [];
  /** Bytes of files that fit; ENOSPC beyond. */
  capacity = Number.POSITIVE_INFINITY;
  readonly #names = new SimNames();
  readonly #open = new Map<number, { file: SimFile; path: string }>();
  readonly #habits: readonly Habit[];
  #nextFile = 3;
  #faults: ArmedFault[] = [];
  #callsLeft = Number.POSITIVE_INFINITY;
  #fired = 0;

  constructor(habits: readonly Habit[] = []) {
    this.#habits = habits;
  }

  // What a test does to it

  fail(fault: Fault): void {
    this.#faults.push({ ...fault, seen: 0 });
  }

  /** The n-th call from now on, 1 for the next, throws PowerCut, and so does each after it. */
  cutPowerAt(n: number): void {
    this.#callsLeft = n - 1;
  }

  /** No fault is armed any more, and there is room. */
  heal(): void {
    this.#faults = [];
    this.#callsLeft = Number.POSITIVE_INFINITY;
    this.capacity = Number.POSITIVE_INFINITY;
  }

  /** The power went, and nobody has said yet what the disk looks like now: see crash(). */
  get isOff(): boolean {
    return this.#callsLeft < 0;
  }

  /** How many calls went wrong since the last crash or kill. */
  get fired(): number {
    return this.#fired;
  }

  /** Runs `action` on the disk as it is, no fault firing or counting: for looking at it. */
  quietly<T>(action: () => T): T {
    const faults = this.#faults;
    const callsLeft = this.#callsLeft;
    this.#faults = [];
    this.#callsLeft = Number.POSITIVE_INFINITY;
    try {
      return action();
    } finally {
      this.#faults = faults;
      this.#callsLeft = callsLeft;
    }
  }

  /**
   * The machine loses power: names and bytes are what was synced. With a seed or a generator, a random
   * part of what was pending reaches the disk as well, in any order.
   */
  crash(seed?: Prng | number): void {
    this.kill();
    const prng = typeof seed === 'number' ? new Prng(seed) : seed;
    this.#names.crash(prng && { prng, kept: prng.pick(KEPT_SHARES) });
  }

  /** The process dies: what it wrote stays, its files close. */
  kill(): void {
    this.#open.clear();
    this.#faults = [];
    this.#callsLeft = Number.POSITIVE_INFINITY;
    this.#fired = 0;
  }

  /** Damages a file, on the disk and in the cache. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array | undefined): void {
    const file = this.#fileAt('damage', path);
    const { bytes } = file;
    file.replace(change(bytes) ?? bytes);
  }

  /** Files that were opened and not closed. */
  get openFiles(): number {
    return this.#open.size;
  }

  /** Bytes of all files. */
  get usedBytes(): number {
    let sum = 0;
    for (const file of this.#names.files()) sum += file.size;
    return sum;
  }

  /** Every file and its bytes, in order of paths: two disks of the same image are the same to any program. */
  image(): Map<string, Uint8Array> {
    return new Map([...this.#names.walk()].map(([path, file]) => [path, file.bytes]));
  }

  // What programs do with it

  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    this.#call('open', path);
    let node = this.#names.find(path);
    if (mode === 'create') {
      if (node !== undefined) throw refusal('open', path, 'EEXIST');
      node = new SimFile();
      this.#names.set(this.#place('open', path), node);
    }
    if (node === undefined) throw refusal('open', path, 'ENOENT');
    if (node instanceof SimFolder) throw refusal('open', path, 'EISDIR');
    const handle = this.#nextFile++;
    this.#open.set(handle, { file: node, path });
    return handle as FileHandle;
  }

  close(handle: FileHandle): void {
    const { path } = this.#file('close', handle);
    // The descriptor is gone even where close() fails.
    this.#open.delete(handle);
    this.#call('close', path);
  }

  pwrite(handle: FileHandle, bytes: Uint8Array, offset: number): void {
    const { file, path } = this.#file('pwrite', handle);
    const failing = this.#find('pwrite', path);
    if (failing?.effect === 'skip') return;
    const room = this.capacity - (this.capacity === Number.POSITIVE_INFINITY ? 0 : this.usedBytes);
    const grows = Math.max(0, offset + bytes.length - file.size);
    const fits = grows <= room ? bytes.length : Math.max(0, bytes.length - (grows - room));
    const count = failing === undefined ? fits : Math.floor(bytes.length * (failing.share ?? 0));
    file.write(bytes.subarray(0, count), offset);
    if (failing !== undefined) throw refusal('pwrite', path, failing.code ?? 'EIO');
    if (count < bytes.length) throw refusal('pwrite', path, 'ENOSPC');
  }

  pread(handle: FileHandle, into: Uint8Array, offset: number): number {
    const { file, path } = this.#file('pread', handle);
    const failing = this.#call('pread', path);
    const short = failing?.effect === 'short' ? Math.floor(into.length * (failing.share ?? 0.5)) : into.length;
    const count = file.read(into.subarray(0, short), offset);
    if (failing?.effect === 'flip') flipBit(into.subarray(0, count));
    return count;
  }

  fdatasync(handle: FileHandle): void {
    const { file, path } = this.#file('fdatasync', handle);
    const failing = this.#find('fdatasync', path);
    if (failing?.effect === 'skip') return;
    if (failing === undefined) {
      file.sync();
      return;
    }
    file.losePages();
    throw refusal('fdatasync', path, failing.code ?? 'EIO');
  }

  truncate(handle: FileHandle, size: number): void {
    const { file, path } = this.#file('truncate', handle);
    if (this.#call('truncate', path)?.effect !== 'skip') file.truncate(size);
  }

  size(handle: FileHandle): number {
    const { file, path } = this.#file('size', handle);
    this.#call('size', path);
    return file.size;
  }

  syncFolder(path: string): void {
    const failing = this.#call('syncFolder', path);
    const folder = this.#names.find(path);
    if (!(folder instanceof SimFolder)) throw refusal('syncFolder', path, 'ENOENT');
    if (failing?.effect !== 'skip') this.#names.sync(folder);
  }

  rename(from: string, to: string): void {
    if (this.#call('rename', from)?.effect === 'skip') return;
    const node = this.#names.find(from);
    if (node === undefined) throw refusal('rename', from, 'ENOENT');
    const target = this.#names.find(to);
    if (target instanceof SimFolder && target.live.size > 0) throw refusal('rename', from, 'ENOTEMPTY');
    this.#names.move(this.#place('rename', from), this.#place('rename', to), node);
  }

  link(from: string, to: string): void {
    this.#call('link', from);
    const file = this.#fileAt('link', from);
    if (this.#names.find(to) !== undefined) throw refusal('link', to, 'EEXIST');
    this.#names.set(this.#place('link', to), file);
  }

  unlink(path: string): void {
    const failing = this.#call('unlink', path);
    this.#fileAt('unlink', path);
    if (failing?.effect !== 'skip') this.#names.drop(this.#place('unlink', path));
  }

  /** As the system does it: what is inside goes first, name by name. */
  remove(path: string): void {
    const node = this.#names.find(path);
    if (node instanceof SimFolder) for (const name of [...node.live.keys()]) this.remove(`${path}/${name}`);
    const failing = this.#call('unlink', path);
    if (node !== undefined && failing?.effect !== 'skip') this.#names.drop(this.#place('unlink', path));
  }

  makeFolder(path: string): void {
    const node = this.#names.find(path);
    if (node instanceof SimFolder) return;
    const above = folderOf(path);
    this.makeFolder(above);
    this.#call('makeFolder', path);
    if (node !== undefined) throw refusal('makeFolder', path, 'ENOTDIR');
    this.#names.set(this.#place('makeFolder', path), new SimFolder());
    this.syncFolder(above);
  }

  list(path: string): string[] {
    this.#call('list', path);
    const node = this.#names.find(path);
    if (!(node instanceof SimFolder)) throw refusal('list', path, 'ENOENT');
    return [...node.live.keys()].sort();
  }

  stat(path: string): FileStat | undefined {
    this.#call('stat', path);
    const node = this.#names.find(path);
    if (node === undefined) return undefined;
    const isDirectory = node instanceof SimFolder;
    return { size: isDirectory ? 0 : node.size, isDirectory, modifiedMs: 0 };
  }

  readFile(path: string): Uint8Array {
    const failing = this.#call('pread', path);
    const { bytes } = this.#fileAt('pread', path);
    if (failing?.effect === 'flip') flipBit(bytes);
    return failing?.effect === 'short' ? bytes.subarray(0, Math.floor(bytes.length * (failing.share ?? 0.5))) : bytes;
  }

  writeFileAtomic(path: string, bytes: Uint8Array): void {
    replaceFile(this, path, bytes);
  }

  freeBytes(path: string): number {
    this.#call('statfs', path);
    return Math.max(0, this.capacity - this.usedBytes);
  }

  totalBytes(): number {
    return this.capacity;
  }

  // Helpers

  #place(operation: Operation, path: string) {
    const place = this.#names.place(path);
    if (place === undefined) throw refusal(operation, path, 'ENOENT');
    return place;
  }

  #fileAt(operation: string, path: string): SimFile {
    const node = this.#names.find(path);
    if (!(node instanceof SimFile)) throw refusal(operation, path, node === undefined ? 'ENOENT' : 'EISDIR');
    return node;
  }

  #file(operation: string, handle: FileHandle): { file: SimFile; path: string } {
    const open = this.#open.get(handle);
    if (open === undefined) throw new Error(`${operation} on a file that is not open: ${handle}`);
    return open;
  }

  /** Notes the call, and throws where it is to fail; a fault of another effect is the caller's. */
  #call(operation: Operation, path: string): Fault | undefined {
    const failing = this.#find(operation, path);
    if (failing !== undefined && (failing.effect ?? 'error') === 'error') {
      throw refusal(operation, path, failing.code ?? 'EIO');
    }
    return failing;
  }

  #find(operation: Operation, path: string): Fault | undefined {
    if (this.#callsLeft-- <= 0) {
      this.#fired++;
      throw new PowerCut(`before ${operation} ${path}`);
    }
    this.calls.push(`${operation} ${path}`);
    if (this.#habits.some((habit) => habit.skips === operation && habit.path.test(path))) return SKIP;
    let found: Fault | undefined;
    for (const armed of this.#faults) {
      if (armed.operation !== undefined && armed.operation !== operation) continue;
      if (!path.includes(armed.path ?? '')) continue;
      armed.seen++;
      if (armed.seen >= armed.nth && armed.seen < armed.nth + (armed.times ?? 1)) found ??= armed;
    }
    if (found !== undefined) this.#fired++;
    return found;
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** One bit in the middle. */
function flipBit(bytes: Uint8Array): void {
  if (bytes.length > 0) bytes[bytes.length >> 1]! ^= 0x10;
}

function refusal(operation: string, path: string, code: string): DiskError {
  return new DiskError(operation, path, code, new Error(`${code} (injected)`));
}
