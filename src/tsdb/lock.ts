// The lock on a data directory: the file `lock`, with an flock on it while its
// owner lives, exactly as Prometheus has it, so that either keeps the other out.
//
// The file alone says nothing: a server that was killed leaves it behind. In it
// stands who we are, for the message to whoever finds the directory in use, and
// for machines that have no flock(1): there a lock counts while its process runs.

import { type Disk, DiskError, type FileHandle } from '../base/disk.js';
import { type Flocked, flockExclusive } from '../base/flock.js';

/** As the gauge prometheus_tsdb_clean_start has it: a lock file of an earlier run was replaced, or there was none. */
export type CleanStart = 0 | 1;

interface Owner {
  readonly pid: number;
  readonly startedMs: number;
  /** Pids mean nothing across boots. */
  readonly bootId: string;
}

/** Another server works in the data directory. */
export class DirectoryInUse extends Error {
  override readonly name = 'DirectoryInUse';
  constructor(
    readonly folder: string,
    /** Its process, where the lock file says so. */
    readonly pid: number | undefined,
  ) {
    const who = pid === undefined ? 'another process' : `process ${pid}`;
    super(`the data directory ${folder} is in use by ${who}`);
  }
}

export interface LockOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly pid: number;
  readonly nowMs: number;
  /** Takes the real lock; flock(2) by default. */
  readonly flock?: (file: FileHandle) => Flocked;
  /** Whether a process of this machine runs. */
  readonly isRunning?: (pid: number) => boolean;
}

export class DirectoryLock {
  readonly cleanStart: CleanStart;
  /** Whether other servers are kept out too, or only our own. */
  readonly isReal: boolean;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(disk: Disk, path: string, file: FileHandle, cleanStart: CleanStart, isReal: boolean) {
    this.#disk = disk;
    this.#path = path;
    this.#file = file;
    this.cleanStart = cleanStart;
    this.isReal = isReal;
  }

  /** Takes the lock. Throws DirectoryInUse, or a DiskError where the directory cannot be written. */
  static take(options: LockOptions): DirectoryLock {
    const { disk, folder, pid, nowMs, flock = flockExclusive, isRunning = processRuns } = options;
    disk.makeFolder(folder);
    const path = `${folder}/lock`;
    const left = disk.stat(path) !== undefined;
    const owner = left ? readOwner(disk, path) : undefined;
    const file = disk.open(path, left ? 'write' : 'create');
    const flocked = flock(file);
    const bootId = readBootId(disk);
    const runs = owner !== undefined && owner.pid !== pid && owner.bootId === bootId && isRunning(owner.pid);
    if (flocked === 'held' || (flocked === 'unsupported' && runs)) {
      disk.close(file);
      throw new DirectoryInUse(folder, owner?.pid);
    }
    const text = `${JSON.stringify({ pid, startedMs: nowMs, bootId } satisfies Owner)}\n`;
    disk.truncate(file, 0);
    disk.pwrite(file, new TextEncoder().encode(text), 0);
    return new DirectoryLock(disk, path, file, left ? 0 : 1, flocked === 'locked');
  }

  /** Gives the directory back, at a clean stop. */
  release(): void {
    this.#disk.unlink(this.#path);
    this.#disk.close(this.#file);
  }
}

/** What we wrote there; undefined for a file of Prometheus's, which is empty. */
function readOwner(disk: Disk, path: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(new TextDecoder().decode(disk.readFile(path)));
    if (typeof owner !== 'object' || owner === null || !('pid' in owner) || typeof owner.pid !== 'number')
      return undefined;
    return owner as Owner;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DiskError) return undefined;
    throw error;
  }
}

function readBootId(disk: Disk): string {
  try {
    return new TextDecoder().decode(disk.readFile('/proc/sys/kernel/random/boot_id')).trim();
  } catch (error) {
    if (error instanceof DiskError) return '';
    throw error;
  }
}

function processRuns(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there but not ours to signal.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
