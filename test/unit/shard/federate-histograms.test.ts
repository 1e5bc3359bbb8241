// Native histograms in /federate: messages of protobuf; in text those with bounds of their own alone, as classic ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CUSTOM_SCHEMA } from '../../../src/model/histogram.js';
import {
  bitsOf,
  NO_COUNTS,
  NO_SPANS,
  type StoredHistogram,
  staleHistogram,
} from '../../../src/model/stored-histogram.js';
import { ShardStorage } from '../../../src/query/storage.js';
import { GAUGE_HISTOGRAM, HISTOGRAM, readFamilies, UNTYPED } from '../../support/families.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';

const T = 1_000_000;

const EXPONENTIAL: StoredHistogram = {
  isFloat: false,
  hint: 'unknown',
  schema: 3,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 9,
  sumBits: bitsOf(12.5),
  positiveSpans: [
    { offset: -2, length: 2 },
    { offset: 1, length: 1 },
  ],
  positive: Float64Array.of(1, 0, 3),
  negativeSpans: [{ offset: 4, length: 1 }],
  negative: Float64Array.of(3),
  bounds: [],
};

const CUSTOM: StoredHistogram = {
  isFloat: false,
  hint: 'unknown',
  schema: CUSTOM_SCHEMA,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 7,
  sumBits: bitsOf(3.25),
  positiveSpans: [
    { offset: 0, length: 1 },
    { offset: 1, length: 2 },
  ],
  positive: Float64Array.of(1, 4, 2),
  negativeSpans: NO_SPANS,
  negative: NO_COUNTS,
  bounds: [0.5, 1, 1_000_000],
};

interface Given {
  readonly name: string;
  readonly labels?: readonly string[];
  readonly floats?: readonly number[];
  readonly histograms?: readonly (readonly [timeMs: number, histogram: StoredHistogram])[];
}

async function federated(given: readonly Given[], format: 'text' | 'protobuf', utf8 = false): Promise<Buffer> {
  const { shards, ingest } = await testShards(2);
  for (const { name, labels = [], floats = [], histograms = [] } of given) {
    const stored = histograms.map(([timeMs, histogram]) => ({ timeMs, histogram }));
    const samples = floats.length === 0 ? new ArrayBuffer(0) : packSamples(floats.map((timeMs) => [timeMs, 1]));
    await ingest.append([{ labels: ['__name__', name, ...labels], samples, stored }], T, anyOwner(2));
  }
  const storage = new ShardStorage(shards, () => ['region', 'e"u'], 300_000);
  const selectors = [[{ name: '__name__', op: '=~', value: '.+' } as const]];
  const { signal } = new AbortController();
  const pieces: Uint8Array[] = [];
  for await (const piece of storage.federate({ selectors, nowMs: T, utf8, format, signal })) pieces.push(piece);
  await shards.close();
  return Buffer.concat(pieces);
}

const MIXED: readonly Given[] = [
  { name: 'floats', floats: [T - 5] },
  { name: 'histograms', histograms: [[T - 5, EXPONENTIAL]] },
  { name: 'histogram_last', floats: [T - 9], histograms: [[T - 5, EXPONENTIAL]] },
  { name: 'float_last', histograms: [[T - 9, EXPONENTIAL]] },
  { name: 'float_last', floats: [T - 5] },
  { name: 'ended', histograms: [[T - 9, EXPONENTIAL]] },
  { name: 'ended', histograms: [[T - 5, staleHistogram(false)]] },
  { name: 'old', histograms: [[T - 300_000, EXPONENTIAL]] },
  { name: 'both', labels: ['a', '1'], floats: [T - 5] },
  { name: 'both', labels: ['a', '2'], histograms: [[T - 5, EXPONENTIAL]] },
  { name: 'both', labels: ['a', '3'], histograms: [[T - 5, { ...EXPONENTIAL, hint: 'gauge' }]] },
  { name: 'both', labels: ['a', '4'], histograms: [[T - 6, EXPONENTIAL]] },
];

test('text: floats, and no histograms with exponential buckets', async () => {
  const lines = (await federated(MIXED, 'text')).toString().split('\n');
  assert.deepEqual(
    lines.filter((line) => /^[a-z]/.test(line)),
    [
      'both{a="1",instance="",region="e\\"u"} 1 999995',
      'float_last{instance="",region="e\\"u"} 1 999995',
      'floats{instance="",region="e\\"u"} 1 999995',
    ],
  );
});

test('protobuf: families by name, then by type; newest samples, ended and old series left out', async () => {
  const families = readFamilies(await federated(MIXED, 'protobuf'));
  const shown = families.map(({ name, type, metrics }) => [name, type, metrics.length]);
  assert.deepEqual(shown, [
    ['both', UNTYPED, 1],
    ['both', HISTOGRAM, 2],
    ['both', GAUGE_HISTOGRAM, 1],
    ['float_last', UNTYPED, 1],
    ['floats', UNTYPED, 1],
    ['histogram_last', HISTOGRAM, 1],
    ['histograms', HISTOGRAM, 1],
  ]);
  const { hex: _, ...metric } = families.at(-1)!.metrics[0]!;
  assert.deepEqual(metric, {
    labels: [
      ['instance', ''],
      ['region', 'e"u'],
    ],
    timeMs: T - 5,
    value: undefined,
    histogram: {
      ...{ sum: 12.5, count: 9, schema: 3, zeroThreshold: 0.001, zeroCount: 2 },
      ...{ negativeSpans: [[4, 1]], negative: [3] },
      positiveSpans: [
        [-2, 2],
        [1, 1],
      ],
      positive: [1, 0, 3],
    },
  });
});

test('protobuf: one without anything that says it is native has an empty span', async () => {
  const empty = { ...EXPONENTIAL, zeroThreshold: 0, zeroCount: 0, count: 0, sumBits: 0n };
  const none = { positiveSpans: NO_SPANS, positive: NO_COUNTS, negativeSpans: NO_SPANS, negative: NO_COUNTS };
  const [family] = readFamilies(
    await federated([{ name: 'empty', histograms: [[T - 5, { ...empty, ...none }]] }], 'protobuf'),
  );
  assert.deepEqual(family!.metrics[0]!.histogram, {
    ...{ sum: 0, count: 0, schema: 3, zeroThreshold: 0, zeroCount: 0, positiveSpans: [[0, 0]] },
  });
});

test('custom buckets are classic ones, in text and in protobuf', async () => {
  const given = [{ name: 'my.latency', labels: ['job', 'a"b'], histograms: [[T - 5, CUSTOM]] as const }];
  const own = 'job="a\\"b",instance="",region="e\\"u"';
  assert.equal(
    (await federated(given, 'text')).toString(),
    `# TYPE my_latency histogram
my_latency_bucket{${own},le="0.5"} 1 999995
my_latency_bucket{${own},le="1"} 1 999995
my_latency_bucket{${own},le="1e+06"} 5 999995
my_latency_bucket{${own},le="+Inf"} 7 999995
my_latency_sum{${own}} 3.25 999995
my_latency_count{${own}} 7 999995
`,
  );
  const quoted = (await federated(given, 'text', true)).toString().split('\n');
  assert.equal(quoted[0], '# TYPE "my.latency" histogram');
  assert.equal(quoted.at(-2), `{"my.latency_count",${own}} 7 999995`);
  const [family] = readFamilies(await federated(given, 'protobuf', true));
  assert.equal(family!.name, 'my.latency');
  assert.equal(family!.type, HISTOGRAM);
  const buckets = [
    [0.5, 1],
    [1, 1],
    [1_000_000, 5],
  ];
  assert.deepEqual(family!.metrics[0]!.histogram, { sum: 3.25, count: 7, buckets });
});

test('a family of many series in all shards: each of them once', async () => {
  const labels = (i: number) => ['i', String(i).padStart(5, '0')];
  const given = [
    ...Array.from({ length: 3000 }, (_, i) => ({ name: 'many', labels: labels(i), floats: [T - 1] })),
    ...Array.from({ length: 50 }, (_, i) => ({
      ...{ name: `family_${i % 7}`, labels: labels(i) },
      histograms: [[T - 1, EXPONENTIAL]] as const,
    })),
  ];
  const families = readFamilies(await federated(given.slice(2900), 'protobuf'));
  const series = families.flatMap(({ name, metrics }) => metrics.map((one) => `${name} ${one.labels[0]![1]}`));
  assert.deepEqual(
    series.sort(),
    given
      .slice(2900)
      .map((one) => `${one.name} ${one.labels[1]}`)
      .sort(),
  );
  assert.equal(families.length, 8);
});
