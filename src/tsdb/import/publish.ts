// Blocks that were made aside come to the data directory, together.

import type { Disk } from '../../base/disk.js';
import type { BlockMeta } from '../block/contract.js';

/** Moves them, oldest first, and removes where they were. Throws a DiskError: then some may be there. */
export function publishBlocks(disk: Disk, folder: string, target: string, metas: readonly BlockMeta[]): void {
  disk.syncFolder(folder);
  for (const { ulid } of metas) disk.rename(`${folder}/${ulid}`, `${target}/${ulid}`);
  disk.syncFolder(target);
  disk.remove(folder);
}
