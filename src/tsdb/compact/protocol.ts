// What the compactor thread can be asked. All buffers in requests move.

import type { Matcher } from '../../model/matcher.js';
import type { BlockMeta, DeletedInterval } from '../block/contract.js';
import type { IndexSummary } from '../block/index-summary.js';
import type { PreviewStep } from '../downsample/preview.js';
import type { RewriteSettings } from '../downsample/series-rewriter.js';
import type { HeadChunkFile } from '../head-chunks/files.js';
import type { HeadChunkPlace } from '../head-chunks/writer.js';
import type { ImagePage } from '../head-image/writer.js';
import type { ImportRequest, ImportStep } from '../import/import-job.js';
import type { NotedBlock } from './block-list.js';
import type { CutRequest, WantedChunks } from './head-cut.js';
import type { CompactionStep, ExpiredNames } from './housekeeping.js';
import type { Retention } from './retention.js';
import type { ScrubStep } from './scrub.js';

interface Op<Request, Reply> {
  request: Request;
  reply: Reply;
}

type Nothing = Record<string, never>;

export interface CompactorOps {
  /** What readers keep of a block's index, in shared memory; undefined where it cannot be read. */
  summarizeBlock: Op<{ path: string }, { summary: IndexSummary | undefined }>;
  /** Reads a block through, for a while: to be asked again where there is more. Others' tasks come in between. */
  scrubBlock: Op<{ path: string }, ScrubStep>;
  /** Begins a cut of the head; one that is under way is given up. */
  beginCut: Op<CutRequest, Nothing>;
  /** What a shard's exportSchemas gave: before its series. */
  addCutSchemas: Op<{ shard: number; page: ArrayBuffer }, Nothing>;
  addCutSeries: Op<{ shard: number; page: ArrayBuffer }, Nothing>;
  /** After all series. */
  addCutSymbols: Op<{ shard: number; lengths: ArrayBuffer; bytes: ArrayBuffer }, Nothing>;
  /** Gives the first two pages of chunks that are wanted, as far as there are any. */
  sortCut: Op<Nothing, { series: number; wanted: WantedChunks[] }>;
  /** The chunks of the oldest page that was wanted, by shard; gives the page after those that were. */
  writeCut: Op<{ pages: ArrayBuffer[][] }, { wanted: WantedChunks | undefined }>;
  /** The block's description once it is there; undefined where it would be empty. */
  finishCut: Op<Nothing, { meta: BlockMeta | undefined }>;
  /** Nothing is left of the cut. */
  abortCut: Op<Nothing, Nothing>;
  /** Merges the next blocks, for a while: to be asked again where there is more. Others' tasks come in between. */
  compactBlocks: Op<{ ranges: readonly number[]; nowMs: number; settings?: RewriteSettings }, CompactionStep>;
  /** Makes the next block anew of which something is deleted, likewise. */
  cleanBlocks: Op<{ nowMs: number }, CompactionStep>;
  /** Notes in all blocks what of their series is deleted; the names of those where that is new. */
  deleteFromBlocks: Op<
    { selectors: readonly (readonly Matcher[])[]; interval: DeletedInterval },
    { changed: readonly string[] }
  >;
  /** Links all blocks into a snapshot that is not there by its name yet. */
  beginSnapshot: Op<{ name: string }, Nothing>;
  finishSnapshot: Op<{ name: string }, Nothing>;
  listSnapshots: Op<Nothing, { names: readonly string[] }>;
  removeSnapshot: Op<{ name: string }, { removed: boolean }>;
  /** Begins a bulk import; one that waits to be committed is given up. The body moves. */
  beginImport: Op<ImportRequest, ImportStep>;
  importNext: Op<Nothing, ImportStep>;
  /** Gives the staged blocks their place: all of them, or, after a crash, with the next start. */
  commitImport: Op<{ ulids: readonly string[] }, Nothing>;
  abortImport: Op<Nothing, Nothing>;
  /** Begins to find out what policies would free; one that is under way is given up. */
  beginPreview: Op<{ settings: RewriteSettings }, PreviewStep>;
  previewNext: Op<Nothing, PreviewStep>;
  /** Marks the blocks that are kept no longer. */
  expireBlocks: Op<{ retention: Retention }, ExpiredNames>;
  /** Writes records of the head's chunks, of which no sample is later than a time; they are on the disk then. */
  writeHeadChunks: Op<{ records: readonly ArrayBuffer[]; latestMs: number }, HeadChunkPlace>;
  /** Tells of files of the head's chunks that were read. */
  noteHeadChunks: Op<{ files: readonly HeadChunkFile[] }, Nothing>;
  /** Removes files of the head's chunks that end before a time; gives how many. */
  dropHeadChunks: Op<{ minTimeMs: number }, { removed: number }>;
  /** Notes which blocks are served. */
  noteBlocks: Op<{ blocks: readonly NotedBlock[] }, Nothing>;
  /** What was noted last. */
  notedBlocks: Op<Nothing, { blocks: readonly NotedBlock[] }>;
  /** Begins an image of the head, which will have all samples of the log's segments before one; one under way is given up. */
  beginHeadImage: Op<{ path: string; segment: number }, Nothing>;
  /** Pages as shards gave them. */
  addToHeadImage: Op<ImagePage, Nothing>;
  /** It is on the disk, in place of the one before; gives its bytes. */
  finishHeadImage: Op<Nothing, { bytes: number }>;
  abortHeadImage: Op<Nothing, Nothing>;
  /** Removes blocks that nobody reads any more. */
  removeBlocks: Op<{ ulids: readonly string[] }, Nothing>;
}

export type CompactorOp = keyof CompactorOps;
export type CompactorRequest<K extends CompactorOp> = CompactorOps[K]['request'];
export type CompactorReply<K extends CompactorOp> = CompactorOps[K]['reply'];
export type CompactorHandlers = { [K in CompactorOp]: (request: CompactorRequest<K>) => CompactorReply<K> };
export type CompactorTask = {
  [K in CompactorOp]: { readonly op: K; readonly request: CompactorRequest<K> };
}[CompactorOp];

export interface CompactorSetup {
  /** Where blocks are. */
  readonly dataFolder: string;
}

/** Main's end of the compactor: a thread, or this very one for tests. Tasks run one after the other. */
export interface CompactorPort {
  call<K extends CompactorOp>(op: K, request: CompactorRequest<K>): Promise<CompactorReply<K>>;
  close(): Promise<void>;
}
