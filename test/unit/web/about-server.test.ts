// What the server tells of itself: notifications, blocks, its metrics as data, features, its own routes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Notices } from '../../../src/server/notices.js';
import { Registry } from '../../../src/telemetry/metrics.js';
import type { NotificationListener } from '../../../src/web/deps.js';
import { FakeClock } from '../../support/clock.js';
import { ENGINES } from '../../support/doors.js';
import { fakeDeps, openApp, withApp } from '../../support/web.js';

async function dataOf(fakes: Parameters<typeof withApp>[0], path: string): Promise<unknown> {
  let data: unknown;
  await withApp(fakes, async (app) => {
    const response = await app.fetch(`/api/v1${path}`);
    assert.equal(response.status, 200, path);
    data = ((await response.json()) as { data: unknown }).data;
  });
  return data;
}

test('notices: what holds is told once, what is over is told with the time it began', () => {
  const clock = new FakeClock(1000);
  const notices = new Notices(clock, 1);
  const told: string[] = [];
  const listener: NotificationListener = {
    tell: ({ text, sinceMs, active }) => told.push(`${text} ${sinceMs} ${active}`),
    close: () => told.push('closed'),
  };
  const leave = notices.subscribe(listener);
  assert.equal(notices.subscribe(listener), undefined, 'one listener at most');
  notices.add('a');
  clock.advance(5);
  notices.add('a');
  notices.add('b');
  notices.remove('a');
  notices.remove('a');
  notices.close();
  leave!();
  notices.add('c');
  assert.deepEqual(told, ['a 1000 true', 'b 1005 true', 'a 1000 false', 'closed']);
  assert.deepEqual(
    notices.active().map(({ text }) => text),
    ['b', 'c'],
  );
});

for (const engine of ENGINES) {
  test(`${engine}: notifications, as they are and as they come`, async () => {
    const notices = new Notices(new FakeClock(0), 1);
    notices.add('first');
    const notifications = {
      active: () => notices.active(),
      subscribe: (listener: NotificationListener) => notices.subscribe(listener),
    };
    const readiness = (() => 'starting') as never;
    const app = await openApp(fakeDeps({ notifications, readiness }), {}, engine);
    try {
      const list = await (await app.fetch('/api/v1/notifications')).text();
      const first = '{"text":"first","date":"1970-01-01T00:00:00Z","active":true}';
      assert.equal(list, `{"status":"success","data":[${first}]}`);
      const events = await app.fetch('/api/v1/notifications/live', { headers: { 'accept-encoding': 'gzip' } });
      assert.equal(events.headers.get('content-type'), 'text/event-stream');
      assert.equal(events.headers.get('content-encoding'), null);
      const reader = events.body!.getReader();
      const read = async () => new TextDecoder().decode((await reader.read()).value);
      assert.equal(await read(), `data: ${first}\n\n`);
      const busy = await app.fetch('/api/v1/notifications/live');
      assert.equal(busy.status, 204);
      notices.remove('first');
      assert.equal(await read(), `data: ${first.replace('true', 'false')}\n\n`);
      notices.close();
      assert.equal((await reader.read()).done, true);
      // Who has left makes room.
      const again = await app.fetch('/api/v1/notifications/live');
      assert.equal(again.status, 200);
      await again.body!.cancel();
      assert.deepEqual(app.errors, []);
    } finally {
      await app.close(0);
    }
  });
}

test('blocks are told as their descriptions say', async () => {
  const meta = '{"ulid":"01","minTime":1,"maxTime":2,"version":1}';
  assert.deepEqual(await dataOf({ storage: { blocks: () => [meta] } }, '/status/tsdb/blocks'), {
    blocks: [JSON.parse(meta)],
  });
});

test('metrics of ours as data', async () => {
  const registry = new Registry();
  registry.counter('a_total', 'A.').value = 3;
  registry.gauges('b', 'B.', 'x', 'y').with('1', '"').value = Number.NaN;
  registry.gauges('empty', 'E.', 'x');
  const histograms = registry.histograms('c', 'C.', [1, 2], 'le_not');
  for (const name of ['p', 'q']) histograms.with(name).observe(1.5);
  const fakes = { selfMetrics: (async () => registry.families()) as never };
  const label = (name: string, value: string) => ({ name, value });
  const histogram = (name: string) => ({
    label: [label('le_not', name)],
    histogram: {
      sampleCount: '1',
      sampleSum: 1.5,
      bucket: [
        { cumulativeCount: '0', upperBound: 1 },
        { cumulativeCount: '1', upperBound: 2 },
        { cumulativeCount: '1', upperBound: 'Infinity' },
      ],
    },
  });
  assert.deepEqual(await dataOf(fakes, '/status/self_metrics'), [
    { name: 'a_total', help: 'A.', type: 'COUNTER', metric: [{ counter: { value: 3 } }] },
    {
      name: 'b',
      help: 'B.',
      type: 'GAUGE',
      metric: [{ label: [label('x', '1'), label('y', '"')], gauge: { value: 'NaN' } }],
    },
    { name: 'c', help: 'C.', type: 'HISTOGRAM', metric: [histogram('p'), histogram('q')] },
  ]);
  const some = (await dataOf(fakes, '/status/self_metrics?metric_name_pattern=a_.*')) as { name: string }[];
  assert.deepEqual(
    some.map(({ name }) => name),
    ['a_total'],
  );
  await withApp(fakes, async (app) => {
    const bad = await app.fetch('/api/v1/status/self_metrics?metric_name_pattern=(');
    assert.equal(bad.status, 400);
  });
});

test('a summary of ours as data', async () => {
  const registry = new Registry();
  registry.summary('s', 'S.', {}).observe(2);
  const fakes = { selfMetrics: (async () => registry.families()) as never };
  const [family] = (await dataOf(fakes, '/status/self_metrics')) as { metric: { summary: { quantile: object[] } }[] }[];
  const { quantile, ...rest } = family!.metric[0]!.summary;
  assert.deepEqual(rest, { sampleCount: '1', sampleSum: 2 });
  assert.deepEqual(quantile[0], { quantile: 0.5, value: 2 });
});

test('features, by area and name', async () => {
  const features = () =>
    new Map([
      [
        'promql',
        new Map([
          ['b', false],
          ['a', true],
        ]),
      ],
    ]);
  assert.deepEqual(await dataOf({ status: { features } }, '/features'), { promql: { a: true, b: false } });
});

test('the document of routes has every one of them, once', async () => {
  await withApp({}, async (app) => {
    const response = await app.fetch('/api/v1/openapi.yaml');
    assert.equal(response.headers.get('content-type'), 'application/openapi+yaml; charset=utf-8');
    const document = JSON.parse(await response.text()) as { openapi: string; paths: Record<string, object> };
    assert.equal(document.openapi, '3.1.0');
    for (const path of [
      '/query',
      '/label/{name}/values',
      '/status/walreplay',
      '/notifications/live',
      '/search/label_names',
    ]) {
      assert.ok(document.paths[path] !== undefined, path);
    }
    assert.deepEqual(Object.keys(document.paths['/query']!), ['get', 'post']);
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    assert.equal(new Set(ids).size, ids.length);
    assert.equal((await app.fetch('/api/v1/openapi.yaml?openapi_version=2')).status, 400);
  });
});
