// A log that has lost records of series: their samples are there all the same, and the log has them again before long.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import type { Storage } from '../../../src/server/storage/storage.js';
import { ShardSource } from '../../../src/shard/source.js';
import { decodeSeries, RecordType } from '../../../src/tsdb/wal/record.js';
import { checkpointPath, listCheckpoints, listSegments, segmentPath } from '../../../src/tsdb/wal/segments.js';
import type { Series } from '../../support/remote-write.js';
import { freeContext, writeThrough } from '../../support/shards.js';
import { SimDisk } from '../../support/sim-disk.js';
import { Life } from '../../support/simulation/life.js';
import { generateStored } from '../../support/stored-histograms.js';
import { readBack } from '../../support/wal.js';

const DATA = 'data';
const WAL = `${DATA}/wal`;
const MINUTE = 60_000;
const START_MS = Date.UTC(2026, 10, 21, 9);
const [histogram] = generateStored(new Prng(1), false, 1);

async function live(disk: SimDisk, shards: number, nowMs: number, lateWindowMs = 0): Promise<Life> {
  const storage = {
    ...{ path: DATA, shards, memoryBytes: 96 * 2 ** 20, sync: { mode: 'group' } as const, blockMs: 120 * MINUTE },
    ...{ lateWindowMs, onHopeless: () => {} },
  };
  return Life.begin({ disk, nowMs, storage });
}

function series(id: number, timesMs: readonly number[]): Series {
  const labels = ['__name__', 'm', 'id', `${id}`];
  if (id % 3 > 0) return { labels, samples: timesMs.map((timeMs) => [timeMs, id + timeMs]) };
  return { labels, samples: [], histograms: timesMs.map((timeMs) => [timeMs, histogram!]) };
}

/** How many samples each series has. */
async function counts(life: Life): Promise<Record<string, number>> {
  const { storage, clock } = life;
  const source = new ShardSource(storage.shards, 'adhoc');
  const matchers = [{ name: '__name__', op: '=', value: 'm' } as const];
  const rows = await life.settle(source.samples(matchers, 600 * MINUTE, clock.nowMs(), freeContext()));
  source.close();
  const idOf = (labels: Labels) => labels[labels.indexOf('id') + 1]!;
  return Object.fromEntries(
    rows
      .map(({ labels, times, histograms }): [string, number] => [
        idOf(labels),
        times.length + (histograms?.length ?? 0),
      ])
      .sort(),
  );
}

async function write(life: Life, ids: readonly number[], timesMs: readonly number[]): Promise<void> {
  const body = ids.map((id) => series(id, timesMs));
  await life.settle(writeThrough(life.storage, 0, body, life.clock.nowMs()));
}

/** Overwrites each record of series in the log; gives how many series those named. */
function loseSeries(disk: SimDisk): number {
  let lost = 0;
  for (const folder of [WAL, ...listCheckpoints(disk, WAL).map((last) => checkpointPath(WAL, last))]) {
    const { records, places } = disk.quietly(() => readBack(disk, { folder }));
    for (const [i, record] of records.entries()) {
      if (record[0] !== RecordType.Series) continue;
      lost += decodeSeries(record).length;
      const { segment, offset } = places[i]!;
      disk.damage(segmentPath(folder, segment), (bytes) => bytes.fill(0xaa, offset + 8, offset + 9));
    }
  }
  return lost;
}

function restored({ storage }: { storage: Storage }): number {
  return storage.recovery.figures.restoredSeries;
}

/** A log in which a page has records of series alone, and samples stand behind it. */
async function written(disk: SimDisk, shards: number): Promise<Life> {
  const life = await live(disk, shards, START_MS, 60 * MINUTE);
  await write(life, [1, 2, 3, 4, 5, 6], [START_MS - 9 * MINUTE]);
  // The rest of the page.
  const fillers = ['a', 'b', 'c', 'd'].map((text) => ({
    labels: ['__name__', 'filler', 'x', text.repeat(10_000)],
    samples: [[START_MS, 1] as const],
  }));
  await life.settle(writeThrough(life.storage, 0, fillers, START_MS));
  await write(life, [1, 2, 3, 4, 5, 6], [START_MS - 8 * MINUTE, START_MS - 7 * MINUTE]);
  // Out of order: in the write-behind log.
  await write(life, [1, 3], [START_MS - 20 * MINUTE]);
  await life.pass(2000);
  return life;
}

/** All but what stood in the page of the records that are lost. */
const LEFT = { 1: 3, 2: 2, 3: 3, 4: 2, 5: 2, 6: 2 };

for (const shards of [1, 3]) {
  test(`${shards} shards: samples behind lost series are there, and so they stay`, async () => {
    const disk = new SimDisk();
    (await written(disk, shards)).end();
    disk.kill();
    assert.ok(loseSeries(disk) >= 6);

    const second = await live(disk, shards, START_MS + MINUTE, 60 * MINUTE);
    assert.deepEqual(await counts(second), LEFT);
    assert.ok(restored(second) >= 6, `${restored(second)} series`);
    assert.ok(second.storage.recovery.losses.length > 0);
    await write(second, [1, 7], [START_MS + MINUTE]);
    await second.pass(2000);
    second.end();
    disk.kill();

    // The log has them again: without their copy, too.
    disk.remove(`${DATA}/narthex/series`);
    const third = await live(disk, shards, START_MS + 2 * MINUTE, 60 * MINUTE);
    assert.deepEqual(await counts(third), { ...LEFT, 1: 4, 7: 1 });
    assert.equal(restored(third), 0);
    third.end();
  });
}

test('until a checkpoint has them they are taken from the copy at each start', async () => {
  const disk = new SimDisk();
  (await written(disk, 2)).end();
  disk.kill();
  loseSeries(disk);
  for (let start = 0; start < 3; start++) {
    disk.fail({ operation: 'makeFolder', path: 'checkpoint', nth: 1, times: Number.POSITIVE_INFINITY });
    const life = await live(disk, 2, START_MS + MINUTE, 60 * MINUTE);
    assert.deepEqual(await counts(life), LEFT, `start ${start}`);
    assert.ok(restored(life) >= 6);
    life.end();
    disk.kill();
  }
});

test("chunks in files are their series' own, though the log has neither the series nor samples of it", async () => {
  const disk = new SimDisk();
  const first = await live(disk, 2, START_MS);
  const timesMs = Array.from({ length: 400 }, (_, at) => START_MS - (400 - at) * 5000);
  await write(first, [1, 2, 3, 4], timesMs);
  await first.pass(10 * MINUTE);
  const all = await counts(first);
  first.end();
  disk.kill();
  assert.ok(loseSeries(disk) >= 4);
  // And all samples.
  for (const segment of listSegments(disk, WAL)) {
    disk.damage(segmentPath(WAL, segment), (bytes) => bytes.fill(0xbb, 8));
  }
  const second = await live(disk, 3, START_MS + 11 * MINUTE);
  const left = await counts(second);
  assert.ok(Object.keys(left).length >= 2, JSON.stringify(left));
  assert.deepEqual(
    Object.keys(left),
    Object.keys(all).filter((id) => (left[id] ?? 0) > 0),
  );
  second.end();
});

test('a log that another server wrote since has nothing of the copy', async () => {
  const disk = new SimDisk();
  (await written(disk, 1)).end();
  disk.kill();
  loseSeries(disk);
  const last = listSegments(disk, WAL).at(-1)!;
  for (let segment = last + 1; segment < last + 5; segment++)
    disk.writeFileAtomic(segmentPath(WAL, segment), new Uint8Array(0));
  const life = await live(disk, 1, START_MS + MINUTE, 60 * MINUTE);
  assert.equal(restored(life), 0);
  life.end();
});
