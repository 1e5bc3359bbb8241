// All blocks of a data directory: what they are, or open for reading.

import { type Disk, DiskError } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ByteReader } from '../bytes.js';
import { Block } from './block.js';
import { BlockFault, type BlockMeta } from './contract.js';
import { CHUNKS_NAME, CRC_BYTES, META_NAME, TOMBSTONES_NAME } from './layout.js';
import { readMeta } from './meta.js';
import { isUlid } from './ulid.js';

/** A folder that is named as a block and is none that can be read. */
export interface BadBlock {
  readonly path: string;
  /** What is wrong: with its bytes, or what the disk refused. */
  readonly fault: BlockFault | DiskError;
}

/** A block by its description alone. */
export interface ListedBlock {
  readonly path: string;
  readonly meta: BlockMeta;
  /** Of all its files: what retention by size counts. */
  readonly sizeBytes: number;
  /** Checksum of what is deleted of it: another one where that has changed. 0 where nothing is. */
  readonly deletions: number;
}

export interface FoundBlocks<T> {
  /** By their beginning, then by name. */
  readonly blocks: readonly T[];
  readonly bad: readonly BadBlock[];
}

/**
 * Every folder whose name is a ULID, its description read; others, unfinished `<ulid>.tmp-…` and quarantined
 * `<ulid>.bad` among them, are passed over. Throws a DiskError where the data directory cannot be listed.
 */
export function listBlocks(disk: Disk, folder: string): FoundBlocks<ListedBlock> {
  return findBlocks(disk, folder, (path) => {
    const meta = readMeta(disk, `${path}/${META_NAME}`);
    const chunks = disk.list(`${path}/${CHUNKS_NAME}`).map((name) => `${CHUNKS_NAME}/${name}`);
    const files = [...disk.list(path).filter((name) => name !== CHUNKS_NAME), ...chunks];
    const sizeBytes = files.reduce((sum, name) => sum + (disk.stat(`${path}/${name}`)?.size ?? 0), 0);
    return { path, meta, sizeBytes, deletions: deletionsOf(disk, `${path}/${TOMBSTONES_NAME}`) };
  });
}

/** The same, for work that must not miss one: throws the DiskError where the disk refuses a block. Damaged ones are passed over. */
export function listAllBlocks(disk: Disk, folder: string): readonly ListedBlock[] {
  const { blocks, bad } = listBlocks(disk, folder);
  for (const { fault } of bad) if (fault instanceof DiskError) throw fault;
  return blocks;
}

/** The same blocks, opened. Whoever asked closes them. */
export function openBlocks(disk: Disk, folder: string, crc: Crc32c): FoundBlocks<Block> {
  return findBlocks(disk, folder, (path) => Block.open(disk, path, crc));
}

/** The checksum at the end of a tombstones file; what is wrong with the file shows when it is read. */
function deletionsOf(disk: Disk, path: string): number {
  if (disk.stat(path) === undefined) return 0;
  const bytes = disk.readFile(path);
  return bytes.length < CRC_BYTES ? 0 : new ByteReader(bytes, bytes.length - CRC_BYTES).u32();
}

function findBlocks<T extends { readonly path: string; readonly meta: BlockMeta }>(
  disk: Disk,
  folder: string,
  find: (path: string) => T,
): FoundBlocks<T> {
  const blocks: T[] = [];
  const bad: BadBlock[] = [];
  for (const name of disk.list(folder).filter(isUlid)) {
    const path = `${folder}/${name}`;
    try {
      if (disk.stat(path)?.isDirectory === true) blocks.push(find(path));
    } catch (fault) {
      if (!(fault instanceof BlockFault || fault instanceof DiskError)) throw fault;
      bad.push({ path, fault });
    }
  }
  blocks.sort((a, b) => a.meta.minTimeMs - b.meta.minTimeMs || (a.path < b.path ? -1 : 1));
  return { blocks, bad };
}
