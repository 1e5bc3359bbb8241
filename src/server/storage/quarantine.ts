// Putting a damaged block aside: renamed, never deleted, so that somebody may still look at it.

import { type Disk, folderOf } from '../../base/disk.js';

/** What a block that is put aside is called: `<ulid>.bad`, `<ulid>.bad2` where that is taken, … */
const SUFFIX = '.bad';

/** Renames the folder of a block; gives its new path. Nobody has it open. Throws a DiskError where the disk refuses. */
export function quarantine(disk: Disk, path: string): string {
  let aside = path + SUFFIX;
  for (let n = 2; disk.stat(aside) !== undefined; n++) aside = path + SUFFIX + n;
  disk.rename(path, aside);
  disk.syncFolder(folderOf(path));
  return aside;
}
