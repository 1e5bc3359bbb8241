import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import { BlockFault, type BlockMeta } from '../../../src/tsdb/block/contract.js';
import { openBlocks } from '../../../src/tsdb/block/open-blocks.js';
import { Tombstones, writeTombstones } from '../../../src/tsdb/block/tombstones.js';
import { newUlid } from '../../../src/tsdb/block/ulid.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { compacting, mergedFrom } from '../../../src/tsdb/compact/compact.js';
import { removeBlock, removeLeftovers, supersededBlocks } from '../../../src/tsdb/compact/superseded.js';
import { Core } from '../../../src/wasm/core.js';
import { blocksIn, copyInto, readAll, testCrc, withBlock } from '../../support/block.js';
import { chunkAt, fill, type SeriesOfTest } from '../../support/blocks.js';
import { type Operation, SimDisk } from '../../support/sim-disk.js';
import { conformance, conformanceMissing } from '../../support/testdata.js';

const core = new Core();
const NOW_MS = 1_800_000_000_000;
const RANGE_MS = 7_200_000;

function newDisk(): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder('data');
  disk.syncFolder('');
  return disk;
}

function makeBlock(disk: SimDisk, minTimeMs: number, series: readonly SeriesOfTest[]): BlockMeta {
  const ulid = newUlid(minTimeMs);
  const writer = BlockWriter.create(disk, 'data', ulid, { core });
  fill(writer, series);
  return writer.finish({ minTimeMs, maxTimeMs: minTimeMs + RANGE_MS, compaction: { level: 1, sources: [ulid] } })!;
}

function compact(disk: SimDisk, blocks: readonly BlockMeta[]): BlockMeta | undefined {
  const steps = compacting({ disk, core, dataFolder: 'data', blocks, nowMs: NOW_MS });
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** Times of each series by its labels. */
type Content = Map<string, number[]>;

function contentOf(disk: SimDisk, ulid: string): Content {
  return withBlock(
    `data/${ulid}`,
    (block) =>
      new Map(readAll(block).map(({ labels, samples }) => [labels.join(), samples.map((sample) => sample.time)])),
    disk,
  );
}

function someSeries(prng: Prng, startMs: number): SeriesOfTest[] {
  const names = new Set(Array.from({ length: 1 + prng.int(40) }, () => String(prng.int(60))));
  return [...names].map((i) => {
    const start = startMs + prng.int(1000);
    const chunks = Array.from({ length: 1 + prng.int(3) }, (_, chunk) =>
      chunkAt(Array.from({ length: 1 + prng.int(20) }, (_, step) => start + chunk * 100_000 + step * 1000)),
    );
    return { labels: { __name__: 'm', i, [`only${startMs}`]: prng.pick(['', 'x']) || 'y' }, chunks };
  });
}

test('compaction: all series of all blocks, each with all its samples, deleted ones left out', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const prng = new Prng(seed);
    const disk = newDisk();
    const step = prng.pick([RANGE_MS, RANGE_MS / 2, 150_000]);
    const starts = Array.from({ length: 1 + prng.int(4) }, (_, i) => i * step);
    // Labels in common in half of the seeds: `only…` is the same then.
    const label = seed % 2 === 0 ? 0 : undefined;
    const want: Content = new Map();
    const metas = starts.map((start) => {
      const series = someSeries(prng, start).map((one) =>
        label === undefined ? one : { ...one, labels: { __name__: 'm', i: one.labels.i! } },
      );
      const meta = makeBlock(disk, start, series);
      deleteSome(disk, meta, prng);
      collect(disk, meta, want);
      return meta;
    });
    const made = compact(disk, metas);
    const found = made === undefined ? new Map() : contentOf(disk, made.ulid);
    assert.deepEqual([...found].sort(), [...want].sort(), `seed ${seed}`);
    assert.equal(disk.openFiles, 0);
    if (made === undefined) continue;
    assert.equal(made.minTimeMs, 0);
    assert.equal(made.maxTimeMs, starts.at(-1)! + RANGE_MS);
    assert.deepEqual(made.compaction, mergedFrom(metas));
  }
});

function deleteSome(disk: SimDisk, meta: BlockMeta, prng: Prng): void {
  const tombstones = new Tombstones();
  withBlock(
    `data/${meta.ulid}`,
    (block) => {
      for (const ref of block.index.allSeries()) {
        if (prng.float() < 0.6) continue;
        const from = meta.minTimeMs + prng.int(120_000);
        tombstones.add(ref, { minTimeMs: from, maxTimeMs: from + prng.pick([0, 5000, 1e6]) });
      }
    },
    disk,
  );
  writeTombstones(disk, `data/${meta.ulid}/tombstones`, tombstones, testCrc());
}

/** Adds what is in a block and not deleted. */
function collect(disk: SimDisk, meta: BlockMeta, into: Content): void {
  withBlock(
    `data/${meta.ulid}`,
    (block) => {
      for (const { ref, labels, samples } of readAll(block)) {
        const deleted = block.tombstones.of(ref);
        const left = samples
          .map(({ time }) => time)
          .filter((time) => !deleted.some((one) => time >= one.minTimeMs && time <= one.maxTimeMs));
        const all = new Set([...(into.get(labels.join()) ?? []), ...left]);
        if (all.size > 0)
          into.set(
            labels.join(),
            [...all].sort((a, b) => a - b),
          );
      }
    },
    disk,
  );
}

test('compaction: nothing is made of blocks of which all is deleted', () => {
  const disk = newDisk();
  const meta = makeBlock(disk, 0, [{ labels: { a: 'b' }, chunks: [chunkAt([1, 2])] }]);
  const tombstones = new Tombstones();
  withBlock(
    `data/${meta.ulid}`,
    (block) => tombstones.add(block.index.allSeries()[0]!, { minTimeMs: 0, maxTimeMs: 9 }),
    disk,
  );
  writeTombstones(disk, `data/${meta.ulid}/tombstones`, tombstones, testCrc());
  assert.equal(compact(disk, [meta]), undefined);
  assert.deepEqual(disk.list('data'), [meta.ulid]);
});

test('compaction: the recorded blocks keep every sample, bit for bit', { skip: conformanceMissing() }, () => {
  const disk = newDisk();
  const recorded = blocksIn(conformance('tsdb/blocks/data'));
  for (const path of recorded) copyInto(disk, path, `data/${path.slice(-26)}`);
  const { blocks } = openBlocks(disk, 'data', testCrc());
  const want = new Map<string, string[]>();
  for (const block of blocks) {
    for (const { labels, samples } of readAll(block)) {
      const key = labels.join();
      want.set(key, [...(want.get(key) ?? []), ...samples.map(({ time, bits }) => `${time} ${bits}`)]);
    }
  }
  for (const block of blocks) block.close();
  const made = compact(
    disk,
    blocks.map((block) => block.meta),
  )!;
  assert.equal(made.stats.samples, 41_682);
  assert.equal(made.stats.chunks, 554);
  assert.deepEqual([made.compaction.level, made.compaction.sources.length], [2, 4]);
  withBlock(
    `data/${made.ulid}`,
    (block) => {
      const found = readAll(block).map(({ labels, samples }) => [
        labels.join(),
        samples.map(({ time, bits }) => `${time} ${bits}`),
      ]);
      assert.deepEqual(new Map(found as [string, string[]][]), want);
    },
    disk,
  );
});

test('compaction: a damaged block is not merged, and nothing is left behind', () => {
  const disk = newDisk();
  const metas = [0, RANGE_MS].map((start) => makeBlock(disk, start, someSeries(new Prng(start), start)));
  const before = disk.list('data');
  disk.damage(`data/${metas[1]!.ulid}/chunks/000001`, (bytes) => {
    bytes[30]! ^= 4;
    return undefined;
  });
  assert.throws(() => compact(disk, metas), BlockFault);
  assert.deepEqual(disk.list('data'), before);
  assert.equal(disk.openFiles, 0);
});

const OPERATIONS: Operation[] = [
  'open',
  'pread',
  'pwrite',
  'fdatasync',
  'syncFolder',
  'rename',
  'unlink',
  'makeFolder',
];

test('compaction: whatever the disk refuses, and then the power: all samples are there', () => {
  const series = [0, RANGE_MS].map((start) => someSeries(new Prng(9), start));
  for (const operation of OPERATIONS) {
    for (let nth = 1, failed = true; failed; nth += 1 + Math.floor(nth / 8)) {
      const disk = newDisk();
      const metas = series.map((one, i) => makeBlock(disk, i * RANGE_MS, one));
      const want: Content = new Map();
      for (const meta of metas) collect(disk, meta, want);
      disk.fail({ operation, nth, share: 0.5 });
      failed = !tryAll(disk, metas);
      disk.heal();
      assert.equal(disk.openFiles, 0, `${operation} ${nth}`);
      disk.crash(new Prng(nth));
      removeLeftovers(disk, 'data');
      checkAll(disk, want, `${operation} ${nth}`);
    }
  }
});

/** Compacts and removes the parents; false where the disk refused. */
function tryAll(disk: SimDisk, metas: readonly BlockMeta[]): boolean {
  try {
    compact(disk, metas);
    for (const { ulid } of metas) removeBlock(disk, 'data', ulid);
    return true;
  } catch (error) {
    assert.ok(error instanceof DiskError || error instanceof BlockFault, String(error));
    return false;
  }
}

function checkAll(disk: SimDisk, want: Content, message: string): void {
  const { blocks, bad } = openBlocks(disk, 'data', testCrc());
  assert.deepEqual(bad, [], message);
  const superseded = supersededBlocks(blocks.map(({ meta }) => meta));
  const found: Content = new Map();
  for (const { meta } of blocks) if (!superseded.has(meta.ulid)) collect(disk, meta, found);
  for (const block of blocks) block.close();
  assert.deepEqual([...found].sort(), [...want].sort(), message);
}

test('merged from: level, sources, parents, hints', () => {
  const meta = (ulid: string, level: number, sources: string[], hints: string[]): BlockMeta => ({
    ulid,
    minTimeMs: level,
    maxTimeMs: level + 1,
    stats: { samples: 1, series: 1, chunks: 1 },
    compaction: { level, sources, hints },
    version: 1,
  });
  const ooo = 'from-out-of-order';
  const stale = 'from-stale-series';
  assert.deepEqual(mergedFrom([meta('c', 2, ['b', 'a'], [ooo, stale]), meta('d', 1, ['d', 'a'], [])]), {
    level: 3,
    sources: ['a', 'b', 'd'],
    parents: [
      { ulid: 'c', minTimeMs: 2, maxTimeMs: 3 },
      { ulid: 'd', minTimeMs: 1, maxTimeMs: 2 },
    ],
    hints: [stale],
  });
  assert.deepEqual(mergedFrom([meta('c', 1, ['c'], [ooo]), meta('d', 1, ['d'], [ooo])]).hints, [ooo]);
});

test('superseded: parents of what is there, and what was marked', () => {
  const meta = (ulid: string, parents: string[], deletable = false): BlockMeta => ({
    ulid,
    minTimeMs: 0,
    maxTimeMs: 1,
    stats: { samples: 1, series: 1, chunks: 1 },
    compaction: {
      level: 1,
      sources: [],
      deletable,
      parents: parents.map((one) => ({ ulid: one, minTimeMs: 0, maxTimeMs: 1 })),
    },
    version: 1,
  });
  const blocks = [meta('a', []), meta('b', []), meta('c', ['a', 'gone']), meta('d', [], true)];
  assert.deepEqual([...supersededBlocks(blocks)], ['a', 'd']);
});

test('leftovers: only unfinished blocks go', () => {
  const disk = newDisk();
  const ulid = newUlid(NOW_MS);
  const kept = ['wal', ulid, `${ulid}.bad`, 'other.tmp-for-creation', `${ulid}.tmp-for-deletion.old`];
  for (const name of [...kept, `${ulid}.tmp-for-creation`, `${ulid}.tmp-for-deletion`]) {
    disk.makeFolder(`data/${name}/chunks`);
  }
  removeLeftovers(disk, 'data');
  assert.deepEqual(disk.list('data'), [...kept].sort());
});
