// The compactor: blocks are written and merged here, one task after the other, beside shards and log.

import { type Clock, realClock } from '../../base/clock.js';
import { type Disk, DiskError } from '../../base/disk.js';
import { freeBuffer } from '../../base/thread.js';
import { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { BlockFault } from '../block/contract.js';
import { IndexReader } from '../block/index-reader.js';
import { type IndexSummary, shareSummary } from '../block/index-summary.js';
import { INDEX_NAME } from '../block/layout.js';
import { PreviewJob } from '../downsample/preview.js';
import { HeadChunkFiles } from '../head-chunks/files.js';
import { HeadImageWriter } from '../head-image/writer.js';
import { ImportJob } from '../import/import-job.js';
import { commitImport } from '../import/staging.js';
import { beginSnapshot, finishSnapshot, listSnapshots, removeSnapshot } from '../snapshot.js';
import { BlockList, readBlockList } from './block-list.js';
import { HeadCut } from './head-cut.js';
import { Housekeeping } from './housekeeping.js';
import type {
  CompactorHandlers,
  CompactorOp,
  CompactorReply,
  CompactorRequest,
  CompactorSetup,
  CompactorTask,
} from './protocol.js';
import { Scrub } from './scrub.js';

/** A merge or a reading through lets other tasks in after so long: a cut of the head does not wait for blocks of a month. */
const STEP_MS = 50;

export class Compactor {
  readonly #disk: Disk;
  readonly #setup: CompactorSetup;
  readonly #core: Core;
  readonly #handlers: CompactorHandlers;
  #cut: HeadCut | undefined;
  #scrub: Scrub | undefined;
  #import: ImportJob | undefined;
  #image: HeadImageWriter | undefined;
  #preview: PreviewJob | undefined;

  constructor(disk: Disk, setup: CompactorSetup, clock: Clock = realClock, core = new Core()) {
    this.#core = core;
    this.#disk = disk;
    this.#setup = setup;
    const keeping = new Housekeeping({ disk, core: this.#core, dataFolder: setup.dataFolder });
    const headChunks = new HeadChunkFiles(disk, setup.dataFolder, new Crc32c(this.#core));
    const blockList = new BlockList(disk, setup.dataFolder, new Crc32c(this.#core));
    this.#handlers = {
      summarizeBlock: ({ path }) => ({ summary: summaryOf(this.#disk, path, new Crc32c(this.#core)) }),
      scrubBlock: ({ path }) => {
        const endMs = clock.monotonicMs() + STEP_MS;
        this.#scrub ??= new Scrub(this.#disk, this.#core);
        return this.#scrub.step(path, () => clock.monotonicMs() < endMs);
      },
      beginCut: (request) => {
        this.#abort();
        this.#cut = new HeadCut(this.#disk, this.#core, this.#setup.dataFolder, request);
        return {};
      },
      addCutSchemas: ({ shard, page }) => nothing(() => this.#cutUnderWay.addSchemas(shard, page)),
      addCutSeries: ({ shard, page }) => nothing(() => this.#cutUnderWay.addSeries(shard, page)),
      addCutSymbols: ({ shard, lengths, bytes }) => nothing(() => this.#cutUnderWay.addSymbols(shard, lengths, bytes)),
      sortCut: () => {
        const cut = this.#cutUnderWay;
        const series = cut.sort();
        const wanted = [cut.wanted(), cut.wanted()].filter((page) => page !== undefined);
        return { series, wanted };
      },
      writeCut: ({ pages }) => {
        const cut = this.#cutUnderWay;
        cut.write(pages);
        return { wanted: cut.wanted() };
      },
      finishCut: () => {
        const meta = this.#cutUnderWay.finish();
        this.#cut = undefined;
        return { meta };
      },
      abortCut: () => nothing(() => this.#abort()),
      compactBlocks: ({ ranges, nowMs, settings }) => {
        const endMs = clock.monotonicMs() + STEP_MS;
        return keeping.compactNext(ranges, nowMs, () => clock.monotonicMs() < endMs, settings);
      },
      cleanBlocks: ({ nowMs }) => {
        const endMs = clock.monotonicMs() + STEP_MS;
        return keeping.cleanNext(nowMs, () => clock.monotonicMs() < endMs);
      },
      deleteFromBlocks: ({ selectors, interval }) => ({ changed: keeping.deleteSamples(selectors, interval) }),
      beginSnapshot: ({ name }) => nothing(() => beginSnapshot(disk, setup.dataFolder, name)),
      finishSnapshot: ({ name }) => nothing(() => finishSnapshot(disk, setup.dataFolder, name)),
      listSnapshots: () => ({ names: listSnapshots(disk, setup.dataFolder) }),
      removeSnapshot: ({ name }) => ({ removed: removeSnapshot(disk, setup.dataFolder, name) }),
      beginImport: (request) => {
        this.#import = new ImportJob(this.#disk, this.#core, setup.dataFolder, request);
        return { state: 'more' };
      },
      importNext: () => {
        const endMs = clock.monotonicMs() + STEP_MS;
        return this.#importUnderWay.step(() => clock.monotonicMs() < endMs);
      },
      commitImport: ({ ulids }) => nothing(() => commitImport(disk, setup.dataFolder, ulids)),
      abortImport: () => nothing(() => this.#importUnderWay.abort()),
      beginPreview: ({ settings }) => {
        this.#preview?.close();
        this.#preview = new PreviewJob(disk, this.#core, keeping.listed(), settings);
        return { state: 'more' };
      },
      previewNext: () => {
        const endMs = clock.monotonicMs() + STEP_MS;
        if (this.#preview === undefined) throw new Error('no preview is under way');
        return this.#preview.step(() => clock.monotonicMs() < endMs);
      },
      expireBlocks: ({ retention }) => keeping.expire(retention),
      writeHeadChunks: ({ records, latestMs }) => {
        const pieces = records.map((buffer) => new Uint8Array(buffer));
        const place = headChunks.write(pieces, latestMs);
        records.forEach(freeBuffer);
        return place;
      },
      noteHeadChunks: ({ files }) => nothing(() => headChunks.note(files)),
      noteBlocks: ({ blocks }) => nothing(() => blockList.write(blocks)),
      notedBlocks: () => ({ blocks: readBlockList(disk, setup.dataFolder, new Crc32c(this.#core)) }),
      dropHeadChunks: ({ minTimeMs }) => ({ removed: headChunks.dropBefore(minTimeMs) }),
      beginHeadImage: ({ path, segment }) => {
        this.#abortImage();
        this.#image = new HeadImageWriter(disk, path, segment, new Crc32c(this.#core));
        return {};
      },
      addToHeadImage: (page) => {
        this.#imageUnderWay.add(page);
        freeBuffer(page.records);
        return {};
      },
      finishHeadImage: () => {
        const bytes = this.#imageUnderWay.finish();
        this.#image = undefined;
        return { bytes };
      },
      abortHeadImage: () => nothing(() => this.#abortImage()),
      removeBlocks: ({ ulids }) => nothing(() => keeping.remove(ulids)),
    };
  }

  run<K extends CompactorOp>({
    op,
    request,
  }: { op: K; request: CompactorRequest<K> } & CompactorTask): CompactorReply<K> {
    return this.#handlers[op](request);
  }

  get #cutUnderWay(): HeadCut {
    if (this.#cut === undefined) throw new Error('no cut is under way');
    return this.#cut;
  }

  get #importUnderWay(): ImportJob {
    if (this.#import === undefined) throw new Error('no import is under way');
    return this.#import;
  }

  get #imageUnderWay(): HeadImageWriter {
    if (this.#image === undefined) throw new Error('no image of the head is under way');
    return this.#image;
  }

  #abortImage(): void {
    this.#image?.abort();
    this.#image = undefined;
  }

  #abort(): void {
    this.#cut?.abort();
    this.#cut = undefined;
  }
}

/** Whoever reads the block meets what is wrong with it as well, and says so. */
function summaryOf(disk: Disk, path: string, crc: Crc32c): IndexSummary | undefined {
  try {
    const index = IndexReader.open(disk, `${path}/${INDEX_NAME}`, crc);
    index.close();
    return shareSummary(index.summary());
  } catch (error) {
    if (error instanceof BlockFault || error instanceof DiskError) return undefined;
    throw error;
  }
}

function nothing(action: () => void): Record<string, never> {
  action();
  return {};
}
