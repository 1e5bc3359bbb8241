import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import { type EndedQuery, slowQueryLog } from '../../../src/query/ended.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { bitsOf } from '../../support/promqltest/series.js';

const ENDED: EndedQuery = {
  text: 'sum(rate(m{a="b"}[5m]))',
  priority: 'ad-hoc',
  startMs: 0,
  endMs: 3_600_000,
  stepMs: 60_000,
  client: '192.0.2.1',
  seconds: 12.3456,
  queueSeconds: 0.5,
  samples: 1000,
  memoryBytes: 4096,
  series: 7,
  error: undefined,
};

test('slow queries: one line, with what the query was and took', () => {
  const lines: string[] = [];
  const clock = { ...realClock, nowMs: () => 0 };
  const log = slowQueryLog(
    createLogger({ clock, write: (line) => lines.push(line.replace(/ source=\S+/, '')) }),
    10_000,
  );
  log(ENDED);
  log({ ...ENDED, seconds: 9.9 });
  log({ ...ENDED, stepMs: 0, client: '', series: undefined, error: 'query timed out in expression evaluation' });
  const common =
    'time=1970-01-01T00:00:00.000Z level=WARN msg="Slow query" query="sum(rate(m{a=\\"b\\"}[5m]))" duration=12.346s';
  assert.deepEqual(lines, [
    `${common} queued=0.500s start=1970-01-01T00:00:00.000Z end=1970-01-01T01:00:00.000Z step=1m series=7 samples=1000 memory_bytes=4096 priority=ad-hoc client=192.0.2.1\n`,
    `${common} queued=0.500s time=1970-01-01T00:00:00.000Z samples=1000 memory_bytes=4096 priority=ad-hoc err="query timed out in expression evaluation"\n`,
  ]);
});

test('slow queries: a time that no calendar has is written as the last that it has', () => {
  const lines: string[] = [];
  slowQueryLog(createLogger({ write: (line) => lines.push(line) }), 10_000)({ ...ENDED, startMs: 9e15, stepMs: 0 });
  assert.match(lines.join(''), / time=\+275760-09-13T00:00:00\.000Z /);
});

test('slow queries: 0 logs none', () => {
  const lines: string[] = [];
  slowQueryLog(createLogger({ write: (line) => lines.push(line) }), 0)(ENDED);
  assert.deepEqual(lines, []);
});

test('the engine tells of each query that has ended', async () => {
  const source = new MemorySource();
  for (const job of ['a', 'b']) source.append(['__name__', 'm', 'job', job], 60_000, bitsOf(1));
  const ended: EndedQuery[] = [];
  const options = { ...SCRIPT_OPTIONS, onEnd: (query: EndedQuery) => ended.push(query) };
  const engine = new QueryEngine(() => source, realClock, options);
  await engine.instant('m', 60_000, { client: () => '192.0.2.1' });
  await engine.range('sum(m)', { startMs: 0, stepMs: 30_000, count: 4 }, { endMs: 95_000 });
  await assert.rejects(engine.instant('m +', 0));
  await assert.rejects(engine.instant('label_join(m, "", "", "job")', 60_000));
  assert.deepEqual(
    ended.map(({ text, startMs, endMs, stepMs, client, series, error }) => [
      text,
      startMs,
      endMs,
      stepMs,
      client,
      series,
      error,
    ]),
    [
      ['m', 60_000, 60_000, 0, '192.0.2.1', 2, undefined],
      ['sum(m)', 0, 95_000, 30_000, '', 1, undefined],
      ['m +', 0, 0, 0, '', undefined, '1:4: parse error: unexpected end of input'],
      [
        'label_join(m, "", "", "job")',
        60_000,
        60_000,
        0,
        '',
        undefined,
        'invalid destination label name in label_join(): ',
      ],
    ],
  );
  assert.ok(ended[0]!.samples >= 2 && ended[0]!.memoryBytes > 0 && ended[0]!.seconds >= 0);
});
