// Policies on a running server: old series go or become coarse, queries go on, and a real Prometheus reads what is left.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Ten days ago, aligned. */
const OLD = Math.floor((Date.now() - 10 * DAY) / (6 * HOUR)) * 6 * HOUR;
const STEP_MS = 15_000;
const SAMPLES = 1440;

const folder = emptyFolder();

const POLICIES = `policies:
- {match: '{__name__="debug"}', retention: 1d}
- {match: '{__name__=~"requests_total|load"}', downsample: [{after: 1d, resolution: 5m}]}
`;

function text(): string {
  const prng = new Prng(5);
  const lines: string[] = [];
  const add = (series: string, valueOf: (i: number) => number) => {
    for (let i = 0; i < SAMPLES; i++) lines.push(`${series} ${valueOf(i)} ${(OLD + i * STEP_MS) / 1000}`);
  };
  for (const job of ['a', 'b']) {
    let count = 0;
    add(`requests_total{job="${job}"}`, (i) => (count = i % 317 === 316 ? 0 : count + prng.int(10)));
    add(`load{job="${job}"}`, () => prng.int(1000) / 8);
  }
  add('debug', (i) => i);
  add('other', (i) => i);
  // So that the others are old.
  lines.push(`newest 1 ${(OLD + 3 * DAY) / 1000}`);
  return `${lines.join('\n')}\n# EOF\n`;
}

type Values = Record<string, number>;

async function query(server: Server, expr: string, timeMs: number): Promise<Values> {
  const params = new URLSearchParams({ query: expr, time: String(timeMs / 1000) });
  const answer = (await (await fetch(`${server.url}/api/v1/query?${params}`)).json()) as {
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    warnings?: string[];
  };
  assert.equal(answer.warnings, undefined);
  return Object.fromEntries(answer.data.result.map(({ metric, value }) => [metric.job ?? '', Number(value[1])]));
}

const near = (got: Values, want: Values, share: number) => {
  assert.deepEqual(Object.keys(got).sort(), Object.keys(want).sort());
  for (const job of Object.keys(want)) {
    assert.ok(
      Math.abs(got[job]! - want[job]!) <= share * Math.abs(want[job]!),
      `${job}: ${got[job]}, not ${want[job]}`,
    );
  }
};

/** Whole windows of five minutes: a range leaves its first moment out. */
const END = OLD + 5 * HOUR - 1;
const EXACT = ['min', 'max', 'count'].map((name) => `${name}_over_time(load[4h])`);
const CLOSE = ['sum_over_time(load[4h])', 'avg_over_time(load[4h])', 'sum by (job) (sum_over_time(load[2h]))'];
const RATES = ['increase(requests_total[4h])', 'rate(requests_total[1h])', 'increase(requests_total[2h])'];

async function eventually(action: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await action();
    } catch (error) {
      if (tries === 150) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

test('downsampling: queries before and behind, and in a real Prometheus', { timeout: 120_000 }, async () => {
  const data = join(folder, 'data');
  const file = join(folder, 'policies.yml');
  writeFileSync(file, 'policies: []\n');
  const flags = ['--web.enable-admin-api', '--web.enable-lifecycle', '--storage.tsdb.retention.time=1y'];
  const own = [`--storage.policies-file=${file}`, '--storage.tsdb.block-reload-interval=1s'];
  const server = await startNarthex({ data, flags: [...flags, ...own] });
  try {
    const sent = await fetch(`${server.url}/api/v1/import`, { method: 'POST', body: text() });
    assert.equal(sent.status, 200, await sent.text());
    const before = new Map<string, Values>();
    for (const expr of [...EXACT, ...CLOSE, ...RATES, 'count_over_time(other[6h])'])
      before.set(expr, await query(server, expr, END));
    assert.equal(Object.keys(await query(server, 'count_over_time(debug[6h])', END)).length, 1);

    writeFileSync(file, 'policies: [{match: up}]\n');
    assert.equal(
      (await fetch(`${server.url}/-/reload`, { method: 'POST' })).status,
      500,
      'bad policies change nothing',
    );
    const preview = async (body: string) => {
      const answer = await fetch(`${server.url}/api/v1/admin/tsdb/preview_policies`, { method: 'POST', body });
      return {
        status: answer.status,
        body: (await answer.json()) as { data: { series: number; samples: number; samplesLeft: number }[] },
      };
    };
    assert.equal((await preview('policies: [{}]')).status, 400);
    const foreseen = (await preview(POLICIES)).body.data;
    assert.equal(foreseen[0]!.samples, SAMPLES);
    assert.equal(foreseen[0]!.samplesLeft, 0);
    assert.equal(foreseen[1]!.samples, 4 * SAMPLES);
    assert.ok(foreseen[1]!.samplesLeft < SAMPLES);
    writeFileSync(file, POLICIES);
    assert.equal((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status, 200);
    await eventually(async () => {
      assert.deepEqual(await query(server, 'count_over_time(debug[6h])', END), {});
      const left = await query(server, 'count(last_over_time(load[5m]))', END);
      assert.deepEqual(left, { '': 2 });
      const raw = (await (
        await fetch(
          `${server.url}/api/v1/query?${new URLSearchParams({ query: 'load[6h]', time: String(END / 1000) })}`,
        )
      ).json()) as {
        data: { result: { values: unknown[] }[] };
      };
      for (const { values } of raw.data.result) assert.ok(values.length < 70, `${values.length} samples`);
    });
    for (const expr of [...EXACT, 'count_over_time(other[6h])'])
      assert.deepEqual(await query(server, expr, END), before.get(expr), expr);
    for (const expr of CLOSE) near(await query(server, expr, END), before.get(expr)!, 1e-9);
    for (const expr of RATES) near(await query(server, expr, END), before.get(expr)!, 0.04);
    // Windows that cut aggregates take their share.
    near(
      await query(server, 'sum_over_time(load[1h])', END - 123_456),
      await query(server, 'sum_over_time(load[1h])', END - 123_456),
      0,
    );
    const own = await query(server, 'increase(requests_total[4h])', END);
    await server.end('SIGTERM');
    if (prometheus === undefined) return console.log(missing('prometheus'));
    const copy = join(folder, 'copy');
    cpSync(data, copy, { recursive: true });
    mkdirSync(join(copy, 'wal'), { recursive: true });
    const peer = await startPeer(prometheus, { data: copy, flags: ['--storage.tsdb.retention.time=1y'] });
    try {
      assert.deepEqual(await query(peer, 'increase(requests_total[4h])', END), own);
      assert.deepEqual(await query(peer, 'count_over_time(debug[6h])', END), {});
      assert.deepEqual(await query(peer, 'count_over_time(other[6h])', END), before.get('count_over_time(other[6h])'));
    } finally {
      await peer.stop();
    }
  } finally {
    await server.stop();
  }
});
