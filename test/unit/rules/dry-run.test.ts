// Dry runs: what rules would have done is what they do, evaluation by evaluation, over the same samples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { EndSignal } from '../../../src/base/ending.js';
import { Prng } from '../../../src/base/prng.js';
import { formatLabels, type Labels } from '../../../src/model/labels.js';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import { bitsOf, STALE } from '../../../src/promql/syntax/series-notation.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { type DryRunParts, dryRun } from '../../../src/rules/dry-run/dry-run.js';
import { reachOf } from '../../../src/rules/dry-run/reach.js';
import { Group } from '../../../src/rules/group.js';
import { firstEvaluation } from '../../../src/rules/group-times.js';
import { RuleMetrics } from '../../../src/rules/metrics.js';
import { engineQuery } from '../../../src/rules/query.js';
import type { RuleResults } from '../../../src/rules/results.js';
import type { GroupSpec } from '../../../src/rules/spec.js';
import { alertTemplates } from '../../../src/rules/templates.js';
import { noLog } from '../../../src/telemetry/log.js';
import { Registry } from '../../../src/telemetry/metrics.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { alerting, groupOf, recording, START_MS } from '../../support/rules.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

function engineOver(source: MemorySource): QueryEngine {
  return new QueryEngine(() => source, realClock, { ...SCRIPT_OPTIONS, samplesMax: 1e6, concurrency: 20 });
}

function partsOver(source: MemorySource, onResults?: (results: RuleResults) => void): DryRunParts {
  return {
    engine: engineOver(source),
    clock: realClock,
    lookbackMs: SCRIPT_OPTIONS.lookbackMs,
    externalUrl: '',
    externalLabels: () => [],
    queryOffsetMs: () => 0,
    ...(onResults && { onResults }),
  };
}

function linesOf({ timeMs, results, ended }: RuleResults): string[] {
  const at = (timeMs - START_MS) / SECOND;
  return [
    ...results.flat().map(({ series, value }) => `${at} ${formatLabels(series.labels)} ${value}`),
    ...ended.map(({ labels }) => `${at} ${formatLabels(labels)} ended`),
  ];
}

/** Some series whose values stay for a while, and that are away for a while. */
function randomSamples(prng: Prng, minutes: number): [labels: Labels, timeMs: number, value: number][] {
  return Array.from({ length: 4 }, (_, i) => i).flatMap((i) => {
    let value = 1;
    let isThere = true;
    return Array.from({ length: minutes * 4 }, (_, at) => at).flatMap((at): [Labels, number, number][] => {
      if (prng.int(12) === 0) value = prng.int(10);
      if (prng.int(40) === 0) isThere = !isThere;
      const timeMs = START_MS + at * 15 * SECOND;
      return isThere ? [[['__name__', 'load', 'i', `${i}`], timeMs, value]] : [];
    });
  });
}

const GROUPS: readonly GroupSpec[] = [
  groupOf({
    name: 'first',
    intervalMs: 30 * SECOND,
    rules: [
      recording('load:max', 'max_over_time(load[2m])'),
      recording('load:sum', 'sum(load:max)', { labels: ['team', 'a'] }),
      alerting('High', 'load > 6', { holdMs: MINUTE, annotations: ['text', '{{ $labels.i }} has {{ $value }}'] }),
      alerting('Sum', 'load:sum > 20', { keepFiringMs: 2 * MINUTE }),
      recording('alerts', 'count by (alertname) ({__name__="ALERTS", alertstate="firing"})'),
      recording('changes', 'changes(load:sum[5m:1m])'),
    ],
  }),
  groupOf({
    name: 'second',
    intervalMs: MINUTE,
    limit: 3,
    rules: [
      alerting('Asks', 'absent(load{i="1"})', {
        annotations: ['sum', '{{ with query "load:sum" }}{{ . | first | value }}{{ end }}'],
      }),
      recording('limited', '{i=~".+"} > 2'),
      recording('start', 'load - load @ start()'),
    ],
  }),
];

/** The same rules, one evaluation after the other over storage that has what they gave. */
async function live(source: MemorySource, endMs: number): Promise<string[]> {
  const query = engineQuery(engineOver(source), new AbortController().signal);
  const lines: string[] = [];
  const world = {
    clock: realClock,
    log: noLog,
    metrics: new RuleMetrics(new Registry()),
    query,
    results: {
      append: async (all: RuleResults) => {
        const { timeMs, results, ended } = all;
        for (const { series, value } of results.flat()) source.append(series.labels, timeMs, bitsOf(value));
        for (const { labels } of ended) source.append(labels, timeMs, STALE);
        lines.push(...linesOf(all));
        return results.map(() => ({ outOfOrder: 0, tooOld: 0, duplicates: 0, reason: undefined }));
      },
    },
    alerts: { send: () => {} },
    expand: alertTemplates({ query, externalUrl: '', externalLabels: () => [], metrics: undefined, log: noLog }),
    externalUrl: '',
    queryOffsetMs: () => 0,
    ...{ resendMs: 0, toleranceMs: 0, graceMs: 0 },
  };
  const running = GROUPS.map((spec) => ({
    group: new Group(spec, world, true),
    dueMs: firstEvaluation(spec, START_MS),
  }));
  for (;;) {
    const next = running.reduce((a, b) => (b.dueMs < a.dueMs ? b : a));
    if (next.dueMs > endMs) return lines;
    await next.group.evaluate(next.dueMs);
    next.dueMs += next.group.spec.intervalMs;
  }
}

for (const seed of [1, 2, 3, 4, 5]) {
  test(`dry run: rules give what they give when they run, seed ${seed}`, async () => {
    const samples = randomSamples(new Prng(seed), 100);
    const [stored, lived] = [new MemorySource(), new MemorySource()];
    for (const [labels, timeMs, value] of samples) {
      stored.append(labels, timeMs, bitsOf(value));
      lived.append(labels, timeMs, bitsOf(value));
    }
    // What a server recorded by another expression is not what these rules would have recorded.
    stored.append(['__name__', 'load:sum', 'team', 'a'], START_MS, bitsOf(1000));
    const endMs = START_MS + 95 * MINUTE;
    const wanted = await live(lived, endMs);
    const got: string[] = [];
    const parts = partsOver(stored, (results) => void got.push(...linesOf(results)));
    const request = { groups: GROUPS, startMs: START_MS, endMs, signal: new EndSignal() };
    const ran = await dryRun(request, parts);
    assert.ok(wanted.length > 1000);
    assert.deepEqual(got.sort(), wanted.sort());
    assert.deepEqual(
      ran.map(({ evaluations }) => evaluations),
      [190, 95],
    );
  });
}

test('dry run: an alert has its beginning, when it fired, its end, and its texts', async () => {
  const source = new MemorySource();
  const values = [1, 9, 9, 9, 9, 1, 1, 9, 1, 9, 9, 9];
  for (const [i, value] of values.entries()) source.append(['__name__', 'load'], START_MS + i * MINUTE, bitsOf(value));
  const rule = alerting('High', 'load > 5', { holdMs: 2 * MINUTE, annotations: ['text', 'at {{ $value }}'] });
  const spec = groupOf({ intervalMs: MINUTE, rules: [rule] });
  const request = { startMs: START_MS, endMs: START_MS + 11.9 * MINUTE, signal: new EndSignal() };
  const [group] = await dryRun({ ...request, groups: [spec] }, partsOver(source));
  const phaseMs = firstEvaluation(spec, START_MS) - START_MS;
  const minute = (timeMs: number | undefined) => timeMs && (timeMs - START_MS - phaseMs) / MINUTE;
  const [high] = group!.rules;
  assert.deepEqual(
    high!.alerts.map((alert) => [minute(alert.activeAtMs), minute(alert.firedAtMs), minute(alert.endedAtMs)]),
    [
      [1, 3, 5],
      [7, undefined, 8],
      [9, 11, undefined],
    ],
  );
  assert.deepEqual(high!.alerts[0]!.annotations, ['text', 'at 9']);
  assert.deepEqual(high!.alerts[0]!.labels, ['alertname', 'High']);
});

test('dry run: too much is refused, and what nobody waits for ends', async () => {
  const spec = groupOf({ intervalMs: SECOND, rules: [recording('a', 'vector(1)')] });
  const signal = new EndSignal();
  const request = { groups: [spec], startMs: START_MS, endMs: START_MS + 1e10, signal };
  await assert.rejects(dryRun(request, partsOver(new MemorySource())), /10,000,000 evaluations of rules/);
  signal.abort();
  await assert.rejects(dryRun({ ...request, endMs: START_MS + MINUTE }, partsOver(new MemorySource())), /canceled/);
});

const REACHES: readonly [expr: string, seconds: number][] = [
  ['a', 10],
  ['rate(a[5m]) + b', 310],
  ['rate(a[5m] offset 1h)', 3910],
  ['max_over_time(rate(a[5m])[1h:1m] offset 2m)', 4030],
  ['a offset -5m', 10],
  ['a @ 0', Number.POSITIVE_INFINITY],
  ['rate(a[range()])', Number.POSITIVE_INFINITY],
];

for (const [expr, seconds] of REACHES) {
  test(`dry run: ${expr} looks back ${seconds} s`, () => assert.equal(reachOf(expr, 10 * SECOND), seconds * SECOND));
}
