// Files that are gone, emptied or cut while nobody runs: the start says so, and nothing where there is nothing to say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Loss } from '../../../src/server/storage/recovery-book.js';
import { ShardSource } from '../../../src/shard/source.js';
import { isUlid } from '../../../src/tsdb/block/ulid.js';
import { headChunksFolder, headChunksPath, listHeadChunks } from '../../../src/tsdb/head-chunks/layout.js';
import { readHeadChunks } from '../../../src/tsdb/head-chunks/reader.js';
import { listSegments, segmentPath } from '../../../src/tsdb/wal/segments.js';
import { Core } from '../../../src/wasm/core.js';
import { Crc32c } from '../../../src/wasm/crc32c.js';
import { freeContext, writeThrough } from '../../support/shards.js';
import { SimDisk } from '../../support/sim-disk.js';
import { Life } from '../../support/simulation/life.js';

const DATA = 'data';
const FOLDER = headChunksFolder(DATA);
const MINUTE = 60_000;
const START_MS = Date.UTC(2026, 10, 21, 8);
const STEP_MS = 15_000;
const SERIES = 12;
/** In a chunk, at the most. */
const SAMPLES_MAX = 192;
const core = new Core();

const live = (disk: SimDisk, nowMs: number, lateWindowMs = 0, shards = 2) =>
  Life.begin({
    disk,
    nowMs,
    storage: {
      ...{ path: DATA, shards, memoryBytes: 96 * 2 ** 20, sync: { mode: 'group' }, blockMs: 120 * MINUTE },
      ...{ shortenLogBytes: 300, lateWindowMs, onHopeless: () => {} },
    },
  });

function bodyOf(fromStep: number, toStep: number) {
  const times = Array.from({ length: toStep - fromStep }, (_, i) => START_MS + (fromStep + i) * STEP_MS);
  return Array.from({ length: SERIES }, (_, id) => ({
    labels: ['__name__', 'm', 'id', `${id}`],
    samples: times.map((timeMs) => [timeMs, id * 1000 + timeMs / STEP_MS] as const),
  }));
}

async function write(life: Life, fromStep: number, toStep: number): Promise<void> {
  const nowMs = START_MS + toStep * STEP_MS;
  await life.settle(writeThrough(life.storage, 0, bodyOf(fromStep, toStep), nowMs));
}

/** Lives that spill `steps` samples of each series each, the last at `START_MS + lives × steps × STEP_MS`; all were killed. */
async function filled(steps: number, lives: number): Promise<SimDisk> {
  const disk = new SimDisk();
  for (let n = 0; n < lives; n++) {
    const life = await live(disk, START_MS + (n + 1) * steps * STEP_MS);
    await write(life, n * steps, (n + 1) * steps);
    await life.pass(2 * MINUTE);
    life.end();
    disk.kill();
  }
  return disk;
}

/** A start that is killed again: what it told, and how many samples of m it had. */
async function start(disk: SimDisk, nowMs: number) {
  const life = await live(disk, nowMs);
  const { losses } = life.storage.recovery;
  const source = new ShardSource(life.storage.shards, 'adhoc');
  const matchers = [{ name: '__name__', op: '=', value: 'm' } as const];
  const rows = await life.settle(source.samples(matchers, 600 * MINUTE, nowMs, freeContext()));
  source.close();
  for (const { labels, times, values } of rows) {
    const id = Number(labels[labels.indexOf('id') + 1]);
    for (const [i, timeMs] of times.entries()) assert.equal(values[i], id * 1000 + timeMs / STEP_MS, 'a wrong value');
  }
  const errors = life.log.lines.filter(([level]) => level === 'error').map(([, message]) => message);
  life.end();
  disk.kill();
  return { losses, errors, samples: rows.reduce((sum, { times }) => sum + times.length, 0) };
}

const said = (losses: readonly Loss[]) => losses.map(({ what, path, outcome }) => `${what} ${path} ${outcome}`);

const STEPS = 300;
const NOW_MS = START_MS + 2 * STEPS * STEP_MS + 10 * MINUTE;
const ALL = 2 * STEPS * SERIES;

const placesIn = (disk: SimDisk, path: string) =>
  disk.quietly(() => [...readHeadChunks(disk, path, new Crc32c(core))].map(({ offset }) => offset));

/** What happens to a file, how it is told, and how many chunks it may cost at the most: all where that is not said. */
const DAMAGES: [name: string, damage: (disk: SimDisk, path: string) => void, outcome: string, chunksMax?: number][] = [
  ['gone', (disk, path) => disk.quietly(() => disk.unlink(path)), 'gone'],
  ['emptied', (disk, path) => disk.damage(path, () => new Uint8Array()), 'left'],
  ['within its header', (disk, path) => disk.damage(path, (bytes) => bytes.slice(0, 5)), 'left'],
  [
    'cut between two records',
    (disk, path) => {
      const at = placesIn(disk, path).at(-2)!;
      disk.damage(path, (bytes) => bytes.slice(0, at));
    },
    'left',
    2,
  ],
  [
    'zeroes from the begin of a record on',
    (disk, path) => {
      const [, from, to] = placesIn(disk, path);
      disk.damage(path, (bytes) => bytes.fill(0, from, to));
    },
    'left',
    1,
  ],
  ['without a header', (disk, path) => disk.damage(path, (bytes) => bytes.fill(0, 0, 8)), 'left', 0],
];

for (const [name, damage, outcome, chunksMax] of DAMAGES) {
  for (const index of [0, -1]) {
    test(`chunks_head, the ${index === 0 ? 'first' : 'last'} file ${name}: it is told, and the rest is there`, async () => {
      const disk = await filled(STEPS, 2);
      const files = disk.quietly(() => listHeadChunks(disk, FOLDER));
      assert.ok(files.length >= 2);
      const before = await start(disk, NOW_MS);
      assert.deepEqual([before.samples, said(before.losses), before.errors], [ALL, [], []]);
      const path = headChunksPath(FOLDER, files.at(index)!);
      damage(disk, path);
      const { samples, losses, errors } = await start(disk, NOW_MS);
      assert.deepEqual(said(losses), [`chunks_head ${path} ${outcome}`]);
      assert.equal(errors.length, 1, errors.join('\n'));
      if (chunksMax === undefined) assert.ok(samples < ALL, 'nothing is lost');
      else assert.ok(samples >= ALL - chunksMax * SAMPLES_MAX, `${ALL - samples} samples are lost`);
    });
  }
}

test('chunks_head: what is gone is told once', async () => {
  const disk = await filled(STEPS, 2);
  disk.quietly(() => disk.unlink(headChunksPath(FOLDER, 1)));
  assert.equal((await start(disk, NOW_MS)).losses.length, 1);
  assert.deepEqual((await start(disk, NOW_MS)).losses, []);
});

test('chunks_head: what another server has removed since is not missed', async () => {
  const disk = await filled(STEPS, 2);
  disk.quietly(() => {
    disk.unlink(headChunksPath(FOLDER, 1));
    const next = listSegments(disk, `${DATA}/wal`).at(-1)! + 1;
    disk.close(disk.open(segmentPath(`${DATA}/wal`, next), 'create'));
    disk.syncFolder(`${DATA}/wal`);
  });
  assert.deepEqual((await start(disk, NOW_MS)).losses, []);
});

test('chunks_head: files that blocks have all of are not missed', async () => {
  const disk = await filled(STEPS, 3);
  const names = disk.quietly(() => disk.list(DATA).filter(isUlid));
  assert.equal(names.length, 1, 'a block was cut');
  const [first] = disk.quietly(() => listHeadChunks(disk, FOLDER));
  assert.ok(first! > 1, 'its files are gone');
  const nowMs = START_MS + 3 * STEPS * STEP_MS + 10 * MINUTE;
  assert.deepEqual((await start(disk, nowMs)).losses, []);
});

test('a block that is gone is told once, with its times', async () => {
  const disk = await filled(STEPS, 3);
  const nowMs = START_MS + 3 * STEPS * STEP_MS + 10 * MINUTE;
  const [ulid] = disk.quietly(() => disk.list(DATA).filter(isUlid));
  disk.quietly(() => disk.remove(`${DATA}/${ulid}`));
  const { losses, samples } = await start(disk, nowMs);
  assert.ok(samples < 3 * STEPS * SERIES);
  const { minTimeMs, maxTimeMs, outcome, path } = losses.find(({ what }) => what === 'block')!;
  assert.deepEqual([minTimeMs, maxTimeMs, outcome], [START_MS, START_MS + 120 * MINUTE, 'gone']);
  assert.equal(path, `${DATA}/${ulid}`);
  const again = await start(disk, nowMs);
  assert.deepEqual(
    again.losses.filter(({ what }) => what === 'block'),
    [],
  );
});

test('a write-behind log that is gone is told', async () => {
  const disk = new SimDisk();
  const life = await live(disk, START_MS + 100 * STEP_MS, 60 * MINUTE);
  await write(life, 50, 100);
  await write(life, 10, 20);
  await life.pass(5000);
  life.end();
  disk.kill();
  disk.quietly(() => disk.remove(`${DATA}/wbl`));
  const { losses } = await start(disk, START_MS + 100 * STEP_MS);
  assert.deepEqual(said(losses), [`write-behind log ${DATA}/wbl/00000000 mended`]);
});
