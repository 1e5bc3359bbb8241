// The query suites ask what they say, and answers are compared as they should be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, less, type Outcome } from '../../../bench/bench.js';
import { answerOf, compareAnswers } from '../../../bench/paths/answers.js';
import { SUITE } from '../../../bench/workloads/suite.js';
import { SUITE_WIDE } from '../../../bench/workloads/suite-wide.js';
import { parseExpr } from '../../../src/promql/syntax/parse.js';

const END_MS = 1_800_000_000_000;

test('each id is there once, and each expression parses', () => {
  const all = [...SUITE.queries, ...SUITE_WIDE.queries];
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  for (const query of all) {
    const { pathname, searchParams } = new URL(query.path(END_MS), 'http://host');
    assert.equal(pathname.endsWith('/query') || pathname.endsWith('/query_range'), !query.metadata, query.id);
    for (const text of [...searchParams.getAll('query'), ...searchParams.getAll('match[]')]) parseExpr(text);
    assert.equal(Number(searchParams.get('end') ?? searchParams.get('time')), END_MS / 1000, query.id);
  }
});

function timed(data: unknown) {
  return { status: 200, body: Buffer.from(JSON.stringify({ status: 'success', data })), totalMs: 1 };
}

test('a listing is compared as a set', () => {
  const listing = SUITE.queries.find(({ metadata }) => metadata)!;
  const of = (data: unknown) => answerOf(listing, timed(data));
  assert.deepEqual(of(['a', 'b']), of(['b', 'a']));
  assert.notDeepEqual(of(['a', 'b']), of(['a', 'c']));
  assert.deepEqual(of([{ a: '1', b: '2' }]), of([{ b: '2', a: '1' }]));
  assert.notDeepEqual(of([{ a: '1', b: '2' }]), of([{ a: '2', b: '1' }]));
});

test('of values the series, their number and the sum are compared', () => {
  const query = SUITE.queries.find(({ metadata }) => !metadata)!;
  const result = [
    { metric: { a: '1' }, values: [[1, '2'] as const, [2, 'NaN'] as const] },
    { metric: { a: '2' }, values: [[1, '0.5'] as const] },
  ];
  assert.deepEqual(answerOf(query, timed({ result })), { series: 2, values: 3, sum: 2.5 });
  assert.throws(() => answerOf(query, { status: 422, body: Buffer.from('no'), totalMs: 1 }), /HTTP 422 no/);
});

const RIGHT: Answer = { series: 2, values: 3, sum: 2.5 };
const COMPARED: [name: string, ours: Answer, endMs: number, wrong: boolean][] = [
  ['the same', RIGHT, END_MS, false],
  ['another order of additions', { ...RIGHT, sum: 2.5 * (1 + 1e-12) }, END_MS, false],
  ['another sum', { ...RIGHT, sum: 2.6 }, END_MS, true],
  ['another sum at another time', { ...RIGHT, sum: 2.6 }, END_MS + 1, false],
  ['fewer values at another time', { ...RIGHT, values: 2 }, END_MS + 1, true],
];
for (const [name, ours, endMs, wrong] of COMPARED) {
  test(`${name}: ${wrong ? 'wrong' : 'right'}`, () => {
    const of = (server: string, endedMs: number, answer: Answer): Outcome => ({
      path: 'queries',
      title: '',
      server,
      version: '',
      measures: [less('top', 'top', 'ms', 1)],
      checks: [],
      failure: undefined,
      endMs: endedMs,
      answers: { top: answer },
    });
    const [outcome] = compareAnswers([of('narthex', endMs, ours), of('prometheus', END_MS, RIGHT)]);
    assert.equal(outcome!.failure !== undefined, wrong);
    assert.equal(outcome!.checks.length, wrong ? 0 : 1);
  });
}
