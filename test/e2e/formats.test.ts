// One target in each format, scraped by Narthex and by a real Prometheus: the same series, samples, stale markers,
// metadata and exemplars.
//
// A page is a function of how often that client asked on that path; what is compared is what was seen by page.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { openMetricsPage, type PageFamily } from '../support/exposition-page.js';
import { missing, peerBinary } from '../support/peers.js';
import { protobufPage } from '../support/protobuf-page.js';
import {
  api,
  eventually,
  freePort,
  type Metric,
  metricText,
  raw,
  type Server,
  startNarthex,
  startPeer,
} from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

const LAST_PAGE = 14;
/** Of the metrics and exemplars with times of their own. */
const START_MS = Math.floor(Date.now() / 1000) * 1000 - 60_000;

interface Format {
  readonly contentType: string;
  body(n: number): string | Uint8Array;
}

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0';

const FORMATS: Record<string, Format> = {
  openmetrics: {
    contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    body: (n) => openMetricsPage(page(n)),
  },
  'openmetrics-old': {
    contentType: 'application/openmetrics-text; version=0.0.1',
    body: (n) => openMetricsPage(page(n)),
  },
  'openmetrics-broken': {
    contentType: 'application/openmetrics-text; version=1.0.0',
    body: (n) => openMetricsPage(page(n)).slice(0, n % 5 === 0 ? -1 : n % 5 === 3 ? -7 : undefined),
  },
  protobuf: {
    contentType: PROTOBUF,
    body: (n) => protobufPage([...page(n), ...natives(n)]),
  },
  /** Native histograms with their buckets, too. */
  'protobuf-classic': {
    contentType: PROTOBUF,
    body: (n) => protobufPage([...page(n), ...natives(n)]),
  },
  'protobuf-broken': {
    contentType: PROTOBUF,
    body: (n) => protobufPage([...page(n), ...natives(n)]).subarray(0, n % 5 === 0 ? -1 : undefined),
  },
  /** Classic histograms become native ones, and stay besides, or not. */
  'text-custom': { contentType: 'text/plain; version=0.0.4', body: plainText },
  'openmetrics-custom': { contentType: OPENMETRICS, body: withoutCreated },
  'openmetrics-custom-classic': { contentType: OPENMETRICS, body: withoutCreated },
  'protobuf-custom': { contentType: PROTOBUF, body: withoutGauge },
  'protobuf-custom-classic': { contentType: PROTOBUF, body: withoutGauge },
  /** Native ones with fewer buckets than were sent. */
  'protobuf-limited': { contentType: PROTOBUF, body: (n) => protobufPage([...page(n), ...natives(n)]) },
  'protobuf-coarse': { contentType: PROTOBUF, body: (n) => protobufPage([...page(n), ...natives(n)]) },
  /** In turns in one format and another: its series go on. */
  turns: {
    contentType: '',
    body: (n) => openMetricsPage(page(n)),
  },
};
const PATHS = Object.keys(FORMATS);

// --- The target ---

function page(n: number): PageFamily[] {
  const trace = (more: string) => ({ trace_id: `${n}-${more}`, what: 'a "quoted" one' });
  return [
    { name: 'page', type: 'gauge', metrics: [{ value: n }] },
    {
      name: 'requests',
      type: 'counter',
      help: 'Requests,\nwith a \\ and "quotes".',
      metrics: [
        { labels: { code: '200' }, value: 10 * n, exemplar: { labels: { trace_id: `${n}` }, value: n / 2 } },
        {
          labels: { code: '500' },
          value: Math.floor(n / 3),
          createdMs: START_MS,
          exemplar: { labels: { trace_id: `e${n >> 1}` }, value: n >> 1, timeMs: START_MS + (n >> 1) * 500 },
        },
        ...(n % 4 < 2 ? [{ labels: { code: '404' }, value: n }] : []),
      ],
    },
    {
      name: 'latency_seconds',
      type: 'histogram',
      unit: 'seconds',
      metrics: [
        {
          labels: { path: '/a{b}#c' },
          buckets: [
            [0.1, n, { labels: { trace_id: `fast ${n}` }, value: 0.05, timeMs: START_MS + n * 250 }],
            [1, 2 * n, n % 2 === 0 ? undefined : { labels: {}, value: 0.7 }],
            [10, 3 * n],
            [Infinity, 4 * n, { labels: { trace_id: `same` }, value: 12 }],
          ],
          sum: 0.7 * n,
          count: 4 * n,
        },
      ],
    },
    {
      name: 'sizes',
      type: 'gaugehistogram',
      metrics: [
        {
          buckets: [
            [1, n],
            [Infinity, 2 * n],
          ],
          sum: -n,
          count: 2 * n,
        },
      ],
    },
    {
      name: 'rpc',
      type: 'summary',
      metrics: [
        {
          quantiles: [
            [0.5, n],
            [1, NaN],
          ],
          sum: n,
          count: n,
          createdMs: START_MS + n,
        },
      ],
    },
    { name: 'build', type: 'info', metrics: [{ labels: { version: `${n >> 2}` } }] },
    {
      name: 'state',
      type: 'stateset',
      metrics: [
        { labels: { state: 'on' }, value: n % 2 },
        { labels: { state: 'off' }, value: 1 - (n % 2) },
      ],
    },
    {
      name: 'dotted.name',
      type: 'gauge',
      help: 'UTF-8 žluťoučký 🐎',
      metrics: [{ labels: { 'label.name': 'žluťoučký 🐎' }, value: n }, { value: -Infinity }],
    },
    {
      name: 'explicit',
      type: 'untyped',
      metrics: [{ value: 1.5 * n, timeMs: START_MS + 250 * n, exemplar: { labels: trace('late'), value: 1 } }],
    },
    { name: 'moves', type: 'gauge', metrics: [{ labels: { n: `${n}` }, value: n }] },
  ].sort((a, b) => (n % 5 === 4 ? (a.name < b.name ? 1 : -1) : 0)) as PageFamily[];
}

/** What only protobuf can say. */
function natives(n: number): PageFamily[] {
  return [
    {
      name: 'native_seconds',
      type: 'histogram',
      help: 'Native.',
      metrics: [
        {
          labels: { path: '/a"b\\c' },
          count: 10 * n + 3,
          sum: 1.5 * n,
          buckets: [
            [1, n],
            [5, 2 * n, { labels: { trace_id: `b${n}` }, value: 3, timeMs: START_MS + n }],
          ],
          native: {
            schema: 3,
            zeroThreshold: 2.938735877055719e-39,
            zeroCount: 3,
            positiveSpans: [
              [-2, 2],
              [n % 3, 2],
            ],
            positive: [n, 2 * n, 3 * n, 0],
            negativeSpans: [[4, 1]],
            negative: [4 * n],
            exemplars: [
              { labels: { trace_id: `late ${n}` }, value: 2, timeMs: START_MS + 500 * n },
              { labels: { trace_id: `early ${n}` }, value: 2, timeMs: START_MS + 500 * n - 100 },
              { labels: { trace_id: `no time ${n}` }, value: 2 },
            ],
          },
        },
        ...(n % 4 < 2
          ? [
              {
                labels: { path: '/gone' },
                count: n,
                sum: n,
                native: { schema: 0, positiveSpans: [[0, 1]], positive: [n] } as const,
              },
            ]
          : []),
      ],
    },
    { name: 'classic_seconds', type: 'histogram', metrics: [{ count: n, sum: n, buckets: [[1, n]] }] },
    {
      name: 'native_gauge',
      type: 'gaugehistogram',
      metrics: [
        {
          count: 2.5 * n,
          sum: -n,
          native: { schema: -1, positiveSpans: [[0, 2]], positive: [n, 1.5 * n], isFloat: true },
        },
        { labels: { drop: 'me' }, count: n, sum: n, native: { schema: 0, positiveSpans: [[0, 1]], positive: [n] } },
      ],
    },
  ];
}

const asked = new Map<string, number>();
let target = '';
let narthex: Server;
let peer: Server;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const client = request.headers['user-agent']?.startsWith('Prometheus/') ? 'prometheus' : 'narthex';
  const path = (request.url ?? '/').slice(1);
  const format = FORMATS[path];
  if (format === undefined) return void request.socket.destroy();
  const key = `${client} ${path}`;
  const n = (asked.get(key) ?? 0) + 1;
  asked.set(key, n);
  if (n > LAST_PAGE) return void request.socket.destroy();
  response.setHeader('Content-Type', format.contentType);
  if (path === 'turns') response.setHeader('Content-Type', n % 2 === 0 ? TURNS[0]! : TURNS[1]!);
  response.end(path === 'turns' && n % 2 === 0 ? plainText(n) : format.body(n));
}

const TURNS = ['text/plain; version=0.0.4', 'application/openmetrics-text; version=1.0.0'];

/** Prometheus 3.5 loses some of them when it converts histograms; 3.14 does not. */
function withoutCreated(n: number): string {
  return openMetricsPage(page(n)).replace(/^\w+_created.*\n/gm, '');
}

/** Prometheus 3.5 does not convert a histogram of gauges; 3.14 does, of protobuf. */
function withoutGauge(n: number): Uint8Array {
  return protobufPage([...page(n), ...natives(n)].filter(({ name }) => name !== 'sizes'));
}

/** The lines of a page that are text, too. */
function plainText(n: number): string {
  return openMetricsPage(page(n))
    .split('\n')
    .map((line) => line.replace(/ # \{.*/, ''))
    .map((line) => line.replace('gaugehistogram', 'gauge'))
    .filter((line) => /^# TYPE .* (histogram|summary|gauge)$|^(?!#|explicit)/.test(line))
    .join('\n');
}

function pagesOf(client: string): number {
  return Math.min(...PATHS.map((path) => asked.get(`${client} ${path}`) ?? 0));
}

function config(nativeKey: string): string {
  const jobs = PATHS.map(
    (path) =>
      `  - {job_name: ${path}, metrics_path: /${path}, static_configs: [{targets: ['${target}']}],
     always_scrape_classic_histograms: ${path.endsWith('-classic')},
     convert_classic_histograms_to_nhcb: ${path.includes('-custom')},
     native_histogram_bucket_limit: ${path === 'protobuf-limited' ? 3 : 0},
     native_histogram_min_bucket_factor: ${path === 'protobuf-coarse' ? 1.5 : 0},
     metric_relabel_configs: [{action: drop, source_labels: [__name__, state], regex: 'state;off'}, {action: drop, source_labels: [drop], regex: me}]}`,
  );
  return `
global: {scrape_interval: 500ms, scrape_timeout: 500ms${nativeKey}}
storage: {exemplars: {max_exemplars: 10000}}
scrape_configs:
${jobs.join('\n')}
`;
}

const FLAGS = ['--enable-feature=exemplar-storage'];

before(async () => {
  if (options.skip !== false) return;
  const http = createServer(answer);
  const port = await freePort();
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  http.unref();
  target = `127.0.0.1:${port}`;
  [narthex, peer] = await Promise.all([
    startNarthex({ config: config(', scrape_native_histograms: true'), flags: [...FLAGS, '--shards=2'] }),
    // Of the version before that key, which has a flag.
    startPeer(prometheus!, { config: config(''), flags: [...FLAGS, '--enable-feature=native-histograms'] }),
  ]);
  await eventually(async () => {
    for (const client of ['narthex', 'prometheus']) assert.ok(pagesOf(client) > LAST_PAGE + 2, `${client} is done`);
  }, 60_000);
});

after(async () => {
  await narthex?.stop();
  await peer?.stop();
});

// --- What is compared ---

async function pageTimes(url: string, job: string): Promise<Map<number, string>> {
  const [series] = await raw(url, `page{job="${job}"}[5m]`);
  return new Map((series?.values ?? []).map(([seconds, n]) => [seconds, n]));
}

async function samplesByPage(url: string, job: string): Promise<Map<string, string[]>> {
  const pages = await pageTimes(url, job);
  const found = await raw(url, `{job="${job}",__name__!~"up|scrape_.+"}[5m]`);
  return new Map(
    found
      .map(({ metric, values, histograms }): [string, string[]] => [
        metricText(metric),
        [
          ...(values ?? []).map(([seconds, value]) => `${pages.get(seconds) ?? seconds}: ${value}`),
          ...(histograms ?? []).map(([seconds, value]) => `${pages.get(seconds) ?? seconds}: ${JSON.stringify(value)}`),
        ],
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

for (const job of PATHS) {
  test(`${job}: every sample of every page is the same`, options, async () => {
    const got = await samplesByPage(narthex.url, job);
    const want = await samplesByPage(peer.url, job);
    assert.ok(want.size > 20);
    for (const [series, values] of want) assert.deepEqual(got.get(series), values, series);
    assert.deepEqual([...got.keys()], [...want.keys()]);
  });

  test(`${job}: the same is stale at the same pages`, options, async () => {
    const stale = async (url: string) => {
      const pages = await pageTimes(url, job);
      const times = [...pages.keys()];
      const present = await Promise.all(
        times.map(async (time) => {
          const found = await api<{ result: { metric: Metric }[] }>(url, 'query', {
            query: `{job="${job}",__name__!~"up|scrape_.+|explicit"}`,
            time: String(time),
          });
          return found.result.map(({ metric }) => metricText(metric)).sort();
        }),
      );
      return new Map(times.map((time, i) => [pages.get(time)!, present[i]!]));
    };
    assert.deepEqual(await stale(narthex.url), await stale(peer.url));
  });

  test(`${job}: the same report`, options, async () => {
    const report = async (url: string, name: string) => {
      const [series] = await raw(url, `${name}{job="${job}"}[5m]`);
      return series!.values.slice(0, LAST_PAGE + 2).map(([, value]) => value);
    };
    const ups = await report(peer.url, 'up');
    assert.deepEqual(await report(narthex.url, 'up'), ups);
    for (const name of ['scrape_samples_scraped', 'scrape_samples_post_metric_relabeling']) {
      const [got, want] = await Promise.all([narthex, peer].map(({ url }) => report(url, name)));
      const counted = (values: readonly string[]) => values.filter((_, i) => ups[i] === '1');
      assert.deepEqual(counted(got!), counted(want!), name);
    }
  });

  test(`${job}: the same metadata`, options, async () => {
    const metadata = async (url: string) =>
      (await api<unknown[]>(url, 'targets/metadata', { match_target: `{job="${job}"}` }))
        .map((one) => JSON.stringify(one))
        .sort();
    assert.deepEqual(await metadata(narthex.url), await metadata(peer.url));
  });

  // Text has none; of protobuf buckets that stay keep theirs in 3.14, unlike in 3.5.
  if (job === 'text-custom' || job === 'protobuf-custom-classic') continue;
  test(`${job}: the same exemplars`, options, async () => {
    interface Found {
      seriesLabels: Metric;
      exemplars: { labels: Metric; value: string; timestamp: number }[];
    }
    const exemplars = async (url: string) => {
      const pages = await pageTimes(url, job);
      const found = await api<Found[]>(url, 'query_exemplars', { query: `{job="${job}"}` });
      return found
        .map(({ seriesLabels, exemplars: all }) => [
          metricText(seriesLabels),
          all.map(({ labels, value, timestamp }) => [metricText(labels), value, pages.get(timestamp) ?? timestamp]),
        ])
        .sort(([a], [b]) => (a! < b! ? -1 : 1));
    };
    const want = await exemplars(peer.url);
    assert.ok(want.length > (job.includes('-custom') ? 1 : 4));
    assert.deepEqual(await exemplars(narthex.url), want);
  });
}
