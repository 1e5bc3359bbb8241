// The files of chunks_head as the compactor keeps them: written here, and removed when blocks have all that they hold.

import type { Disk } from '../../base/disk.js';
import { headChunksFolder, headChunksPath, listHeadChunks } from './layout.js';
import { type HeadChunkPlace, HeadChunkWriter } from './writer.js';

/** What is known of a file that somebody read. */
export interface HeadChunkFile {
  readonly file: number;
  /** No sample in it is later; -Infinity where it has none. */
  readonly latestMs: number;
  /** Chunks of Prometheus among it whose samples came out of order: its write-behind log names them. */
  readonly hasOutOfOrder: boolean;
}

export class HeadChunkFiles {
  readonly #disk: Disk;
  readonly #dataFolder: string;
  readonly #folder: string;
  readonly #known = new Map<number, HeadChunkFile>();
  #writer: HeadChunkWriter | undefined;

  constructor(disk: Disk, dataFolder: string) {
    this.#disk = disk;
    this.#dataFolder = dataFolder;
    this.#folder = headChunksFolder(dataFolder);
  }

  /** Tells of files that were read. */
  note(files: readonly HeadChunkFile[]): void {
    for (const file of files) this.#known.set(file.file, file);
  }

  /** Writes records, of which no sample is later than `latestMs`. Throws DiskError: then none is there. */
  write(pieces: readonly Uint8Array[], latestMs: number): HeadChunkPlace {
    this.#writer ??= new HeadChunkWriter(this.#disk, this.#folder);
    const place = this.#writer.write(pieces);
    const before = this.#known.get(place.file)?.latestMs ?? Number.NEGATIVE_INFINITY;
    this.#known.set(place.file, { file: place.file, latestMs: Math.max(before, latestMs), hasOutOfOrder: false });
    return place;
  }

  /** Removes the oldest files, up to the first that is not known to end before a time: numbers have no gaps. Gives how many. */
  dropBefore(minTimeMs: number): number {
    let removed = 0;
    for (const file of listHeadChunks(this.#disk, this.#folder)) {
      const known = this.#known.get(file);
      if (known === undefined || known.latestMs >= minTimeMs || file === this.#writer?.current) break;
      if (known.hasOutOfOrder && this.#hasWriteBehindLog()) break;
      this.#disk.unlink(headChunksPath(this.#folder, file));
      this.#known.delete(file);
      removed++;
    }
    if (removed > 0) this.#disk.syncFolder(this.#folder);
    return removed;
  }

  #hasWriteBehindLog(): boolean {
    const folder = `${this.#dataFolder}/wbl`;
    return this.#disk.stat(folder) !== undefined && this.#disk.list(folder).length > 0;
  }
}
