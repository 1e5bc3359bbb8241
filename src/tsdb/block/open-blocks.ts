// All blocks of a data directory.

import { type Disk, DiskError } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { Block } from './block.js';
import { BlockFault } from './contract.js';
import { isUlid } from './ulid.js';

/** A folder that is named as a block and is none that can be read. */
export interface BadBlock {
  readonly path: string;
  /** What is wrong: with its bytes, or what the disk refused. */
  readonly fault: BlockFault | DiskError;
}

export interface OpenedBlocks {
  /** By their beginning, then by name. Whoever asked closes them. */
  readonly blocks: readonly Block[];
  readonly bad: readonly BadBlock[];
}

/**
 * Opens every folder whose name is a ULID; others, unfinished `<ulid>.tmp-…` and quarantined `<ulid>.bad` among them,
 * are passed over. Throws a DiskError where the data directory cannot be listed.
 */
export function openBlocks(disk: Disk, folder: string, crc: Crc32c): OpenedBlocks {
  const blocks: Block[] = [];
  const bad: BadBlock[] = [];
  for (const name of disk.list(folder).filter(isUlid)) {
    const path = `${folder}/${name}`;
    if (disk.stat(path)?.isDirectory !== true) continue;
    try {
      blocks.push(Block.open(disk, path, crc));
    } catch (fault) {
      if (!(fault instanceof BlockFault || fault instanceof DiskError)) throw fault;
      bad.push({ path, fault });
    }
  }
  blocks.sort((a, b) => a.meta.minTimeMs - b.meta.minTimeMs || (a.path < b.path ? -1 : 1));
  return { blocks, bad };
}
