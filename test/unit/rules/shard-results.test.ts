import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { FloatHistogram } from '../../../src/model/histogram.js';
import { formatLabels } from '../../../src/model/labels.js';
import { ALL_PARSE_OPTIONS } from '../../../src/promql/syntax/parse.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { engineQuery } from '../../../src/rules/query.js';
import type { ResultSample, ResultSeries } from '../../../src/rules/results.js';
import { ShardResults } from '../../../src/rules/shard-results.js';
import { ShardSource } from '../../../src/shard/source.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { START_MS, sample } from '../../support/rules.js';
import { testShards } from '../../support/shards.js';

const MINUTE = 60_000;

async function rigOf(count: number) {
  const { shards, ingest } = await testShards(count, 64 * 2 ** 20);
  const options = { ...SCRIPT_OPTIONS, parse: ALL_PARSE_OPTIONS };
  const engine = new QueryEngine(() => new ShardSource(shards, 'rules'), realClock, options);
  const query = engineQuery(engine, new AbortController().signal);
  const ask = async (expr: string, timeMs: number) => {
    const vector = await query(expr, timeMs);
    return vector.map(({ labels, value, histogram }) => `${formatLabels(labels)} ${histogram?.count ?? value}`).sort();
  };
  return { results: new ShardResults(ingest), ask, close: () => shards.close() };
}

function manySeries(count: number, name = 'r'): ResultSeries[] {
  return Array.from({ length: count }, (_, i) => {
    return { labels: sample({ __name__: name, i: String(i) }, 0).labels, place: undefined };
  });
}

/** The first series has 0, and so on. */
function samplesOf(series: readonly ResultSeries[]): ResultSample[] {
  return series.map((one, value) => ({ series: one, value }));
}

const ALL_TAKEN = { outOfOrder: 0, tooOld: 0, duplicates: 0, reason: undefined };

for (const count of [1, 3]) {
  test(`results: queries see all of them at once, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    const series = manySeries(100);
    const [a, b] = [samplesOf(series.slice(0, 60)), samplesOf(series.slice(60))];
    assert.deepEqual(await results.append({ timeMs: START_MS, results: [a, b], ended: [] }), [ALL_TAKEN, ALL_TAKEN]);
    assert.deepEqual(await ask('count(r)', START_MS), ['{} 100']);
    assert.deepEqual(await ask('sum(r)', START_MS + 1000), [`{} ${(60 * 59 + 40 * 39) / 2}`]);
    await close();
  });

  test(`results: series are known from the first time on, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    const series = manySeries(30);
    for (let round = 0; round < 3; round++) {
      const timeMs = START_MS + round * MINUTE;
      assert.deepEqual(await results.append({ timeMs, results: [samplesOf(series)], ended: [] }), [ALL_TAKEN]);
      assert.ok(series.every(({ place }) => place !== undefined));
      assert.deepEqual(await ask('sum(r)', timeMs), ['{} 435']);
    }
    assert.deepEqual(await ask('sum(count_over_time(r[1h]))', START_MS + 2 * MINUTE), ['{} 90']);
    assert.equal(new Set(series.map(({ place }) => place!.shard)).size, count);
    await close();
  });

  test(`results: series whose places are of others are found by their labels, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    const series = manySeries(30);
    await results.append({ timeMs: START_MS, results: [samplesOf(series)], ended: [] });
    for (const one of series.slice(0, 20)) one.place = { ...one.place!, ref: one.place!.ref + 1_000_000 };
    for (const one of series.slice(10, 20)) one.place = { ...one.place!, series: 1_000_000 };
    const outcomes = await results.append({
      timeMs: START_MS + MINUTE,
      results: [samplesOf(series.slice(0, 15)), samplesOf(series.slice(15, 25))],
      ended: series.slice(5, 30),
    });
    assert.deepEqual(outcomes, [ALL_TAKEN, ALL_TAKEN]);
    assert.deepEqual(await ask('sum(count_over_time(r[1h]))', START_MS + MINUTE), ['{} 55']);
    assert.deepEqual(await ask('count(r)', START_MS + MINUTE), ['{} 25']);
    await close();
  });

  test(`results: what ended is gone, and what another rule goes on with is not, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    const series = manySeries(10);
    await results.append({ timeMs: START_MS, results: [samplesOf(series)], ended: [] });
    const later = { timeMs: START_MS + MINUTE, results: [samplesOf(series.slice(0, 3))], ended: series.slice(0, 6) };
    assert.deepEqual(await results.append(later), [ALL_TAKEN]);
    const left = ['0', '1', '2', '6', '7', '8', '9'].map((i) => `r{i="${i}"} ${i}`);
    assert.deepEqual(await ask('r', START_MS + MINUTE), left);
    await close();
  });

  test(`results: what never was does not end, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    await results.append({ timeMs: START_MS, results: [], ended: manySeries(3, 'never') });
    await results.append({ timeMs: START_MS + MINUTE, results: [samplesOf(manySeries(3, 'never'))], ended: [] });
    assert.deepEqual(await ask('sum(count_over_time(never[1h]))', START_MS + MINUTE), ['{} 3']);
    await close();
  });

  test(`results: native histograms, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    const series = { labels: ['__name__', 'h'], place: undefined };
    for (const buckets of [5, 6]) {
      const positive = { indices: [0], counts: [buckets] };
      const histogram = new FloatHistogram({ schema: 0, count: buckets, sum: 7, positive });
      const timeMs = START_MS + buckets * MINUTE;
      const samples = [{ series, value: 0, histogram }];
      assert.deepEqual(await results.append({ timeMs, results: [samples], ended: [] }), [ALL_TAKEN]);
      assert.deepEqual(await ask('h', timeMs), [`h ${buckets}`]);
    }
    await close();
  });
}

test('results: each is told what was refused of its own', async () => {
  const { results, close } = await rigOf(1);
  const series = manySeries(4);
  await results.append({ timeMs: START_MS, results: [samplesOf(series.slice(0, 2))], ended: [] });
  const again = await results.append({
    timeMs: START_MS,
    results: [
      [{ series: series[0]!, value: 9 }],
      [{ series: series[2]!, value: 1 }],
      [{ series: series[2]!, value: 2 }],
    ],
    ended: [],
  });
  const duplicate = { ...ALL_TAKEN, duplicates: 1, reason: 'duplicate sample for timestamp' };
  assert.deepEqual(again, [duplicate, ALL_TAKEN, duplicate]);
  const older = await results.append({ timeMs: START_MS - 1, results: [samplesOf(series)], ended: [] });
  assert.deepEqual(older, [{ ...ALL_TAKEN, outOfOrder: 3, reason: 'out of order sample' }]);
  const noName = { labels: ['a', '1', 'a', '2'], place: undefined };
  const bad = [{ series: noName, value: 1 }];
  const [refused, taken] = await results.append({
    timeMs: START_MS + MINUTE,
    results: [bad, samplesOf(series)],
    ended: [],
  });
  assert.deepEqual(taken, ALL_TAKEN);
  assert.match(refused!.reason!, /duplicate|twice|not unique/);
  await close();
});
