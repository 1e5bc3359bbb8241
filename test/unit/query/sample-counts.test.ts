// Sample statistics: the numbers are those that Prometheus's own tests of its statistics expect.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { bitsOf } from '../../support/promqltest/series.js';

/** A sample each 10 s, until 1000 s, of `one` and of three series of `three`. */
function source(): MemorySource {
  const memory = new MemorySource();
  for (let i = 0; i <= 100; i++) {
    memory.append(['__name__', 'one'], i * 10_000, bitsOf(i));
    for (const a of ['1', '2', '3']) memory.append(['__name__', 'three', 'a', a], i * 10_000, bitsOf(i));
  }
  return memory;
}

const engine = new QueryEngine(source, realClock, { ...SCRIPT_OPTIONS, delayedNames: false, perStepStats: true });

test('samples of instant queries', async () => {
  const rows: [query: string, seconds: number, total: number, read: number][] = [
    ['"literal string"', 21, 0, 0],
    ['1', 21, 0, 0],
    ['one', 21, 1, 1],
    ['timestamp(one)', 21, 1, 1],
    ['one offset 10s', 21, 1, 1],
    ['one @ 15', 21, 1, 1],
    ['three', 21, 3, 3],
    ['three{a="1"}[20s] @ 19', 21, 2, 2],
    ['one[60s]', 201, 6, 6],
    ['max_over_time(one[60s])[20s:5s]', 201, 24, 8],
    ['max_over_time(one[61s])[20s:5s]', 201, 26, 8],
    ['one[60s] @ 30', 201, 4, 4],
    ['sum(max_over_time(three[60s] @ 30))', 201, 12, 12],
    ['absent_over_time(one[60s])', 201, 6, 6],
    ['max_over_time(three[60s])', 201, 18, 18],
    ['one[60s:5s]', 201, 12, 12],
    ['one[60s:5s] offset 10s', 201, 12, 12],
    ['max_over_time(three[60s:5s])', 201, 36, 36],
    ['sum(max_over_time(three[60s:5s])) + sum(max_over_time(three[60s:5s]))', 201, 72, 72],
  ];
  for (const [query, seconds, total, read] of rows) {
    const { stats } = await engine.instant(query, seconds * 1000, { counted: true });
    assert.deepEqual([query, stats.counts!.total, stats.counts!.read], [query, total, read]);
  }
});

test('samples of range queries, by step', async () => {
  const rows: [query: string, startS: number, stepS: number, total: number[], read: number[]][] = [
    ['three{a="1"}', 201, 5, [1, 1, 1, 1], [1, 1, 1, 1]],
    ['timestamp(one)', 201, 5, [1, 1, 1, 1], [1, 1, 1, 1]],
    ['max_over_time(three{a="1"}[10s])', 991, 10, [1, 1, 0, 0], [1, 1, 0, 0]],
    ['max_over_time(three[60s] @ 30)', 201, 5, [12, 12, 12, 12], [12, 0, 0, 0]],
    ['max_over_time(three[60s])', 201, 5, [18, 18, 18, 18], [18, 0, 3, 0]],
    ['three + 1', 201, 5, [3, 3, 3, 3], [3, 3, 3, 3]],
    ['rate(one[20s]) / rate(one[30s])', 200, 10, [5, 5, 5, 5], [5, 2, 2, 2]],
  ];
  for (const [query, startS, stepS, total, read] of rows) {
    const steps = { startMs: startS * 1000, stepMs: stepS * 1000, count: 4 };
    const { byStep } = (await engine.range(query, steps, { counted: true })).stats.counts!;
    assert.deepEqual([query, [...byStep!.total], [...byStep!.read]], [query, total, read]);
    assert.deepEqual(byStep!.steps, steps);
  }
});

test('samples are counted for who asks, by step with the feature only', async () => {
  assert.equal((await engine.instant('one', 21_000)).stats.counts, undefined);
  const plain = new QueryEngine(source, realClock, SCRIPT_OPTIONS);
  assert.deepEqual((await plain.instant('one', 21_000, { counted: true })).stats.counts, { total: 1, read: 1 });
});
