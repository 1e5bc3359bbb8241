// Old samples become blocks, in bounded memory and whatever their order: what backfilling and bulk imports do.
//
//   add ──► buffer ──► part, a block of all times in label order ──┐
//                  └─► part ───────────────────────────────────────┴─► finish: a block for each window ──► staged
//                                                                       (blocks-of-parts.ts)
//
// Nothing is in the target folder before all is: the caller moves the staged blocks there. Memory: the buffer, the
// label sets in it, and what merging parts takes.

import type { Disk } from '../../base/disk.js';
import type { Labels } from '../../model/labels.js';
import { Chunks } from '../../wasm/chunks.js';
import type { Core } from '../../wasm/core.js';
import type { BlockMeta } from '../block/contract.js';
import { newUlid } from '../block/ulid.js';
import { BlockWriter } from '../block/writer.js';
import { blocksOfParts } from './blocks-of-parts.js';
import { tabulate } from './label-table.js';
import { BUFFER_SAMPLES, SampleBuffer } from './sample-buffer.js';
import { Conflicts, windowChunks } from './window-chunks.js';

export interface ImportOptions {
  readonly disk: Disk;
  readonly core: Core;
  /** Ours alone while the import lasts: it is made, and blocks are in it at the end, by their names. */
  readonly folder: string;
  /** What a block spans at most; blocks begin at its multiples. */
  readonly blockMs: number;
  readonly nowMs: number;
  /** Samples in memory. */
  readonly bufferSamples?: number;
}

const PARTS_FOLDER = 'parts';

export class BlockImport {
  readonly #options: ImportOptions;
  readonly #buffer: SampleBuffer;
  readonly #parts: string[] = [];
  /** Samples that were left out. */
  readonly conflicts = new Conflicts();
  #samples = 0;

  /** Throws a DiskError, as everything here may; abort() is due then. */
  constructor(options: ImportOptions) {
    this.#options = options;
    this.#buffer = new SampleBuffer(options.bufferSamples ?? BUFFER_SAMPLES);
    options.disk.remove(options.folder);
    options.disk.makeFolder(this.#partsFolder);
  }

  /** Samples added so far. */
  get samples(): number {
    return this.#samples;
  }

  /** Numbers of label sets are good until the next spill(), which is due where this is so. */
  get isFull(): boolean {
    return this.#buffer.isFull;
  }

  /** A number for a label set, to add samples by. */
  addLabels(labels: Labels): number {
    return this.#buffer.addLabels(labels);
  }

  /** Not while isFull. */
  add(series: number, timeMs: number, bits: bigint): void {
    this.#buffer.add(series, timeMs, bits);
    this.#samples++;
  }

  /** Writes what is in memory to the disk; all label sets are forgotten. */
  spill(): void {
    const buffer = this.#buffer;
    if (buffer.count > 0) {
      const { disk, core, nowMs, blockMs } = this.#options;
      const { symbols, labelSets, numbers } = tabulate(buffer.labelSets);
      const ulid = newUlid(nowMs);
      const writer = BlockWriter.create(disk, this.#partsFolder, ulid, { core });
      try {
        writer.setSymbols(symbols);
        const samples = buffer.sorted(numbers, labelSets.length);
        const chunks = new Chunks(core);
        const range = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
        for (const [series, labels] of labelSets.entries()) {
          const own = samples.of(series);
          if (own.times.length === 0) continue;
          range.from = Math.min(range.from, own.times[0]!);
          range.to = Math.max(range.to, own.times.at(-1)!);
          const textOf = () => buffer.labelSets[numbers.indexOf(series)]!;
          writer.addSeries(labels, windowChunks(own, blockMs, chunks, this.conflicts, textOf));
        }
        const compaction = { level: 1, sources: [ulid] };
        writer.finish({ minTimeMs: range.from, maxTimeMs: range.to + 1, compaction });
      } catch (error) {
        writer.abort();
        throw error;
      }
      this.#parts.push(`${this.#partsFolder}/${ulid}`);
    }
    buffer.clear();
  }

  /** Makes the blocks, oldest first; they are in the folder. In steps of some milliseconds. Throws BlockFault too. */
  *finish(): Generator<void, BlockMeta[]> {
    this.spill();
    const { disk, core, folder, blockMs, nowMs } = this.#options;
    const metas = yield* blocksOfParts({
      disk,
      core,
      parts: this.#parts,
      folder,
      blockMs,
      nowMs,
      conflicts: this.conflicts,
    });
    disk.remove(this.#partsFolder);
    return metas;
  }

  /** Removes all that was written, as far as the disk lets it. */
  abort(): void {
    this.#options.disk.remove(this.#options.folder);
  }

  get #partsFolder(): string {
    return `${this.#options.folder}/${PARTS_FOLDER}`;
  }
}
