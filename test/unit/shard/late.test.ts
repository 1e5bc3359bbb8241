// Samples out of order in shards, beside a sorted map for each series: whatever comes in whatever order, is asked from one
// fragment or several, and whatever of it has left for blocks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { Matcher } from '../../../src/model/matcher.js';
import { Ingest } from '../../../src/shard/ingest.js';
import type { Shards } from '../../../src/shard/shards.js';
import { ShardSource } from '../../../src/shard/source.js';
import type { Series } from '../../support/remote-write.js';
import { freeContext, testShards, writeThrough } from '../../support/shards.js';

const EVERYTHING: Matcher[] = [{ name: '__name__', op: '=', value: 'm' }];
const MINUTE = 60_000;
const WINDOW_MS = 90 * MINUTE;
const IN_ORDER_MS = 60 * MINUTE;
const START_MS = 1_760_000_000_000;

/** By series, value by time. */
type Model = Map<string, Map<number, number>>;

function labelsOf(series: number): string[] {
  return ['__name__', 'm', 'series', `${series}`];
}

class Rig {
  readonly model: Model = new Map();
  readonly shards: Shards;
  readonly ingest: Ingest;
  newestMs = Number.NEGATIVE_INFINITY;
  #value = 0;

  private constructor(shards: Shards) {
    this.shards = shards;
    this.ingest = new Ingest(shards, () => ({
      minTimeMs: Math.max(this.newestMs - IN_ORDER_MS, -(2 ** 52)),
      maxTimeMs: 2 ** 52,
      lateTimeMs: this.newestMs - WINDOW_MS,
    }));
  }

  static async open(count: number): Promise<Rig> {
    return new Rig((await testShards(count)).shards);
  }

  /** Writes samples of some series at once; what the model says of each decides what must come of it. */
  async write(samples: readonly (readonly [series: number, timeMs: number])[]): Promise<void> {
    const before = this.newestMs;
    let accepted = 0;
    let tooOld = 0;
    const bySeries = new Map<number, [number, number][]>();
    for (const [series, timeMs] of samples) {
      const points = this.model.get(`${series}`) ?? new Map<number, number>();
      this.model.set(`${series}`, points);
      const value = ++this.#value;
      const list = bySeries.get(series) ?? [];
      bySeries.set(series, list);
      list.push([timeMs, value]);
      const newest = Math.max(...points.keys());
      const isInOrder = timeMs > newest && timeMs >= before - IN_ORDER_MS;
      if (!isInOrder && timeMs < before - WINDOW_MS) tooOld++;
      else {
        accepted++;
        points.set(timeMs, value);
      }
    }
    const request = [...bySeries].map(([series, points]): Series => ({ labels: labelsOf(series), samples: points }));
    const { outcome } = await writeThrough(this, 0, request, START_MS);
    assert.deepEqual(
      { accepted: outcome.accepted, tooOld: outcome.tooOld, outOfOrder: outcome.outOfOrder },
      { accepted, tooOld, outOfOrder: 0 },
    );
    if (tooOld > 0) assert.equal(outcome.firstRefused, 'too old sample');
    this.newestMs = Math.max(before, ...samples.map(([, timeMs]) => timeMs));
  }

  async samples(fromMs: number, toMs: number): Promise<Model> {
    const source = new ShardSource(this.shards, 'adhoc');
    try {
      const rows = await source.samples(EVERYTHING, toMs - fromMs, toMs, freeContext());
      return new Map(
        rows
          .map(({ labels, times, values }): [string, Map<number, number>] => [
            labels[3]!,
            new Map(Array.from(times, (timeMs, i) => [timeMs, values[i]!])),
          ])
          .sort(([a], [b]) => Number(a) - Number(b)),
      );
    } finally {
      source.close();
    }
  }

  /** What samples() must give. */
  expected(fromMs: number, toMs: number): Model {
    const rows = [...this.model]
      .map(([series, points]): [string, Map<number, number>] => {
        const inside = [...points].filter(([timeMs]) => timeMs > fromMs && timeMs <= toMs);
        return [series, new Map(inside.sort(([a], [b]) => a - b))];
      })
      .filter(([, points]) => points.size > 0);
    return new Map(rows.sort(([a], [b]) => Number(a) - Number(b)));
  }

  async call<K extends 'leaveLate' | 'dropLate' | 'counters'>(op: K) {
    return Promise.all(this.shards.handles.map(({ client }) => client.call(op, {}, 'rules')));
  }
}

for (const count of [1, 3]) {
  test(`late samples: what queries see of ${count} shards is what a sorted map has`, async () => {
    const random = new Prng(77 + count);
    const rig = await Rig.open(count);
    const taken = new Set<string>();
    let nowMs = START_MS;
    for (let round = 0; round < 120; round++) {
      nowMs += random.int(3 * MINUTE);
      const samples: [number, number][] = [];
      for (let i = 1 + random.int(40); i > 0; i--) {
        const timeMs = random.int(3) === 0 ? nowMs : nowMs - random.int(100) * MINUTE - random.int(5);
        const sample: [number, number] = [random.int(9), timeMs];
        // Of two samples of one time either may count.
        if (taken.has(sample.join())) continue;
        taken.add(sample.join());
        samples.push(sample);
      }
      await rig.write(samples.sort((a, b) => a[0] - b[0]));
      if (round % 10 !== 9) continue;
      const toMs = nowMs - random.int(50) * MINUTE;
      const fromMs = toMs - 1 - random.int(200) * MINUTE;
      assert.deepEqual(await rig.samples(fromMs, toMs), rig.expected(fromMs, toMs), `round ${round}`);
      // On its way into a block it is seen, too.
      if (round % 30 === 29) await rig.call('leaveLate');
      assert.deepEqual(await rig.samples(START_MS - 1, nowMs), rig.expected(START_MS - 1, nowMs), `round ${round}`);
    }
    const counters = await rig.call('counters');
    assert.ok(counters.every(({ lateFloats }) => lateFloats! > 100));
    assert.ok(counters.every(({ lateBytes }) => lateBytes! > 0));
    await rig.call('leaveLate');
    assert.ok((await rig.call('dropLate')).every(({ waiting }) => !waiting));
    for (const { lateSeries, lateBytes } of await rig.call('counters'))
      assert.deepEqual([lateSeries, lateBytes], [0, 0]);
    await rig.shards.close();
  });
}

test('late samples of an append that a query must not see yet stay hidden to its end', async () => {
  const rig = await Rig.open(1);
  for (let step = 0; step < 100; step++) await rig.write([[0, START_MS + step * MINUTE]]);
  const source = new ShardSource(rig.shards, 'adhoc');
  const ask = () => source.samples(EVERYTHING, 1000 * MINUTE, START_MS + 100 * MINUTE, freeContext());
  const first = await ask();
  // Many at once, so that they are made chunks of.
  await rig.write(Array.from({ length: 40 }, (_, i): [number, number] => [0, START_MS + (40 + i) * MINUTE + 7]));
  const second = await ask();
  assert.equal(first[0]!.times.length, 100);
  assert.equal(second[0]!.times.length, 100);
  source.close();
  const all = await rig.samples(START_MS - 1, START_MS + 100 * MINUTE);
  assert.equal(all.get('0')!.size, 140);
  await rig.shards.close();
});

test('a series whose newest sample came late is answered with it', async () => {
  const rig = await Rig.open(1);
  await rig.write([[0, START_MS]]);
  await rig.write([[1, START_MS + 70 * MINUTE]]);
  // Before what is taken in order, though nothing of its series is later.
  await rig.write([[0, START_MS + 5 * MINUTE]]);
  assert.deepEqual(
    await rig.samples(START_MS, START_MS + 6 * MINUTE),
    new Map([['0', new Map([[START_MS + 5 * MINUTE, 3]])]]),
  );
  await rig.shards.close();
});
