// An import over HTTP on its way into the data directory: all of its blocks, or none, whenever the power fails.
//
//   narthex/import/<ulid>/ …     blocks that are whole, and not served
//   narthex/import/commit        written once all are there: their names. From here on they will be served
//   <ulid>/ …                    moved; then narthex/import/ goes
//
// A start that finds the commit moves what is left; without it the folder goes.

import type { Disk } from '../../base/disk.js';
import { isUlid } from '../block/ulid.js';

const FOLDER = 'narthex/import';
const COMMIT = 'commit';

export function stagingFolder(dataFolder: string): string {
  return `${dataFolder}/${FOLDER}`;
}

/** The blocks are in the staging folder: they come to the data directory. Throws a DiskError; see recoverImport(). */
export function commitImport(disk: Disk, dataFolder: string, ulids: readonly string[]): void {
  const staging = stagingFolder(dataFolder);
  disk.syncFolder(staging);
  disk.writeFileAtomic(`${staging}/${COMMIT}`, new TextEncoder().encode(ulids.join('\n')));
  recoverImport(disk, dataFolder);
}

/** What an import that did not come to its end has left: finished where it was committed, removed where it was not. */
export function recoverImport(disk: Disk, dataFolder: string): void {
  const staging = stagingFolder(dataFolder);
  if (disk.stat(staging) === undefined) return;
  if (disk.stat(`${staging}/${COMMIT}`) !== undefined) {
    for (const ulid of new TextDecoder().decode(disk.readFile(`${staging}/${COMMIT}`)).split('\n')) {
      if (isUlid(ulid) && disk.stat(`${staging}/${ulid}`) !== undefined) {
        disk.rename(`${staging}/${ulid}`, `${dataFolder}/${ulid}`);
      }
    }
    disk.syncFolder(dataFolder);
  }
  disk.remove(staging);
}
