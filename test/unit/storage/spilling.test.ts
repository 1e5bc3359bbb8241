// Shards whose chunks are in files beside shards that have all in memory: whatever happens, they say the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { realDisk } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import { DEFAULT_PARSE_OPTIONS } from '../../../src/promql/syntax/parse.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { HeadCutting } from '../../../src/server/storage/cutting.js';
import type { StorageParts } from '../../../src/server/storage/options.js';
import { Spilling } from '../../../src/server/storage/spilling.js';
import type { Ingest } from '../../../src/shard/ingest.js';
import type { Shards } from '../../../src/shard/shards.js';
import { ShardSource } from '../../../src/shard/source.js';
import { newUlid } from '../../../src/tsdb/block/ulid.js';
import { headChunksFolder, headChunksPath, listHeadChunks } from '../../../src/tsdb/head-chunks/layout.js';
import { Core } from '../../../src/wasm/core.js';
import { emptyFolder } from '../../support/folders.js';
import { allHeadChunks } from '../../support/head-chunks.js';
import { blocksOf, HereCompactor, QuietLog } from '../../support/head-cuts.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WINDOW = 2 * HOUR;
const SERIES: Labels[] = Array.from({ length: 12 }, (_, i) => ['__name__', 'm', 'g', `${i % 3}`, 'id', `${i}`]);
const QUERIES = [
  'm[3h]',
  'm',
  'rate(m[5m])',
  'sum by (g) (rate(m[20m]))',
  'count_over_time(m[2h])',
  'last_over_time(m[1h])',
  'm offset 1h',
  'max_over_time(m[10m]) - on (id) min_over_time(m[90m])',
  'timestamp(m)',
];

class Rig {
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

  static async open(count: number, hasFiles: boolean): Promise<Rig> {
    const folder = emptyFolder();
    const morsel = { samples: 200, series: 3 };
    const opened = await testShards(count, 64 * 2 ** 20, { morsel, ...(hasFiles && { dataFolder: folder }) });
    return new Rig(opened, folder);
  }

  async append(series: readonly { labels: Labels; samples: [number, number][] }[]): Promise<void> {
    const packed = series.map(({ labels, samples }) => ({ labels, samples: packSamples(samples) }));
    await this.#ingest.append(packed, 0, anyOwner(this.shards.count));
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

for (const count of [1, 3]) {
  test(`${count} shards: chunks in files and chunks in memory give the same answers`, async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = new Prng(seed * 10 + count);
      const spilling = await Rig.open(count, true);
      const plain = await Rig.open(count, false);
      const both = async <T>(action: (rig: Rig) => Promise<T>, what = ''): Promise<void> => {
        assert.deepEqual(await action(spilling), await action(plain), `seed ${seed} ${what}`);
      };
      let nowMs = 10 * WINDOW + random.int(WINDOW);
      let fromMs = nowMs;
      for (let turn = 0; turn < 40; turn++) {
        const spanMs = random.pick([5, 30, 60]) * MINUTE;
        const series = SERIES.filter(() => random.float() < 0.8).map((labels) => {
          const stepMs = random.pick([15_000, MINUTE]);
          const samples: [number, number][] = [];
          for (let atMs = nowMs + random.int(stepMs); atMs < nowMs + spanMs; atMs += stepMs)
            samples.push([atMs, random.int(1000)]);
          return { labels, samples };
        });
        await both((rig) => rig.append(series));
        nowMs += spanMs;
        await spilling.spill(random.pick([0, 0, 20_000, 2 ** 30]));
        if (random.float() < 0.1) {
          const minTimeMs = fromMs + random.int(nowMs - fromMs);
          const id = `${random.int(SERIES.length)}`;
          const maxTimeMs = minTimeMs + random.int(nowMs - minTimeMs + MINUTE);
          await both((rig) => rig.delete(id, minTimeMs, maxTimeMs));
        }
        for (let i = 0; i < 3; i++) {
          const text = random.pick(QUERIES);
          const atMs = nowMs - random.int(3 * HOUR);
          if (random.float() < 0.5 || text.endsWith(']')) {
            await both(async (rig) => (await rig.engine.instant(text, atMs)).data, `${text} @ ${atMs}, turn ${turn}`);
            continue;
          }
          const steps = { startMs: atMs - 2 * HOUR, stepMs: 10 * MINUTE, count: 20 };
          await both(async (rig) => (await rig.engine.range(text, steps)).data, `${text}, turn ${turn}`);
        }
        if (nowMs - fromMs > 3 * HOUR) {
          const startMs = Math.floor(fromMs / WINDOW) * WINDOW;
          // Now and then a range that ends within chunks.
          const endMs = startMs + WINDOW - (random.float() < 0.3 ? 30 * MINUTE : 0);
          const minTimeMs = Math.max(fromMs, startMs);
          await both((rig) => rig.cut(minTimeMs, endMs));
          await both((rig) => rig.truncate(endMs));
          fromMs = Math.max(fromMs, endMs);
        }
      }
      const files = listHeadChunks(realDisk, headChunksFolder(spilling.folder));
      assert.ok(files.length > 0);
      allHeadChunks(realDisk, headChunksFolder(spilling.folder), new Core());
      for (const rig of [spilling, plain]) {
        assert.equal(await rig.chunksLeft(), 0, `seed ${seed}`);
        await rig.shards.close();
      }
    }
  });
}

test('a query that is open while chunks leave memory misses none', async () => {
  const rig = await Rig.open(1, true);
  const samples: [number, number][] = Array.from({ length: 1000 }, (_, i) => [10 * WINDOW + i * 15_000, i]);
  await rig.append(SERIES.map((labels) => ({ labels, samples })));
  const endMs = samples.at(-1)![0];
  const answer = rig.engine.instant('count_over_time(m[6h])', endMs);
  const again = rig.engine.instant('m[6h]', endMs);
  await rig.spill();
  const { data } = await answer;
  assert.equal(data.kind, 'vector');
  assert.deepEqual(
    [...(data as { columns: { values: Float64Array } }).columns.values],
    SERIES.map(() => 1000),
  );
  assert.deepEqual((await again).warnings, []);
  await rig.shards.close();
});

test('a damaged chunk is a warning that names its place, and the rest is served', async () => {
  const rig = await Rig.open(1, true);
  const samples: [number, number][] = Array.from({ length: 1000 }, (_, i) => [10 * WINDOW + i * 15_000, i]);
  await rig.append(SERIES.map((labels) => ({ labels, samples })));
  await rig.spill();
  const folder = headChunksFolder(rig.folder);
  const [first] = allHeadChunks(realDisk, folder, new Core());
  const path = headChunksPath(folder, 1);
  const file = realDisk.open(path, 'write');
  realDisk.pwrite(file, Uint8Array.of(first!.data[20]! ^ 1), first!.offset + 50);
  realDisk.close(file);
  const { data, warnings } = await rig.engine.instant('count_over_time(m[6h])', samples.at(-1)![0]);
  const counts = [...(data as { columns: { values: Float64Array } }).columns.values];
  assert.equal(counts.filter((count) => count === 1000).length, SERIES.length - 1);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /chunks_head\/000001 at \d+: a chunk is damaged/);
  await rig.shards.close();
});
