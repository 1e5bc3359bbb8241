// The same samples in Narthex and in a real Prometheus, by remote write; then the same questions to both
// over HTTP: the same JSON, but for the last bits of sums.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { missing, peerBinary } from '../support/peers.js';
import { type Series, writeAll } from '../support/remote-write.js';
import { type Metric, metricText, type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };
const STALE = 0x7ff0000000000002n;
const STEP_MS = 15_000;
const STEPS = 120;
const END_MS = Math.floor(Date.now() / 60_000) * 60_000;
const START_MS = END_MS - STEPS * STEP_MS;

type Sample = readonly [timeMs: number, value: number | bigint];

/** Counters with resets, gauges with gaps, classic histograms, series that end and come back. */
function given(random: Prng): Series[] {
  const series: Series[] = [];
  const add = (labels: Record<string, string>, sampleAt: (step: number) => number | bigint | undefined) => {
    const shiftMs = random.int(STEP_MS);
    const samples: Sample[] = [];
    for (let step = 0; step < STEPS; step++) {
      const value = sampleAt(step);
      if (value !== undefined) samples.push([START_MS + step * STEP_MS + shiftMs, value]);
    }
    const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
    series.push({ labels: sorted.flat(), samples });
  };
  for (let i = 0; i < 40; i++) {
    const labels = { job: `j${i % 3}`, instance: `host-${i}`, zone: i % 2 === 0 ? 'eu' : 'us' };
    let count = random.int(1000);
    let errors = 0;
    add({ __name__: 'requests_total', ...labels }, () => {
      count = random.float() < 0.02 ? random.int(3) : count + random.int(50);
      return random.float() < 0.05 ? undefined : count;
    });
    add({ __name__: 'errors_total', ...labels, code: `50${i % 4}` }, () => {
      errors += random.float() < 0.1 ? 1 : 0;
      return errors;
    });
    let level = random.float() * 100;
    add({ __name__: 'level', ...labels }, (step) => {
      level += random.float() * 10 - 5;
      if (i % 8 === 3 && step > 40 && step < 70) return step === 41 ? STALE : undefined;
      return i % 10 === 0 && step % 30 === 7 ? Number.NaN : level;
    });
    const totals = [0, 0, 0, 0];
    for (const [bucket, le] of ['0.1', '0.5', '2.5', '+Inf'].entries()) {
      add({ __name__: 'latency_bucket', ...labels, le }, () => {
        totals[bucket]! += random.int(5);
        return totals.slice(0, bucket + 1).reduce((sum, n) => sum + n, 0);
      });
    }
  }
  return series;
}

const QUERIES = [
  'requests_total',
  'level > 50',
  'level{zone="eu",job=~"j[01]"} offset 5m',
  'level @ end()',
  'rate(requests_total[5m])',
  'increase(requests_total[2m])',
  'irate(requests_total[1m])',
  'delta(level[10m])',
  'idelta(level[1m])',
  'deriv(level[10m])',
  'predict_linear(level[10m], 600)',
  'changes(requests_total[10m])',
  'resets(requests_total[10m])',
  'avg_over_time(level[5m])',
  'sum_over_time(level[5m])',
  'min_over_time(level[5m])',
  'max_over_time(level[5m])',
  'count_over_time(level[5m])',
  'stddev_over_time(level[5m])',
  'quantile_over_time(0.9, level[5m])',
  'last_over_time(level[5m])',
  'present_over_time(level[5m])',
  'absent(nothing{a="b"})',
  'absent_over_time(level{instance="host-3"}[3m])',
  'sum(rate(requests_total[5m]))',
  'sum by (job) (rate(requests_total[5m]))',
  'sum without (instance, zone) (rate(requests_total[5m]))',
  'avg by (zone) (level)',
  'min by (zone, job) (level)',
  'max without (instance) (level)',
  'count by (job) (level > 20)',
  'group by (zone) (level)',
  'stddev by (job) (level)',
  'stdvar by (job) (requests_total)',
  'quantile by (job) (0.5, requests_total)',
  'topk(3, requests_total)',
  'bottomk by (job) (2, requests_total)',
  'count_values("v", round(errors_total, 10))',
  'histogram_quantile(0.99, sum by (job, le) (rate(latency_bucket[5m])))',
  'histogram_quantile(0.5, latency_bucket)',
  'sum by (job) (errors_total) / sum by (job) (requests_total)',
  'errors_total / ignoring (code) requests_total',
  'requests_total - on (instance) group_left () sum by (instance) (errors_total)',
  'level > bool on (instance) requests_total / 100',
  'level and on (instance) (requests_total > 2000)',
  'level unless on (zone) level{zone="us"}',
  'level{job="j0"} or requests_total{job="j1"}',
  'label_replace(level, "host", "$1", "instance", "host-(.*)")',
  'label_join(level, "where", "/", "zone", "instance")',
  'sort_desc(sum by (instance) (requests_total))',
  'clamp(level, 10, 60)',
  'round(level, 0.5)',
  'abs(level - 50) ^ 2',
  'time() - timestamp(level)',
  'scalar(sum(level{job="j1"})) * 2',
  'vector(1) + on () group_right () level',
  'max_over_time(rate(requests_total[1m])[10m:1m])',
  'sum_over_time(sum by (job) (level)[5m:])',
  'minute() + hour(vector(0))',
  '-level % 7',
  'level[2m]',
  'requests_total[40s] offset 1m',
  '{__name__=~"level|errors_total",zone!="eu",instance=~".*5"}',
];

let narthex: Server | undefined;
let peer: Server | undefined;

before(async () => {
  if (prometheus === undefined) return;
  const flags = ['--web.enable-remote-write-receiver'];
  narthex = await startNarthex({ flags: [...flags, '--shards=3'] });
  peer = await startPeer(prometheus, { flags });
  const series = given(new Prng(20261121));
  for (const { url } of [narthex, peer]) {
    for (let at = 0; at < series.length; at += 100) await writeAll(url, series.slice(at, at + 100));
  }
});

after(() => Promise.all([narthex?.stop(), peer?.stop()]));

interface Answer {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly data?: { readonly resultType: string; readonly result: unknown };
}

async function ask(server: Server, path: string, params: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${server.url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(params) });
  return (await response.json()) as Answer;
}

interface Row {
  readonly metric: Metric;
  readonly value?: [number, string];
  readonly values?: [number, string][];
}

/** Rows in an order of their own where the language promises none; that of a sort is looked at here. */
function rowsOf(answer: Answer, query: string): Row[] | unknown {
  const { resultType, result } = answer.data!;
  if (resultType === 'scalar' || resultType === 'string') return result;
  const rows = result as Row[];
  if (resultType === 'matrix') return rows;
  const byMetric = [...rows].sort((a, b) => (metricText(a.metric) < metricText(b.metric) ? -1 : 1));
  if (!query.startsWith('sort_desc')) return byMetric;
  const values = rows.map(({ value }) => Number(value![1]));
  assert.deepEqual(
    values,
    [...values].sort((a, b) => b - a),
    query,
  );
  // Equal values are in any order.
  return byMetric.sort((a, b) => Number(b.value![1]) - Number(a.value![1]));
}

/** Every number near its like: sums over shards are in another order. */
function assertAlike(got: unknown, want: unknown, path: string): void {
  if (typeof want === 'string' && typeof got === 'string' && got !== want && !Number.isNaN(Number(want))) {
    const [a, b] = [Number(got), Number(want)];
    assert.ok(Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(b), 1e-3), `${path}: ${got}, want ${want}`);
  } else if (Array.isArray(want) && Array.isArray(got)) {
    assert.equal(got.length, want.length, path);
    want.forEach((item, i) => {
      assertAlike(got[i], item, `${path}[${i}]`);
    });
  } else if (typeof want === 'object' && want !== null) {
    assert.deepEqual(Object.keys(got as object), Object.keys(want), path);
    for (const [key, value] of Object.entries(want)) assertAlike((got as Metric)[key], value, `${path}.${key}`);
  } else assert.equal(got, want, path);
}

const answers = { full: 0, empty: 0 };

async function compare(path: string, query: string, params: Record<string, string>): Promise<void> {
  const [got, want] = await Promise.all([narthex!, peer!].map((server) => ask(server, path, { query, ...params })));
  const where = `${path} ${query} ${JSON.stringify(params)}`;
  assert.equal(got!.status, want!.status, `${where}: ${got!.error}, want ${want!.error}`);
  if (want!.data === undefined) assert.deepEqual([got!.errorType, got!.error], [want!.errorType, want!.error], where);
  else {
    assert.equal(got!.data?.resultType, want!.data.resultType, where);
    const rows = rowsOf(want!, query);
    assertAlike(rowsOf(got!, query), rows, where);
    answers[Array.isArray(rows) && rows.length > 0 ? 'full' : 'empty']++;
  }
}

for (const query of QUERIES) {
  test(`both answer alike: ${query}`, options, async () => {
    for (const time of [END_MS, END_MS - 613_500, START_MS + 45_000]) {
      await compare('query', query, { time: `${time / 1000}` });
    }
    for (const step of ['60', '7.5']) {
      const start = step === '60' ? START_MS : END_MS - 300_000;
      await compare('query_range', query, { start: `${start / 1000}`, end: `${END_MS / 1000}`, step });
    }
  });
}

test('both list the same names, values and series', options, async () => {
  const range = { start: `${START_MS / 1000}`, end: `${END_MS / 1000}` };
  for (const [path, params] of [
    ['labels', {}],
    ['labels', { 'match[]': 'errors_total' }],
    ['labels', { limit: '2' }],
    ['label/__name__/values', {}],
    ['label/le/values', {}],
    ['label/instance/values', { 'match[]': 'level{zone="eu",job="j1"}' }],
    ['label/nothing/values', {}],
    ['label/instance/values', { limit: '3' }],
    ['series', { 'match[]': '{job="j2",zone=~"e."}' }],
    ['series', { 'match[]': 'latency_bucket{le="+Inf"}', limit: '5' }],
    ['series', { 'match[]': 'nothing' }],
  ] as const) {
    const [got, want] = await Promise.all(
      [narthex!, peer!].map(async ({ url }) => {
        const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams({ ...range, ...params })}`);
        const body = (await response.json()) as { status: string; data: (string | Metric)[]; warnings?: string[] };
        const data = body.data.map((item) => (typeof item === 'string' ? item : metricText(item)));
        // Which of them a limit leaves is not promised.
        return { ...body, data: 'limit' in params ? data.length : data.sort() };
      }),
    );
    assert.deepEqual(got, want, `${path} ${JSON.stringify(params)}`);
  }
});

test('the comparison compares something', options, () => {
  assert.ok(answers.full > 0.9 * (answers.full + answers.empty), JSON.stringify(answers));
});
