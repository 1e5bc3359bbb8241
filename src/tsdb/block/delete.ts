// Deleting samples of a block: intervals are noted in its tombstones file, and the data stays until the block is made anew.

import type { Disk } from '../../base/disk.js';
import type { Matcher } from '../../model/matcher.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { Block } from './block.js';
import type { DeletedInterval } from './contract.js';
import { META_NAME, TOMBSTONES_NAME } from './layout.js';
import { writeMeta } from './meta.js';
import { selectSeries } from './select.js';
import { SeriesEntry } from './series-entry.js';
import { writeTombstones } from './tombstones.js';

/**
 * Deletes the samples in an interval of the series that any of the selectors takes. True where the tombstones are
 * others now; they are replaced whole. Throws a BlockFault or a DiskError: then the block is as it was, or its
 * description counts fewer tombstones than there are.
 */
export function deleteFromBlock(
  disk: Disk,
  path: string,
  selectors: readonly (readonly Matcher[])[],
  interval: DeletedInterval,
  crc: Crc32c,
): boolean {
  const block = Block.open(disk, path, crc);
  try {
    const { meta, tombstones } = block;
    if (interval.maxTimeMs < meta.minTimeMs || interval.minTimeMs >= meta.maxTimeMs) return false;
    let isChanged = false;
    const entry = new SeriesEntry();
    for (const matchers of selectors) {
      for (const ref of selectSeries(block, matchers)) {
        const deleted = clamped(block.index.series(ref, entry), interval);
        if (deleted === undefined || isCovered(tombstones.of(ref), deleted)) continue;
        tombstones.add(ref, deleted);
        isChanged = true;
      }
    }
    if (!isChanged) return false;
    writeTombstones(disk, `${path}/${TOMBSTONES_NAME}`, tombstones, crc);
    const stats = { ...meta.stats, tombstones: tombstones.count };
    writeMeta(disk, `${path}/${META_NAME}`, { ...meta, stats });
    return true;
  } finally {
    block.close();
  }
}

/** The part of an interval between the series' first and last sample; undefined where no chunk has any of it. */
function clamped(entry: SeriesEntry, { minTimeMs, maxTimeMs }: DeletedInterval): DeletedInterval | undefined {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  let isIn = false;
  for (let i = 0; i < entry.chunkCount; i++) {
    const from = entry.minTimesMs[i]!;
    const to = entry.maxTimesMs[i]!;
    first = Math.min(first, from);
    last = Math.max(last, to);
    if (from <= maxTimeMs && to >= minTimeMs) isIn = true;
  }
  return isIn ? { minTimeMs: Math.max(first, minTimeMs), maxTimeMs: Math.min(last, maxTimeMs) } : undefined;
}

function isCovered(intervals: readonly DeletedInterval[], { minTimeMs, maxTimeMs }: DeletedInterval): boolean {
  return intervals.some((one) => one.minTimeMs <= minTimeMs && one.maxTimeMs >= maxTimeMs);
}
