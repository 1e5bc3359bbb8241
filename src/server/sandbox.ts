// All of a data directory as blocks, for tools that read: what is only in its logs is replayed in a copy beside it, cut into a
// block there, and the directory itself stays as it is.
//
//   data/<ulid>/ …   hard links ──┐
//   data/wal, wbl    copied ──────┴─► sandbox/ ─► replay ─► sandbox/snapshots/<name>/: every sample in a block
//
// Costs the memory of a server on that directory, and the room of its logs on the disk.

import type { Clock } from '../base/clock.js';
import { type Disk, DiskError } from '../base/disk.js';
import { memoryBytes } from '../base/machine.js';
import { noLog } from '../telemetry/log.js';
import { isUlid, newUlid } from '../tsdb/block/ulid.js';
import { TEMPORARY_SUFFIX } from '../tsdb/block/writer.js';
import { Storage } from './storage/storage.js';

/** What a head is made of on the disk. */
const LOGS = ['wal', 'wbl', 'chunks_head'];
const COPY_BYTES = 4 * 1024 * 1024;
const MEMORY_SHARE = 0.6;
const BLOCK_MS = 2 * 3_600_000;

export interface SandboxRequest {
  /** The data directory. */
  readonly folder: string;
  /** Where the sandbox is to be: on the same file system blocks cost nothing there. */
  readonly root: string;
}

/** Runs an action on a folder with all of a directory's samples in blocks. Rejects with a DiskError, or what the action rejects with. */
export async function withWholeDirectory<T>(
  disk: Disk,
  clock: Clock,
  { folder, root }: SandboxRequest,
  action: (folder: string) => T,
): Promise<T> {
  if (!hasLog(disk, folder)) return action(folder);
  // Whoever serves a directory removes what has such a name and was left behind.
  const sandbox = `${root}/${newUlid(clock.nowMs())}${TEMPORARY_SUFFIX}`;
  try {
    disk.makeFolder(sandbox);
    for (const name of disk.list(folder)) {
      if (isUlid(name)) copyFolder(disk, `${folder}/${name}`, `${sandbox}/${name}`, link);
      else if (LOGS.includes(name)) copyFolder(disk, `${folder}/${name}`, `${sandbox}/${name}`, copyFile);
    }
    return action(`${sandbox}/snapshots/${await snapshot(disk, clock, sandbox)}`);
  } finally {
    disk.remove(sandbox);
  }
}

async function snapshot(disk: Disk, clock: Clock, path: string): Promise<string> {
  let failed: Error | undefined;
  const storage = await Storage.open(disk, clock, noLog, {
    path,
    shards: 1,
    memoryBytes: memoryBytes(disk) * MEMORY_SHARE,
    sync: { mode: 'never' },
    blockMs: BLOCK_MS,
    onHopeless: (reason) => {
      failed = reason;
    },
  });
  try {
    await storage.replay();
    return await storage.snapshots.make(false);
  } catch (error) {
    throw failed ?? error;
  } finally {
    await storage.close();
  }
}

function hasLog(disk: Disk, folder: string): boolean {
  return LOGS.some((name) => disk.stat(`${folder}/${name}`) !== undefined && disk.list(`${folder}/${name}`).length > 0);
}

type CopyFile = (disk: Disk, from: string, to: string) => void;

function copyFolder(disk: Disk, from: string, to: string, copy: CopyFile): void {
  disk.makeFolder(to);
  for (const name of disk.list(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (disk.stat(source)?.isDirectory) copyFolder(disk, source, target, copy);
    else copy(disk, source, target);
  }
}

/** Another file system has no links to this one. */
const link: CopyFile = (disk, from, to) => {
  try {
    disk.link(from, to);
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'EXDEV')) throw error;
    copyFile(disk, from, to);
  }
};

/** As long as it is when it is opened: a server may go on writing to it. */
const copyFile: CopyFile = (disk, from, to) => {
  const source = disk.open(from, 'read');
  const target = disk.open(to, 'create');
  try {
    const buffer = new Uint8Array(COPY_BYTES);
    for (let at = 0, left = disk.size(source); left > 0; ) {
      const count = disk.pread(source, buffer.subarray(0, Math.min(left, COPY_BYTES)), at);
      if (count === 0) return;
      disk.pwrite(target, buffer.subarray(0, count), at);
      at += count;
      left -= count;
    }
  } finally {
    disk.close(source);
    disk.close(target);
  }
};
