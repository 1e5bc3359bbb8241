// Shards whose chunks are in files beside shards that have all in memory: whatever happens, they say the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import { headChunksFolder, headChunksPath, listHeadChunks } from '../../../src/tsdb/head-chunks/layout.js';
import { Core } from '../../../src/wasm/core.js';
import { allHeadChunks } from '../../support/head-chunks.js';
import { SpillingRig } from '../../support/spilling-rig.js';

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

for (const count of [1, 3]) {
  test(`${count} shards: chunks in files and chunks in memory give the same answers`, async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = new Prng(seed * 10 + count);
      const spilling = await SpillingRig.open(count, true);
      const plain = await SpillingRig.open(count, false);
      const both = async <T>(action: (rig: SpillingRig) => Promise<T>, what = ''): Promise<void> => {
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
  const rig = await SpillingRig.open(1, true);
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
  const rig = await SpillingRig.open(1, true);
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

test('many chunks are noted, and leave memory, in many steps: appends in between are there', async () => {
  const rig = await SpillingRig.open(1, true);
  const count = 9000;
  const series: Labels[] = Array.from({ length: count }, (_, id) => ['__name__', 'm', 'id', `${id}`]);
  const fromMs = 10 * WINDOW;
  const stretch = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i): [number, number] => [fromMs + (from + i) * 15_000, from + i]);
  const write = async (from: number, to: number) => {
    for (let at = 0; at < count; at += 1000) {
      const some = series.slice(at, at + 1000);
      await rig.append(some.map((labels) => ({ labels, samples: stretch(from, to) })));
    }
  };
  await write(0, 200);
  await Promise.all([rig.spill(), write(200, 205)]);
  const { data } = await rig.engine.instant('count by (id) (count_over_time(m[2h]) == 205)', fromMs + 205 * 15_000);
  assert.equal((data as { columns: { values: Float64Array } }).columns.values.length, count);
  await rig.spill();
  assert.equal(await rig.chunksLeft(), 0);
  await rig.shards.close();
});
