// Start times beside a real Prometheus with the same feature: the same samples of 0 at the same times, in each format.
//
// What the targets count begins anew at moments that are the same for both, and every scrape tells the last of them.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { openMetricsPage, type PageFamily } from '../support/exposition-page.js';
import { missing, peerBinary } from '../support/peers.js';
import { protobufPage } from '../support/protobuf-page.js';
import { freePort, metricText, raw, type Server, sleep, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

/** How long what is counted lives. Scrapes come four times as often at least. */
const LIFE_MS = 3000;
const LIVES = 4;
const BEGIN_MS = Math.ceil(Date.now() / 1000) * 1000 + 7;

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const PAGES: Record<
  string,
  { readonly type: string; body(families: PageFamily[], nowMs: number): string | Uint8Array }
> = {
  openmetrics: { type: OPENMETRICS, body: openMetricsPage },
  /** All start times of a family behind all of its series: Prometheus finds that of the last metric alone. */
  gathered: { type: OPENMETRICS, body: (families) => gathered(openMetricsPage(families)) },
  /** Start times in front of what they are about: that of the metric before is found, and is none. */
  early: { type: OPENMETRICS, body: (families) => early(openMetricsPage(families)) },
  /** In the middle of a metric. */
  amid: {
    type: OPENMETRICS,
    body: (families) => openMetricsPage(families).replace(/^(.*_sum.*\n.*_count.*\n)(.*_created.*\n)/gm, '$2$1'),
  },
  protobuf: { type: PROTOBUF, body: protobufPage },
  'own-times': { type: OPENMETRICS, body: (families, nowMs) => openMetricsPage(timed(families, nowMs)) },
};
const PATHS = Object.keys(PAGES);

function families(nowMs: number): PageFamily[] {
  const createdMs = nowMs - ((nowMs - BEGIN_MS) % LIFE_MS);
  const value = nowMs - createdMs + 1;
  const native = { schema: 2, zeroThreshold: 0.001, positiveSpans: [[0, 1]], positive: [value] } as const;
  return [
    {
      name: 'requests',
      type: 'counter',
      metrics: [
        { labels: { code: '200' }, value, createdMs },
        { labels: { code: '404' }, value, createdMs: createdMs + 1 },
        { labels: { code: '500' }, value },
      ],
    },
    {
      name: 'latency_seconds',
      type: 'histogram',
      metrics: ['/a', '/b{}"'].map((path, i) => ({
        labels: { path },
        buckets: [
          [1, 1],
          [Infinity, value],
        ],
        sum: 1,
        count: value,
        createdMs: createdMs + 2 + i,
      })),
    },
    {
      name: 'rpc',
      type: 'summary',
      metrics: [{ quantiles: [[0.5, 3]], sum: 1, count: value, createdMs: createdMs + 5 }],
    },
    { name: 'dotted.name', type: 'counter', metrics: [{ labels: { 'a.b': 'c' }, value, createdMs: createdMs + 6 }] },
    { name: 'native', type: 'histogram', metrics: [{ count: value, sum: 1, native, createdMs: createdMs + 7 }] },
    {
      name: 'native_float',
      type: 'histogram',
      metrics: [{ count: value, sum: 1, native: { ...native, isFloat: true }, createdMs: createdMs + 8 }],
    },
    { name: 'level', type: 'gauge', metrics: [{ value }] },
    { name: 'level_created', type: 'gauge', metrics: [{ value: 5 }] },
  ];
}

function gathered(page: string): string {
  const families = page.split(/^(?=# )/m);
  const isCreated = (line: string) => /^\S*_created/.test(line);
  return families
    .map((family) => family.split(/(?<=\n)/))
    .flatMap((lines) => [...lines.filter((line) => !isCreated(line)), ...lines.filter(isCreated)])
    .join('');
}

function early(page: string): string {
  return page.replace(/^(requests_total.*\n)(requests_created.*\n)/gm, '$2$1');
}

/** Of a metric that is as old as it says, a while ago. */
function timed(all: readonly PageFamily[], nowMs: number): PageFamily[] {
  return all
    .map((family) => ({
      ...family,
      metrics: family.metrics.map((metric) => ({ ...metric, timeMs: nowMs - (nowMs % 100) })),
    }))
    .filter(({ type }) => type === 'counter') as PageFamily[];
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const page = PAGES[(request.url ?? '/').slice(1)];
  if (page === undefined) return void request.socket.destroy();
  const nowMs = Date.now();
  response.setHeader('Content-Type', page.type);
  response.end(page.body(families(nowMs), nowMs));
}

let narthex: Server;
let peer: Server;
let endMs = 0;

before(async () => {
  if (options.skip !== false) return;
  const http = createServer(answer);
  const port = await freePort();
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  http.unref();
  const config = (native: string) => `
global: {scrape_interval: 500ms, scrape_timeout: 500ms${native}}
scrape_configs:
${PATHS.map((path) => `  - {job_name: ${path}, metrics_path: /${path}, static_configs: [{targets: ['127.0.0.1:${port}']}]}`).join('\n')}
`;
  const flags = ['--enable-feature=created-timestamp-zero-ingestion'];
  [narthex, peer] = await Promise.all([
    startNarthex({ config: config(', scrape_native_histograms: true'), flags: [...flags, '--shards=2'] }),
    startPeer(prometheus!, { config: config(''), flags: [...flags, '--enable-feature=native-histograms'] }),
  ]);
  // From here on both see each life from its begin.
  const startMs = Date.now() + LIFE_MS;
  endMs = startMs + LIVES * LIFE_MS;
  fromMs = startMs - ((startMs - BEGIN_MS) % LIFE_MS);
  await sleep(endMs - Date.now());
});
let fromMs = 0;

after(async () => {
  await narthex?.stop();
  await peer?.stop();
});

/** The samples of 0, and the series that there are, by job. */
async function zeroesOf(url: string, job: string): Promise<Record<string, string[]>> {
  const found = await raw(url, `{job="${job}",__name__!~"up|scrape_.+"}[5m]`);
  const untilMs = fromMs + (LIVES - 1) * LIFE_MS;
  const isIn = (seconds: number) => seconds * 1000 >= fromMs && seconds * 1000 < untilMs;
  return Object.fromEntries(
    found
      .map(({ metric, values = [], histograms = [] }): [string, string[]] => [
        metricText(metric),
        [
          ...values.filter(([seconds, value]) => value === '0' && isIn(seconds)),
          ...histograms.filter(([seconds, value]) => (value as { count: string }).count === '0' && isIn(seconds)),
        ].map(([seconds]) => `${Math.round(seconds * 1000 - fromMs)}`),
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Series with a start time that can be found, of each page. */
const FOUND: Record<string, number> = { openmetrics: 18, protobuf: 16 };

for (const job of PATHS) {
  test(`${job}: the same series begin at the same times`, options, async () => {
    const want = await zeroesOf(peer.url, job);
    assert.deepEqual(await zeroesOf(narthex.url, job), want);
    const started = Object.values(want).filter((times) => times.length === LIVES - 1);
    assert.ok(started.length > 1, `${started.length} series have each of their begins`);
    if (job in FOUND) assert.equal(started.length, FOUND[job]);
  });
}
