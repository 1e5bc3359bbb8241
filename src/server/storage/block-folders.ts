// What the start needs to know of the blocks in a data directory: where they end.

import { type Disk, DiskError } from '../../base/disk.js';
import { BlockFault, type BlockMeta } from '../../tsdb/block/contract.js';
import { readMeta } from '../../tsdb/block/meta.js';
import { isUlid } from '../../tsdb/block/ulid.js';
import { OUT_OF_ORDER_HINT } from '../../tsdb/compact/plan.js';

/** The latest end of blocks of in-order samples; -Infinity where there are none. */
export function endMsOf(blocks: readonly BlockMeta[]): number {
  return blocks.reduce((end, meta) => Math.max(end, endOf(meta)), Number.NEGATIVE_INFINITY);
}

/** The latest end of the blocks of in-order samples in a data directory; -Infinity where there are none. Blocks that cannot be read count for nothing. */
export function blocksEndMs(disk: Disk, folder: string): number {
  const ends = disk
    .list(folder)
    .filter(isUlid)
    .map((ulid) => endOfFile(disk, `${folder}/${ulid}/meta.json`));
  return Math.max(Number.NEGATIVE_INFINITY, ...ends);
}

/** Blocks of samples that came late say nothing of where the head begins. */
function endOf({ maxTimeMs, compaction }: BlockMeta): number {
  return compaction.hints?.includes(OUT_OF_ORDER_HINT) ? Number.NEGATIVE_INFINITY : maxTimeMs;
}

function endOfFile(disk: Disk, path: string): number {
  try {
    return endOf(readMeta(disk, path));
  } catch (error) {
    if (error instanceof BlockFault || error instanceof DiskError) return Number.NEGATIVE_INFINITY;
    throw error;
  }
}
