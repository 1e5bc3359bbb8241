// Writes a block: <ulid>.tmp-for-creation/ while it grows, <ulid>/ once it is whole.
//
//   create ──► setSymbols ──► addSeries, in label order ──► finish ──► synced, checked, renamed, the folder synced
//                                                    └────► abort  ──► nothing is left
//
// A crash leaves a folder with the temporary suffix at the most, which the next start removes, as Prometheus does.
// Memory: the symbols, two buffers of a MiB, four bytes per label of every series (postings-gatherer.ts).

import { type Disk, DiskError } from '../../base/disk.js';
import { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { ChunkWriter } from './chunk-writer.js';
import {
  type BlockMeta,
  type BlockStats,
  ChunkEncoding,
  type ChunkMeta,
  type Compaction,
  type SeriesRef,
  type StreamedChunk,
  type SymbolTable,
} from './contract.js';
import { IndexWriter } from './index-writer.js';
import { CHUNKS_NAME, INDEX_NAME, META_NAME, TOMBSTONES_NAME } from './layout.js';
import { writeMeta } from './meta.js';
import { Tombstones, writeTombstones } from './tombstones.js';

export const TEMPORARY_SUFFIX = '.tmp-for-creation';

export interface BlockWriterOptions {
  /** For buffers and checksums; one of the writer's own where absent. */
  readonly core?: Core;
  /** Most bytes of a file of chunks: 512 MiB where absent. */
  readonly segmentBytes?: number;
}

/** What the writer cannot know of a block. */
export interface BlockDescription {
  readonly minTimeMs: number;
  /** Not in the block any more. */
  readonly maxTimeMs: number;
  readonly compaction: Compaction;
  /** Of the series as addSeries() gave them; nothing where absent. */
  readonly tombstones?: Tombstones;
}

/** Looks at a block that is written and has not its name yet; throws where it is not as it should be. */
export type BlockCheck = (folder: string, meta: BlockMeta) => void;

export class BlockWriter {
  readonly #disk: Disk;
  readonly #core: Core;
  readonly #dataFolder: string;
  readonly #ulid: string;
  readonly #folder: string;
  readonly #chunks: ChunkWriter;
  readonly #index: IndexWriter;
  readonly #stats = { series: 0, chunks: 0, floatSamples: 0, histogramSamples: 0 };
  #open = true;

  private constructor(disk: Disk, dataFolder: string, ulid: string, options: BlockWriterOptions) {
    this.#disk = disk;
    this.#core = options.core ?? new Core();
    this.#dataFolder = dataFolder;
    this.#ulid = ulid;
    this.#folder = `${dataFolder}/${ulid}${TEMPORARY_SUFFIX}`;
    const chunksFolder = `${this.#folder}/${CHUNKS_NAME}`;
    disk.remove(this.#folder);
    disk.makeFolder(chunksFolder);
    this.#chunks = new ChunkWriter(disk, this.#core, chunksFolder, options.segmentBytes);
    this.#index = new IndexWriter(disk, this.#core, `${this.#folder}/${INDEX_NAME}`);
  }

  /** Begins a block; where that throws a DiskError, nothing is left. So may every method, and abort() is due then. */
  static create(disk: Disk, dataFolder: string, ulid: string, options: BlockWriterOptions = {}): BlockWriter {
    try {
      return new BlockWriter(disk, dataFolder, ulid, options);
    } catch (error) {
      quietly(() => disk.remove(`${dataFolder}/${ulid}${TEMPORARY_SUFFIX}`));
      throw error;
    }
  }

  /** Once, before all series: every string that they use. Kept until the end. */
  setSymbols(symbols: SymbolTable): void {
    this.#index.writeSymbols(symbols);
  }

  /**
   * Label sets ascend, and the chunks of a series do in time, without overlaps; copies all. A series without chunks is
   * left out: undefined.
   */
  addSeries(labels: Uint32Array, chunks: readonly StreamedChunk[]): SeriesRef | undefined {
    if (chunks.length === 0) return undefined;
    const metas: ChunkMeta[] = [];
    for (const chunk of chunks) {
      metas.push({ minTimeMs: chunk.minTimeMs, maxTimeMs: chunk.maxTimeMs, ref: this.#chunks.add(chunk) });
      this.#count(chunk);
    }
    this.#stats.series++;
    this.#stats.chunks += chunks.length;
    return this.#index.addSeries(labels, metas);
  }

  /**
   * Makes all durable, asks `check`, and gives the block its name. A block without series is not made: undefined.
   * Where it throws, nothing of the block is left.
   */
  finish(description: BlockDescription, check?: BlockCheck): BlockMeta | undefined {
    if (this.#stats.series === 0) {
      this.abort();
      return undefined;
    }
    try {
      const meta = this.#write(description);
      check?.(this.#folder, meta);
      this.#disk.rename(this.#folder, `${this.#dataFolder}/${this.#ulid}`);
      this.#disk.syncFolder(this.#dataFolder);
      return meta;
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** Removes what was written, as far as the disk lets it. */
  abort(): void {
    if (this.#open) {
      quietly(() => this.#chunks.close());
      quietly(() => this.#index.close());
    }
    this.#open = false;
    quietly(() => this.#disk.remove(this.#folder));
  }

  #write({ minTimeMs, maxTimeMs, compaction, tombstones = new Tombstones() }: BlockDescription): BlockMeta {
    this.#chunks.finish();
    this.#index.finish();
    this.#open = false;
    const stats = { ...this.#blockStats(), tombstones: tombstones.count };
    const meta: BlockMeta = { ulid: this.#ulid, minTimeMs, maxTimeMs, stats, compaction, version: 1 };
    writeTombstones(this.#disk, `${this.#folder}/${TOMBSTONES_NAME}`, tombstones, new Crc32c(this.#core));
    writeMeta(this.#disk, `${this.#folder}/${META_NAME}`, meta);
    return meta;
  }

  #blockStats(): BlockStats {
    const { floatSamples, histogramSamples, ...counts } = this.#stats;
    return { samples: floatSamples + histogramSamples, ...counts, floatSamples, histogramSamples };
  }

  /** Every encoding begins with the number of samples, u16. */
  #count({ encoding, data }: StreamedChunk): void {
    const samples = (data[0]! << 8) | data[1]!;
    const isHistogram = encoding === ChunkEncoding.Histogram || encoding === ChunkEncoding.FloatHistogram;
    this.#stats[isHistogram ? 'histogramSamples' : 'floatSamples'] += samples;
  }
}

function quietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
  }
}
