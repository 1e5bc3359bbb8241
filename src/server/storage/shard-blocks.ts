// Telling the shards which blocks there are, with what readers keep of each index: the compactor makes that once for all,
// because reading a large index would keep a shard from its appends for a good part of a second.

import { DiskError } from '../../base/disk.js';
import type { BlockRefusal } from '../../shard/history/history.js';
import type { Shards } from '../../shard/shards.js';
import { BlockFault } from '../../tsdb/block/contract.js';
import type { IndexSummary } from '../../tsdb/block/index-summary.js';
import type { ListedBlock } from '../../tsdb/block/open-blocks.js';
import type { CompactorPort } from '../../tsdb/compact/protocol.js';
import { endMsOf } from './block-folders.js';

/** What a shard could not open, to be reported to the set of blocks. */
export type OpeningFault = BlockFault | DiskError;

export function openingFault({ path, reason, isDamaged }: BlockRefusal): OpeningFault {
  return isDamaged ? new BlockFault(path, 'opening', reason) : new DiskError('open', path, 'EIO', new Error(reason));
}

export class ShardBlocks {
  readonly #shards: Pick<Shards, 'setBlocks'>;
  readonly #compactor: Pick<CompactorPort, 'call'>;
  readonly #floorMs: () => number;
  /** By path. */
  readonly #summaries = new Map<string, IndexSummary>();

  /** `floorMs` gives the time up to which the head has nothing that is not in blocks. */
  constructor(
    shards: Pick<Shards, 'setBlocks'>,
    compactor: Pick<CompactorPort, 'call'>,
    floorMs: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.#floorMs = floorMs;
    this.#shards = shards;
    this.#compactor = compactor;
  }

  /** Queries that begin from now on read these blocks, and the head from their end on. Gives what is wrong with them. */
  async tell(blocks: readonly ListedBlock[]): Promise<OpeningFault[]> {
    await this.#summarize(blocks.map(({ path }) => path));
    const known = blocks.map(({ path, meta, deletions }) => ({
      ...{ ulid: meta.ulid, path, version: deletions, minTimeMs: meta.minTimeMs, maxTimeMs: meta.maxTimeMs },
      summary: this.#summaries.get(path),
    }));
    // A block that somebody brought may reach into the head: there both are read.
    const endMs = Math.min(endMsOf(blocks.map(({ meta }) => meta)), this.#floorMs());
    const refused = await this.#shards.setBlocks(known, Number.isFinite(endMs) ? endMs : undefined);
    return refused.map(openingFault);
  }

  async #summarize(paths: readonly string[]): Promise<void> {
    for (const path of this.#summaries.keys()) if (!paths.includes(path)) this.#summaries.delete(path);
    for (const path of paths) {
      if (this.#summaries.has(path)) continue;
      const summary = await this.#summaryOf(path);
      if (summary !== undefined) this.#summaries.set(path, summary);
    }
  }

  /** Without one a shard reads the index itself. */
  async #summaryOf(path: string): Promise<IndexSummary | undefined> {
    try {
      return (await this.#compactor.call('summarizeBlock', { path })).summary;
    } catch {
      return undefined;
    }
  }
}
