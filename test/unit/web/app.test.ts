// What is the same for all routes, and the routes outside of the JSON API.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import type { FederateQuery, RemoteWrite, WebDeps, WriteOutcome } from '../../../src/web/deps.js';
import { escapeHtml } from '../../../src/web/pages/index.js';
import { ENGINES } from '../../support/doors.js';
import { fakeDeps, NOW_MS, openApp, type TestApp, withApp } from '../../support/web.js';

/** fetch hides some headers from us and sends others of its own. */
function send(
  app: TestApp,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Uint8Array,
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port: app.port, method, path, headers, agent: false }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      reply.on('end', () => resolve({ status: reply.statusCode!, headers: reply.headers, body: text }));
      reply.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

test('every answer says nosniff', async () => {
  await withApp({}, async (app) => {
    for (const path of ['/', '/metrics', '/federate', '/-/ready', '/nothing', '/api/v1/labels', '/api/v1/series']) {
      assert.equal((await send(app, 'GET', path)).headers['x-content-type-options'], 'nosniff', path);
    }
  });
});

test('before the storage is ready only what needs none answers', async () => {
  const cases: [readiness: 'starting' | 'stopping', stopping: string][] = [
    ['starting', 'false'],
    ['stopping', 'true'],
  ];
  for (const [readiness, stopping] of cases) {
    await withApp({ readiness: () => readiness } as Partial<WebDeps>, async (app) => {
      const ready = await send(app, 'GET', '/-/ready');
      assert.equal(ready.status, 503);
      assert.equal(ready.headers['x-prometheus-stopping'], stopping);
      assert.deepEqual(JSON.parse(ready.body), { state: readiness, replay: { min: 0, max: 0, current: 0 } });
      for (const path of ['/federate?match[]=up', '/api/v1/query?query=1', '/api/v1/status/buildinfo']) {
        const reply = await send(app, 'GET', path);
        assert.equal(reply.status, 503, path);
        assert.equal(reply.body, 'Service Unavailable');
        assert.equal(reply.headers['x-prometheus-stopping'], stopping);
      }
      for (const path of [
        '/',
        '/-/healthy',
        '/metrics',
        '/version',
        '/api/v1/status/walreplay',
        '/api/v1/status/recovery',
      ]) {
        assert.equal((await send(app, 'GET', path)).status, 200, path);
      }
    });
  }
});

for (const prefix of ['/prometheus', 'prometheus', '/prometheus/']) {
  test(`the prefix ${prefix} is in front of every path`, async () => {
    await withApp(
      {},
      async (app) => {
        for (const path of [
          '/prometheus/-/ready',
          '/prometheus/api/v1/labels',
          '/prometheus/metrics',
          '/prometheus/',
        ]) {
          assert.equal((await send(app, 'GET', path)).status, 200, path);
        }
        for (const path of ['/-/ready', '/api/v1/labels', '/metrics', '/prometheusx/metrics', '//prometheus/metrics']) {
          assert.equal((await send(app, 'GET', path)).status, 404, path);
        }
        const root = await send(app, 'GET', '/');
        assert.deepEqual([root.status, root.headers.location], [302, '/prometheus/']);
        assert.match((await send(app, 'GET', '/prometheus')).body, /href="\/prometheus\/metrics"/);
      },
      { routePrefix: prefix },
    );
  });
}

/** `--web.cors.origin`, the origin that asks, and whether it may read. */
const origins: [pattern: string | undefined, origin: string, may: boolean][] = [
  [undefined, 'http://a', false],
  ['', 'http://a', false],
  ['.*', 'http://a', true],
  ['http://a', 'http://a', true],
  ['http://a', 'http://a.evil', false],
  ['http://a', 'https://http://a', false],
  ['https?://(a|b)\\.c', 'https://b.c', true],
];

for (const [pattern, origin, may] of origins) {
  test(`CORS: pattern ${pattern} and origin ${origin} → ${may}`, async () => {
    await withApp(
      {},
      async (app) => {
        for (const method of ['GET', 'OPTIONS']) {
          const { headers } = await send(app, method, '/api/v1/labels', { Origin: origin });
          assert.equal(headers['access-control-allow-origin'], may ? origin : undefined);
          assert.match(String(headers.vary), /Origin/);
        }
      },
      { corsOrigin: pattern },
    );
  });
}

/** Headers of a request that changes something, and whether it may. */
const sites: [name: string, headers: Record<string, string>, may: boolean][] = [
  ['no browser', {}, true],
  ['a page of ours', { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://h' }, true],
  ['typed by the user', { 'Sec-Fetch-Site': 'none' }, true],
  ['a page of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://evil' }, false],
  ['a page of a neighbour', { 'Sec-Fetch-Site': 'same-site' }, false],
  ['an old browser, our page', { Origin: 'http://h:9090', Host: 'h:9090' }, true],
  ['an old browser, another page', { Origin: 'http://evil', Host: 'h:9090' }, false],
  ['an old browser, a hidden origin', { Origin: 'null', Host: 'h:9090' }, false],
];

for (const [name, headers, may] of sites) {
  test(`a change asked for by ${name} is ${may ? 'made' : 'refused'}`, async () => {
    let reloads = 0;
    const lifecycle = {
      async reload() {
        reloads++;
      },
      quit: () => undefined,
    };
    await withApp({ lifecycle }, async (app) => {
      const reply = await send(app, 'POST', '/-/reload', headers);
      assert.equal(reply.status, may ? 200 : 403);
      assert.equal(reloads, may ? 1 : 0);
    });
  });
}

test('a reload that fails tells why', async () => {
  const lifecycle = { reload: () => Promise.reject(new Error('line 3: no such key')), quit: () => undefined };
  await withApp({ lifecycle }, async (app) => {
    const reply = await send(app, 'POST', '/-/reload');
    assert.deepEqual([reply.status, reply.body], [500, 'failed to reload config: line 3: no such key\n']);
  });
});

test('quit answers before the end begins', async () => {
  let quits = 0;
  const lifecycle = { reload: async () => undefined, quit: () => quits++ };
  await withApp({ lifecycle } as Partial<WebDeps>, async (app) => {
    const reply = await send(app, 'PUT', '/-/quit');
    assert.deepEqual([reply.status, reply.body, quits], [200, 'Requesting termination... Goodbye!', 1]);
  });
});

/** A receiver that notes what it is given. */
function receiver(outcome: WriteOutcome, room = true): { remoteWrite: RemoteWrite; log: string[] } {
  const log: string[] = [];
  const remoteWrite: RemoteWrite = {
    messages: ['prometheus.WriteRequest'],
    bodyBytesMax: 100,
    open() {
      const lent = new Uint8Array(new SharedArrayBuffer(200));
      return {
        reserve: () => (room ? lent : undefined),
        async store(bytes) {
          log.push(`store ${Buffer.from(lent.slice(0, bytes))}`);
          return outcome;
        },
        drop: () => void log.push('drop'),
      };
    },
  };
  return { remoteWrite, log };
}

const writes: [name: string, outcome: WriteOutcome, body: string, room: boolean, status: number, log: string[]][] = [
  ['stored', { kind: 'stored' }, 'body', true, 204, ['store body']],
  ['no body at all', { kind: 'bad', message: 'snappy: corrupt input' }, '', true, 400, ['store ']],
  ['bad', { kind: 'bad', message: 'out of order sample' }, 'body', true, 400, ['store body']],
  ['busy', { kind: 'busy', message: 'head is full', retryAfterSeconds: 5 }, 'body', true, 503, ['store body']],
  ['failed', { kind: 'failed', message: 'no space left on device' }, 'body', true, 500, ['store body']],
  ['too large', { kind: 'stored' }, 'x'.repeat(101), true, 413, ['drop']],
  ['without room', { kind: 'stored' }, 'body', false, 503, ['drop']],
];

for (const engine of ENGINES) {
  for (const [name, outcome, body, room, status, log] of writes) {
    test(`${engine}: remote write: ${name} → ${status}`, async () => {
      const given = receiver(outcome, room);
      const app = await openApp(fakeDeps({ remoteWrite: given.remoteWrite }), {}, engine);
      try {
        const headers = { 'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy' };
        const reply = await send(app, 'POST', '/api/v1/write', headers, Buffer.from(body));
        assert.equal(reply.status, status);
        assert.deepEqual(given.log, log);
        if ('message' in outcome && room) assert.equal(reply.body, `${outcome.message}\n`);
        assert.equal(reply.headers['retry-after'], status === 503 ? (room ? '5' : '1') : undefined);
      } finally {
        await app.close(0);
      }
    });
  }
}

test('remote write is not found where it is not enabled', async () => {
  await withApp({}, async (app) => {
    const reply = await send(app, 'POST', '/api/v1/write', {}, Buffer.from('x'));
    assert.equal(reply.status, 404);
    assert.match(reply.body, /--web\.enable-remote-write-receiver/);
  });
});

test('the version 2 of remote write is refused by name', async () => {
  await withApp({ remoteWrite: receiver({ kind: 'stored' }).remoteWrite }, async (app) => {
    const headers = { 'Content-Type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request' };
    const reply = await send(app, 'POST', '/api/v1/write', headers, Buffer.from('x'));
    assert.equal(reply.status, 415);
    const words = 'io.prometheus.write.v2.Request protobuf message is not accepted by this server';
    assert.equal(reply.body, `${words}; accepted [prometheus.WriteRequest]\n`);
  });
});

test('federate streams what the storage gives, for the selectors and the escaping asked for', async () => {
  const asked: FederateQuery[] = [];
  const piece = Buffer.from(`up{instance=""} 1 ${NOW_MS}\n`.repeat(1000));
  const storage = {
    async *federate(query: FederateQuery) {
      asked.push(query);
      for (let i = 0; i < 50; i++) yield piece;
    },
  };
  await withApp({ storage }, async (app) => {
    const headers = { Accept: 'text/plain;version=0.0.4;escaping=dots' };
    const reply = await send(app, 'GET', '/federate?match[]=up&match[]={job=~"a|b"}', headers);
    assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8; escaping=dots');
    assert.equal(reply.body, String(piece).repeat(50));
    const { selectors, nowMs, escaping } = asked[0]!;
    assert.deepEqual(
      { selectors, nowMs, escaping },
      {
        selectors: [[{ name: '__name__', op: '=', value: 'up' }], [{ name: 'job', op: '=~', value: 'a|b' }]],
        nowMs: NOW_MS,
        escaping: 'dots',
      },
    );
  });
});

test('federate that breaks off in the middle ends the connection, and is counted', async () => {
  const storage = {
    async *federate() {
      yield Buffer.alloc(100_000, 'x');
      throw new Error('the shard is gone');
    },
  };
  const app = await openApp(fakeDeps({ storage }));
  await assert.rejects(send(app, 'GET', '/federate?match[]=up'), /aborted|hang up/);
  const page = (await send(app, 'GET', '/metrics')).body;
  assert.match(page, /^prometheus_web_federation_errors_total 1$/m);
  assert.match(page, /^prometheus_web_federation_warnings_total 0$/m);
  assert.equal(String(app.errors[0]), 'Error: the shard is gone');
  await app.close(0);
});

test('federate that fails at once is an error', async () => {
  const storage = {
    // biome-ignore lint/correctness/useYield: it fails before there is anything to yield.
    async *federate(): AsyncGenerator<Uint8Array> {
      throw new Error('the shard is gone');
    },
  };
  const app = await openApp(fakeDeps({ storage }));
  assert.equal((await send(app, 'GET', '/federate?match[]=up')).status, 500);
  assert.equal(app.errors.length, 1);
  await app.close(0);
});

test('a federate client that leaves stops the storage', async () => {
  let stopped = false;
  const storage = {
    async *federate() {
      try {
        for (;;) yield Buffer.alloc(100_000, 'x');
      } finally {
        stopped = true;
      }
    },
  };
  await withApp({ storage }, async (app) => {
    const left = new AbortController();
    const reply = await app.fetch('/federate?match[]=up', { signal: left.signal });
    await reply.body!.getReader().read();
    left.abort();
    for (let tries = 0; tries < 200 && !stopped; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(stopped);
  });
});

test('requests are counted by handler and code', async () => {
  await withApp({}, async (app) => {
    await send(app, 'GET', '/api/v1/label/a/values');
    await send(app, 'GET', '/api/v1/label/b/values');
    await send(app, 'GET', '/api/v1/series');
    await send(app, 'GET', '/nothing');
    const page = (await send(app, 'GET', '/metrics')).body;
    assert.match(page, /^prometheus_http_requests_total\{code="200",handler="\/api\/v1\/label\/:name\/values"\} 2$/m);
    assert.match(page, /^prometheus_http_requests_total\{code="400",handler="\/api\/v1\/series"\} 1$/m);
    assert.match(page, /^prometheus_http_request_duration_seconds_count\{handler="\/api\/v1\/series"\} 1$/m);
    assert.match(page, /^prometheus_http_response_size_bytes_bucket\{handler="\/api\/v1\/series",le="100"\} 1$/m);
    assert.doesNotMatch(page, /nothing/);
  });
});

test('the version is the build as plain JSON', async () => {
  await withApp({}, async (app) => {
    assert.equal(JSON.parse((await send(app, 'GET', '/version')).body).version, '1.2.3');
    const { data } = JSON.parse((await send(app, 'GET', '/api/v1/status/buildinfo')).body);
    assert.equal(data.version, '1.2.3');
  });
});

test('what was lost at the start is told with its place and times', async () => {
  const loss = {
    what: 'log',
    path: 'data/wal/00000003',
    reason: 'checksum',
    outcome: 'mended',
    offset: 32768,
    bytes: 99,
  };
  const report = {
    startMs: 1000,
    endMs: 3500,
    figures: { series: 7 },
    losses: [{ ...loss, minTimeMs: 60_000, maxTimeMs: 120_500 }],
    malformed: ['segment 1, byte 7: "x"'],
  };
  const status = { recovery: () => report, walReplay: () => ({ min: 1, max: 3, current: 3 }) };
  await withApp({ status } as unknown as Partial<WebDeps>, async (app) => {
    const { data } = JSON.parse((await send(app, 'GET', '/api/v1/status/recovery')).body);
    assert.deepEqual(data, {
      state: 'done',
      startTime: '1970-01-01T00:00:01Z',
      seconds: 2.5,
      segments: { min: 1, max: 3, current: 3 },
      read: { series: 7 },
      lost: [{ ...loss, minTime: '1970-01-01T00:01:00Z', maxTime: '1970-01-01T00:02:00.5Z' }],
      malformed: report.malformed,
    });
  });
});

test('status pages show what they are given', async () => {
  const status = {
    flags: () =>
      new Map([
        ['b', '2'],
        ['__proto__', '1'],
      ]),
    configYaml: () => 'global: {}\n',
    walReplay: () => ({ min: 1, max: 3, current: 2 }),
  };
  const counts = [{ name: 'up', value: 3 }];
  const stats = async (limit: number) => ({
    series: limit,
    labelPairs: 2,
    chunks: 1,
    minTimeMs: 5,
    maxTimeMs: 6,
    seriesByMetricName: counts,
    valuesByLabelName: [],
    bytesByLabelName: [],
    seriesByLabelPair: [],
  });
  await withApp({ status, storage: { stats } }, async (app) => {
    const data = async (path: string) => JSON.parse((await send(app, 'GET', `/api/v1/status/${path}`)).body).data;
    assert.deepEqual(Object.entries(await data('flags')), [
      ['__proto__', '1'],
      ['b', '2'],
    ]);
    assert.deepEqual(await data('config'), { yaml: 'global: {}\n' });
    assert.deepEqual(await data('walreplay'), { min: 1, max: 3, current: 2 });
    const tsdb = await data('tsdb');
    assert.deepEqual(tsdb.headStats, { numSeries: 10, numLabelPairs: 2, chunkCount: 1, minTime: 5, maxTime: 6 });
    assert.deepEqual(tsdb.seriesCountByMetricName, counts);
    assert.equal((await data('tsdb?limit=7')).headStats.numSeries, 7);
    assert.equal((await data('tsdb?limit=99999')).headStats.numSeries, 10_000);
    const info = await data('runtimeinfo');
    assert.equal(info.serverTime, '2015-07-01T20:10:51.781Z');
    assert.equal(info.storageRetention, '15d');
  });
});

test('the front page links only to what is there, and runs nothing', async () => {
  await withApp({}, async (app) => {
    const page = await send(app, 'GET', '/');
    assert.match(String(page.headers['content-type']), /^text\/html/);
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/);
    assert.doesNotMatch(page.body, /<script|javascript:|\son\w+=/i);
    const links = [...page.body.matchAll(/href="([^"]+)"/g)].map((match) => match[1]!);
    assert.ok(links.length > 10);
    for (const link of links) assert.equal((await send(app, 'GET', link)).status, 200, link);
  });
});

test('text in pages cannot become markup', () => {
  assert.equal(escapeHtml(`<a href='x' id="y">&`), '&lt;a href=&#39;x&#39; id=&quot;y&quot;&gt;&amp;');
});

test('a form that is too large is refused', async () => {
  await withApp({}, async (app) => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = Buffer.alloc(10 * 1024 * 1024 + 1, 'a');
    const reply = await send(app, 'POST', '/api/v1/query', headers, body).catch((error) => error);
    // The answer may be lost when the rest of the body still flows in.
    assert.ok(reply instanceof Error || reply.status === 413);
  });
});
