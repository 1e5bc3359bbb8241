// Native histograms whose chunks are in files, beside shards that have all in memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import type { StoredHistogram } from '../../../src/model/stored-histogram.js';
import { ChunkEncoding } from '../../../src/tsdb/block/contract.js';
import { headChunksFolder, headChunksPath } from '../../../src/tsdb/head-chunks/layout.js';
import { Core } from '../../../src/wasm/core.js';
import { allHeadChunks } from '../../support/head-chunks.js';
import type { Series } from '../../support/remote-write.js';
import { SpillingRig } from '../../support/spilling-rig.js';
import { generateStored } from '../../support/stored-histograms.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WINDOW = 2 * HOUR;
const STEP = 15_000;
const COUNT = 8;
/** Of these series some samples are floats. */
const MIXED = new Set([2, 5]);
const QUERIES = [
  'm[3h]',
  'm',
  'histogram_count(rate(m[10m]))',
  'sum(m)',
  'count_over_time(m[2h])',
  'histogram_sum(m offset 1h)',
  'timestamp(m)',
];

class Source {
  readonly #random: Prng;
  readonly #runs: StoredHistogram[][];
  #at = 0;

  constructor(random: Prng) {
    this.#random = random;
    this.#runs = Array.from({ length: COUNT }, (_, i) => generateStored(random, i % 2 === 1, 4000));
  }

  /** What comes in the time from one to another. */
  next(fromMs: number, toMs: number): Series[] {
    const steps = Math.floor((toMs - fromMs) / STEP);
    const all = this.#runs.map((run, i): Series => {
      const isFloat = MIXED.has(i) && this.#random.int(3) === 0;
      const times = Array.from({ length: steps }, (_, step) => fromMs + step * STEP);
      return {
        labels: ['__name__', 'm', 'id', `${i}`],
        samples: isFloat ? times.map((timeMs) => [timeMs, timeMs % 1000]) : [],
        histograms: isFloat ? [] : times.map((timeMs, step) => [timeMs, run[(this.#at + step) % run.length]!]),
      };
    });
    this.#at += steps;
    return all.filter(() => this.#random.int(8) > 0);
  }
}

function encodingsIn(folder: string): Set<number> {
  return new Set(allHeadChunks(realDisk, headChunksFolder(folder), new Core()).map(({ encoding }) => encoding));
}

for (const count of [1, 3]) {
  test(`${count} shards: histograms in files and in memory give the same answers`, async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = new Prng(seed * 10 + count);
      const spilling = await SpillingRig.open(count, true);
      const plain = await SpillingRig.open(count, false);
      const both = async <T>(action: (rig: SpillingRig) => Promise<T>, what = ''): Promise<void> => {
        assert.deepEqual(await action(spilling), await action(plain), `seed ${seed} ${what}`);
      };
      const source = new Source(random);
      const encodings = new Set<number>();
      let nowMs = 10 * WINDOW;
      let fromMs = nowMs;
      for (let turn = 0; turn < 30; turn++) {
        const spanMs = random.pick([5, 20, 40]) * MINUTE;
        const series = source.next(nowMs, nowMs + spanMs);
        await both((rig) => rig.write(series, nowMs));
        nowMs += spanMs;
        await spilling.spill();
        for (const encoding of encodingsIn(spilling.folder)) encodings.add(encoding);
        if (random.float() < 0.15) {
          const minTimeMs = fromMs + random.int(nowMs - fromMs);
          const id = `${random.int(COUNT)}`;
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
          await both((rig) => rig.truncate(startMs + WINDOW));
          fromMs = Math.max(fromMs, startMs + WINDOW);
        }
      }
      assert.ok(encodings.has(ChunkEncoding.Histogram) && encodings.has(ChunkEncoding.FloatHistogram));
      for (const { shards } of [spilling, plain]) await shards.close();
    }
  });
}

test('chunks in files take little memory; a damaged one is a warning that names its place', async () => {
  const rig = await SpillingRig.open(1, true);
  const source = new Source(new Prng(3));
  const startMs = 10 * WINDOW;
  await rig.write(source.next(startMs, startMs + WINDOW), startMs);
  const { client } = rig.shards.handles[0]!;
  const bytes = async () => (await client.call('counters', {}, 'rules')).histogramBytes!;
  const before = await bytes();
  const query = () => rig.engine.instant('sum(count_over_time(m[3h]))', startMs + WINDOW);
  const { data } = await query();
  await rig.spill();
  assert.ok((await bytes()) < before / 3, `${await bytes()} of ${before}`);
  assert.deepEqual((await query()).data, data);

  const folder = headChunksFolder(rig.folder);
  const [first] = allHeadChunks(realDisk, folder, new Core()).filter(({ encoding }) => encoding !== ChunkEncoding.Xor);
  const file = realDisk.open(headChunksPath(folder, 1), 'write');
  realDisk.pwrite(file, Uint8Array.of(first!.data[20]! ^ 1), first!.offset + 50);
  realDisk.close(file);
  const { warnings } = await query();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /chunks_head\/000001 at \d+: a chunk is damaged/);
  await rig.shards.close();
});
