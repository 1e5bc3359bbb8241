// Head cuts from shards in this thread into blocks on a disk in memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import { HeadCutting } from '../../../src/server/storage/cutting.js';
import type { Ingest } from '../../../src/shard/ingest.js';
import type { Shards } from '../../../src/shard/shards.js';
import { newUlid } from '../../../src/tsdb/block/ulid.js';
import { removeLeftovers } from '../../../src/tsdb/compact/superseded.js';
import { blocksOf, HereCompactor } from '../../support/head-cuts.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';
import { type Operation, SimDisk } from '../../support/sim-disk.js';

const DATA = 'data';
const HOUR = 3_600_000;
const ULID = newUlid(0);

type Samples = [timeMs: number, bits: bigint][];

interface Rig {
  readonly shards: Shards;
  readonly disk: SimDisk;
  readonly compactor: HereCompactor;
  readonly cutting: HeadCutting;
  /** By label set, as text. */
  readonly samples: Map<string, Samples>;
}

async function append(
  ingest: Ingest,
  count: number,
  series: readonly { labels: Labels; samples: Samples }[],
): Promise<void> {
  const packed = series.map(({ labels, samples }) => ({ labels, samples: packSamples(samples) }));
  await ingest.append(packed, 0, anyOwner(count));
}

/** Series of five hours, with steps of their own. */
async function filled(count: number, seed: number, seriesCount = 300): Promise<Rig> {
  const { shards, ingest } = await testShards(count);
  const disk = new SimDisk();
  disk.makeFolder(DATA);
  disk.syncFolder('.');
  const compactor = new HereCompactor(disk, DATA);
  const random = new Prng(seed);
  const series = Array.from({ length: seriesCount }, (_, i) => {
    const zone = random.float() < 0.3 ? ['zone', random.pick(['a', 'ž', 'zz'])] : [];
    const labels: Labels = ['__name__', `metric_${random.int(3)}`, 'id', `${i}`, ...zone];
    const samples: Samples = [];
    const step = random.pick([15_000, 60_000, 1_800_000]);
    for (let timeMs = random.int(5 * HOUR); timeMs < 5 * HOUR; timeMs += step + random.int(10)) {
      samples.push([timeMs, BigInt(random.int(4)) << 52n]);
    }
    return { labels, samples };
  });
  await append(ingest, count, series);
  const samples = new Map(series.map((one) => [one.labels.join('\0'), one.samples]));
  return { shards, disk, compactor, cutting: new HeadCutting(shards, compactor), samples };
}

function within(all: Map<string, Samples>, minTimeMs: number, maxTimeMs: number): Map<string, Samples> {
  const found = [...all].map(([labels, samples]): [string, Samples] => [
    labels,
    samples.filter(([timeMs]) => timeMs >= minTimeMs && timeMs < maxTimeMs),
  ]);
  return new Map(found.filter(([, samples]) => samples.length > 0));
}

for (const count of [1, 3]) {
  test(`${count} shards: a block has what the head has in the range, also one that is not aligned`, async () => {
    for (const [minTimeMs, maxTimeMs] of [
      [0, 2 * HOUR],
      [2 * HOUR, 2.6 * HOUR],
      [2.6 * HOUR, 4 * HOUR],
    ] as const) {
      const rig = await filled(count, count);
      // What lies before left with a cut of its own.
      if (minTimeMs > 0) await rig.cutting.cut({ minTimeMs: 0, maxTimeMs: minTimeMs }, newUlid(1));
      const meta = await rig.cutting.cut({ minTimeMs, maxTimeMs }, ULID);
      const block = blocksOf(rig.disk, DATA).at(-1)!;
      const want = within(rig.samples, minTimeMs, maxTimeMs);
      assert.deepEqual([block.minTimeMs, block.maxTimeMs], [minTimeMs, maxTimeMs]);
      assert.deepEqual(block.samples, new Map([...want].sort()));
      assert.equal(meta!.stats.series, want.size);
      assert.deepEqual(meta!.compaction, { level: 1, sources: [ULID] });
      await rig.shards.close();
    }
  });
}

test('more series than a page of chunks has: all of them, in order', async () => {
  const { shards, ingest } = await testShards(2);
  const disk = new SimDisk();
  disk.makeFolder(DATA);
  const series = Array.from({ length: 9000 }, (_, i) => ({
    labels: ['__name__', 'm', 'id', `${i}`],
    samples: [[i, 1n]] as Samples,
  }));
  await append(ingest, 2, series);
  const compactor = new HereCompactor(disk, DATA);
  await new HeadCutting(shards, compactor).cut({ minTimeMs: 0, maxTimeMs: 2 * HOUR }, ULID);
  assert.equal(compactor.ops.filter((op) => op === 'writeCut').length, 3);
  const [block] = blocksOf(disk, DATA);
  const want = series.map((one): [string, Samples] => [one.labels.join('\0'), one.samples]).sort();
  assert.deepEqual([...block!.samples], want);
  await shards.close();
});

test('where there is nothing in the range there is no block', async () => {
  const rig = await filled(2, 7);
  assert.equal(await rig.cutting.cut({ minTimeMs: 6 * HOUR, maxTimeMs: 8 * HOUR }, ULID), undefined);
  assert.deepEqual(rig.disk.list(DATA), []);
  await rig.shards.close();
});

test('whatever call of the disk fails: nothing is left, and the next try is whole', async () => {
  const operations: Operation[] = ['open', 'pwrite', 'fdatasync', 'rename', 'syncFolder', 'makeFolder'];
  const rig = await filled(2, 3, 60);
  const range = { minTimeMs: 0, maxTimeMs: 2 * HOUR };
  let failures = 0;
  for (const operation of operations) {
    for (let nth = 1; nth < 12; nth++) {
      rig.disk.fail({ operation, nth, code: 'ENOSPC' });
      const failed = await rig.cutting.cut(range, ULID).then(
        () => false,
        () => true,
      );
      rig.disk.heal();
      if (!failed) break;
      failures++;
      // After the rename the block is whole; what is not durable is the name.
      if (rig.disk.list(DATA).length > 0) assert.equal(blocksOf(rig.disk, DATA).length, 1);
      for (const name of rig.disk.list(DATA)) rig.disk.remove(`${DATA}/${name}`);
    }
    for (const name of rig.disk.list(DATA)) rig.disk.remove(`${DATA}/${name}`);
  }
  assert.ok(failures > 10, `${failures} calls failed`);
  await rig.cutting.cut(range, ULID);
  assert.deepEqual(blocksOf(rig.disk, DATA)[0]!.samples, new Map([...within(rig.samples, 0, 2 * HOUR)].sort()));
  await rig.shards.close();
});

test('whenever the power goes: after a start the block is there as a whole, or not at all', async () => {
  const rig = await filled(2, 3, 60);
  const want = new Map([...within(rig.samples, 0, 2 * HOUR)].sort());
  let whole = 0;
  let none = 0;
  for (let isOver = false, call = 1; !isOver; call += 3) {
    // The process that meets it is gone, with its compactor.
    const cutting = new HeadCutting(rig.shards, new HereCompactor(rig.disk, DATA));
    rig.disk.cutPowerAt(call);
    isOver = await cutting.cut({ minTimeMs: 0, maxTimeMs: 2 * HOUR }, ULID).then(
      () => true,
      () => false,
    );
    assert.ok(call < 1000, 'the cut comes to its end');
    rig.disk.crash(call);
    rig.disk.heal();
    removeLeftovers(rig.disk, DATA);
    const blocks = blocksOf(rig.disk, DATA);
    assert.deepEqual(rig.disk.list(DATA), blocks.length > 0 ? [ULID] : [], `call ${call}`);
    if (blocks.length > 0) assert.deepEqual(blocks[0]!.samples, want, `call ${call}`);
    if (isOver) assert.equal(blocks.length, 1, 'a cut that is over is durable');
    if (blocks.length > 0) whole++;
    else none++;
    rig.disk.remove(`${DATA}/${ULID}`);
  }
  assert.ok(whole > 0 && none > 5, `${whole} blocks, ${none} times none`);
  await rig.shards.close();
});

test('closed in the middle: the cut rejects', async () => {
  const rig = await filled(2, 5, 50);
  rig.compactor.before = (op) => {
    if (op === 'addCutSymbols') rig.cutting.close();
  };
  await assert.rejects(rig.cutting.cut({ minTimeMs: 0, maxTimeMs: 2 * HOUR }, ULID), { name: 'CutEnded' });
  await rig.shards.close();
});
