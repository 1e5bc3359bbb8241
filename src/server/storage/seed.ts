// The secret that places series in shards and keys hashes; made at the first start. Nothing on disk depends on it.

import type { Disk } from '../../base/disk.js';
import { secretBytes } from '../../base/prng.js';

export function readSeed(disk: Disk, folder: string): bigint {
  const path = `${folder}/seed`;
  if (disk.stat(path) === undefined) disk.writeFileAtomic(path, secretBytes(8));
  const bytes = disk.readFile(path);
  if (bytes.length !== 8) throw new Error(`${path} is damaged: delete it, and a new one is made`);
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
}
