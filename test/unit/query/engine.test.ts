import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, realClock } from '../../../src/base/clock.js';
import { MemorySource } from '../../../src/promql/exec/memory-source.js';
import type { Columns, Fragment, QueryContext, RawSeries, Source } from '../../../src/promql/exec/source.js';
import { type EngineOptions, QueryEngine } from '../../../src/query/engine.js';
import { QueryMetrics } from '../../../src/query/metrics.js';
import type { QueryData } from '../../../src/query/result.js';
import { renderMetrics } from '../../../src/telemetry/exposition.js';
import { Registry } from '../../../src/telemetry/metrics.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { bitsOf } from '../../support/promqltest/series.js';

function sourceOf(series: Record<string, number[]>): MemorySource {
  const source = new MemorySource();
  for (const [job, values] of Object.entries(series)) {
    values.forEach((value, i) => {
      source.append(['__name__', 'm', 'job', job], i * 60_000, bitsOf(value));
    });
  }
  return source;
}

function engineOf(source: Source, options: Partial<EngineOptions> = {}, clock: Clock = realClock): QueryEngine {
  return new QueryEngine(() => source, clock, { ...SCRIPT_OPTIONS, delayedNames: false, ...options });
}

/** A source that does not answer before its query is aborted. It keeps the process alive, which the query's timers do not. */
class StuckSource implements Source {
  asked = 0;

  select(_: Fragment, { signal }: QueryContext): Promise<Columns> {
    this.asked++;
    const alive = setInterval(() => {}, 1000);
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        clearInterval(alive);
        reject(signal.reason);
      });
    });
  }

  samples(): Promise<RawSeries[]> {
    return Promise.resolve([]);
  }
}

/** Notes what it is asked for. */
class ListeningSource implements Source {
  readonly asked: string[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  select(fragment: Fragment, context: QueryContext): Promise<Columns> {
    this.asked.push(`${fragment.fn} over ${fragment.windowMs} ms`);
    return this.#source.select(fragment, context);
  }

  samples(...asked: Parameters<Source['samples']>): Promise<RawSeries[]> {
    this.asked.push(`samples of ${asked[1]} ms`);
    return this.#source.samples(...asked);
  }
}

function cells(data: QueryData): Record<string, (number | undefined)[]> {
  assert.ok(data.kind === 'range' || data.kind === 'vector');
  const { labels, steps, values, present } = data.columns;
  return Object.fromEntries(
    labels.map((row, i) => [
      row.join(' '),
      Array.from({ length: steps }, (_, step) => (present[i * steps + step] ? values[i * steps + step] : undefined)),
    ]),
  );
}

test('engine: an instant query gives a vector in the order of the source', async () => {
  const answer = await engineOf(sourceOf({ b: [1, 2], a: [3, 4] })).instant('m', 60_000);
  assert.deepEqual(cells(answer.data), { '__name__ m job b': [2], '__name__ m job a': [4] });
  assert.ok(answer.stats.samplesPeak >= 2);
});

test('engine: a range query gives rows by labels, with gaps', async () => {
  const source = sourceOf({ b: [1, 2, 3], a: [4, 5, 6] });
  const steps = { startMs: 0, stepMs: 60_000, count: 3 };
  const answer = await engineOf(source).range('m > 1', steps);
  assert.deepEqual(Object.entries(cells(answer.data)), [
    ['__name__ m job a', [4, 5, 6]],
    ['__name__ m job b', [undefined, 2, 3]],
  ]);
});

test('engine: scalars and strings', async () => {
  const engine = engineOf(sourceOf({}));
  assert.deepEqual((await engine.instant('1 + 1', 5)).data, { kind: 'scalar', timeMs: 5, value: 2 });
  assert.deepEqual((await engine.instant('"a"', 5)).data, { kind: 'string', timeMs: 5, text: 'a' });
  const range = await engine.range('time()', { startMs: 0, stepMs: 1000, count: 3 });
  assert.deepEqual(cells(range.data), { '': [0, 1, 2] });
});

test('engine: a range vector keeps the times of its samples', async () => {
  const { data } = await engineOf(sourceOf({ a: [1, 2, 3] })).instant('m[90s]', 120_000);
  assert.ok(data.kind === 'raw');
  assert.deepEqual([...data.series[0]!.times], [60_000, 120_000]);
});

test('engine: fragments that read the same are read once', async () => {
  const source = sourceOf({ a: [1, 2, 3] });
  let reads = 0;
  const counting: Source = {
    select: (fragment, context) => {
      reads++;
      return source.select(fragment, context);
    },
    samples: (...request) => source.samples(...request),
  };
  const answer = await engineOf(counting).instant('sum(rate(m[2m])) / sum(rate(m[2m]))', 120_000);
  assert.deepEqual(cells(answer.data), { '': [1] });
  assert.equal(reads, 1);
});

const failures: [name: string, query: string, type: string | undefined, message: RegExp][] = [
  ['a parse error has its position', 'sum(', undefined, /^1:5: parse error: /],
  [
    'many-to-many',
    'm + on() m',
    'execution',
    /^found duplicate series for the match group \{\} on the right hand-side/,
  ],
  [
    'same labels',
    'label_replace(m, "job", "", "", "")',
    'execution',
    /^vector cannot contain metrics with the same labelset$/,
  ],
  ['topk of NaN', 'topk(NaN, m)', 'execution', /^Parameter value is NaN$/],
];

for (const [name, query, type, message] of failures) {
  test(`engine: ${name}`, async () => {
    const engine = engineOf(sourceOf({ a: [1], b: [2] }));
    await assert.rejects(engine.instant(query, 0), (error: Error & { type?: string }) => {
      assert.equal(error.type, type);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('engine: a range query cannot give a range vector', async () => {
  const steps = { startMs: 0, stepMs: 1000, count: 2 };
  await assert.rejects(engineOf(sourceOf({})).range('m[5m]', steps), {
    type: 'bad_data',
    message: 'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
  });
});

test('engine: too many samples', async () => {
  const engine = engineOf(sourceOf({ a: [1], b: [2], c: [3] }), { samplesMax: 2 });
  await assert.rejects(engine.instant('m', 0), {
    type: 'execution',
    message: 'query processing would load too many samples into memory in query execution',
  });
  await engine.instant('sum(m)', 0);
});

test('engine: the deadline ends a query, in the queue and in evaluation', async () => {
  const engine = engineOf(new StuckSource(), { timeoutMs: 500 });
  const evaluating = engine.instant('m', 0);
  // On a busy machine it may end before anybody waits for it.
  evaluating.catch(() => {});
  const queued = engine.instant('m', 0, { timeoutMs: 5 });
  await assert.rejects(queued, { type: 'timeout', message: 'query timed out in query queue' });
  await assert.rejects(evaluating, { type: 'timeout', message: 'query timed out in expression evaluation' });
  assert.deepEqual(engine.active(), []);
});

test('engine: active queries can be seen and cancelled', async () => {
  const source = new StuckSource();
  const engine = engineOf(source);
  const first = engine.instant('m', 0);
  const second = engine.instant('m + 1', 0, { client: () => '127.0.0.1' });
  await new Promise((resolve) => setImmediate(resolve));
  const active = engine.active();
  assert.deepEqual(
    active.map(({ text, priority, phase, client }) => [text, priority, phase, client]),
    [
      ['m', 'ad-hoc', 'expression evaluation', ''],
      ['m + 1', 'ad-hoc', 'query queue', '127.0.0.1'],
    ],
  );
  assert.equal(engine.cancel(active[1]!.id), true);
  await assert.rejects(second, { type: 'canceled', message: 'query was canceled in query queue' });
  assert.equal(engine.cancel(active[0]!.id), true);
  await assert.rejects(first, { type: 'canceled', message: 'query was canceled in expression evaluation' });
  assert.equal(engine.cancel(active[0]!.id), false);
  assert.equal(source.asked, 1);
});

test('engine: rules have places of their own, which ad-hoc queries never take', async () => {
  const source = new StuckSource();
  const engine = engineOf(source);
  const asked = [
    engine.instant('m', 0),
    engine.instant('m + 1', 0),
    engine.instant('m', 0, { priority: 'rules' }),
    engine.instant('m + 1', 0, { priority: 'rules' }),
  ];
  await new Promise((resolve) => setImmediate(resolve));
  const phases = engine.active().map(({ priority, phase }) => `${priority}: ${phase}`);
  assert.deepEqual(phases, [
    'ad-hoc: expression evaluation',
    'ad-hoc: query queue',
    'rules: expression evaluation',
    'rules: query queue',
  ]);
  for (const { id } of engine.active()) engine.cancel(id);
  for (const one of asked) await assert.rejects(one, { type: 'canceled' });
});

test('engine: a client that goes away cancels its query', async () => {
  const engine = engineOf(new StuckSource());
  const client = new AbortController();
  const answer = engine.instant('m', 0, { signal: client.signal });
  client.abort();
  await assert.rejects(answer, { type: 'canceled' });
});

test('engine: annotations have positions in the text as it was written', async () => {
  const { infos, warnings } = await engineOf(sourceOf({ a: [1, 2, 3] })).instant('1 +\n  rate(m[5m])', 120_000);
  assert.deepEqual(warnings, []);
  assert.deepEqual(infos, [
    'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "m" (2:8)',
  ]);
});

test('engine: metrics tell of queries, their times and samples', async () => {
  const registry = new Registry();
  const metrics = new QueryMetrics(registry, 20);
  const source = sourceOf({ a: [1, 2, 3] });
  const engine = new QueryEngine(() => source, realClock, SCRIPT_OPTIONS, metrics);
  await engine.instant('m', 0);
  await assert.rejects(engine.instant('topk(NaN, m)', 0));
  const page = new TextDecoder().decode(renderMetrics(registry));
  for (const line of [
    'prometheus_engine_queries 0',
    'prometheus_engine_queries_concurrent_max 20',
    'prometheus_engine_query_duration_seconds_count{slice="queue_time"} 2',
    'prometheus_engine_query_duration_seconds_count{slice="inner_eval"} 1',
    'prometheus_engine_query_duration_histogram_seconds_bucket{slice="inner_eval",le="+Inf"} 1',
    'prometheus_engine_query_samples_total 2',
  ]) {
    assert.ok(page.includes(`${line}\n`), `no ${line} in\n${page}`);
  }
});

test('engine: a source that cannot be opened leaves the place to others', async () => {
  const source = sourceOf({ a: [1] });
  let broken = true;
  const open = () => {
    if (broken) throw new Error('not ready');
    return source;
  };
  const engine = new QueryEngine(open, realClock, SCRIPT_OPTIONS);
  await assert.rejects(engine.instant('m', 0), /not ready/);
  broken = false;
  await engine.instant('m', 0);
});

test('engine: columns have a bound on their memory, whatever few samples they hold', async () => {
  const source = sourceOf({ a: Array.from({ length: 100 }, (_, i) => i + 0.5) });
  const engine = engineOf(source, { memory: { bytes: 20_000, name: '20kB' } });
  const steps = { startMs: 0, stepMs: 60_000, count: 100 };
  const message = 'queries take all the memory that they may together: 20kB';
  await engine.range('m', steps);
  // A row for each value, each of a hundred steps.
  await assert.rejects(engine.range('count_values("v", m)', steps), { type: 'unavailable', message });
  await engine.range('m * 2', steps);
});

test('engine: start_timestamp() is empty unless its feature is on', async () => {
  const source = new MemorySource();
  source.append(['__name__', 'm'], 60_000, bitsOf(1), 45_000);
  const ask = async (startTimestamps: boolean) =>
    cells((await engineOf(source, { startTimestamps }).instant('start_timestamp(m)', 60_000)).data);
  assert.deepEqual(await ask(false), {});
  assert.deepEqual(await ask(true), { '': [45] });
});

test('engine: with the feature for it, type labels say what is a counter', async () => {
  const source = new MemorySource();
  const types = { a_total: 'gauge', b: 'counter', c: 'histogram', d: '' };
  for (const [name, type] of Object.entries(types)) {
    const labels = ['__name__', name, ...(type === '' ? [] : ['__type__', type]), 'job', name];
    for (let i = 0; i < 3; i++) source.append(labels, i * 60_000, bitsOf(i));
  }
  const info = (got: string, metric: string, at: string) =>
    `PromQL info: metric might not be a counter, __type__ label is not set to "counter" or "histogram", got "${got}": "${metric}" (${at})`;
  const rows: [query: string, infos: string[]][] = [
    ['rate(a_total[5m])', [info('gauge', 'a_total', '1:6')]],
    ['rate(b[5m])', []],
    ['sum(increase(c[5m]))', []],
    ['sum(rate({__name__=~".+"}[5m]))', [info('gauge', 'a_total', '1:10'), info('', 'd', '1:10')]],
    ['rate(d[5m:1m])', [info('', 'd', '1:1')]],
    ['delta(a_total[5m])', []],
  ];
  for (const delayedNames of [false, true]) {
    const engine = engineOf(source, { typeLabels: true, delayedNames });
    for (const [query, infos] of rows) {
      const answer = await engine.instant(query, 120_000);
      assert.deepEqual([query, [...answer.infos].sort()], [query, [...infos].sort()]);
      assert.ok(answer.data.kind === 'vector' && answer.data.columns.labels.length > 0, query);
      assert.ok(
        answer.data.columns.labels.every((row) => !row.includes('__type__')),
        query,
      );
    }
  }
});

test('engine: what nodes read alike is read once, whether or not the nodes are the same', async () => {
  const cases: [query: string, asked: string[]][] = [
    ['m + m', ['last over 300000 ms']],
    ['m + (m offset 1m)', ['last over 300000 ms', 'last over 300000 ms']],
    ['quantile_over_time(time(), m[2m]) + predict_linear(m[2m], time())', ['samples of 120000 ms']],
    ['sum(rate(m[2m])) / (rate(m[2m]) or rate(m[2m] offset 0s))', ['rate over 120000 ms', 'rate over 120000 ms']],
  ];
  for (const [query, asked] of cases) {
    const source = new ListeningSource(sourceOf({ a: [1, 2], b: [3, 4] }));
    await engineOf(source).instant(query, 60_000);
    assert.deepEqual(source.asked, asked, query);
  }
});

test('engine: who asks is asked for only where somebody wants to know, or the query lasts', async () => {
  let times = 0;
  const client = () => {
    times++;
    return '192.0.2.1';
  };
  await engineOf(sourceOf({ a: [1, 2] }), { onEnd: () => {} }).instant('m', 60_000, { client });
  assert.equal(times, 0);

  // It waits for a place, and its client leaves meanwhile.
  const ended: string[] = [];
  const engine = engineOf(new StuckSource(), { concurrency: 1, onEnd: ({ client }) => ended.push(client) });
  const first = engine.instant('m', 0);
  let here = '192.0.2.2';
  const second = engine.instant('m', 0, { client: () => here });
  here = '';
  for (const { id } of engine.active()) engine.cancel(id);
  await Promise.allSettled([first, second]);
  assert.deepEqual(ended.sort(), ['', '192.0.2.2']);
});
