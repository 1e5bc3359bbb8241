import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError } from '../../../src/base/disk.js';
import { listBlocks } from '../../../src/tsdb/block/open-blocks.js';
import { Tombstones, writeTombstones } from '../../../src/tsdb/block/tombstones.js';
import { newUlid } from '../../../src/tsdb/block/ulid.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { type CompactionStep, Housekeeping } from '../../../src/tsdb/compact/housekeeping.js';
import { testCrc } from '../../support/block.js';
import { chunkAt, fill } from '../../support/blocks.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testCore } from '../../support/wal.js';

const NOW_MS = 1_800_000_000_000;
const RANGES = [100, 300];

function directory(): { disk: SimDisk; keeping: Housekeeping } {
  const disk = new SimDisk();
  disk.makeFolder('data');
  disk.syncFolder('');
  return { disk, keeping: new Housekeeping({ disk, core: testCore(), dataFolder: 'data' }) };
}

function addBlock(disk: SimDisk, minTimeMs: number, series = 3): string {
  const ulid = newUlid(minTimeMs);
  const writer = BlockWriter.create(disk, 'data', ulid, { core: testCore() });
  fill(
    writer,
    Array.from({ length: series }, (_, i) => ({
      labels: { i: String(i) },
      chunks: [chunkAt([minTimeMs, minTimeMs + 9])],
    })),
  );
  writer.finish({ minTimeMs, maxTimeMs: minTimeMs + 100, compaction: { level: 1, sources: [ulid] } });
  return ulid;
}

function steps(keeping: Housekeeping): { last: CompactionStep; more: number } {
  for (let more = 0; ; more++) {
    const last = keeping.compactNext(RANGES, NOW_MS, () => false);
    if (last.state !== 'more') return { last, more };
  }
}

const NOTHING = { timeMs: 0, bytes: 0, percentage: 0 };

test('housekeeping: merges until nothing is left to do, and its parents are to go', () => {
  const { disk, keeping } = directory();
  const parents = [0, 100, 200].map((start) => addBlock(disk, start));
  const newest = addBlock(disk, 300);
  const { last } = steps(keeping);
  assert.ok(last.state === 'done' && last.made !== undefined);
  assert.deepEqual(last.from, parents);
  assert.equal(last.isVertical, false);
  assert.deepEqual(keeping.expired(NOTHING).superseded, parents);
  // They do not count any more.
  assert.deepEqual(steps(keeping).last, { state: 'nothing' });
  keeping.remove(parents);
  assert.deepEqual(disk.list('data'), [newest, last.made.ulid].sort());
  assert.deepEqual(keeping.expired(NOTHING).superseded, []);
});

test('housekeeping: many series are merged in steps, and can be given up between two', () => {
  const { disk, keeping } = directory();
  const blocks = [0, 50].map((start) => addBlock(disk, start, 1000));
  assert.equal(keeping.compactNext(RANGES, NOW_MS, () => false).state, 'more');
  keeping.abort();
  assert.deepEqual(disk.list('data'), blocks);
  assert.equal(disk.openFiles, 0);
  const { last, more } = steps(keeping);
  assert.ok(more >= 2);
  assert.ok(last.state === 'done' && last.isVertical && last.made?.stats.series === 1000);
});

test('housekeeping: blocks of which nothing is left are marked', () => {
  const { disk, keeping } = directory();
  const blocks = [0, 50].map((start) => addBlock(disk, start));
  for (const { path } of listBlocks(disk, 'data').blocks) {
    const tombstones = new Tombstones();
    for (let ref = 0; ref < 100; ref++) tombstones.add(ref, { minTimeMs: 0, maxTimeMs: 1000 });
    writeTombstones(disk, `${path}/tombstones`, tombstones, testCrc());
  }
  assert.deepEqual(steps(keeping).last, { state: 'done', from: blocks, made: undefined, isVertical: true });
  assert.deepEqual(keeping.expired(NOTHING).superseded, blocks);
});

test('housekeeping: damaged blocks are marked as failed and left alone', () => {
  const { disk, keeping } = directory();
  const blocks = [0, 100, 200, 300].map((start) => addBlock(disk, start));
  disk.damage(`data/${blocks[1]}/chunks/000001`, (bytes) => {
    bytes[20]! ^= 1;
    return undefined;
  });
  const { last } = steps(keeping);
  assert.ok(
    last.state === 'failed' && last.from.length === 3 && last.reason.includes('checksum'),
    JSON.stringify(last),
  );
  const failed = listBlocks(disk, 'data').blocks.map(({ meta }) => meta.compaction.failed ?? false);
  assert.deepEqual(failed, [true, true, true, false]);
  assert.deepEqual(steps(keeping).last, { state: 'nothing' });
});

test('housekeeping: what the disk refuses is tried again', () => {
  const { disk, keeping } = directory();
  for (const start of [0, 100, 200, 300]) addBlock(disk, start);
  disk.fail({ operation: 'fdatasync', nth: 1, code: 'ENOSPC' });
  assert.equal(steps(keeping).last.state, 'failed');
  disk.heal();
  assert.equal(steps(keeping).last.state, 'done');
});

test('housekeeping: what is kept no longer', () => {
  const { disk, keeping } = directory();
  const blocks = [0, 100, 200].map((start) => addBlock(disk, start));
  const { totalBytes } = keeping.expired(NOTHING);
  const size = Math.floor(totalBytes / 3);
  assert.deepEqual(keeping.expired({ ...NOTHING, timeMs: 200 }).byTime, [blocks[0]]);
  assert.deepEqual(keeping.expired({ ...NOTHING, bytes: totalBytes }).bySize, []);
  disk.makeFolder('data/wal/checkpoint.00000001');
  disk.writeFileAtomic('data/wal/checkpoint.00000001/00000000', new Uint8Array(1));
  assert.deepEqual(keeping.expired({ ...NOTHING, bytes: totalBytes }).bySize, [blocks[0]], 'the log counts');
  disk.capacity = totalBytes * 10;
  disk.makeFolder('data/chunks_head');
  disk.writeFileAtomic('data/chunks_head/000001', new Uint8Array(size));
  assert.deepEqual(keeping.expired({ ...NOTHING, percentage: 10 }).bySize, [blocks[1], blocks[0]]);
  disk.capacity = Number.POSITIVE_INFINITY;
  keeping.expire({ ...NOTHING, timeMs: 200 });
  assert.deepEqual(keeping.expired(NOTHING).superseded, [blocks[0]], 'marked: nobody reads it any more');
  disk.fail({ operation: 'rename', nth: 1 });
  assert.throws(() => keeping.remove(blocks), DiskError);
  keeping.remove(blocks);
  keeping.remove(blocks);
  assert.deepEqual(disk.list('data'), ['chunks_head', 'wal']);
});
