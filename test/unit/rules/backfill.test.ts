import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { EndSignal } from '../../../src/base/ending.js';
import { FloatHistogram } from '../../../src/model/histogram.js';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import { bitsOf } from '../../../src/promql/syntax/series-notation.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { firstEvaluation } from '../../../src/rules/group-times.js';
import { backfill } from '../../../src/server/backfill.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { alerting, groupOf, recording, START_MS } from '../../support/rules.js';

const MINUTE = 60_000;

test('backfill: what recording rules give is imported, at the moments of their groups', async () => {
  const source = new MemorySource();
  for (let i = 0; i < 4; i++) {
    source.append(['__name__', 'load', 'cpu', 'a"b'], START_MS + i * MINUTE, bitsOf(i));
    const histogram = new FloatHistogram({ schema: 0, count: 1, sum: 1, positive: { indices: [0], counts: [1] } });
    source.append(['__name__', 'latency'], START_MS + i * MINUTE, histogram);
  }
  const rules = [
    recording('cpu:load', 'load'),
    recording('load:double', 'sum(cpu:load) * 2', { labels: ['ü', 'x'] }),
    recording('cpu:latency', 'latency'),
    recording('two', 'label_replace(load, "cpu", "b", "", "") or load', { labels: ['cpu', ''] }),
    alerting('Any', 'load >= 0'),
  ];
  const spec = groupOf({ intervalMs: MINUTE, rules });
  const bodies: string[] = [];
  const parts = {
    engine: new QueryEngine(() => source, realClock, { ...SCRIPT_OPTIONS, concurrency: 20 }),
    clock: realClock,
    lookbackMs: MINUTE,
    externalUrl: '',
    externalLabels: () => [],
    queryOffsetMs: () => 0,
  };
  const request = { groups: [spec], startMs: START_MS, endMs: START_MS + 2 * MINUTE - 1, signal: new EndSignal() };
  const done = await backfill(request, parts, async (body) => bodies.push(new TextDecoder().decode(body)));
  const firstMs = firstEvaluation(spec, START_MS);
  const at = (minute: number) => ((firstMs + minute * MINUTE) / 1000).toFixed(3);
  assert.deepEqual(done, { samples: 4, histograms: 2, failures: 2 });
  assert.deepEqual(bodies.join('').split('\n'), [
    `cpu:load{cpu="a\\"b"} 0 ${at(0)}`,
    `load:double{"ü"="x"} 0 ${at(0)}`,
    `cpu:load{cpu="a\\"b"} 1 ${at(1)}`,
    `load:double{"ü"="x"} 2 ${at(1)}`,
    '# EOF',
    '',
  ]);
});

test('backfill: where nothing is given nothing is imported', async () => {
  const parts = {
    engine: new QueryEngine(() => new MemorySource(), realClock, { ...SCRIPT_OPTIONS, concurrency: 20 }),
    clock: realClock,
    lookbackMs: MINUTE,
    externalUrl: '',
    externalLabels: () => [],
    queryOffsetMs: () => 0,
  };
  const groups = [groupOf({ rules: [recording('a', 'none')] })];
  const request = { groups, startMs: START_MS, endMs: START_MS + 5 * MINUTE, signal: new EndSignal() };
  const done = await backfill(request, parts, () => assert.fail('nothing to import'));
  assert.deepEqual(done, { samples: 0, histograms: 0, failures: 0 });
});
