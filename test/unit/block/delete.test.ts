// Deleting samples of a block, and making it anew without them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Matcher } from '../../../src/model/matcher.js';
import { deleteFromBlock } from '../../../src/tsdb/block/delete.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { Housekeeping } from '../../../src/tsdb/compact/housekeeping.js';
import { Core } from '../../../src/wasm/core.js';
import { readAll, testCrc, withBlock } from '../../support/block.js';
import { chunkAt, fill, type SeriesOfTest } from '../../support/blocks.js';
import { SimDisk } from '../../support/sim-disk.js';

const ULID = '01M7Y0DXJ9842ERM7HS55F3Y8P';
const PATH = `data/${ULID}`;
const core = new Core();

const X: Matcher[] = [{ name: '__name__', op: '=', value: 'x' }];
const NOBODY: Matcher[] = [{ name: '__name__', op: '=', value: 'nobody' }];

/** A block of x and y, each with samples every second: 0 to 9 in one chunk, 10 to 19 in the next. */
function diskWithBlock(): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder('data');
  const writer = BlockWriter.create(disk, 'data', ULID, { core });
  const series: SeriesOfTest[] = ['x', 'y'].map((name) => ({
    labels: { __name__: name },
    chunks: [0, 10].map((first) => chunkAt(Array.from({ length: 10 }, (_, i) => (first + i) * 1000))),
  }));
  fill(writer, series);
  const compaction = { level: 1, sources: [ULID] };
  assert.ok(writer.finish({ minTimeMs: 0, maxTimeMs: 7_200_000, compaction }));
  return disk;
}

function intervalsOf(disk: SimDisk): string[] {
  return withBlock(
    PATH,
    ({ tombstones, index }) =>
      tombstones.series().flatMap((ref) => {
        const name = index.labelsOf(index.series(ref))[1];
        return tombstones.of(ref).map(({ minTimeMs, maxTimeMs }) => `${name} ${minTimeMs} ${maxTimeMs}`);
      }),
    disk,
  );
}

function remove(disk: SimDisk, selectors: Matcher[][], minTimeMs: number, maxTimeMs: number): boolean {
  return deleteFromBlock(disk, PATH, selectors, { minTimeMs, maxTimeMs }, testCrc());
}

test('intervals are cut to what the series has, joined, and counted; what is there already changes nothing', () => {
  const disk = diskWithBlock();
  assert.equal(remove(disk, [NOBODY], 0, 1e9), false);
  assert.equal(remove(disk, [X], 7_200_000, 1e9), false);
  assert.equal(remove(disk, [X], -500, -1), false);
  assert.equal(remove(disk, [X, NOBODY], 3000, 5000), true);
  assert.deepEqual(intervalsOf(disk), ['x 3000 5000']);
  assert.equal(remove(disk, [X], 3500, 4000), false);
  assert.equal(remove(disk, [X], 5001, 7000), true);
  assert.deepEqual(intervalsOf(disk), ['x 3000 7000']);
  assert.equal(remove(disk, [[]], 15_000, Infinity), true);
  assert.deepEqual(intervalsOf(disk), ['x 3000 7000', 'x 15000 19000', 'y 15000 19000']);
  withBlock(PATH, ({ meta }) => assert.equal(meta.stats.tombstones, 3), disk);
});

test('a power cut at any call: the tombstones of before or those of after', () => {
  for (let call = 1; ; call++) {
    const disk = diskWithBlock();
    remove(disk, [X], 3000, 5000);
    disk.kill();
    disk.cutPowerAt(call);
    let isDone = false;
    try {
      isDone = remove(disk, [X], 10_000, 12_000);
    } catch {}
    for (const seed of [undefined, 1, 2]) {
      disk.crash(seed);
      const found = intervalsOf(disk);
      const before = ['x 3000 5000'];
      if (isDone || found.length > 1) assert.deepEqual(found, [...before, 'x 10000 12000'], `call ${call}`);
      else assert.deepEqual(found, before, `call ${call}`);
    }
    if (isDone) return;
  }
});

test('cleaning makes the block anew without what is deleted; of a block with nothing left nothing is made', () => {
  for (const all of [false, true]) {
    const disk = diskWithBlock();
    const keeping = new Housekeeping({ disk, core, dataFolder: 'data' });
    const selectors = all ? [[]] : [X];
    assert.deepEqual(keeping.deleteSamples(selectors, { minTimeMs: 3000, maxTimeMs: all ? 1e9 : 12_000 }), [ULID]);
    if (all) keeping.deleteSamples([[]], { minTimeMs: -1e9, maxTimeMs: 3000 });
    const step = keeping.cleanNext(0, () => true);
    assert.ok(step.state === 'done');
    assert.deepEqual(step.from, [ULID]);
    assert.equal(keeping.cleanNext(0, () => true).state, 'nothing');
    if (all) assert.equal(step.made, undefined);
    else {
      const made = step.made!;
      assert.equal(made.stats.tombstones ?? 0, 0);
      assert.deepEqual(made.compaction.sources, [ULID]);
      const left = withBlock(
        `data/${made.ulid}`,
        (block) => readAll(block).map(({ labels, samples }) => [labels[1], samples.map(({ time }) => time / 1000)]),
        disk,
      );
      const seconds = Array.from({ length: 20 }, (_, i) => i);
      assert.deepEqual(left, [
        ['x', seconds.filter((second) => second < 3 || second > 12)],
        ['y', seconds],
      ]);
    }
  }
});

test('a merge that is under way is given up when something is deleted: it has read too much', () => {
  const disk = diskWithBlock();
  const keeping = new Housekeeping({ disk, core, dataFolder: 'data' });
  keeping.deleteSamples([X], { minTimeMs: 0, maxTimeMs: 1000 });
  keeping.cleanNext(0, () => false);
  keeping.deleteSamples([X], { minTimeMs: 5000, maxTimeMs: 6000 });
  const step = keeping.cleanNext(0, () => true);
  assert.ok(step.state === 'done');
  assert.equal(step.made?.stats.samples, 36);
  assert.deepEqual(
    disk.list('data').filter((name) => name.includes('tmp')),
    [],
  );
});
