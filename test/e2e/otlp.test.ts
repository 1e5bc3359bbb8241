// OTLP exports to a running server: what queries and exemplars say afterwards, and how bad ones are answered.
//
// No packaged Prometheus has the receiver, so what is expected was worked out by hand, of the translation that its
// documentation and that of OpenTelemetry describe.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { attribute, type Json, otlpProtobuf } from '../support/otlp.js';
import { api, instant, metricText, type Server, startNarthex } from '../support/servers.js';

const NOW_MS = Date.now() - 5000;
const TIME = { timeUnixNano: `${NOW_MS}000000` };
const CONFIG = 'global: {scrape_interval: 1h}\nstorage: {exemplars: {max_exemplars: 1000}}\n';

let server: Server;
before(async () => {
  const flags = ['--web.enable-otlp-receiver', '--enable-feature=exemplar-storage', '--shards=2'];
  server = await startNarthex({ config: CONFIG, flags });
});
after(() => server.stop());

interface Sent {
  readonly body: Uint8Array;
  readonly headers: Record<string, string>;
}

async function send({ body, headers }: Sent): Promise<{ status: number; text: string }> {
  const response = await fetch(`${server.url}/api/v1/otlp/v1/metrics`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

const PROTOBUF = { 'Content-Type': 'application/x-protobuf' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

function requestOf(metrics: readonly Json[], instance: string): Json {
  const text = (key: string, stringValue: string) => attribute(key, { stringValue });
  const attributes = [
    text('service.name', 'shop'),
    text('service.namespace', 'web'),
    text('service.instance.id', instance),
  ];
  return {
    resourceMetrics: [
      {
        resource: { attributes: [...attributes, text('host.name', 'h1')] },
        scopeMetrics: [{ scope: { name: 'lib' }, metrics }],
      },
    ],
  };
}

const METRICS: readonly Json[] = [
  { name: 'queue.size', unit: 'By', gauge: { dataPoints: [{ ...TIME, asInt: '7' }] } },
  {
    name: 'http.requests',
    description: 'Requests served.',
    unit: '{requests}',
    sum: {
      ...{ aggregationTemporality: 2, isMonotonic: true },
      dataPoints: [
        {
          ...{ ...TIME, asDouble: 2.5, attributes: [attribute('http.method', { stringValue: 'GET' })] },
          exemplars: [{ ...TIME, asDouble: 1, traceId: '0102030405060708090a0b0c0d0e0f10' }],
        },
      ],
    },
  },
  {
    name: 'latency',
    unit: 'ms',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [{ ...TIME, count: '6', sum: 12, bucketCounts: ['1', '2', '3'], explicitBounds: [0.5, 10] }],
    },
  },
  {
    name: 'sizes',
    exponentialHistogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          ...TIME,
          count: '6',
          sum: 9,
          scale: 0,
          zeroCount: '1',
          positive: { offset: 1, bucketCounts: ['2', '0', '3'] },
        },
      ],
    },
  },
  {
    name: 'rpc',
    summary: { dataPoints: [{ ...TIME, count: '4', sum: 8, quantileValues: [{ quantile: 0.5, value: 1.5 }] }] },
  },
  { name: 'deltas', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ ...TIME, asInt: '1' }] } },
];

const WANT: readonly (readonly [name: string, labels: Record<string, string>, value: unknown])[] = [
  ['http_requests_total', { http_method: 'GET' }, '2.5'],
  ['latency_milliseconds_bucket', { le: '+Inf' }, '6'],
  ['latency_milliseconds_bucket', { le: '0.5' }, '1'],
  ['latency_milliseconds_bucket', { le: '10' }, '3'],
  ['latency_milliseconds_count', {}, '6'],
  ['latency_milliseconds_sum', {}, '12'],
  ['queue_size_bytes', {}, '7'],
  ['rpc', { quantile: '0.5' }, '1.5'],
  ['rpc_count', {}, '4'],
  ['rpc_sum', {}, '8'],
  [
    ...(['sizes', {}] as const),
    {
      count: '6',
      sum: '9',
      buckets: [
        [3, '-1e-128', '1e-128', '1'],
        [0, '2', '4', '2'],
        [0, '8', '16', '3'],
      ],
    },
  ],
  ['target_info', { host_name: 'h1' }, '1'],
];

for (const [coding, encode] of [
  ['protobuf', (request: Json): Sent => ({ body: otlpProtobuf(request), headers: PROTOBUF })],
  ['json', (request: Json): Sent => ({ body: Buffer.from(JSON.stringify(request)), headers: JSON_TYPE })],
] as const) {
  for (const gzip of [false, true]) {
    const instance = `${coding} ${gzip}`;
    test(`an export of all kinds is stored: ${coding}${gzip ? ', gzip' : ''}`, async () => {
      const { body, headers } = encode(requestOf(METRICS, instance));
      const sent = gzip
        ? { body: gzipSync(body), headers: { ...headers, 'Content-Encoding': 'gzip' } }
        : { body, headers };
      assert.deepEqual(await send(sent), { status: 200, text: '' });
      const found = await instant(server.url, `{instance="${instance}"}`, NOW_MS / 1000 + 1);
      const got = found.map(({ metric, value, histogram }) => [metricText(metric), histogram?.[1] ?? value[1]]);
      const want = WANT.map(([__name__, labels, value]) => {
        return [metricText({ __name__, ...labels, job: 'web/shop', instance }), value];
      });
      assert.deepEqual(sortedByText(got), sortedByText(want));
      const [series] = await api<{ seriesLabels: object; exemplars: object[] }[]>(server.url, 'query_exemplars', {
        ...{ query: `http_requests_total{instance="${instance}"}` },
        ...{ start: String(NOW_MS / 1000 - 60), end: String(NOW_MS / 1000 + 60) },
      });
      const labels = { trace_id: '0102030405060708090a0b0c0d0e0f10' };
      assert.deepEqual(series?.exemplars, [{ labels, value: '1', timestamp: NOW_MS / 1000 }]);
    });
  }
}

function sortedByText(rows: readonly (readonly unknown[])[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

test('what exports say of metrics is known, and what was left out is logged', async () => {
  const metadata = await api<Record<string, object[]>>(server.url, 'metadata');
  assert.deepEqual(metadata.http_requests_total, [{ type: 'counter', help: 'Requests served.', unit: '{requests}' }]);
  assert.match(server.log(), /invalid temporality and type combination for metric \\?"deltas/);
});

const good = requestOf([METRICS[0]!], 'statuses');
const JSON_BODY = Buffer.from(JSON.stringify(good));
const STATUSES: readonly (readonly [name: string, sent: Sent, status: number])[] = [
  ['nothing', { body: new Uint8Array(0), headers: PROTOBUF }, 200],
  ['an empty object', { body: Buffer.from('{}'), headers: JSON_TYPE }, 200],
  [
    'fields that are not known',
    { body: Buffer.from('{"a":[1],"resourceMetrics":[{"b":{}}]}'), headers: JSON_TYPE },
    200,
  ],
  ['another type', { body: JSON_BODY, headers: { 'Content-Type': 'text/plain' } }, 400],
  ['another coding', { body: JSON_BODY, headers: { ...JSON_TYPE, 'Content-Encoding': 'snappy' } }, 400],
  ['not compressed', { body: JSON_BODY, headers: { ...JSON_TYPE, 'Content-Encoding': 'gzip' } }, 400],
  ['no JSON', { body: Buffer.from('{'), headers: JSON_TYPE }, 400],
  ['JSON of another shape', { body: Buffer.from('{"resourceMetrics":{}}'), headers: JSON_TYPE }, 400],
  ['no protobuf', { body: Buffer.from([0x0a, 0xff]), headers: PROTOBUF }, 400],
  [
    'too much when inflated',
    { body: gzipSync(Buffer.alloc(40 << 20)), headers: { ...PROTOBUF, 'Content-Encoding': 'gzip' } },
    400,
  ],
];

for (const [name, sent, status] of STATUSES) {
  test(`${name} → ${status}`, async () => assert.equal((await send(sent)).status, status));
}

test('without the flag nothing is there', async () => {
  const other = await startNarthex({ config: CONFIG });
  const response = await fetch(`${other.url}/api/v1/otlp/v1/metrics`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: '{}',
  });
  assert.equal(response.status, 404);
  assert.equal(await response.text(), 'otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n');
  await other.stop();
});
