// The files of chunks_head as the compactor keeps them: written here, and removed when blocks have all that they hold. What is
// there by now is noted beside (manifest.ts), once it is known what was there at the start.

import { type Disk, DiskError } from '../../base/disk.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { headChunksFolder, headChunksPath, listHeadChunks } from './layout.js';
import { HeadChunksManifest, headChunksManifestPath } from './manifest.js';
import { type HeadChunkPlace, HeadChunkWriter } from './writer.js';

/** What is known of a file that somebody read. */
export interface HeadChunkFile {
  readonly file: number;
  /** No sample in it is later; -Infinity where it has none. */
  readonly latestMs: number;
  /** Behind its last record. */
  readonly bytes: number;
  /** Chunks of Prometheus among it whose samples came out of order: its write-behind log names them. */
  readonly hasOutOfOrder: boolean;
}

export class HeadChunkFiles {
  readonly #disk: Disk;
  readonly #dataFolder: string;
  readonly #folder: string;
  readonly #known = new Map<number, HeadChunkFile>();
  readonly #manifestPath: string;
  readonly #crc: Crc32c;
  /** All files are known. */
  #isNoting = false;
  #manifest: HeadChunksManifest | undefined;
  #writer: HeadChunkWriter | undefined;

  constructor(disk: Disk, dataFolder: string, crc: Crc32c) {
    this.#disk = disk;
    this.#crc = crc;
    this.#dataFolder = dataFolder;
    this.#folder = headChunksFolder(dataFolder);
    this.#manifestPath = headChunksManifestPath(dataFolder);
  }

  /** Tells of all files that were there at the start; the manifest is written from now on. */
  note(files: readonly HeadChunkFile[]): void {
    for (const file of files) this.#known.set(file.file, file);
    this.#isNoting = true;
    tolerant(() => this.#writeManifest());
  }

  /** Writes records, of which no sample is later than `latestMs`. Throws DiskError: then none is there. */
  write(pieces: readonly Uint8Array[], latestMs: number): HeadChunkPlace {
    this.#writer ??= new HeadChunkWriter(this.#disk, this.#folder);
    const { file, offset } = this.#writer.write(pieces);
    const before = this.#known.get(file)?.latestMs ?? Number.NEGATIVE_INFINITY;
    const bytes = pieces.reduce((end, { length }) => end + length, offset);
    this.#known.set(file, { file, latestMs: Math.max(before, latestMs), bytes, hasOutOfOrder: false });
    // It may know less than there is.
    tolerant(() => this.#writeManifest());
    return { file, offset };
  }

  /** Removes the oldest files, up to the first that is not known to end before a time: numbers have no gaps. Gives how many. Throws DiskError. */
  dropBefore(minTimeMs: number): number {
    const old = this.#filesBefore(minTimeMs);
    if (old.length === 0) return 0;
    // Noted first: what the manifest names and is not there would be missed at the next start.
    this.#writeManifest(new Map([...this.#known].filter(([file]) => !old.includes(file))));
    for (const file of old) {
      this.#disk.unlink(headChunksPath(this.#folder, file));
      this.#known.delete(file);
    }
    this.#disk.syncFolder(this.#folder);
    return old.length;
  }

  #filesBefore(minTimeMs: number): number[] {
    const files = listHeadChunks(this.#disk, this.#folder);
    const isKept = (file: number) => {
      const known = this.#known.get(file);
      if (known === undefined || known.latestMs >= minTimeMs || file === this.#writer?.current) return true;
      return known.hasOutOfOrder && this.#hasWriteBehindLog();
    };
    const kept = files.findIndex(isKept);
    return kept < 0 ? files : files.slice(0, kept);
  }

  #writeManifest(files: ReadonlyMap<number, HeadChunkFile> = this.#known): void {
    if (!this.#isNoting) return;
    this.#manifest ??= new HeadChunksManifest(this.#disk, this.#manifestPath, this.#crc);
    const highest = listHeadChunks(this.#disk, this.#folder).at(-1) ?? 0;
    this.#manifest.write({ highest, files });
  }

  #hasWriteBehindLog(): boolean {
    const folder = `${this.#dataFolder}/wbl`;
    return this.#disk.stat(folder) !== undefined && this.#disk.list(folder).length > 0;
  }
}

/** Without a manifest losses may go unnoticed; that is no reason to lose more. */
function tolerant(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}
