// One compaction: blocks read, one written, read back, and given its name. The blocks it came from stay where they are.

import type { Disk } from '../../base/disk.js';
import { Chunks } from '../../wasm/chunks.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import { Block } from '../block/block.js';
import { BlockFault, type BlockMeta, type Compaction } from '../block/contract.js';
import { newUlid } from '../block/ulid.js';
import { verifyBlock } from '../block/verify.js';
import { BlockWriter } from '../block/writer.js';
import { checkDecoding } from './check-decoding.js';
import { merging } from './merge.js';
import { SampleCodec } from './samples.js';

export const OUT_OF_ORDER_HINT = 'from-out-of-order';

export interface CompactionTask {
  readonly disk: Disk;
  readonly core: Core;
  readonly dataFolder: string;
  /** What to make one of, as planCompaction() gave them: oldest first. */
  readonly blocks: readonly BlockMeta[];
  readonly nowMs: number;
  readonly segmentBytes?: number;
}

/**
 * Merges blocks into a new one; undefined where nothing was left of them. In steps of a few milliseconds. Throws
 * BlockFault, DiskError or UnreadableChunk, and has then left nothing.
 */
export function* compacting(task: CompactionTask): Generator<void, BlockMeta | undefined> {
  const { disk, core, dataFolder, blocks: metas, segmentBytes } = task;
  const crc = new Crc32c(core);
  const ulid = newUlid(task.nowMs);
  const blocks: Block[] = [];
  let writer: BlockWriter | undefined;
  let isWritten = false;
  try {
    for (const meta of metas) blocks.push(Block.open(disk, `${dataFolder}/${meta.ulid}`, crc));
    writer = BlockWriter.create(disk, dataFolder, ulid, { core, segmentBytes });
    yield* merging(blocks, writer, new SampleCodec(new Chunks(core)));
    const minTimeMs = Math.min(...metas.map((meta) => meta.minTimeMs));
    const maxTimeMs = Math.max(...metas.map((meta) => meta.maxTimeMs));
    const description = { minTimeMs, maxTimeMs, compaction: mergedFrom(metas) };
    const made = writer.finish(description, (folder, meta) => readBack(disk, crc, folder, meta));
    isWritten = true;
    return made;
  } finally {
    // Whoever gives it up half-way comes here, too.
    if (!isWritten) writer?.abort();
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
