// Identical samples, given to Narthex and to a real Prometheus by remote write: /federate of both
// says the same, byte for byte, and so a second real Prometheus that federates from both has the same.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { CUSTOM_SCHEMA } from '../../src/model/histogram.js';
import { isStaleHistogram } from '../../src/model/stored-histogram.js';
import { readFamilies } from '../support/families.js';
import { missing, peerBinary } from '../support/peers.js';
import { type Series, writeAll } from '../support/remote-write.js';
import {
  eventually,
  instant,
  type Metric,
  metricText,
  type Server,
  startNarthex,
  startPeer,
} from '../support/servers.js';
import { generateStored } from '../support/stored-histograms.js';

const prometheus = peerBinary('prometheus');
const options = { skip: prometheus === undefined && missing('prometheus') };

const NOW_MS = Date.now();
const STALE = 0x7ff0000000000002n;
const QUIET_NAN = 0x7ff8000000000001n;
const OTHER_NAN = 0x7ff800000000abcdn;
const CONFIG = 'global: {scrape_interval: 1h, external_labels: {region: "eu \\"1\\"", job: outer, "ext.utf8": "ž"}}\n';

/** Values whose text is worth a look. */
const FLOATS = [
  ...[0, -0, 1, -1, 0.1, 1 / 3, 100, 1e5, 123456, 999999.9, 1e6, 1234567, 1e20, 1e21, 1.5e21, 1e22, 1e23, -1e21],
  ...[1e-4, 1e-5, 0.00012345, 1e-7, 1.5e-7, 5e-324, 2.2250738585072014e-308, Number.MAX_VALUE, 2 ** 53, 2 ** 53 + 2],
  ...[4.35, 0.3, 0.1 + 0.2, 1e100, 12345678901234567000, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  ...[QUIET_NAN, OTHER_NAN],
];

function sample(pairs: Record<string, string>, value: number | bigint, ageMs = 1000): Series {
  const labels = Object.entries(pairs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flat();
  return { labels, samples: [[NOW_MS - ageMs, value]] };
}

function given(): Series[] {
  const many = (count: number, make: (i: number) => Series) => Array.from({ length: count }, (_, i) => make(i));
  return [
    ...FLOATS.map((value, i) => sample({ __name__: 'floats', job: 'a', i: `${i}` }, value)),
    ...many(200, (i) => sample({ __name__: 'many', job: `j${i % 3}`, instance: `host-${i}`, i: `${i}` }, i)),
    ...many(40, (i) => sample({ __name__: `family_${i % 20}_total`, job: 'b', n: `${i}` }, i * i)),
    ...['0.1', '1', '+Inf'].map((le, i) => sample({ __name__: 'latency_bucket', job: 'c', le, instance: 'x:1' }, i)),
    sample({ __name__: 'no_job_no_instance' }, 1),
    sample({ __name__: 'with_region', region: 'own', job: 'a', instance: 'i' }, 2),
    sample({ __name__: 'escapes', text: 'back\\slash "quote"\nline\ttab', uni: 'ž 🐎', job: 'a' }, 3),
    sample({ __name__: 'utf8.name', job: 'a', 'label.name': 'v', plain: 'p' }, 4),
    sample({ __name__: 'name with spaces', job: 'a' }, 5),
    sample({ __name__: 'žluťoučký', job: 'a', ůň: 'x' }, 6),
    sample({ __name__: 'metric:with:colons', job: 'rules' }, 7),
    sample({ __name__: 'stale', job: 'a' }, STALE),
    sample({ __name__: 'old', job: 'a' }, 8, 240_000),
    sample({ __name__: 'too_old', job: 'a' }, 9, 320_000),
    sample({ __name__: '__proto__', constructor: 'x', job: 'a' }, 10),
    // Two samples: the newer one counts; one went stale and came back.
    {
      labels: ['__name__', 'twice', 'job', 'a'],
      samples: [
        [NOW_MS - 5000, 1],
        [NOW_MS - 2000, 2],
      ],
    },
    {
      labels: ['__name__', 'back', 'job', 'a'],
      samples: [
        [NOW_MS - 5000, STALE],
        [NOW_MS - 2000, 3],
      ],
    },
    {
      labels: ['__name__', 'gone', 'job', 'a'],
      samples: [
        [NOW_MS - 5000, 4],
        [NOW_MS - 2000, STALE],
      ],
    },
  ];
}

/**
 * Histograms of integers, without bounds of their own: Prometheus 3.5 writes those without their bounds, and of float
 * histograms it may give several series the same one.
 */
function givenHistograms(): Series[] {
  const random = new Prng(6);
  const all: Series[] = [];
  for (let i = 0; all.length < 40; i++) {
    const stored = generateStored(random, false, 1 + random.int(5)).filter((one) => !isStaleHistogram(one));
    if (stored.length === 0 || stored.some(({ schema }) => schema === CUSTOM_SCHEMA)) continue;
    // What says nothing of being native makes a reader take its whole family for classic ones.
    if (stored.some(({ zeroThreshold, positive, negative }) => zeroThreshold + positive.length + negative.length === 0))
      continue;
    const labels = ['__name__', i % 3 === 0 ? 'many' : `hist.${i % 5}`, 'i', `h${i}`];
    const histograms = stored.map((one, at) => [NOW_MS - 1000 - (stored.length - at) * 1000, one] as const);
    all.push({ labels, samples: [], histograms });
  }
  return all;
}

const servers: Server[] = [];
let narthex: Server;
let peer: Server;
/** The global one, which federates from both. */
let top: Server;

before(async () => {
  if (prometheus === undefined) return;
  const flags = ['--web.enable-remote-write-receiver', '--enable-feature=native-histograms'];
  narthex = await startNarthex({ config: CONFIG, flags: [...flags, '--shards=3'] });
  servers.push(narthex);
  peer = await startPeer(prometheus, { config: CONFIG, flags });
  servers.push(peer);
  for (const { url } of [narthex, peer]) await writeAll(url, [...given(), ...givenHistograms()]);
  const job = (name: string, url: string) => `
  - job_name: ${name}
    honor_labels: true
    metrics_path: /federate
    params: {'match[]': ['{__name__=~".+"}']}
    static_configs: [{targets: ['${url.slice('http://'.length)}']}]
    metric_relabel_configs: [{target_label: through, replacement: ${name}}]`;
  top = await startPeer(prometheus, {
    config: `global: {scrape_interval: 1s}\nscrape_configs:${job('narthex', narthex.url)}${job('prometheus', peer.url)}\n`,
    flags: ['--enable-feature=native-histograms'],
  });
  servers.push(top);
});

after(() => Promise.all(servers.map((server) => server.stop())));

async function federate(url: string, selectors: readonly string[], accept?: string): Promise<string[]> {
  const params = new URLSearchParams(selectors.map((selector): [string, string] => ['match[]', selector]));
  const headers: Record<string, string> = accept === undefined ? {} : { Accept: accept };
  const response = await fetch(`${url}/federate?${params}`, { headers });
  const body = Buffer.from(await response.arrayBuffer()).toString('latin1');
  return [`${response.status} ${response.headers.get('content-type')}`, ...body.split('\n').sort()];
}

const SETS: readonly (readonly string[])[] = [
  ['{__name__=~".+"}'],
  ['floats'],
  ['many', 'floats', '{job="j1"}'],
  ['{job="j1"}', '{i=~"1.*"}', '{__name__="many",instance!~"host-1.*"}'],
  ['{job=""}'],
  ['{instance=""}', '{le!=""}'],
  ['stale', 'old', 'too_old', 'twice', 'back', 'gone'],
  ['{"utf8.name"}', '{"name with spaces"}', '{"žluťoučký"}'],
  ['{region="own"}', 'escapes', '__proto__'],
  ['nothing'],
  [],
  ['{__name__=~"family_.*",n!="3"}'],
];

for (const accept of [
  undefined,
  'text/plain;version=0.0.4;escaping=allow-utf-8',
  'text/plain;version=1.0.0;escaping=allow-utf-8',
]) {
  test(`the same text for every set of selectors, Accept: ${accept}`, options, async () => {
    for (const selectors of SETS) {
      const [got, want] = await Promise.all([narthex, peer].map(({ url }) => federate(url, selectors, accept)));
      assert.deepEqual(got, want, selectors.join(' '));
    }
  });
}

const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

for (const accept of [PROTOBUF, `${PROTOBUF};escaping=allow-utf-8`, `text/plain;q=0.5,${PROTOBUF};q=0.9`]) {
  test(`the same messages for every set of selectors, Accept: ${accept}`, options, async () => {
    for (const selectors of SETS) {
      const [got, want] = await Promise.all([narthex, peer].map(({ url }) => messages(url, selectors, accept)));
      assert.deepEqual(got, want, selectors.join(' '));
    }
  });
}

/** Bytes of metrics by name and type, in no order within them. */
async function messages(url: string, selectors: readonly string[], accept: string): Promise<object> {
  const params = new URLSearchParams(selectors.map((selector): [string, string] => ['match[]', selector]));
  const response = await fetch(`${url}/federate?${params}`, { headers: { Accept: accept } });
  const families = new Map<string, string[]>();
  for (const { name, type, metrics } of readFamilies(new Uint8Array(await response.arrayBuffer()))) {
    const key = `${name} ${type}`;
    families.set(key, [...(families.get(key) ?? []), ...metrics.map(({ hex }) => hex)].sort());
  }
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    families: new Map([...families].sort()),
  };
}

test('families come in the same order, lines of one together', options, async () => {
  const families = async (url: string): Promise<string[]> => {
    const body = await (
      await fetch(`${url}/federate?${new URLSearchParams({ 'match[]': '{__name__=~".+"}' })}`)
    ).text();
    return body.split('\n').filter((line) => line.startsWith('#'));
  };
  assert.deepEqual(await families(narthex.url), await families(peer.url));
});

test('bad selectors are refused in the same words', options, async () => {
  for (const selector of ['{', '{a="b', 'rate(x[5m])', '{}', '{a=~"("}', '{a=""}']) {
    const [got, want] = await Promise.all([narthex, peer].map(({ url }) => federate(url, [selector])));
    assert.equal(got![0], want![0], selector);
  }
});

test('a real Prometheus that federates from both has the same series, labels and values', options, async () => {
  const seen = async (job: string): Promise<Map<string, string>> => {
    const samples = await instant(top.url, `{through="${job}",__name__!~"up|scrape_.*"}`);
    return new Map(
      samples
        .map(({ metric, value, histogram }): [string, string] => [
          metricText(withoutSource(metric)),
          JSON.stringify(histogram?.[1] ?? value[1]),
        ])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  };
  await eventually(async () => {
    const [got, want] = [await seen('narthex'), await seen('prometheus')];
    assert.ok(want.size > 250, `${want.size} series federated`);
    assert.deepEqual(got, want);
  });
  for (const job of ['narthex', 'prometheus']) {
    const up = await instant(top.url, `up{job="${job}"}`);
    assert.equal(up[0]?.value[1], '1', job);
  }
});

function withoutSource(metric: Metric): Metric {
  const { through: _, ...rest } = metric;
  return rest;
}

async function expressions(given: readonly string[], accept?: string): Promise<{ status: number; bytes: Buffer }> {
  const params = new URLSearchParams(given.map((text): [string, string] => ['expr[]', text]));
  const headers: Record<string, string> = accept === undefined ? {} : { Accept: accept };
  const response = await fetch(`${narthex.url}/federate?${params}`, { headers });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
}

test('expressions are evaluated here: rows with a name, as text and as protobuf', options, async () => {
  const given = ['job:many:count = count by (job) (many{job!=""})', 'with_region == 2', 'sum(floats)', 'answer = 42'];
  const { status, bytes } = await expressions(given);
  assert.equal(status, 200);
  const external = 'ext_utf8="ž",instance="",region="eu \\"1\\""';
  const lines = bytes
    .toString()
    .replace(/ \d{13}$/gm, ' T')
    .split('\n');
  assert.deepEqual(lines.sort(), [
    '',
    '# TYPE answer untyped',
    '# TYPE job:many:count untyped',
    '# TYPE with_region untyped',
    `answer{ext_utf8="ž",instance="",job="outer",region="eu \\"1\\""} 42 T`,
    `job:many:count{job="j0",${external}} 67 T`,
    `job:many:count{job="j1",${external}} 67 T`,
    `job:many:count{job="j2",${external}} 66 T`,
    'with_region{instance="i",job="a",region="own",ext_utf8="ž"} 2 T',
  ]);
  const families = readFamilies((await expressions(given, PROTOBUF)).bytes);
  assert.deepEqual(
    families.map(({ name, metrics }) => [name, metrics.map(({ value }) => value).sort()]),
    [
      ['job:many:count', [66, 67, 67]],
      ['with_region', [2]],
      ['answer', [42]],
    ],
  );
});

test('expressions that fail, or give what has no place here, are refused', options, async () => {
  for (const given of ['sum(', 'a = ', 'many[5m]', '"text"', 'many * on (job) many']) {
    const { status } = await expressions([given]);
    assert.ok(status === 400 || status === 422, `${given}: ${status}`);
  }
});
