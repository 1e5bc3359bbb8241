import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError, realDisk } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import type { BlockMeta } from '../../../src/tsdb/block/contract.js';
import { BlockWriter, TEMPORARY_SUFFIX } from '../../../src/tsdb/block/writer.js';
import { Core } from '../../../src/wasm/core.js';
import { labelsOf, type ModelBlock, readBlockModel } from '../../support/block-model.js';
import { chunkAt, fill, type Labels, type SeriesOfTest, symbolsOf } from '../../support/blocks.js';
import { type Operation, SimDisk } from '../../support/sim-disk.js';
import { conformance, conformanceMissing } from '../../support/testdata.js';

const ULID = '01M7Y0DXJ9842ERM7HS55F3Y8P';
const COMPACTION = { level: 1, sources: [ULID] };
const DESCRIPTION = { minTimeMs: 0, maxTimeMs: 7_200_000, compaction: COMPACTION };

const core = new Core();

function newDisk(): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder('data');
  disk.syncFolder('');
  return disk;
}

function write(disk: SimDisk, series: readonly SeriesOfTest[], segmentBytes?: number): ModelBlock {
  const writer = BlockWriter.create(disk, 'data', ULID, { core, segmentBytes });
  fill(writer, series);
  assert.ok(writer.finish(DESCRIPTION));
  return readBlockModel(disk, `data/${ULID}`);
}

test('writer: a block reads as what was written', () => {
  for (let seed = 1; seed <= 15; seed++) {
    const prng = new Prng(seed);
    const series = someSeries(prng, 1 + prng.int(120));
    const block = write(newDisk(), series, prng.pick([undefined, 300, 5000]));
    const want = new Map(series.map(({ labels, chunks }) => [JSON.stringify(sortedPairs(labels).flat()), chunks]));
    assert.deepEqual(new Set(block.series.map((one) => labelsOf(block, one))), new Set(want.keys()), `seed ${seed}`);
    for (const one of block.series) {
      const chunks = one.chunks.map(({ ref, ...chunk }) => ({ ...chunk, data: [...chunk.data] }));
      const wanted = want.get(labelsOf(block, one))!.map((chunk) => ({ ...chunk, data: [...chunk.data] }));
      assert.deepEqual(chunks, wanted, `seed ${seed}`);
    }
    checkPostings(block, `seed ${seed}`);
  }
});

function someSeries(prng: Prng, count: number): SeriesOfTest[] {
  const sets = new Map<string, Labels>();
  for (let i = 0; i < count; i++) {
    const labels: Record<string, string> = { __name__: prng.pick(['a', 'b', 'žluť', 'x'.repeat(200)]) };
    for (const name of ['', 'job', 'instance', 'z'].filter(() => prng.float() < 0.6)) {
      if (name !== '') labels[name] = prng.pick(['0', '1', '😀', '"\\\n', String(prng.int(1000))]);
    }
    sets.set(JSON.stringify(sortedPairs(labels)), labels);
  }
  return [...sets.values()].map((labels) => {
    const start = prng.int(1000) - 500;
    const chunks = Array.from({ length: 1 + prng.int(4) }, (_, chunk) =>
      chunkAt(Array.from({ length: 1 + prng.int(5) }, (_, i) => start + chunk * 1000 + i * 15)),
    );
    return { labels, chunks };
  });
}

function sortedPairs(labels: Labels): [string, string][] {
  return Object.entries(labels).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function checkPostings(block: ModelBlock, message: string): void {
  const want = new Map<string, number[]>([['=', block.series.map(({ ref }) => ref)]]);
  for (const { ref, labels } of block.series) {
    for (let i = 0; i < labels.length; i += 2) {
      const key = `${block.symbols[labels[i]!]}=${block.symbols[labels[i + 1]!]}`;
      want.set(key, [...(want.get(key) ?? []), ref]);
    }
  }
  assert.deepEqual(new Map([...block.postings].sort()), new Map([...want].sort()), message);
}

test('writer: segments end before they are too long', () => {
  const disk = newDisk();
  const series = Array.from({ length: 40 }, (_, i) => ({ labels: { i: String(i) }, chunks: [chunkAt([i, i + 1])] }));
  write(disk, series, 200);
  const sizes = disk.list(`data/${ULID}/chunks`).map((name) => disk.stat(`data/${ULID}/chunks/${name}`)!.size);
  assert.ok(sizes.length > 3 && sizes.every((size) => size <= 200), String(sizes));
  const large = write(newDisk(), series, 1);
  assert.deepEqual(
    large.series.map(({ chunks }) => chunks[0]!.ref),
    series.map((_, i) => i * 2 ** 32 + 8),
    'a chunk larger than a segment has one of its own',
  );
});

test('writer: what is written is the recorded block again', { skip: conformanceMissing() }, () => {
  const folder = conformance('tsdb/blocks/data');
  for (const name of realDisk.list(folder)) {
    const recorded = readBlockModel(realDisk, `${folder}/${name}`);
    const disk = newDisk();
    const writer = BlockWriter.create(disk, 'data', name, { core });
    writer.setSymbols(symbolsOf(recorded.symbols).table);
    for (const { labels, chunks } of recorded.series) writer.addSeries(Uint32Array.from(labels), chunks);
    const { minTime, maxTime, compaction } = JSON.parse(recorded.meta);
    writer.finish({ minTimeMs: minTime, maxTimeMs: maxTime, compaction });

    const again = readBlockModel(disk, `data/${name}`);
    assert.deepEqual(disk.readFile(`data/${name}/chunks/000001`), bytesOf(`${folder}/${name}/chunks/000001`));
    assert.deepEqual(disk.readFile(`data/${name}/tombstones`), bytesOf(`${folder}/${name}/tombstones`));
    // Up to the label indices, which we leave out.
    const [, , end] = recorded.toc;
    assert.deepEqual(again.index.subarray(0, end), new Uint8Array(recorded.index.subarray(0, end)));
    assert.deepEqual([...again.postings], [...recorded.postings]);
    // 3.5 does not tell kinds of samples apart yet.
    assert.equal(again.meta.replace(/\t\t"numFloatSamples": \d+,\n/, ''), recorded.meta);
  }
});

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(realDisk.readFile(path));
}

test('writer: a block without series is not made', () => {
  const disk = newDisk();
  const writer = BlockWriter.create(disk, 'data', ULID, { core });
  fill(writer, [{ labels: { a: 'b' }, chunks: [] }]);
  assert.equal(writer.finish(DESCRIPTION), undefined);
  assert.deepEqual(disk.list('data'), []);
});

const refused: [what: string, series: SeriesOfTest[]][] = [
  ['one label set twice', [0, 1].map(() => ({ labels: { a: 'b' }, chunks: [chunkAt([1])] }))],
  ['chunks that overlap', [{ labels: { a: 'b' }, chunks: [chunkAt([1, 5]), chunkAt([5, 6])] }]],
];
for (const [what, series] of refused) {
  test(`writer: refuses ${what}`, () => {
    const writer = BlockWriter.create(newDisk(), 'data', ULID, { core });
    assert.throws(() => fill(writer, series), RangeError);
    writer.abort();
  });
}

const OPERATIONS: Operation[] = ['open', 'pwrite', 'fdatasync', 'syncFolder', 'rename', 'makeFolder'];

test('writer: whatever the disk refuses, there is a whole block or none, and no file stays open', () => {
  const series = someSeries(new Prng(7), 30);
  for (const operation of OPERATIONS) {
    for (let nth = 1, failed = true; failed; nth++) {
      const disk = newDisk();
      disk.fail({ operation, nth, code: 'ENOSPC', share: 0.5 });
      failed = !tryWrite(disk, series);
      disk.heal();
      assert.equal(disk.openFiles, 0, `${operation} ${nth}`);
      const names = disk.list('data').filter((name) => !name.endsWith(TEMPORARY_SUFFIX));
      assert.deepEqual(names, disk.stat(`data/${ULID}`) === undefined ? [] : [ULID]);
      if (names.length > 0) readBlockModel(disk, `data/${ULID}`);
      disk.crash(new Prng(nth));
      if (disk.stat(`data/${ULID}`) !== undefined) readBlockModel(disk, `data/${ULID}`);
    }
  }
});

/** False where the disk refused. */
function tryWrite(disk: SimDisk, series: readonly SeriesOfTest[]): boolean {
  let writer: BlockWriter | undefined;
  try {
    writer = BlockWriter.create(disk, 'data', ULID, { core, segmentBytes: 2000 });
    fill(writer, series);
    writer.finish(DESCRIPTION);
    return true;
  } catch (error) {
    assert.ok(error instanceof DiskError, String(error));
    writer?.abort();
    return false;
  }
}

test('writer: a block that its check refuses is not there', () => {
  const disk = newDisk();
  const writer = BlockWriter.create(disk, 'data', ULID, { core });
  fill(writer, [{ labels: { a: 'b' }, chunks: [chunkAt([1])] }]);
  const check = (folder: string, meta: BlockMeta) => {
    assert.equal(readBlockModel(disk, folder).series.length, 1);
    throw new Error(`no: ${meta.ulid}`);
  };
  assert.throws(() => writer.finish(DESCRIPTION, check), /no: 01M7/);
  assert.deepEqual(disk.list('data'), []);
});
