// Which blocks are kept no longer: by time, by size, by share of the disk. Pure.
//
// Time is counted back from the end of the newest block, not from the clock, and a block goes when all of it is too
// old. By size, what the head and the log take counts as well, though only blocks go.

import type { BlockMeta } from '../block/contract.js';

/** What is kept. 0 is no limit. */
export interface Retention {
  readonly timeMs: number;
  readonly bytes: number;
  /** Percent of the file system; goes before `bytes`. */
  readonly percentage: number;
}

/** A block and what it takes on the disk. */
export interface StoredBlock {
  readonly meta: BlockMeta;
  readonly bytes: number;
}

/** What else there is. */
export interface StorageUse {
  /** The log and chunks of the head on the disk. */
  readonly headBytes: number;
  /** Of the file system; 0 where that is not known. */
  readonly diskBytes: number;
}

/** Blocks to remove, and why. One may be here for several reasons. */
export interface Expired {
  /** Marked by a compaction of which nothing was left. */
  readonly deletable: readonly StoredBlock[];
  readonly byTime: readonly StoredBlock[];
  readonly bySize: readonly StoredBlock[];
}

export function expiredBlocks(blocks: readonly StoredBlock[], retention: Retention, use: StorageUse): Expired {
  const newestFirst = [...blocks].sort((a, b) => b.meta.maxTimeMs - a.meta.maxTimeMs);
  return {
    deletable: newestFirst.filter(({ meta }) => meta.compaction.deletable),
    byTime: tooOld(newestFirst, retention.timeMs),
    bySize: tooMuch(newestFirst, bytesKept(retention, use.diskBytes), use.headBytes),
  };
}

/** How many bytes may be kept; 0 is no limit. */
export function bytesKept({ bytes, percentage }: Retention, diskBytes: number): number {
  return percentage > 0 && diskBytes > 0 ? Math.floor((diskBytes * percentage) / 100) : bytes;
}

function tooOld(newestFirst: readonly StoredBlock[], keptMs: number): readonly StoredBlock[] {
  if (keptMs === 0 || newestFirst.length === 0) return [];
  const end = newestFirst[0]!.meta.maxTimeMs;
  return newestFirst.slice(1).filter(({ meta }) => end - meta.maxTimeMs >= keptMs);
}

function tooMuch(newestFirst: readonly StoredBlock[], limit: number, headBytes: number): readonly StoredBlock[] {
  if (limit <= 0) return [];
  let sum = headBytes;
  const first = newestFirst.findIndex(({ bytes }) => {
    sum += bytes;
    return sum > limit;
  });
  return first === -1 ? [] : newestFirst.slice(first);
}
