// The blocks of a data directory for a tool: nothing is changed there, and a server may be at work.

import type { Disk } from '../../base/disk.js';
import type { Block } from '../../tsdb/block/block.js';
import { type ListedBlock, listBlocks, openBlocks } from '../../tsdb/block/open-blocks.js';
import { supersededBlocks } from '../../tsdb/compact/superseded.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ToolError } from '../tool/command.js';

/** By their descriptions, oldest first. Throws a ToolError where one cannot be read. */
export function listedBlocks(disk: Disk, folder: string): readonly ListedBlock[] {
  checkFolder(disk, folder);
  const { blocks, bad } = listBlocks(disk, folder);
  if (bad[0] !== undefined) throw new ToolError(`unexpected corrupted block: ${bad[0].fault.message}`);
  const superseded = supersededBlocks(blocks.map(({ meta }) => meta));
  return blocks.filter(({ meta }) => !superseded.has(meta.ulid));
}

/** Runs an action on the open blocks, oldest first, and closes them. Throws a ToolError where one cannot be read. */
export function withBlocks<T>(disk: Disk, folder: string, crc: Crc32c, action: (blocks: readonly Block[]) => T): T {
  checkFolder(disk, folder);
  const { blocks, bad } = openBlocks(disk, folder, crc);
  try {
    if (bad[0] !== undefined) throw new ToolError(`unexpected corrupted block: ${bad[0].fault.message}`);
    const superseded = supersededBlocks(blocks.map(({ meta }) => meta));
    return action(blocks.filter(({ meta }) => !superseded.has(meta.ulid)));
  } finally {
    for (const block of blocks) block.close();
  }
}

/** Throws a ToolError where there is no such folder. */
export function checkFolder(disk: Disk, folder: string): void {
  if (disk.stat(folder)?.isDirectory === true) return;
  throw new ToolError(`opening the db dir: stat ${folder}: no such file or directory`);
}
