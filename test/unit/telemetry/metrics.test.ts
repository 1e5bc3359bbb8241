import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { renderMetrics } from '../../../src/telemetry/exposition.js';
import { formatFloat } from '../../../src/telemetry/format.js';
import { exponentialBuckets, Registry } from '../../../src/telemetry/metrics.js';
import { parseLimit, parseProcStat, registerProcess } from '../../../src/telemetry/process.js';
import { FakeClock } from '../../support/clock.js';

const page = (...registries: Registry[]): string => new TextDecoder().decode(renderMetrics(...registries));

const floats: [value: number, want: string][] = [
  [0, '0'],
  [-0, '-0'],
  [1, '1'],
  [-1.5, '-1.5'],
  [0.1, '0.1'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [6.399999999999999e-8, '6.399999999999999e-08'],
  [282274, '282274'],
  [999999.5, '999999.5'],
  [1e6, '1e+06'],
  [13940216, '1.3940216e+07'],
  [1795249198.92, '1.79524919892e+09'],
  [2 ** 64, '1.8446744073709552e+19'],
  [1e100, '1e+100'],
  [Number.MIN_VALUE, '5e-324'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
  [Number.NaN, 'NaN'],
];
for (const [value, want] of floats) {
  test(`format: ${value} → ${want}`, () => assert.equal(formatFloat(value), want));
}

test('page: families by name, metrics by labels, escapes, nothing for a family without metrics', () => {
  const registry = new Registry();
  const requests = registry.counters('b_total', 'Requests\nwith "quotes" and \\.', 'handler', 'code');
  requests.with('/x', '500').value++;
  requests.with('/x', '200').value += 2;
  requests.with('a"b\\c\nd', '200').value++;
  registry.gauge('a', 'Gauge.').value = -0.5;
  registry.counters('unused_total', 'Unused.', 'x');
  registry.collect('c', 'Collected.', { type: 'gauge', labels: ['shard'] }, () => [
    [['1'], 1e7],
    [['0'], 3],
  ]);
  assert.equal(
    page(registry),
    [
      '# HELP a Gauge.',
      '# TYPE a gauge',
      'a -0.5',
      '# HELP b_total Requests\\nwith "quotes" and \\\\.',
      '# TYPE b_total counter',
      'b_total{code="200",handler="/x"} 2',
      'b_total{code="200",handler="a\\"b\\\\c\\nd"} 1',
      'b_total{code="500",handler="/x"} 1',
      '# HELP c Collected.',
      '# TYPE c gauge',
      'c{shard="0"} 3',
      'c{shard="1"} 1e+07',
      '',
    ].join('\n'),
  );
});

test('page: several registries come as one, sorted', () => {
  const [first, second] = [new Registry(), new Registry()];
  first.counter('b', '');
  second.counter('a', '');
  assert.deepEqual(
    page(first, second)
      .split('\n')
      .filter((line) => /^[ab]/.test(line)),
    ['a 0', 'b 0'],
  );
});

test('histogram: cumulative buckets, bounds belong to their bucket', () => {
  const registry = new Registry();
  const histogram = registry.histogram('h', 'H.', [0.1, 1, 10]);
  for (const value of [0.05, 0.1, 0.5, 1, 11, 100]) histogram.observe(value);
  assert.equal(histogram.count, 6);
  assert.equal(
    page(registry),
    '# HELP h H.\n# TYPE h histogram\nh_bucket{le="0.1"} 2\nh_bucket{le="1"} 4\nh_bucket{le="10"} 4\nh_bucket{le="+Inf"} 6\nh_sum 112.65\nh_count 6\n',
  );
  assert.deepEqual(exponentialBuckets(1, 4, 4), [1, 4, 16, 64]);
});

test('summary: exact where all are alike, near the true rank otherwise, NaN when old', () => {
  const clock = new FakeClock();
  const registry = new Registry(clock);
  const alike = registry.summary('alike', 'A.');
  for (let i = 0; i < 100; i++) alike.observe(15);
  assert.equal(alike.quantile(0.5), 15);

  const random = new Prng(7);
  const spread = registry.summary('spread', 'S.');
  const values = Array.from({ length: 5000 }, () => (random.float() - 0.2) * 10 ** random.int(6));
  for (const value of values) spread.observe(value);
  values.sort((a, b) => a - b);
  for (const q of [0.01, 0.1, 0.5, 0.9, 0.99, 1]) {
    const want = values[Math.ceil(q * values.length) - 1]!;
    assert.ok(Math.abs(spread.quantile(q) - want) <= Math.abs(want) * 0.011, `q ${q}: ${spread.quantile(q)} ≈ ${want}`);
  }
  clock.advance(599_999);
  assert.equal(alike.quantile(0.5), 15);
  clock.advance(1);
  assert.ok(Number.isNaN(alike.quantile(0.5)));
  alike.observe(3);
  clock.advance(3_000_000);
  alike.observe(4);
  assert.equal(alike.quantile(0), 4);
  assert.match(
    page(registry),
    /alike\{quantile="0.5"\} 4\nalike\{quantile="0.9"\} 4\n.*\nalike_sum 1507\nalike_count 102\n/,
  );
});

test('families: wrong count of label values and double registration are our mistakes', () => {
  const registry = new Registry();
  const family = registry.gauges('g', 'G.', 'a', 'b');
  assert.throws(() => family.with('1'), /wants 2 label values \(a,b\), got 1/);
  assert.throws(() => registry.counter('g', 'G.'), /registered twice/);
  assert.equal(family.with('1', '23'), family.with('1', '23'));
  assert.notEqual(family.with('1', '23'), family.with('12', '3'));
  family.with('1', '23').value = 5;
  family.remove('1', '23');
  assert.equal(family.with('1', '23').value, 0);
});

test('process: /proc/self/stat with an evil name, limits', () => {
  const rest = Array.from({ length: 50 }, (_, index) => index + 4);
  assert.deepEqual(parseProcStat(`42 (a) b (c) S ${rest.join(' ')}`), {
    cpuSeconds: 0.29,
    startSeconds: 0.22,
    virtualBytes: 23,
    residentBytes: 24 * 4096,
  });
  const limits =
    'Max open files            1024                 4096                 files\nMax address space         unlimited            unlimited            bytes\n';
  assert.equal(parseLimit(limits, 'Max open files'), 1024);
  assert.equal(parseLimit(limits, 'Max address space'), 2 ** 64);
  assert.ok(Number.isNaN(parseLimit(limits, 'Max nonsense')));
});

test('process: the metrics every dashboard wants are there and sane', () => {
  const registry = new Registry();
  registerProcess(registry);
  const text = page(registry);
  const value = (name: string): number => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  assert.ok(value('process_resident_memory_bytes') > 1e7);
  assert.ok(value('process_cpu_seconds_total') >= 0);
  assert.ok(Math.abs(value('process_start_time_seconds') - Date.now() / 1000) < 3600);
  if (process.platform === 'linux') {
    assert.ok(value('process_open_fds') > 2);
    assert.ok(value('process_max_fds') > 2);
    assert.ok(value('process_virtual_memory_bytes') > 1e7);
  }
});
