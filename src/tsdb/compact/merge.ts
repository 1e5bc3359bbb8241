// Blocks become one: series by series in label order, chunks copied where they stand alone with their time.
//
//   cursors ──► the least label set of all at hand ──► chunks of all blocks that have it ──► writer
//
// Memory: the symbols of all blocks and of the new one, a batch of chunks of each block, and what the writer takes.

import type { Block } from '../block/block.js';
import type { StreamedChunk } from '../block/contract.js';
import { compareLabels } from '../block/index-writer.js';
import type { BlockWriter } from '../block/writer.js';
import type { AggregatesReader, AggregatesWriter } from '../downsample/aggregates-file.js';
import { type RewriteSettings, SeriesRewriter } from '../downsample/series-rewriter.js';
import { joinSymbols } from './join-symbols.js';
import { mergeChunks, withoutDeleted } from './merge-chunks.js';
import type { SampleCodec } from './samples.js';
import { SeriesCursor } from './series-cursor.js';

/** Series between two steps. */
const STEP_SERIES = 256;

/** Where merged series go, and what becomes of them on the way. */
export interface MergeTarget {
  readonly writer: BlockWriter;
  /** What downsampled series have beside their samples. */
  readonly aggregates: AggregatesWriter;
  readonly settings: RewriteSettings;
  /** Of the block to come: from its end to that of the newest block. */
  readonly ageMs: number;
}

/** A block, and the aggregates that it has. */
export interface MergeSource {
  readonly block: Block;
  readonly aggregates: AggregatesReader | undefined;
}

/**
 * Writes all series of the blocks into the target, what is deleted left out; oldest block first. In steps of a few
 * milliseconds. Throws BlockFault, DiskError, and UnreadableChunk.
 */
export function* merging(sources: readonly MergeSource[], target: MergeTarget, codec: SampleCodec): Generator<void> {
  const { writer, aggregates, settings, ageMs } = target;
  const blocks = sources.map(({ block }) => block);
  const aggregatesOf = new Map(sources.map((source) => [source.block, source.aggregates]));
  const { table, numbers } = joinSymbols(blocks.map((block) => block.index.symbols.table()));
  writer.setSymbols(table);
  const rewriter = new SeriesRewriter(settings, ageMs, codec, table);
  const cursors = blocks.map((block, i) => new SeriesCursor(block, numbers[i]!));
  for (let count = 1; ; count++) {
    const labels = leastLabels(cursors);
    if (labels === undefined) return;
    const having = cursors.filter(({ series }) => series !== undefined && compareLabels(series.labels, labels) === 0);
    const parents = having.map(({ block, series }) => ({ ...series!, aggregates: aggregatesOf.get(block) }));
    const { chunks, windows } = rewriter.rewrite(labels, chunksOf(having, codec), parents);
    const ref = writer.addSeries(labels, chunks);
    if (ref !== undefined && windows.length > 0) aggregates.add(ref, windows);
    for (const cursor of having) cursor.next();
    if (count % STEP_SERIES === 0) yield;
  }
}

function leastLabels(cursors: readonly SeriesCursor[]): Uint32Array | undefined {
  let least: Uint32Array | undefined;
  for (const { series } of cursors) {
    if (series !== undefined && (least === undefined || compareLabels(series.labels, least) < 0)) least = series.labels;
  }
  return least;
}

/** What is left of one series in the blocks that have it. */
function chunksOf(cursors: readonly SeriesCursor[], codec: SampleCodec): readonly StreamedChunk[] {
  const left = cursors.map(({ series }) => withoutDeleted(series!.chunks, series!.deleted, codec));
  const all = left.length === 1 ? left[0]! : left.flat();
  return rise(all) ? all : mergeChunks(all, codec);
}

/** Whether each chunk ends before the next begins. */
function rise(chunks: readonly StreamedChunk[]): boolean {
  for (let i = 1; i < chunks.length; i++) if (chunks[i]!.minTimeMs <= chunks[i - 1]!.maxTimeMs) return false;
  return true;
}
