// Exemplars of all shards are one ring: beside a model that is one array.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { type Exemplar, isTooLong } from '../../../src/model/exemplar.js';
import { compareLabels, type Labels, valueOf } from '../../../src/model/labels.js';
import type { Matcher } from '../../../src/model/matcher.js';
import { compileMatcher } from '../../../src/model/matcher.js';
import { type ExemplarSeries, ShardStorage } from '../../../src/query/storage.js';
import { ExemplarBook } from '../../../src/shard/exemplar-book.js';
import type { Series } from '../../support/remote-write.js';
import { testShards, writeThrough } from '../../support/shards.js';

/** What Prometheus does, in the plainest way. */
class Model {
  #all: { readonly series: Labels; readonly exemplar: Exemplar }[] = [];
  max = 0;

  add(series: Labels, exemplar: Exemplar): void {
    if (this.max === 0 || isTooLong(exemplar.labels)) return;
    const newest = this.#all.findLast((one) => String(one.series) === String(series))?.exemplar;
    if (newest !== undefined) {
      if (exemplar.timeMs < newest.timeMs) return;
      if (exemplar.timeMs === newest.timeMs && exemplar.value < newest.value) return;
      if (JSON.stringify(exemplar) === JSON.stringify(newest)) return;
    }
    this.#all.push({ series, exemplar });
    this.trim();
  }

  trim(): void {
    this.#all.splice(0, Math.max(0, this.#all.length - this.max));
  }

  query(matchers: readonly Matcher[], startMs: number, endMs: number): ExemplarSeries[] {
    const found = new Map<string, { labels: Labels; exemplars: Exemplar[] }>();
    for (const { series, exemplar } of this.#all) {
      if (!matchers.every((matcher) => compileMatcher(matcher)(valueOf(series, matcher.name)))) continue;
      if (exemplar.timeMs < startMs || exemplar.timeMs > endMs) continue;
      const key = String(series);
      const one = found.get(key) ?? { labels: series, exemplars: [] };
      one.exemplars.push(exemplar);
      found.set(key, one);
    }
    return [...found.values()].sort((a, b) => compareLabels(a.labels, b.labels));
  }
}

const signal = new AbortController().signal;

for (const count of [1, 3]) {
  test(`exemplars of ${count} shards, one request after the other, beside the model (seeds 1 … 15)`, async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const random = new Prng(seed);
      const rig = await testShards(count, 64 * 2 ** 20);
      const storage = new ShardStorage(rig.shards, () => [], 300_000);
      const model = new Model();
      const setMax = (max: number) => {
        model.max = max;
        model.trim();
        rig.shards.exemplars.setMax(max);
      };
      setMax(1 + random.int(200));
      for (let step = 0; step < 60; step++) {
        if (random.int(15) === 0) setMax([0, 3, 50, 1000][random.int(4)]!);
        // One series a request: of several, shards decide the order among themselves.
        const labels = ['__name__', `m${random.int(3)}`, 'n', `${random.int(6)}`];
        const exemplars = Array.from({ length: random.int(5) }, () => generate(random, step));
        const series: Series = { labels, samples: [[step, 1]], exemplars };
        await writeThrough(rig, random.int(count), [series], step);
        for (const one of exemplars) model.add(labels, one);
        if (random.int(4) > 0) continue;
        const matchers = selectors[random.int(selectors.length)]!;
        const [startMs, endMs] = [random.int(4) * 300, 600 + random.int(4) * 500];
        const got = await storage.exemplars({ selectors: [matchers], startMs, endMs, limit: 0, signal });
        assert.deepEqual(got, model.query(matchers, startMs, endMs), `seed ${seed}, step ${step}`);
      }
      await rig.shards.close();
    }
  });
}

const selectors: readonly Matcher[][] = [
  [{ name: '__name__', op: '=~', value: 'm.*' }],
  [{ name: '__name__', op: '=', value: 'm1' }],
  [
    { name: '__name__', op: '=', value: 'm2' },
    { name: 'n', op: '!=', value: '3' },
  ],
  [{ name: 'absent', op: '=', value: '' }],
];

function generate(random: Prng, step: number): Exemplar {
  const long = random.int(20) === 0;
  return {
    labels: random.int(8) === 0 ? [] : ['trace', long ? 'é'.repeat(124) : `${random.int(3)}`],
    value: random.int(4),
    timeMs: step * 30 + random.int(60),
  };
}

test('an exemplar of a series that is not there is passed over', async () => {
  const rig = await testShards(2);
  rig.shards.exemplars.setMax(10);
  const exemplars = [{ labels: ['a', 'b'], timeMs: 1, value: 1 }];
  await writeThrough(rig, 0, [{ labels: ['__name__', 'none'], samples: [], exemplars }], 1);
  await writeThrough(rig, 1, [{ labels: ['__name__', 'none'], samples: [], exemplars }], 1);
  assert.equal(rig.shards.exemplars.size, 0);
  await rig.shards.close();
});

test('labels may have 128 characters, whatever their bytes', () => {
  assert.equal(isTooLong(['a', '\u{1f600}'.repeat(127)]), false);
  assert.equal(isTooLong(['a', '\u{1f600}'.repeat(128)]), true);
});

const places = (...numbers: number[]) => Float64Array.from(numbers).buffer;

test('the book: the oldest go, whosever they are', () => {
  const book = new ExemplarBook(2, 5);
  book.note(0, 3);
  book.note(1, 2);
  book.note(0, 2);
  assert.deepEqual(
    [0, 1].map((shard) => book.limitsOf(shard).gone),
    [2, 0],
  );
  book.setMax(2);
  assert.deepEqual(
    [0, 1].map((shard) => book.limitsOf(shard).gone),
    [3, 2],
  );
  book.setMax(0);
  assert.deepEqual(
    [0, 1].map((shard) => book.limitsOf(shard).gone),
    [5, 2],
  );
  assert.equal(book.size, 0);
});

test('the book: order of the log over all shards', () => {
  const book = new ExemplarBook(2, 3);
  book.restore([
    { places: places(1, 4), gone: 7 },
    { places: places(2, 3), gone: 0 },
  ]);
  assert.deepEqual(
    [0, 1].map((shard) => book.limitsOf(shard).gone),
    [8, 0],
  );
  book.note(0, 1);
  assert.deepEqual(
    [0, 1].map((shard) => book.limitsOf(shard).gone),
    [8, 1],
  );
});

test('the book: a shard that was made again has the newest of what it had', () => {
  const book = new ExemplarBook(2, 100);
  book.note(0, 4);
  book.note(1, 2);
  book.note(0, 1);
  book.rejoin(0, { places: places(1, 2, 3), gone: 0 });
  assert.equal(book.size, 5);
  book.rejoin(0, { places: places(1, 2, 3, 4), gone: 2 });
  assert.deepEqual(book.limitsOf(0), { max: 100, gone: 3 });
  book.setMax(1);
  assert.deepEqual(
    [0, 1].map((shard) => book.limitsOf(shard).gone),
    [5, 2],
  );
});
