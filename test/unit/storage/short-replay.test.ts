// A log that is read back into less memory than it takes: what is full goes to files on the way, and nothing is lost, whatever of
// that the disk refuses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { ShardSource } from '../../../src/shard/source.js';
import type { Series } from '../../support/remote-write.js';
import { freeContext, writeThrough } from '../../support/shards.js';
import { type Fault, SimDisk } from '../../support/sim-disk.js';
import { Life } from '../../support/simulation/life.js';
import { generateStored } from '../../support/stored-histograms.js';

const MINUTE = 60_000;
const START_MS = Date.UTC(2026, 10, 21, 9);
const STEP_MS = 2000;
const SAMPLES = 2800;
/** In each shard, about. */
const SERIES = 200;
const AMPLE = 96 * 2 ** 20;
/** Of a shard: less than all chunks take, more than the open ones. */
const SHORT = 8.75 * 2 ** 20;

const live = (disk: SimDisk, nowMs: number, shards: number, memoryBytes: number) =>
  Life.begin({
    disk,
    nowMs,
    storage: {
      ...{ path: 'data', shards, memoryBytes, sync: { mode: 'group' }, blockMs: 120 * MINUTE, onHopeless: () => {} },
    },
  });

/** What was written, by series: a value each STEP_MS. */
type Written = Map<string, Float64Array>;

async function fill(life: Life, random: Prng, written: Written): Promise<void> {
  const [histogram] = generateStored(random, false, 1);
  for (let from = 0; from < SAMPLES; from += 200) {
    const body = Array.from({ length: SERIES * life.storage.shards.count }, (_, id): Series => {
      const labels = ['__name__', 'm', 'id', `${id}`];
      const times = Array.from({ length: 200 }, (_, i) => START_MS + (from + i) * STEP_MS);
      if (id === 0) return { labels, samples: [], histograms: times.map((timeMs) => [timeMs, histogram!] as const) };
      const values = written.get(`${id}`) ?? new Float64Array(SAMPLES);
      written.set(`${id}`, values);
      // Of which each takes its eight bytes.
      for (let i = from; i < from + 200; i++) values[i] = random.float() * 10 ** random.int(9);
      return { labels, samples: times.map((timeMs, i) => [timeMs, values[from + i]!] as const) };
    });
    await life.settle(writeThrough(life.storage, 0, body, START_MS + (from + 200) * STEP_MS));
  }
}

/** Series by series: there is no room for all. */
async function assertAllThere(life: Life, written: Written, what: string): Promise<void> {
  const times = Float64Array.from({ length: SAMPLES }, (_, i) => START_MS + i * STEP_MS);
  for (const [id, values] of written) {
    const source = new ShardSource(life.storage.shards, 'adhoc');
    const matchers = [{ name: 'id', op: '=', value: id } as const];
    const [row] = await life.settle(source.samples(matchers, 600 * MINUTE, life.clock.nowMs(), freeContext()));
    source.close();
    assert.deepEqual(Float64Array.from(row?.times ?? []), times, `${what}: series ${id}`);
    assert.deepEqual(Float64Array.from(row?.values ?? []), values, `${what}: series ${id}`);
  }
}

const FAULTS: [name: string, faults: readonly Omit<Fault, 'nth'>[]][] = [
  ['a disk that is well', []],
  ['no room for chunks for a while', [{ operation: 'pwrite', path: 'chunks_head', code: 'ENOSPC', times: 4 }]],
  [
    'no room for chunks at all',
    [{ operation: 'pwrite', path: 'chunks_head', code: 'ENOSPC', times: Number.POSITIVE_INFINITY }],
  ],
  ['files of chunks cannot be synced once', [{ operation: 'fdatasync', path: 'chunks_head', times: 1 }]],
];

for (const [name, faults] of FAULTS) {
  for (const shards of faults.length === 0 ? [1, 2] : [1]) {
    test(`${shards} shards, ${name}: a replay short of memory loses nothing`, async () => {
      const random = new Prng(shards);
      const disk = new SimDisk();
      const written: Written = new Map();
      const first = await live(disk, START_MS + SAMPLES * STEP_MS, shards, AMPLE);
      await fill(first, random, written);
      first.end();
      disk.kill();

      for (const fault of faults) disk.fail({ ...fault, nth: 1 });
      const second = await live(disk, START_MS + (SAMPLES + 1) * STEP_MS, shards, shards * SHORT);
      const hasGivenUp = second.log.lines.some(([, message]) => /keeps what is missing/.test(message));
      if (faults.length === 0) {
        assert.equal(hasGivenUp, false);
        assert.ok(second.storage.spills.bytes > 2 ** 18, `${second.storage.spills.bytes} bytes were spilled`);
      }
      if (!hasGivenUp) await assertAllThere(second, written, 'short of memory');
      disk.heal();
      await second.pass(5 * MINUTE);
      second.end();
      disk.kill();

      const third = await live(disk, START_MS + 10 * MINUTE + SAMPLES * STEP_MS, 3 - shards, AMPLE);
      await assertAllThere(third, written, 'with memory again');
      third.end();
    });
  }
}
