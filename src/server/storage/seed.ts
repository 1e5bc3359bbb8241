// The secret that places series in shards and keys hashes; made at the first start. Nothing on disk depends on it, so one that
// is damaged is made anew.

import type { Disk } from '../../base/disk.js';
import { secretBytes } from '../../base/prng.js';

const SEED_BYTES = 8;

export function readSeed(disk: Disk, folder: string): bigint {
  const path = `${folder}/seed`;
  const found = disk.stat(path) === undefined ? undefined : disk.readFile(path);
  const bytes = found?.length === SEED_BYTES ? found : secretBytes(SEED_BYTES);
  if (bytes !== found) disk.writeFileAtomic(path, bytes);
  return new DataView(bytes.buffer, bytes.byteOffset, SEED_BYTES).getBigUint64(0);
}
