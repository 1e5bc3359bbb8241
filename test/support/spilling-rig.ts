// Shards whose chunks are carried to files, with the rooms of storage that do it, and a query engine before them.

import { realClock } from '../../src/base/clock.js';
import { realDisk } from '../../src/base/disk.js';
import type { Labels } from '../../src/model/labels.js';
import { DEFAULT_PARSE_OPTIONS } from '../../src/promql/syntax/parse.js';
import { QueryEngine } from '../../src/query/engine.js';
import { HeadCutting } from '../../src/server/storage/cutting.js';
import type { StorageParts } from '../../src/server/storage/options.js';
import { Spilling } from '../../src/server/storage/spilling.js';
import type { Ingest } from '../../src/shard/ingest.js';
import type { Shards } from '../../src/shard/shards.js';
import { ShardSource } from '../../src/shard/source.js';
import { newUlid } from '../../src/tsdb/block/ulid.js';
import { emptyFolder } from './folders.js';
import { blocksOf, HereCompactor, QuietLog } from './head-cuts.js';
import type { Series } from './remote-write.js';
import { anyOwner, packSamples, testShards, writeThrough } from './shards.js';

const MINUTE = 60_000;

export class SpillingRig {
  readonly shards: Shards;
  readonly engine: QueryEngine;
  readonly folder: string;
  readonly compactor: HereCompactor;
  readonly spilling: Spilling;
  readonly #ingest: Ingest;

  private constructor({ shards, ingest }: { shards: Shards; ingest: Ingest }, folder: string) {
    this.shards = shards;
    this.folder = folder;
    this.#ingest = ingest;
    this.compactor = new HereCompactor(realDisk, folder);
    const parts = {
      ...{ shards, ingest, compactor: this.compactor, clock: realClock, logger: new QuietLog().logger },
      log: { sync: async () => {}, refreshStats: async () => undefined },
    } as unknown as StorageParts;
    this.spilling = new Spilling(parts, (action) => action());
    this.engine = new QueryEngine(() => new ShardSource(shards, 'adhoc'), realClock, {
      ...{ timeoutMs: 60_000, samplesMax: 1e9, concurrency: 20, lookbackMs: 300_000, subqueryStepMs: MINUTE },
      ...{ delayedNames: false, parse: DEFAULT_PARSE_OPTIONS },
    });
  }

  static async open(count: number, hasFiles: boolean): Promise<SpillingRig> {
    const folder = emptyFolder();
    const morsel = { samples: 200, series: 3 };
    const opened = await testShards(count, 64 * 2 ** 20, { morsel, ...(hasFiles && { dataFolder: folder }) });
    return new SpillingRig(opened, folder);
  }

  async append(series: readonly { labels: Labels; samples: [number, number][] }[]): Promise<void> {
    const packed = series.map(({ labels, samples }) => ({ labels, samples: packSamples(samples) }));
    await this.#ingest.append(packed, 0, anyOwner(this.shards.count));
  }

  /** A remote write: with histograms, too. */
  async write(series: readonly Series[], nowMs: number): Promise<void> {
    await writeThrough({ shards: this.shards, ingest: this.#ingest }, 0, series, nowMs);
  }

  async spill(keepBytes = 0): Promise<void> {
    await this.spilling.round();
    await this.#each(async (client) => {
      for (let done = false; !done; ) ({ done } = await client.call('evictSpilled', { keepBytes }, 'rules'));
    });
  }

  /** Refs differ between shards: counts alone are compared. */
  async delete(id: string, minTimeMs: number, maxTimeMs: number): Promise<number> {
    let losers = 0;
    await this.#each(async (client) => {
      const selectors = [[{ name: 'id', op: '=' as const, value: id }]];
      const request = { selectors, minTimeMs, maxTimeMs, after: -1 };
      losers += (await client.call('deleteSamples', request, 'rules')).intervals.byteLength;
    });
    return losers;
  }

  /** From now on queries see nothing before a time, as if a block had it. */
  async truncate(minTimeMs: number): Promise<void> {
    await this.shards.setBlocks([], minTimeMs);
    await this.#each(async (client) => {
      for (let done = false; !done; ) ({ done } = await client.call('truncate', { minTimeMs }, 'rules'));
    });
    await this.compactor.call('dropHeadChunks', { minTimeMs });
  }

  /** Chunks that were sealed and have not gone, once all that there was has. */
  async chunksLeft(): Promise<number> {
    await this.truncate(2 ** 52);
    let left = 0;
    await this.#each(async (client) => {
      const { chunksSealed = 0, chunksFreed = 0 } = await client.call('counters', {}, 'rules');
      left += chunksSealed - chunksFreed;
    });
    return left;
  }

  /** The samples of a block of a range. */
  async cut(minTimeMs: number, maxTimeMs: number) {
    await new HeadCutting(this.shards, this.compactor).cut({ minTimeMs, maxTimeMs }, newUlid(minTimeMs));
    const [block] = blocksOf(realDisk, this.folder).filter((one) => one.minTimeMs === minTimeMs);
    return block && new Map([...block.samples].sort());
  }

  async #each(action: (client: Shards['handles'][number]['client']) => Promise<void>): Promise<void> {
    for (const { client } of this.shards.handles) await action(client);
  }
}
