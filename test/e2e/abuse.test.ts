// Hostile input at the real doors: malformed remote writes, targets that misbehave, queries of death.
// Each is answered with the right status, and whoever behaves beside them notices nothing.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { encodeWrite, RemoteWriter, type Series, snappyLiterals } from '../support/remote-write.js';
import { eventually, freePort, instant, type Server, sleep, startNarthex } from '../support/servers.js';

/** What all the hostile targets together may make the process take: twice the goal, for two shards and a loaded machine. */
const PEAK_BYTES = 1024 * 2 ** 20;

let http: HttpServer;
let narthex: Server;

// --- Targets that misbehave, by path ---

const text = (response: ServerResponse, body: string | Buffer, headers: Record<string, string> = {}) => {
  response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4', ...headers });
  response.end(body);
};

function pour(response: ServerResponse, chunk: Buffer): void {
  if (response.destroyed) return;
  if (response.write(chunk)) setImmediate(() => pour(response, chunk));
  else response.once('drain', () => pour(response, chunk));
}

const gzipped = { 'Content-Encoding': 'gzip' };
const many = (count: number, line: (i: number) => string) =>
  `${Array.from({ length: count }, (_, i) => line(i)).join('\n')}\n`;
const MEBIBYTE = Buffer.alloc(2 ** 20, '# comment\n');
const widePage = many(100_000, (i) => `wide{number="${i}"} ${i}`);
const bomb = gzipSync(Buffer.alloc(300 * 2 ** 20, 0x20), { level: 9 });

const HOSTILE: Record<string, { up: 0 | 1; serve: (response: ServerResponse) => void }> = {
  infinite: { up: 0, serve: (response) => pour(response.writeHead(200, { 'Content-Type': 'text/plain' }), MEBIBYTE) },
  bomb: { up: 0, serve: (response) => text(response, bomb, gzipped) },
  lie: { up: 0, serve: (response) => text(response, 'up 1\n', gzipped) },
  cut: {
    up: 0,
    serve: (response) => text(response, gzipSync(many(1000, (i) => `a{b="${i}"} 1`)).subarray(0, 1000), gzipped),
  },
  never: { up: 0, serve: () => {} },
  slow: { up: 0, serve: (response) => void setInterval(() => response.write('a'), 100).unref() },
  header: {
    up: 0,
    serve: (response) => void response.socket!.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(900_000)}\r\n\r\n`),
  },
  junk: {
    up: 0,
    serve: (response) => text(response, Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + 65) & 255))),
  },
  utf8: { up: 0, serve: (response) => text(response, Buffer.from('a{b="\xff\xfe"} 1\n', 'latin1')) },
  half: { up: 0, serve: (response) => text(response, 'good 1\nbad{ 2\n') },
  status: { up: 0, serve: (response) => void response.writeHead(500).end('up 1\n') },
  empty: { up: 1, serve: (response) => text(response, '') },
  reset: { up: 0, serve: (response) => response.socket!.destroy() },
  notHttp: { up: 0, serve: (response) => void response.socket!.end('SSH-2.0-OpenSSH_9.6\r\n') },
  loop: { up: 0, serve: (response) => void response.writeHead(302, { Location: '/loop' }).end() },
  file: { up: 0, serve: (response) => void response.writeHead(302, { Location: 'file:///etc/passwd' }).end() },
  image: { up: 0, serve: (response) => void response.writeHead(200, { 'Content-Type': 'image/png' }).end('up 1\n') },
  wide: { up: 1, serve: (response) => text(response, widePage) },
  long: { up: 1, serve: (response) => text(response, `long{a="${'x'.repeat(4_000_000)}"} 1\n`) },
  labels: {
    up: 1,
    serve: (response) => text(response, `labels{${Array.from({ length: 5000 }, (_, i) => `l${i}="v"`).join()}} 1\n`),
  },
  twice: { up: 0, serve: (response) => text(response, 'twice{a="1",a="2"} 1\n') },
  proto: {
    up: 1,
    serve: (response) => text(response, '__proto__{__proto__="x",constructor="y"} 1\nhasOwnProperty 2\n'),
  },
  spoof: { up: 1, serve: (response) => text(response, 'up{job="modest",instance="me"} 0\nspoofed{job="modest"} 1\n') },
  times: { up: 1, serve: (response) => text(response, `future 1 ${Date.now() + 1e12}\npast 1 1\n`) },
};

before(async () => {
  const port = await freePort();
  http = createServer((request, response) => {
    const name = request.url!.slice(1);
    response.on('error', () => {});
    if (name === 'healthy')
      text(
        response,
        many(1000, (i) => `healthy{number="${i}"} ${i}`),
      );
    else HOSTILE[name]!.serve(response);
  });
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  http.unref();
  const jobs = ['healthy', ...Object.keys(HOSTILE)].map(
    (name) => `
  - job_name: ${name}
    metrics_path: /${name}
    static_configs: [{targets: ['127.0.0.1:${port}']}]`,
  );
  narthex = await startNarthex({
    config: `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:${jobs.join('')}
`,
    flags: ['--shards=2', '--web.enable-remote-write-receiver', '--query.timeout=2s'],
  });
});

after(async () => {
  await narthex?.stop();
  http.closeAllConnections();
  http.close();
});

const value = async (query: string) => Number((await instant(narthex.url, query))[0]?.value[1] ?? 'NaN');

function peakBytes(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${narthex.pid}/status`, 'utf8'))![1]) * 1024;
}

test('hostile targets are down and the healthy one misses nothing', { timeout: 60_000 }, async () => {
  // Of each target its best scrape, once each has had several.
  await eventually(async () => {
    assert.ok((await value('min(count_over_time(up{exported_job=""}[1m]))')) >= 6);
    const scraped = await instant(narthex.url, 'max_over_time(up{exported_job=""}[1m])');
    const health = new Map(scraped.map(({ metric, value }) => [metric.job, Number(value[1])]));
    const wrong = Object.entries(HOSTILE).filter(([name, { up }]) => health.get(name) !== up);
    assert.deepEqual(
      wrong.map(([name]) => `${name}: up ${health.get(name)}`),
      [],
    );
    // As often as the others, and well: only a machine that does other work may make it miss one.
    assert.ok((await value('sum_over_time(up{job="healthy"}[1m])')) >= 6);
  });
  assert.equal(await value('count({job="half",__name__="good"})'), Number.NaN, 'a bad page leaves nothing');
  assert.equal(await value('spoofed{job="spoof",exported_job="modest"}'), 1);
  assert.equal(await value('{job="proto",__proto__="x"}'), 1);
  assert.ok(peakBytes() < PEAK_BYTES, `peak ${Math.round(peakBytes() / 2 ** 20)} MiB`);
});

// --- Remote writes ---

const sample = (n = 1): [number, number] => [Date.now(), n];
const one = (...labels: string[]): Series => ({ labels, samples: [sample()] });
const good = snappyLiterals(encodeWrite([one('__name__', 'a', 'b', 'c')]));
const raw = encodeWrite([one('__name__', 'cut', 'b', 'c')]);

function malformed(): [what: string, body: Uint8Array][] {
  const bodies: [string, Uint8Array][] = [
    ['nothing', Buffer.alloc(0)],
    ['no name', snappyLiterals(encodeWrite([one('a', 'b')]))],
    ['an empty name', snappyLiterals(encodeWrite([one('__name__', '')]))],
    ['an empty label name', snappyLiterals(encodeWrite([one('__name__', 'a', '', 'b')]))],
    ['a label twice', snappyLiterals(encodeWrite([one('__name__', 'a', 'b', '1', 'b', '2')]))],
    ['two names', snappyLiterals(encodeWrite([one('__name__', 'a', '__name__', 'b')]))],
    ['a declared length of 2^32', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])],
    ['a declared length of 33 MB', Buffer.from([0x80, 0x80, 0x80, 0x10, 0])],
    ['a declared length of 2^63', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ['a copy from before the start', Buffer.from([8, 0x01, 0x09])],
    ['no snappy', raw],
  ];
  for (let at = 1; at < good.length; at += 2) bodies.push([`a block cut at ${at}`, good.subarray(0, at)]);
  // Cut between fields, it is a shorter request.
  for (let at = 1; at < raw.length; at += 2)
    bodies.push([`a message cut at ${at}`, snappyLiterals(raw.subarray(0, at))]);
  for (const tag of [0x0b, 0x0c, 0x0e, 0x0f, 0x00]) {
    bodies.push([`a field of tag ${tag}`, snappyLiterals(Buffer.concat([Buffer.from([tag, 1]), raw]))]);
  }
  return bodies;
}

test('malformed remote writes get 400 and a reason, and the writer beside them 204', async () => {
  const hostile = new RemoteWriter(narthex.url);
  const healthy = new RemoteWriter(narthex.url);
  const wrong: string[] = [];
  let n = 0;
  for (const [what, body] of malformed()) {
    const [bad, fine] = await Promise.all([
      hostile.send(body),
      healthy.write([{ labels: ['__name__', 'beside'], samples: [sample(++n)] }]),
    ]);
    if (bad.status !== 400 || bad.text.trim() === '') wrong.push(`${what}: ${bad.status} ${bad.text}`);
    if (fine.status !== 204 && fine.status !== 400) wrong.push(`beside ${what}: ${fine.status} ${fine.text}`);
    if (fine.status === 400 && !fine.text.includes('duplicate')) wrong.push(`beside ${what}: ${fine.text}`);
    await sleep(2);
  }
  hostile.close();
  healthy.close();
  assert.deepEqual(wrong, []);
  assert.ok(n > 40, `${n} bodies`);
});

// --- Requests of the API ---

const ABUSE: [params: Record<string, string>, status: number, error: RegExp, path?: string][] = [
  [{ query: `${'('.repeat(100_000)}1${')'.repeat(100_000)}` }, 400, /too long|too deep/],
  [{ query: '('.repeat(5000) }, 400, /nested too deeply|too deep/],
  [{ query: `${'-'.repeat(10_000)}1` }, 400, /./],
  [{ query: Array.from({ length: 20_000 }, () => '1').join('+') }, 400, /./],
  [{ query: 'x'.repeat(1_000_000) }, 400, /./],
  [{ query: `${'abs('.repeat(10_000)}x` }, 400, /./],
  [{ query: '' }, 400, /./],
  [{ query: 'sum(' }, 400, /1:\d+: parse error/],
  [{ query: 'up{a="b"' }, 400, /1:\d+: parse error/],
  [{ query: 'up[5m' }, 400, /1:\d+: parse error/],
  [{ query: 'up offset' }, 400, /1:\d+: parse error/],
  [{ query: '{}' }, 400, /at least one non-empty matcher/],
  [{ query: 'up{job=~"("}' }, 400, /./],
  [{ query: 'up{job=~"(a)\\\\1"}' }, 400, /./],
  [{ query: 'up{job=~"(?=a)"}' }, 400, /./],
  [{ query: `up{job=~"${'(a{1,1000}){1,1000}'}"}` }, 400, /./],
  [{ query: '\u0000' }, 400, /./],
  [{ query: 'nosuch(up)' }, 400, /unknown function/],
  [{ query: 'up', time: 'yesterday' }, 400, /invalid parameter "time"/],
  [{ query: 'up', time: '1e400' }, 400, /invalid parameter "time"/],
  [{ query: 'up', timeout: '-' }, 400, /invalid parameter "timeout"/],
  [{ query: 'up', lookback_delta: 'x' }, 400, /./],
  [
    { query: 'up', start: '0', end: '11001', step: '1' },
    400,
    /exceeded maximum resolution of 11,000 points/,
    'query_range',
  ],
  [{ query: 'up', start: '10', end: '0', step: '1' }, 400, /end timestamp must not be before start/, 'query_range'],
  [
    { query: 'up', start: '0', end: '10', step: '0' },
    400,
    /zero or negative query resolution step widths/,
    'query_range',
  ],
  [{ query: 'up', start: '0', end: '10', step: '-1' }, 400, /./, 'query_range'],
  [{ query: 'up', start: '0', end: '10' }, 400, /invalid parameter "step"/, 'query_range'],
  [{ query: 'up[5m]', start: '0', end: '10', step: '1' }, 400, /invalid expression type/, 'query_range'],
  [{ 'match[]': '{' }, 400, /parse error/, 'series'],
  [{ 'match[]': '' }, 400, /./, 'series'],
  [{}, 400, /no match\[\] parameter/, 'series'],
  [{ limit: '-1' }, 400, /./, 'labels'],
  [{ limit: '1e9999' }, 400, /./, 'labels'],
  [{ start: 'x' }, 400, /invalid parameter "start"/, 'labels'],
];

/** Answered, whatever the answer is, and before the test's own end. */
const HEAVY = [
  'count(count_over_time(wide[1y:10s]))',
  'sum_over_time(vector(1)[1y:1ms])',
  'sum(wide * on(number) group_left wide)',
  'topk(100000, wide)',
  'count({__name__=~".*"})',
  'count(wide{number=~"(.*)*(1|2|3)*x"})',
  'count(wide{number=~"(a+)+$"})',
  'label_replace(wide, "a", "$1", "number", "(.*)*(.*)")',
  'wide + wide + wide + wide + wide',
  'count_values("v", wide)',
];

test('abusive requests get the right status and type', { timeout: 60_000 }, async () => {
  const wrong: string[] = [];
  for (const [params, status, error, path = 'query'] of ABUSE) {
    const response = await fetch(`${narthex.url}/api/v1/${path}`, {
      method: 'POST',
      body: new URLSearchParams(params),
    });
    const body = await response.text();
    const about = `${path} ${JSON.stringify(params).slice(0, 60)}: ${response.status} ${body.slice(0, 200)}`;
    const answer = body.startsWith('{') ? (JSON.parse(body) as { errorType?: string; error?: string }) : {};
    if (response.status !== status || answer.errorType !== 'bad_data' || !error.test(answer.error ?? ''))
      wrong.push(about);
  }
  assert.deepEqual(wrong, []);
});

test('queries of death end in time, and scrapes and writes go on', { timeout: 60_000 }, async () => {
  const writer = new RemoteWriter(narthex.url);
  const scrapes = () => value('count_over_time(healthy{number="7"}[1h])');
  const before = await scrapes();
  const answers = Promise.all(
    HEAVY.map(async (query) => {
      const response = await fetch(`${narthex.url}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query }),
      });
      await response.arrayBuffer();
      return { query, status: response.status };
    }),
  );
  let done = false;
  void answers.finally(() => {
    done = true;
  });
  for (let n = 0; !done; n++) {
    const { status, text: said } = await writer.write([{ labels: ['__name__', 'under_load'], samples: [sample(n)] }]);
    assert.equal(status, 204, said);
    await sleep(20);
  }
  writer.close();
  const wrong = (await answers).filter(({ status }) => ![200, 400, 422, 503].includes(status));
  assert.deepEqual(wrong, []);
  await eventually(async () => assert.ok((await scrapes()) > before));
  assert.doesNotMatch(narthex.log(), /level=ERROR/);
});
