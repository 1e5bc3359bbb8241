// Snapshots: data directories of their own below snapshots/, whose blocks share their files with ours.
//
//   snapshots/<name>.tmp/<ulid>/…   hard links to files of blocks, which nobody changes: what is replaced has another file
//   snapshots/<name>/               the same, whole; a server started on it has what was there then

import type { Disk } from '../base/disk.js';
import { CHUNKS_NAME } from './block/layout.js';
import { listAllBlocks } from './block/open-blocks.js';
import { supersededBlocks } from './compact/superseded.js';

const FOLDER = 'snapshots';
const UNFINISHED = '.tmp';
/** As snapshotName() makes them, and Prometheus. */
const NAME = /^\d{8}T\d{6}Z-[0-9a-f]{1,16}$/;

/** `20261121T162233Z-0123456789abcdef`. */
export function snapshotName(nowMs: number, random: bigint): string {
  const time = new Date(nowMs).toISOString().replace(/\.\d+|[-:]/g, '');
  return `${time}-${random.toString(16).padStart(16, '0')}`;
}

/** Where a snapshot grows: blocks may be written here, too. */
export function unfinishedFolder(dataFolder: string, name: string): string {
  return `${dataFolder}/${FOLDER}/${name}${UNFINISHED}`;
}

/** Begins a snapshot with links to all blocks. What never became one is removed. Throws a DiskError. */
export function beginSnapshot(disk: Disk, dataFolder: string, name: string): void {
  disk.makeFolder(`${dataFolder}/${FOLDER}`);
  for (const other of disk.list(`${dataFolder}/${FOLDER}`)) {
    if (other.endsWith(UNFINISHED)) disk.remove(`${dataFolder}/${FOLDER}/${other}`);
  }
  const target = unfinishedFolder(dataFolder, name);
  disk.makeFolder(target);
  const metas = listAllBlocks(disk, dataFolder).map(({ meta }) => meta);
  const superseded = supersededBlocks(metas);
  for (const { ulid } of metas)
    if (!superseded.has(ulid)) linkBlock(disk, `${dataFolder}/${ulid}`, `${target}/${ulid}`);
}

/** Gives the snapshot its name: it is whole, and on the disk. Throws a DiskError. */
export function finishSnapshot(disk: Disk, dataFolder: string, name: string): void {
  disk.syncFolder(unfinishedFolder(dataFolder, name));
  disk.rename(unfinishedFolder(dataFolder, name), `${dataFolder}/${FOLDER}/${name}`);
  disk.syncFolder(`${dataFolder}/${FOLDER}`);
}

/** Names of the snapshots there are, oldest first. */
export function listSnapshots(disk: Disk, dataFolder: string): string[] {
  if (disk.stat(`${dataFolder}/${FOLDER}`) === undefined) return [];
  return disk.list(`${dataFolder}/${FOLDER}`).filter((name) => NAME.test(name));
}

/** False where there is no such snapshot. Half of one is never there by its name. Throws a DiskError. */
export function removeSnapshot(disk: Disk, dataFolder: string, name: string): boolean {
  if (!listSnapshots(disk, dataFolder).includes(name)) return false;
  const path = `${dataFolder}/${FOLDER}/${name}`;
  disk.rename(path, path + UNFINISHED);
  disk.syncFolder(`${dataFolder}/${FOLDER}`);
  disk.remove(path + UNFINISHED);
  return true;
}

function linkBlock(disk: Disk, from: string, to: string): void {
  disk.makeFolder(`${to}/${CHUNKS_NAME}`);
  for (const name of disk.list(`${from}/${CHUNKS_NAME}`)) {
    disk.link(`${from}/${CHUNKS_NAME}/${name}`, `${to}/${CHUNKS_NAME}/${name}`);
  }
  for (const name of disk.list(from)) {
    if (disk.stat(`${from}/${name}`)?.isDirectory === false) disk.link(`${from}/${name}`, `${to}/${name}`);
  }
  disk.syncFolder(`${to}/${CHUNKS_NAME}`);
  disk.syncFolder(to);
}
