// The door to the file system: nothing else imports node:fs.
//
// A `Disk` is what storage code is given. The real one is a thin layer over
// node:fs; simulations pass one of their own that loses and damages bytes.

import * as fs from 'node:fs';

export { readFileSync } from 'node:fs';

/** An open file: a number, as the operating system has it. */
export type FileHandle = number & { readonly __file: 'File' };

export interface FileStat {
  readonly size: number;
  readonly isDirectory: boolean;
  readonly modifiedMs: number;
}

/**
 * Synchronous, because the threads that own files do nothing else meanwhile.
 * Every method throws a DiskError with the operation, the path and the reason.
 */
export interface Disk {
  /** `create` makes a new file and fails where there is one; `read` and `write` need one that is there. */
  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle;
  close(file: FileHandle): void;
  /** Writes all of `bytes` at `offset`. */
  pwrite(file: FileHandle, bytes: Uint8Array, offset: number): void;
  /** Reads until `into` is full or the file ends; gives the count read. */
  pread(file: FileHandle, into: Uint8Array, offset: number): number;
  fdatasync(file: FileHandle): void;
  truncate(file: FileHandle, size: number): void;
  size(file: FileHandle): number;
  /** Makes created, renamed and removed names of a folder durable. */
  syncFolder(path: string): void;
  rename(from: string, to: string): void;
  /** Gives a file a second name, on the same file system; fails where there is one already. */
  link(from: string, to: string): void;
  unlink(path: string): void;
  /** Removes a file or a folder with all it holds; fine where there is none. */
  remove(path: string): void;
  /** Makes a folder and those above it, their names durable; fine where it is there. */
  makeFolder(path: string): void;
  list(path: string): string[];
  /** undefined where there is nothing at `path`. */
  stat(path: string): FileStat | undefined;
  readFile(path: string): Uint8Array;
  /** Writes a file so that it is wholly there or not at all: temporary name, fdatasync, rename, folder sync. */
  writeFileAtomic(path: string, bytes: Uint8Array): void;
  /** Bytes free for us on the file system of `path`. */
  freeBytes(path: string): number;
  /** Bytes that the file system of `path` has in all. */
  totalBytes(path: string): number;
}

/** What the world refused: the operation, on what, and the system's code (ENOSPC, EIO, …). */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  constructor(
    readonly operation: string,
    readonly path: string,
    readonly code: string,
    cause: unknown,
  ) {
    super(`${operation} ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** How any disk writes a file atomically, out of its own operations. */
export function replaceFile(disk: Disk, path: string, bytes: Uint8Array): void {
  const temporary = `${path}.tmp`;
  disk.remove(temporary);
  const file = disk.open(temporary, 'create');
  try {
    disk.pwrite(file, bytes, 0);
    disk.fdatasync(file);
  } finally {
    disk.close(file);
  }
  disk.rename(temporary, path);
  disk.syncFolder(folderOf(path));
}

/**
 * Writes to the process's standard output, all of it; false where nobody reads it any more. Unlike process.stdout it
 * says so at once, and keeps nothing in memory.
 */
export function writeOut(text: string): boolean {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(STANDARD_OUTPUT, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw new DiskError('write', 'standard output', code ?? 'EUNKNOWN', error);
      // Whoever reads is slow, and does not let us wait in the call.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
  return true;
}

const STANDARD_OUTPUT = 1;

/** Somebody who looks at a folder until told to stop. */
export interface FolderWatch {
  close(): void;
}

/**
 * Calls `onChange` with the name of what was made, written, renamed or removed in a folder; with the empty name where
 * the system does not say. Several calls for one change are usual. Throws a DiskError where the folder cannot be watched.
 */
export function watchFolder(path: string, onChange: (name: string) => void): FolderWatch {
  const watcher = attempt('watch', path, () => fs.watch(path, { persistent: false }));
  watcher.on('change', (_, name) => onChange(String(name ?? '')));
  // The folder itself went: whoever watches looks again by and by.
  watcher.on('error', () => onChange(''));
  return { close: () => watcher.close() };
}

class RealDisk implements Disk {
  readonly #paths = new Map<number, string>();

  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    const flags = mode === 'read' ? 'r' : mode === 'write' ? 'r+' : 'wx+';
    const file = attempt('open', path, () => fs.openSync(path, flags)) as FileHandle;
    this.#paths.set(file, path);
    return file;
  }

  close(file: FileHandle): void {
    attempt('close', this.#path(file), () => fs.closeSync(file));
    this.#paths.delete(file);
  }

  pwrite(file: FileHandle, bytes: Uint8Array, offset: number): void {
    let done = 0;
    while (done < bytes.length) {
      const count = attempt('write', this.#path(file), () =>
        fs.writeSync(file, bytes, done, bytes.length - done, offset + done),
      );
      done += count;
    }
  }

  pread(file: FileHandle, into: Uint8Array, offset: number): number {
    let done = 0;
    while (done < into.length) {
      const count = attempt('read', this.#path(file), () =>
        fs.readSync(file, into, done, into.length - done, offset + done),
      );
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  fdatasync(file: FileHandle): void {
    attempt('fdatasync', this.#path(file), () => fs.fdatasyncSync(file));
  }

  truncate(file: FileHandle, size: number): void {
    attempt('truncate', this.#path(file), () => fs.ftruncateSync(file, size));
  }

  size(file: FileHandle): number {
    return attempt('stat', this.#path(file), () => fs.fstatSync(file).size);
  }

  syncFolder(path: string): void {
    attempt('sync folder', path, () => {
      const folder = fs.openSync(path, 'r');
      try {
        fs.fsyncSync(folder);
      } finally {
        fs.closeSync(folder);
      }
    });
  }

  rename(from: string, to: string): void {
    attempt('rename', from, () => fs.renameSync(from, to));
  }

  link(from: string, to: string): void {
    attempt('link', from, () => fs.linkSync(from, to));
  }

  unlink(path: string): void {
    attempt('unlink', path, () => fs.unlinkSync(path));
  }

  remove(path: string): void {
    attempt('remove', path, () => fs.rmSync(path, { recursive: true, force: true }));
  }

  makeFolder(path: string): void {
    if (this.stat(path)?.isDirectory) return;
    const above = folderOf(path);
    this.makeFolder(above);
    // Another thread may be as quick.
    attempt('make folder', path, () => fs.mkdirSync(path, { recursive: true }));
    this.syncFolder(above);
  }

  list(path: string): string[] {
    return attempt('list', path, () => fs.readdirSync(path)).sort();
  }

  stat(path: string): FileStat | undefined {
    const stat = attempt('stat', path, () => fs.statSync(path, { throwIfNoEntry: false }));
    return stat && { size: stat.size, isDirectory: stat.isDirectory(), modifiedMs: stat.mtimeMs };
  }

  readFile(path: string): Uint8Array {
    return attempt('read', path, () => fs.readFileSync(path));
  }

  writeFileAtomic(path: string, bytes: Uint8Array): void {
    replaceFile(this, path, bytes);
  }

  freeBytes(path: string): number {
    const stat = attempt('statfs', path, () => fs.statfsSync(path));
    return stat.bavail * stat.bsize;
  }

  totalBytes(path: string): number {
    const stat = attempt('statfs', path, () => fs.statfsSync(path));
    return stat.blocks * stat.bsize;
  }

  #path(file: FileHandle): string {
    return this.#paths.get(file) ?? `file ${file}`;
  }
}

/** The folder that a path is in. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash) || '/';
}

function attempt<T>(operation: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN';
    throw new DiskError(operation, path, code, error);
  }
}

export const realDisk: Disk = new RealDisk();
