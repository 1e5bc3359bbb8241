// One compaction: blocks read, one written, read back, and given its name. The blocks it came from stay where they are.

import type { Disk } from '../../base/disk.js';
import { Chunks } from '../../wasm/chunks.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { Block } from '../block/block.js';
import { BlockFault, type BlockMeta, type Compaction } from '../block/contract.js';
import { newUlid } from '../block/ulid.js';
import { verifyBlock } from '../block/verify.js';
import { BlockWriter, TEMPORARY_SUFFIX } from '../block/writer.js';
import { AGGREGATES_NAME, AggregatesReader, AggregatesWriter, checkAggregates } from '../downsample/aggregates-file.js';
import { writeMark } from '../downsample/mark.js';
import { dueMark } from '../downsample/policies.js';
import { NO_REWRITE, type RewriteSettings } from '../downsample/series-rewriter.js';
import { checkDecoding } from './check-decoding.js';
import { merging } from './merge.js';
import { OUT_OF_ORDER_HINT } from './plan.js';
import { SampleCodec } from './samples.js';

export interface CompactionTask {
  readonly disk: Disk;
  readonly core: Core;
  readonly dataFolder: string;
  /** What to make one of, as planCompaction() gave them: oldest first. */
  readonly blocks: readonly BlockMeta[];
  readonly nowMs: number;
  readonly segmentBytes?: number;
  /** What becomes of series; nothing where absent. */
  readonly settings?: RewriteSettings;
  /** Of the block to come, as policies count it. */
  readonly ageMs?: number;
}

/**
 * Merges blocks into a new one; undefined where nothing was left of them. In steps of a few milliseconds. Throws
 * BlockFault, DiskError or UnreadableChunk, and has then left nothing.
 */
export function* compacting(task: CompactionTask): Generator<void, BlockMeta | undefined> {
  const { disk, core, dataFolder, blocks: metas, segmentBytes, settings = NO_REWRITE, ageMs = 0 } = task;
  const crc = new Crc32c(core);
  const ulid = newUlid(task.nowMs);
  const blocks: Block[] = [];
  const readers: (AggregatesReader | undefined)[] = [];
  const aggregates = new AggregatesWriter(disk, core, `${dataFolder}/${ulid}${TEMPORARY_SUFFIX}/${AGGREGATES_NAME}`);
  let writer: BlockWriter | undefined;
  let isWritten = false;
  try {
    for (const meta of metas) blocks.push(Block.open(disk, `${dataFolder}/${meta.ulid}`, crc));
    writer = BlockWriter.create(disk, dataFolder, ulid, { core, segmentBytes });
    for (const { path } of blocks) readers.push(AggregatesReader.open(disk, path, crc));
    const sources = blocks.map((block, i) => ({ block, aggregates: readers[i] }));
    yield* merging(sources, { writer, aggregates, settings, ageMs }, new SampleCodec(new Chunks(core)));
    const minTimeMs = Math.min(...metas.map((meta) => meta.minTimeMs));
    const maxTimeMs = Math.max(...metas.map((meta) => meta.maxTimeMs));
    const description = { minTimeMs, maxTimeMs, compaction: mergedFrom(metas) };
    const mark = dueMark(settings.policies, ageMs);
    const made = writer.finish(description, (folder, meta) => {
      if (aggregates.finish()) checkAggregates(disk, crc, folder);
      if (mark !== '') writeMark(disk, folder, mark);
      disk.syncFolder(folder);
      readBack(disk, crc, folder, meta);
    });
    isWritten = true;
    return made;
  } finally {
    // Whoever gives it up half-way comes here, too.
    if (!isWritten) {
      aggregates.close();
      writer?.abort();
    }
    for (const reader of readers) reader?.close();
    for (const block of blocks) block.close();
  }
}

/** Where a block comes from that is made of these. */
export function mergedFrom(metas: readonly BlockMeta[]): Compaction {
  const hints = new Set(metas.flatMap(({ compaction }) => compaction.hints ?? []));
  // It is out of order only where all of it is.
  if (!metas.every(({ compaction }) => compaction.hints?.includes(OUT_OF_ORDER_HINT))) hints.delete(OUT_OF_ORDER_HINT);
  return {
    level: Math.max(...metas.map(({ compaction }) => compaction.level)) + 1,
    sources: [...new Set(metas.flatMap(({ compaction }) => compaction.sources))].sort(),
    parents: metas.map(({ ulid, minTimeMs, maxTimeMs }) => ({ ulid, minTimeMs, maxTimeMs })),
    hints: [...hints].sort(),
  };
}

/** Reads all that was written, and throws a BlockFault unless it is what was meant. */
export function readBack(disk: Disk, crc: Crc32c, folder: string, meta: BlockMeta): void {
  const block = Block.open(disk, folder, crc);
  try {
    const counts = verifyBlock(block);
    for (const what of ['series', 'chunks', 'samples'] as const) {
      if (counts[what] === meta.stats[what]) continue;
      throw new BlockFault(folder, what, `${counts[what]} where ${meta.stats[what]} were written`);
    }
    checkDecoding(block);
  } finally {
    block.close();
  }
}
