// The blocks of the data directory as main knows them: told to all shards, and to those that are made again.

import type { ShardClient } from './client.js';
import type { BlockPlace, BlockRefusal } from './history/history.js';

/** A block, and when its samples are: from the first time to before the last. */
export interface KnownBlock extends BlockPlace {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

export class KnownBlocks {
  #blocks: readonly KnownBlock[] = [];
  #headMinTimeMs: number | undefined;

  get all(): readonly KnownBlock[] {
    return this.#blocks;
  }

  /** Where the head begins for queries; undefined where it has all there is. */
  get headMinTimeMs(): number | undefined {
    return this.#headMinTimeMs;
  }

  set(blocks: readonly KnownBlock[], headMinTimeMs: number | undefined): void {
    this.#blocks = blocks;
    this.#headMinTimeMs = headMinTimeMs;
  }

  /** Names of the blocks with times in a range, both ends in it. */
  within(startMs: number, endMs: number): string[] {
    const found = this.#blocks.filter(({ minTimeMs, maxTimeMs }) => minTimeMs <= endMs && maxTimeMs > startMs);
    return found.map(({ ulid }) => ulid);
  }

  /** Whether what is asked of a range may be elsewhere than in the head. */
  mayHave(startMs: number, endMs: number): boolean {
    return this.#blocks.some(({ minTimeMs, maxTimeMs }) => minTimeMs <= endMs && maxTimeMs > startMs);
  }

  /** Gives the blocks that the shard cannot open. */
  async tell(client: ShardClient): Promise<readonly BlockRefusal[]> {
    const request = { blocks: this.#blocks, headMinTimeMs: this.#headMinTimeMs };
    return (await client.call('setBlocks', request, 'ingest')).refused;
  }
}
