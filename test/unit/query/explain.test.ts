// Plans with what they read: estimated by shards, and as it was.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { type Labels, labelsOf } from '../../../src/model/labels.js';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import { ParseError } from '../../../src/promql/syntax/errors.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { explanationText } from '../../../src/query/explain.js';
import { ShardSource } from '../../../src/shard/source.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';

const OPTIONS = { ...SCRIPT_OPTIONS, delayedNames: false, samplesMax: 1_000_000 };
const MINUTES = { startMs: 600_000, stepMs: 60_000, count: 11 };

/** An hour of 100 series by the minute, of two jobs. */
async function shardEngine(): Promise<QueryEngine> {
  const { shards, ingest } = await testShards(2);
  const times = Array.from({ length: 60 }, (_, i): [number, number] => [i * 60_000, i]);
  const series = Array.from({ length: 100 }, (_, i) => ({
    labels: labelsOf([
      ['__name__', 'm_total'],
      ['job', i % 4 === 0 ? 'a' : 'b'],
      ['instance', `${i}`],
    ]) as Labels,
    samples: packSamples(times),
  }));
  await ingest.append(series, 0, anyOwner(2));
  return new QueryEngine(() => new ShardSource(shards, 'adhoc'), realClock, OPTIONS);
}

test('explain: what a query reads, about', async () => {
  const engine = await shardEngine();
  const query = 'sum by (job) (rate(m_total[5m])) / sum by (job) (m_total{job="a"}) + max_over_time(absent[1h:1m])';
  const { plan, readings, run } = await engine.explain(query, MINUTES, true);
  assert.match(plan, /^plan\n {2}binary \+/);
  assert.match(plan, /\n\npush down\n/);
  assert.equal(run, undefined);
  assert.deepEqual(readings, [
    { text: 'fragment rate(m_total[5m]) | sum by (job)', steps: 11, estimate: { series: 100, samples: 1500 } },
    { text: 'fragment m_total{job="a"} | sum by (job)', steps: 11, estimate: { series: 25, samples: 375 } },
    { text: 'fragment absent', steps: 70, estimate: { series: 0, samples: 0 } },
  ]);
});

test('explain: what a query did read', async () => {
  const engine = await shardEngine();
  const explanation = await engine
    .explain('sum by (job) (rate(m_total[5m])) + m_total[2m:1m]', MINUTES, false, {
      analyze: true,
    })
    .catch((error: unknown) => error);
  assert.ok(explanation instanceof ParseError);

  const { readings, run } = await engine.explain('sum by (job) (rate(m_total[5m])) + 1', MINUTES, true, {
    analyze: true,
  });
  assert.equal(readings.length, 1);
  const { estimate, actual } = readings[0]!;
  assert.deepEqual(estimate, { series: 100, samples: 1500 });
  assert.deepEqual([actual!.rows, actual!.values], [2, 22]);
  assert.ok(actual!.seconds >= 0);
  assert.equal(run!.series, 2);
  assert.ok(run!.samples >= 22 && run!.memoryBytes > 0 && run!.seconds > 0);
  assert.deepEqual(engine.active(), []);
});

test('explain: a source that cannot estimate is only run', async () => {
  const engine = new QueryEngine(() => new MemorySource(), realClock, OPTIONS);
  const explanation = await engine.explain('m', MINUTES, true, { analyze: true });
  assert.deepEqual(
    explanation.readings.map(({ text, estimate, actual }) => [text, estimate, actual!.rows]),
    [['fragment m', undefined, 0]],
  );
});

test('explain: as text', () => {
  const text = explanationText({
    plan: 'plan\n  fragment m',
    readings: [
      {
        text: 'fragment m',
        steps: 3,
        estimate: { series: 7, samples: 20.7 },
        actual: { rows: 6, values: 18, seconds: 0.00123 },
      },
      { text: 'fragment n', steps: 1, estimate: undefined },
    ],
    run: { seconds: 0.0125, series: 6, samples: 36, memoryBytes: 2500 },
  });
  assert.equal(
    text,
    `plan
  fragment m

reads
  fragment m
    3 steps, about 7 series, 21 samples; came 6 rows, 18 values in 1.2 ms
  fragment n
    1 steps

ran
  12.5 ms, 6 series, 36 samples, 3 KiB`,
  );
});
