// Blocks become one: series by series in label order, chunks copied where they stand alone with their time.
//
//   cursors ──► the least label set of all at hand ──► chunks of all blocks that have it ──► writer
//
// Memory: the symbols of all blocks and of the new one, a batch of chunks of each block, and what the writer takes.

import type { Block } from '../block/block.js';
import type { StreamedChunk } from '../block/contract.js';
import { compareLabels } from '../block/index-writer.js';
import type { BlockWriter } from '../block/writer.js';
import { joinSymbols } from './join-symbols.js';
import { mergeChunks, withoutDeleted } from './merge-chunks.js';
import type { SampleCodec } from './samples.js';
import { SeriesCursor } from './series-cursor.js';

/** Series between two steps. */
const STEP_SERIES = 256;

/**
 * Writes all series of the blocks into `writer`, what is deleted left out; oldest block first. In steps of a few
 * milliseconds. Throws BlockFault, DiskError, and UnreadableChunk.
 */
export function* merging(blocks: readonly Block[], writer: BlockWriter, codec: SampleCodec): Generator<void> {
  const { table, numbers } = joinSymbols(blocks.map((block) => block.index.symbols.table()));
  writer.setSymbols(table);
  const cursors = blocks.map((block, i) => new SeriesCursor(block, numbers[i]!));
  for (let count = 1; ; count++) {
    const labels = leastLabels(cursors);
    if (labels === undefined) return;
    const having = cursors.filter(({ series }) => series !== undefined && compareLabels(series.labels, labels) === 0);
    writer.addSeries(labels, chunksOf(having, codec));
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
