// Which blocks of a directory are there no more in truth: a crash may come between a block and the removal of its parents.

import type { Disk } from '../../base/disk.js';
import type { BlockMeta } from '../block/contract.js';
import { isUlid } from '../block/ulid.js';
import { TEMPORARY_SUFFIX } from '../block/writer.js';

/** Prometheus's name for what is on its way out: either of us removes it at the next start. */
const DELETION_SUFFIX = '.tmp-for-deletion';

/** Blocks that others were made of, and blocks of which nothing was left: to be passed over, and removed. */
export function supersededBlocks(blocks: readonly BlockMeta[]): ReadonlySet<string> {
  const parents = new Set(blocks.flatMap(({ compaction }) => compaction.parents ?? []).map(({ ulid }) => ulid));
  return new Set(blocks.filter((one) => one.compaction.deletable || parents.has(one.ulid)).map(({ ulid }) => ulid));
}

/** Removes a block: it has another name first, durably, so that none is ever half there. Throws a DiskError. */
export function removeBlock(disk: Disk, dataFolder: string, ulid: string): void {
  const path = `${dataFolder}/${ulid}`;
  if (disk.stat(path) === undefined) return;
  disk.rename(path, path + DELETION_SUFFIX);
  disk.syncFolder(dataFolder);
  disk.remove(path + DELETION_SUFFIX);
}

/** At the start: what was never finished, and what was to go. Throws a DiskError. */
export function removeLeftovers(disk: Disk, dataFolder: string): void {
  for (const name of disk.list(dataFolder)) {
    const suffix = [TEMPORARY_SUFFIX, DELETION_SUFFIX].find((one) => name.endsWith(one));
    if (suffix !== undefined && isUlid(name.slice(0, -suffix.length))) disk.remove(`${dataFolder}/${name}`);
  }
}
