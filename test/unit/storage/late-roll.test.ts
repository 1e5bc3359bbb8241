// Series that come between the moment when it is asked what the heads need and the log's checkpoint: they are needed, too, though
// nobody has named them, and though the log has begun new segments meanwhile.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StorageParts } from '../../../src/server/storage/options.js';
import { Truncation } from '../../../src/server/storage/truncation.js';
import { ShardSource } from '../../../src/shard/source.js';
import { PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import { listCheckpoints, listSegments } from '../../../src/tsdb/wal/segments.js';
import { freeContext, writeThrough } from '../../support/shards.js';
import { SimDisk } from '../../support/sim-disk.js';
import { Life } from '../../support/simulation/life.js';

const DATA = 'data';
const WAL = `${DATA}/wal`;
const START_MS = Date.UTC(2026, 10, 21, 9);
const HOUR = 3_600_000;
/** Of a label: a record of a few fills a page. */
const LONG = 'x'.repeat(8000);

const live = (disk: SimDisk) =>
  Life.begin({
    disk,
    nowMs: START_MS,
    storage: {
      ...{ path: DATA, shards: 2, memoryBytes: 96 * 2 ** 20, sync: { mode: 'group' }, blockMs: 2 * HOUR },
      ...{ segmentBytes: PAGE_BYTES, onHopeless: () => {} },
    },
  });

async function write({ storage }: Life, from: number, count: number): Promise<void> {
  for (let id = from; id < from + count; id++) {
    const series = { labels: ['__name__', 'm', 'id', `${id}`, 'long', LONG], samples: [[START_MS, id] as const] };
    await writeThrough(storage, 0, [series], START_MS);
  }
}

async function count(life: Life): Promise<number> {
  const source = new ShardSource(life.storage.shards, 'adhoc');
  const matchers = [{ name: '__name__', op: '=', value: 'm' } as const];
  const rows = await life.settle(source.samples(matchers, HOUR, START_MS, freeContext()));
  source.close();
  return rows.length;
}

for (const isWhole of [false, true]) {
  test(`a checkpoint of ${isWhole ? 'all' : 'two thirds'} has the series that came while it was prepared`, async () => {
    const disk = new SimDisk();
    const life = await live(disk);
    await life.settle(write(life, 0, 30));
    const { shards, log } = life.storage;
    let segments = 0;
    const slow = {
      roll: () => log.roll(),
      checkpoint: async (...request: Parameters<typeof log.checkpoint>) => {
        const before = listSegments(disk, WAL).length;
        await write(life, 100, 60);
        segments = listSegments(disk, WAL).length - before;
        await log.checkpoint(...request);
      },
    };
    const truncation = new Truncation({ shards, log: slow } as unknown as StorageParts, {
      before: () => Promise.resolve(),
    });
    await life.settle(truncation.log(Number.NEGATIVE_INFINITY, isWhole));
    assert.ok(segments > 10, `${segments} segments`);
    assert.equal(listCheckpoints(disk, WAL).length, 1);
    life.end();
    disk.kill();
    const next = await live(disk);
    assert.equal(await count(next), 90);
    next.end();
  });
}
