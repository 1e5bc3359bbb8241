// OTLP exports as series: tables of names and labels, JSON beside protobuf, histograms beside a model, broken bodies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../../src/base/prng.js';
import { floatHistogramOf } from '../../../../src/model/stored-histogram.js';
import { attributeText } from '../../../../src/shard/otlp/attribute-text.js';
import { rewriteOtlp } from '../../../../src/shard/otlp/body.js';
import { exponentialHistogram } from '../../../../src/shard/otlp/histograms.js';
import { decodeOtlpJson } from '../../../../src/shard/otlp/json.js';
import type { AnyValue, OtlpMetric } from '../../../../src/shard/otlp/model.js';
import { labelName, metricName } from '../../../../src/shard/otlp/names.js';
import { decodeOtlp } from '../../../../src/shard/otlp/protobuf.js';
import { type OtlpOptions, translate } from '../../../../src/shard/otlp/translate.js';
import { WireError } from '../../../../src/shard/wire.js';
import { attribute, generateOtlp, type Json, otlpProtobuf } from '../../../support/otlp.js';

const OPTIONS: OtlpOptions = {
  ...{ withSuffixes: true, escaped: true, customBuckets: false, deltas: false },
  ...{ prefixesUnderscore: true, preservesUnderscores: true },
  ...{ promotesAll: false, promoted: [], promotesScope: false, keepsIdentifying: false },
};

type Kind = 'gauge' | 'counter' | 'updown' | 'histogram';

function metricOf(name: string, unit: string, kind: Kind): OtlpMetric {
  const head = { name, unit, description: '', points: [] };
  if (kind === 'gauge') return { ...head, kind };
  if (kind === 'histogram') return { ...head, kind, temporality: 'cumulative' };
  return { ...head, kind: 'sum', temporality: 'cumulative', isMonotonic: kind === 'counter' };
}

/** Escaped with suffixes, escaped without, with suffixes alone. */
const NAMES: readonly (readonly [name: string, unit: string, kind: Kind, want: readonly [string, string, string]])[] = [
  ['active', '', 'gauge', ['active', 'active', 'active']],
  [
    'http.server.duration',
    'ms',
    'histogram',
    ['http_server_duration_milliseconds', 'http_server_duration', 'http.server.duration_milliseconds'],
  ],
  ['requests', '{requests}', 'counter', ['requests_total', 'requests', 'requests_total']],
  ['requests_total', '', 'counter', ['requests_total', 'requests_total', 'requests_total_total']],
  ['total.requests', '', 'counter', ['requests_total', 'total_requests', 'total.requests_total']],
  ['fill', '1', 'gauge', ['fill_ratio', 'fill', 'fill_ratio']],
  ['fill', '1', 'counter', ['fill_total', 'fill', 'fill_total']],
  ['x_seconds', 's', 'gauge', ['x_seconds', 'x_seconds', 'x_seconds_seconds']],
  ['rate', 'By/s', 'gauge', ['rate_bytes_per_second', 'rate', 'rate_bytes_per_second']],
  ['rate', '1/s', 'updown', ['rate_per_second', 'rate', 'rate_per_second']],
  ['speed', 'm/h', 'gauge', ['speed_meters_per_hour', 'speed', 'speed_meters_per_hour']],
  ['free', 'By/{disk}', 'gauge', ['free_bytes', 'free', 'free_bytes']],
  ['5xx', '', 'gauge', ['_5xx', '_5xx', '5xx']],
  ['a..b__c', '', 'gauge', ['a_b_c', 'a_b__c', 'a..b__c']],
  ['temp', 'foo-bar', 'gauge', ['temp_foo_bar', 'temp', 'temp_foo-bar']],
  ['load', '%', 'gauge', ['load_percent', 'load', 'load_percent']],
];

for (const [name, unit, kind, want] of NAMES) {
  test(`the name of ${kind} ${name} in ${unit === '' ? 'nothing' : unit}: ${want[0]}`, () => {
    const metric = metricOf(name, unit, kind);
    const got = [
      metricName(metric, { escaped: true, withSuffixes: true }),
      metricName(metric, { escaped: true, withSuffixes: false }),
      metricName(metric, { escaped: false, withSuffixes: true }),
    ];
    assert.deepEqual(got, want);
    assert.equal(metricName(metric, { escaped: false, withSuffixes: false }), name);
  });
}

test('names of labels', () => {
  const style = { prefixesUnderscore: true, preservesUnderscores: true };
  for (const [name, want] of [
    ['http.method', 'http_method'],
    ['1st', 'key_1st'],
    ['_one', 'key_one'],
    ['__two', '__two'],
    ['a--b', 'a__b'],
    ['ü', 'key_'],
  ] as const) {
    assert.equal(labelName(name, true, style), want);
    assert.equal(labelName(name, false, style), name);
  }
  assert.equal(labelName('a--b', true, { ...style, preservesUnderscores: false }), 'a_b');
  assert.equal(labelName('_one', true, { ...style, prefixesUnderscore: false }), '_one');
});

const TEXTS: readonly (readonly [value: AnyValue, want: string])[] = [
  [undefined, ''],
  ['a"b', 'a"b'],
  [true, 'true'],
  [-9223372036854775808n, '-9223372036854775808'],
  [1.5, '1.5'],
  [3, '3'],
  [1e21, '1e+21'],
  [1e-7, '1e-7'],
  [Number.NaN, 'json: unsupported value: NaN'],
  [Uint8Array.of(1, 2, 3), 'AQID'],
  [['a<b', 1n, undefined], '["a\\u003cb",1,null]'],
  [
    new Map<string, AnyValue>([
      ['z', 1.5],
      ['b', [true]],
    ]),
    '{"b":[true],"z":1.5}',
  ],
];

for (const [value, want] of TEXTS)
  test(`an attribute as text: ${want}`, () => assert.equal(attributeText(value), want));

/** A gauge with one point. */
function gaugeOf(resource: readonly Json[], point: readonly Json[]): Json {
  const dataPoints = [{ timeUnixNano: '1700000000123456789', asInt: '1', attributes: point }];
  const scope = { name: 'lib', version: '1.2', attributes: [attribute('team', { stringValue: 'x' })] };
  const scopeMetrics = [{ scope, schemaUrl: 'url', metrics: [{ name: 'm', gauge: { dataPoints } }] }];
  return { resourceMetrics: [{ resource: { attributes: resource }, scopeMetrics }] };
}

function labelsOf(request: Json, options: Partial<OtlpOptions>): string[] {
  const { series } = translate(decodeOtlp(otlpProtobuf(request)), { ...OPTIONS, ...options });
  for (const { samples } of series) assert.equal(samples[0]![0], 1700000000123);
  return series.map(({ labels }) =>
    labels
      .map((text, i) => (i % 2 === 0 ? text : `=${text} `))
      .join('')
      .trim(),
  );
}

const text = (key: string, stringValue: string) => attribute(key, { stringValue });
const SERVICE = [text('service.name', 's'), text('service.instance.id', 'i')];

const LABELS: readonly (readonly [
  name: string,
  request: Json,
  options: Partial<OtlpOptions>,
  want: readonly string[],
])[] = [
  ['nobody is named', gaugeOf([text('host.name', 'h')], [text('a', 'b')]), {}, ['__name__=m a=b']],
  ['nothing but the service', gaugeOf(SERVICE, []), {}, ['__name__=m instance=i job=s']],
  [
    ...(['a namespace, and more'] as const),
    gaugeOf([...SERVICE, text('service.namespace', 'n'), text('host.name', 'h')], []),
    {},
    ['__name__=m instance=i job=n/s', '__name__=target_info host_name=h instance=i job=n/s'],
  ],
  [
    ...(['identifying attributes are kept'] as const),
    gaugeOf([text('service.name', 's'), text('x', '1')], []),
    { keepsIdentifying: true },
    ['__name__=m job=s', '__name__=target_info job=s service_name=s x=1'],
  ],
  ['names that become the same', gaugeOf([], [text('a.b', '2'), text('a-b', '1')]), {}, ['__name__=m a_b=1;2']],
  [
    'promoted',
    gaugeOf([text('x', '1'), text('y', '2')], [text('y', '3')]),
    { promoted: ['x', 'y'] },
    ['__name__=m x=1 y=3'],
  ],
  [
    ...(['all promoted but one'] as const),
    gaugeOf([text('x.a', '1'), text('y', '2')], []),
    { promotesAll: true, promoted: ['y'], escaped: false },
    ['__name__=m x.a=1'],
  ],
  [
    ...(['the scope'] as const),
    gaugeOf([], []),
    { promotesScope: true },
    ['__name__=m otel_scope_name=lib otel_scope_schema_url=url otel_scope_team=x otel_scope_version=1.2'],
  ],
  ['empty values are none', gaugeOf([], [text('a', ''), text('b', 'c')]), {}, ['__name__=m b=c']],
];

for (const [name, request, options, want] of LABELS) {
  test(`labels: ${name}`, () => assert.deepEqual(labelsOf(request, options), want));
}

test('JSON says the same as protobuf', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const request = generateOtlp(new Prng(seed), 1_700_000_000_000, 'x');
    const [binary, json] = [decodeOtlp(otlpProtobuf(request)), decodeOtlpJson(JSON.stringify(request))];
    assert.deepEqual(json, binary, `seed ${seed}`);
  }
});

test('JSON: names with underscores, numbers as numbers, enums by name', () => {
  const point = { time_unix_nano: 1700000000123000000, as_int: 5 };
  const sum = {
    aggregation_temporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
    is_monotonic: true,
    data_points: [point],
  };
  const request = { resource_metrics: [{ scope_metrics: [{ metrics: [{ name: 'm', sum }] }] }] };
  const { series, faults } = translate(decodeOtlpJson(JSON.stringify(request)), OPTIONS);
  assert.deepEqual(faults, []);
  assert.deepEqual(series, [
    { labels: ['__name__', 'm_total'], samples: [[1700000000123, 5]], histograms: [], exemplars: [] },
  ]);
});

test('exponential histograms: each bucket goes where its bounds lie', () => {
  const random = new Prng(9);
  for (let round = 0; round < 300; round++) {
    const counts = Array.from({ length: random.int(20) }, () => random.int(3) * random.int(50));
    const buckets = { offset: random.int(60) - 30, counts };
    const scale = random.int(16) - 4;
    const histogram = exponentialHistogram(
      {
        ...{ attributes: [], timeMs: 0, isStale: false, count: 1, sum: undefined, scale, zeroCount: 0, exemplars: [] },
        ...{ positive: buckets, negative: { offset: 0, counts: [] } },
      },
      'cumulative',
    );
    assert.ok(typeof histogram !== 'string');
    const want = new Map<number, number>();
    counts.forEach((count, i) => {
      // The upper bound of bucket i is base^(i+1): in the coarser schema it lies in the bucket with the next bound.
      const down = 2 ** Math.max(0, scale - 8);
      const bucket = Math.ceil((buckets.offset + i + 1) / down);
      if (count > 0) want.set(bucket, (want.get(bucket) ?? 0) + count);
    });
    const { positive, schema } = floatHistogramOf(histogram);
    assert.equal(schema, Math.min(8, scale));
    assert.deepEqual(new Map(positive.indices.map((index, i) => [index, positive.counts[i]])), want, `round ${round}`);
  }
});

test('a broken body is refused, or read as far as it is whole: nothing else', () => {
  const body = otlpProtobuf(generateOtlp(new Prng(4), 1_700_000_000_000, 'x'));
  const random = new Prng(8);
  let refused = 0;
  for (let round = 0; round < 2000; round++) {
    const broken = Uint8Array.from(body.subarray(0, round % 2 === 0 ? random.int(body.length) : body.length));
    for (let i = 0; i < 3 && broken.length > 0; i++) broken[random.int(broken.length)] = random.int(256);
    try {
      rewriteOtlp(broken, { coding: 'protobuf', gzip: false, options: OPTIONS });
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 100);
});
