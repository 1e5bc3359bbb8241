// Identical samples, given to Narthex and to a real Prometheus by remote write: both answer remote reads with the same
// samples, and a real Prometheus that has either of them behind it answers queries alike.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { floatHistogramOf } from '../../src/model/stored-histogram.js';
import { missing, peerBinary } from '../support/peers.js';
import {
  type AskedQuery,
  CHUNKS,
  encodeRead,
  postRead,
  readChunks,
  readSamples,
  SAMPLES,
} from '../support/remote-read.js';
import { type Series, writeAll } from '../support/remote-write.js';
import { api, type Server, startNarthex, startPeer } from '../support/servers.js';
import { generateStored } from '../support/stored-histograms.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

const NOW_MS = Date.now();
const STEP_MS = 15_000;
const SAMPLES_EACH = 200;
const STALE = 0x7ff0000000000002n;
const CONFIG = 'global: {scrape_interval: 1h, external_labels: {region: eu, a_first: "1", replica: "0"}}\n';

function given(): Series[] {
  const random = new Prng(11);
  const times = Array.from({ length: SAMPLES_EACH }, (_, i) => NOW_MS - (SAMPLES_EACH - i) * STEP_MS);
  const floats = Array.from({ length: 40 }, (_, i): Series => {
    let value = 0;
    const samples = times.flatMap((timeMs): [number, number | bigint][] => {
      value += random.int(100) / 4;
      if (random.int(40) === 0) return [];
      return [[timeMs + random.int(50), random.int(60) === 0 ? STALE : value]];
    });
    const labels = ['__name__', i % 2 === 0 ? 'counter_total' : 'gauge', 'i', `${i}`];
    return { labels: i % 7 === 0 ? [...labels, 'region', 'own'] : labels, samples };
  });
  const histograms = Array.from({ length: 12 }, (_, i): Series => {
    const stored = generateStored(random, i % 2 === 0, 60);
    const labels = ['__name__', 'latency', 'i', `${i}`];
    return { labels, samples: [], histograms: stored.map((one, at) => [times[at]!, one] as const) };
  });
  return [...floats, ...histograms];
}

/** Floats and histograms by turns: a request each, since one has floats in front of its histograms. */
function givenMixed(): Series[] {
  const labels = ['__name__', 'mixed'];
  return generateStored(new Prng(5), false, 6).flatMap((stored, i): Series[] => {
    const timeMs = NOW_MS - 900_000 + i * 60_000;
    return [
      { labels, samples: [[timeMs, i]] },
      { labels, samples: [], histograms: [[timeMs + 30_000, stored]] },
    ];
  });
}

const servers: Server[] = [];
let narthex: Server;
let peer: Server;
/** Each has one of the two behind it, and nothing of its own. */
let overNarthex: Server;
let overPeer: Server;

before(async () => {
  if (prometheus === undefined) return;
  const flags = ['--web.enable-remote-write-receiver', '--enable-feature=native-histograms'];
  const start = async (starting: Promise<Server>) => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  narthex = await start(startNarthex({ config: CONFIG, flags: [...flags, '--shards=2'] }));
  peer = await start(startPeer(prometheus, { config: CONFIG, flags }));
  for (const { url } of [narthex, peer]) {
    await writeAll(url, given());
    for (const one of givenMixed()) await writeAll(url, [one]);
  }
  const over = (url: string) =>
    start(
      startPeer(prometheus, {
        config: `global: {scrape_interval: 1h, external_labels: {replica: "0"}}\nremote_read: [{url: "${url}/api/v1/read", read_recent: true}]\n`,
      }),
    );
  overNarthex = await over(narthex.url);
  overPeer = await over(peer.url);
});

after(() => Promise.all(servers.map((server) => server.stop())));

const FROM_MS = NOW_MS - 3_600_000;
const all = { startMs: FROM_MS, endMs: NOW_MS };
const query = (matchers: AskedQuery['matchers'], rest: Partial<AskedQuery> = {}): AskedQuery => ({
  ...all,
  matchers,
  ...rest,
});

const CASES: readonly (readonly AskedQuery[])[] = [
  [query([{ name: '__name__', op: '=~', value: '.+' }])],
  [query([{ name: '__name__', op: '=', value: 'gauge' }])],
  [
    query([
      { name: '__name__', op: '=', value: 'latency' },
      { name: 'i', op: '!~', value: '1.*' },
    ]),
  ],
  [query([{ name: '__name__', op: '=', value: 'mixed' }])],
  [
    query([
      { name: '__name__', op: '=', value: 'gauge' },
      { name: 'region', op: '=', value: 'eu' },
    ]),
  ],
  [
    query([
      { name: '__name__', op: '!=', value: '' },
      { name: 'region', op: '=', value: 'own' },
    ]),
  ],
  [
    query([
      { name: '__name__', op: '=~', value: 'gau.*' },
      { name: 'replica', op: '=~', value: '0' },
    ]),
  ],
  [query([{ name: '__name__', op: '=', value: 'nothing' }])],
  [
    query([{ name: '__name__', op: '=', value: 'gauge' }], { startMs: NOW_MS - 600_000 }),
    query([{ name: '__name__', op: '=', value: 'counter_total' }], { endMs: NOW_MS - 1_200_000 }),
  ],
  [
    query([{ name: '__name__', op: '=', value: 'latency' }], {
      hints: { startMs: NOW_MS - 2_900_000, endMs: NOW_MS - 2_500_000, fn: 'rate' },
    }),
  ],
];

for (const [i, queries] of CASES.entries()) {
  test(`the same samples, as such: case ${i}`, options, async () => {
    const [got, want] = await Promise.all([narthex, peer].map(({ url }) => readSamples(url, queries)));
    // Prometheus 3.5 leaves bounds out here.
    assert.deepEqual(withSamples(got!, false), withSamples(want!, false));
  });
  test(`the same samples, as chunks: case ${i}`, options, async () => {
    const [got, want] = await Promise.all([narthex, peer].map(({ url }) => readChunks(url, queries)));
    assert.deepEqual(withSamples(got!), withSamples(want!));
  });
}

/** Which empty buckets are there, and where a chunk begins, which tells of resets, is the server's business. */
function withSamples(results: Awaited<ReturnType<typeof readSamples>>, withBounds = true): unknown {
  return results.map((series) =>
    series
      .filter(({ floats, histograms }) => floats.length + histograms.length > 0)
      .map(({ labels, floats, histograms }) => ({
        ...{ labels, floats },
        histograms: histograms.map(({ timeMs, histogram }) => {
          const { hint, bounds, ...rest } = floatHistogramOf(histogram);
          const more = { isFloat: histogram.isFloat, isGauge: hint === 'gauge', bounds: withBounds ? bounds : [] };
          return { timeMs, ...rest, ...more };
        }),
      })),
  );
}

const QUERIES = [
  'gauge',
  'sum by (region) (rate(counter_total[5m]))',
  'histogram_quantile(0.9, rate(latency[5m]))',
  'latency',
  'mixed',
  'gauge{replica="0"}',
  'count({__name__=~".+"}) by (__name__)',
  'last_over_time(counter_total{i=~"1.*"}[20m])',
];

for (const text of QUERIES) {
  test(`a Prometheus with either of them behind it answers alike: ${text}`, options, async () => {
    const params = {
      query: text,
      start: String(FROM_MS / 1000),
      end: String(NOW_MS / 1000),
      step: '60',
    };
    const [got, want] = await Promise.all(
      [overNarthex, overPeer].map(({ url }) => api<{ result: { metric: object }[] }>(url, 'query_range', params)),
    );
    assert.ok(want!.result.length > 0);
    const bySeries = ({ result }: { result: { metric: object }[] }) => result.map((one) => JSON.stringify(one)).sort();
    assert.deepEqual(bySeries(got!), bySeries(want!));
  });
}

test('bad requests are refused with the same status', options, async () => {
  const pattern = encodeRead([query([{ name: 'a', op: '=~', value: '(' }])], [SAMPLES]);
  // Prometheus calls it a fault of its own.
  assert.equal((await postRead(narthex.url, pattern)).status, 400);
  const bodies = [
    Buffer.from('no snappy'),
    new Uint8Array(0),
    encodeRead([query([{ name: '__name__', op: '=', value: 'gauge' }])], [7]),
    encodeRead([], []),
    encodeRead([], [CHUNKS]),
  ];
  for (const body of bodies) {
    const [got, want] = await Promise.all([narthex, peer].map(async ({ url }) => (await postRead(url, body)).status));
    assert.equal(got, want, Buffer.from(body).toString('hex'));
  }
});
