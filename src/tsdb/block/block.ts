// A block: two hours or more of samples in a folder that nobody changes any more, but for its tombstones.
//
//   <ulid>/meta.json     what it is
//          index         series by labels, and where their chunks are
//          chunks/       000001, 000002, …
//          tombstones    what is deleted of it

import type { Disk } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ChunkReader } from './chunk-reader.js';
import type { BlockMeta } from './contract.js';
import { IndexReader } from './index-reader.js';
import type { IndexSummary } from './index-summary.js';
import { CHUNKS_NAME, INDEX_NAME, META_NAME, TOMBSTONES_NAME } from './layout.js';
import { readMeta } from './meta.js';
import { readTombstones, type Tombstones } from './tombstones.js';

export class Block {
  private constructor(
    /** Its folder. */
    readonly path: string,
    readonly meta: BlockMeta,
    readonly index: IndexReader,
    readonly chunks: ChunkReader,
    readonly tombstones: Tombstones,
    /** Of all its files: what retention by size counts. */
    readonly sizeBytes: number,
  ) {}

  /**
   * Reads the description, the tombstones, and of the index what finding needs, where no summary of it is given: a
   * million series take some 200 ms. Whoever opened it closes it. Throws a
   * BlockFault where something is not what it must be, a DiskError where the disk refuses.
   */
  static open(disk: Disk, path: string, crc: Crc32c, summary?: IndexSummary): Block {
    const meta = readMeta(disk, `${path}/${META_NAME}`);
    const tombstones = readTombstones(disk, `${path}/${TOMBSTONES_NAME}`, crc);
    const chunks = ChunkReader.open(disk, `${path}/${CHUNKS_NAME}`, crc);
    const sizes = [META_NAME, TOMBSTONES_NAME].map((name) => disk.stat(`${path}/${name}`)?.size ?? 0);
    const index = IndexReader.open(disk, `${path}/${INDEX_NAME}`, crc, summary);
    const sizeBytes = sizes.reduce((sum, size) => sum + size, index.sizeBytes + chunks.sizeBytes);
    return new Block(path, meta, index, chunks, tombstones, sizeBytes);
  }

  close(): void {
    this.index.close();
    this.chunks.close();
  }
}
