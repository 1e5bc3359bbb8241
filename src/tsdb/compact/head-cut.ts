// A head cut on its way into a block, in the compactor thread.
//
//   schemas, series, symbols of all shards ──► sort ──► wanted, page by page ──► chunks of a page ──► BlockWriter
//
// Main brings what it asks the shards for, in pages of which no more than two are here at a time.
// Memory of a million series with ten labels: 56 MB of runs (cut-series.ts), of their strings 24 bytes each and the
// bytes three times while they are merged, once afterwards, and what BlockWriter needs.

import type { Disk } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import type { BlockMeta } from '../block/contract.js';
import { BlockWriter } from '../block/writer.js';
import { ChunkPages } from './chunk-pages.js';
import { readBack } from './compact.js';
import { CutSeries } from './cut-series.js';
import { SymbolMerger } from './merged-symbols.js';
import { OUT_OF_ORDER_HINT } from './plan.js';

/** Series whose chunks are asked for at a time: a few MiB. */
const PAGE_SERIES = 4096;

/** For each shard the series whose chunks come next, in the order in which they are needed. */
export type WantedChunks = readonly Uint32Array[];

export interface CutRequest {
  readonly shards: number;
  readonly ulid: string;
  /** What the block spans; the second is not in it. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** Where the block is to be, if not in the data directory. */
  readonly folder?: string;
  /** Appends go on: the block ends behind the newest sample that is in it. */
  readonly isOpen?: boolean;
  /** Of samples that came late: it may share time with others, and says nothing of where the head begins. */
  readonly isLate?: boolean;
}

export class HeadCut {
  readonly #disk: Disk;
  readonly #crc: Crc32c;
  readonly #request: CutRequest;
  readonly #writer: BlockWriter;
  readonly #series: CutSeries;
  #symbols: SymbolMerger | undefined;
  /** Places in label order up to which chunks were asked for, and written. */
  #asked = 0;
  #written = 0;
  #newestMs = Number.NEGATIVE_INFINITY;

  /** Throws a DiskError, as does everything from sort() on; abort() is due then. */
  constructor(disk: Disk, core: Core, dataFolder: string, request: CutRequest) {
    this.#disk = disk;
    this.#crc = new Crc32c(core);
    this.#request = request;
    this.#series = new CutSeries(request.shards);
    this.#symbols = new SymbolMerger(request.shards);
    this.#writer = BlockWriter.create(disk, request.folder ?? dataFolder, request.ulid, { core });
  }

  addSchemas(shard: number, page: ArrayBuffer): void {
    this.#series.setSchemas(shard, new Uint32Array(page));
  }

  addSeries(shard: number, page: ArrayBuffer): void {
    this.#series.add(shard, new Uint32Array(page));
  }

  addSymbols(shard: number, lengths: ArrayBuffer, bytes: ArrayBuffer): void {
    this.#symbols!.add(shard, new Uint32Array(lengths), new Uint8Array(bytes));
  }

  /** All is here: brings symbols and series in order. Gives the number of series. */
  sort(): number {
    const merged = this.#symbols!.merge((shard, symbol) => this.#series.isUsed(shard, symbol));
    this.#symbols = undefined;
    this.#series.sort(merged);
    this.#writer.setSymbols(merged.table);
    return this.#series.count;
  }

  /** Whose chunks come next; undefined where those of all were asked for. */
  wanted(): WantedChunks | undefined {
    if (this.#asked === this.#series.count) return undefined;
    const lists: number[][] = Array.from({ length: this.#request.shards }, () => []);
    const end = Math.min(this.#asked + PAGE_SERIES, this.#series.count);
    for (let i = this.#asked; i < end; i++) {
      const { shard, series } = this.#series.place(i);
      lists[shard]!.push(series);
    }
    this.#asked = end;
    return lists.map((list) => Uint32Array.from(list));
  }

  /** Writes the series of the oldest page that was asked for: for each shard its chunks, in buffers as they came. */
  write(pages: readonly (readonly ArrayBuffer[])[]): void {
    const chunks = pages.map((buffers) => new ChunkPages(buffers));
    const end = Math.min(this.#written + PAGE_SERIES, this.#asked);
    for (; this.#written < end; this.#written++) {
      const { shard } = this.#series.place(this.#written);
      const own = chunks[shard]!.next();
      this.#newestMs = Math.max(this.#newestMs, own.at(-1)?.maxTimeMs ?? Number.NEGATIVE_INFINITY);
      this.#writer.addSeries(this.#series.labels(this.#written), own);
    }
  }

  /** Reads the block back; it is there from now on. undefined where it would be empty. */
  finish(): BlockMeta | undefined {
    if (this.#written < this.#series.count) throw new Error('chunks of some series were never brought');
    const { ulid, minTimeMs, isOpen, isLate } = this.#request;
    const compaction = { level: 1, sources: [ulid], ...(isLate && { hints: [OUT_OF_ORDER_HINT] }) };
    const maxTimeMs = isOpen ? this.#newestMs + 1 : this.#request.maxTimeMs;
    const description = { minTimeMs, maxTimeMs, compaction };
    return this.#writer.finish(description, (folder, meta) => readBack(this.#disk, this.#crc, folder, meta));
  }

  /** Nothing is left of it. */
  abort(): void {
    this.#writer.abort();
  }
}
