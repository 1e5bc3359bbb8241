import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exponentialBound } from '../../../src/model/bucket-bounds.js';
import {
  addHistograms,
  type Buckets,
  FloatHistogram,
  type HistogramParts,
  reduceSchema,
  subtractHistograms,
  widenZero,
  withStoredHint,
} from '../../../src/model/histogram.js';
import { trimHistogram } from '../../../src/model/histogram-trim.js';
import { nativeFraction, nativeQuantile, nativeVariance } from '../../../src/promql/exec/functions/native-buckets.js';
import { HistogramMean, HistogramSum } from '../../../src/promql/exec/histogram-sum.js';
import { hashLabels, xxHash64 } from '../../../src/promql/exec/label-hash.js';

function buckets(counts: Record<number, number>): Buckets {
  const indices = Object.keys(counts)
    .map(Number)
    .sort((a, b) => a - b);
  return { indices, counts: indices.map((index) => counts[index]!) };
}

function histogram(parts: HistogramParts): FloatHistogram {
  return new FloatHistogram(parts);
}

const four = histogram({ count: 4, sum: 10, positive: buckets({ 1: 1, 2: 3 }) });

const bounds: [index: number, schema: number, want: number][] = [
  [0, 0, 1],
  [1, 0, 2],
  [-1, 0, 0.5],
  [2, 1, 2],
  [1, -1, 4],
  [1024, 0, Number.MAX_VALUE],
  [1025, 0, Infinity],
  [-1074, 0, 5e-324],
  [512, -1, Number.MAX_VALUE],
  [2049, 1, Infinity],
  // As Prometheus prints them, which is not 2^(i/n) rounded.
  [-1, 1, 0.7071067811865475],
  [7, 2, 3.3635856610148576],
  [3, 2, 1.6817928305074288],
  [-1, 8, 0.9972960560854698],
  [2047, 1, 1.2711610061536462e308],
];

for (const [index, schema, want] of bounds) {
  test(`histogram: bucket ${index} of schema ${schema} ends at ${want}`, () => {
    assert.equal(exponentialBound(index, schema), want);
  });
}

test('histogram: adding takes the coarser schema', () => {
  const fine = histogram({ schema: 1, count: 3, sum: 5, positive: buckets({ 1: 1, 2: 1, 3: 1 }) });
  const { histogram: sum } = addHistograms(four, fine)!;
  assert.equal(sum.schema, 0);
  assert.deepEqual(sum.positive, buckets({ 1: 3, 2: 4 }));
  assert.equal(sum.count, 7);
});

test('histogram: what cancels out leaves no bucket', () => {
  assert.deepEqual(subtractHistograms(four, four)!.histogram.positive, buckets({}));
});

test('histogram: exponential and custom buckets cannot be added', () => {
  assert.equal(addHistograms(four, histogram({ schema: -53, bounds: [1] })), undefined);
});

test('histogram: of custom bounds those in common are left', () => {
  const a = histogram({ schema: -53, bounds: [1, 2, 4], count: 10, positive: buckets({ 0: 1, 1: 2, 2: 3, 3: 4 }) });
  const b = histogram({ schema: -53, bounds: [2, 3], count: 3, positive: buckets({ 0: 1, 1: 1, 2: 1 }) });
  const { histogram: sum, reconciled } = addHistograms(a, b)!;
  assert.equal(reconciled, true);
  assert.deepEqual(sum.bounds, [2]);
  assert.deepEqual(sum.positive, buckets({ 0: 4, 1: 9 }));
});

test('histogram: a zero bucket widens over whole buckets', () => {
  const wide = widenZero(histogram({ positive: buckets({ 0: 1, 1: 2, 2: 4 }), negative: buckets({ 0: 8 }) }), 1.5);
  assert.equal(wide.zeroThreshold, 2);
  assert.equal(wide.zeroCount, 11);
  assert.deepEqual(wide.positive, buckets({ 2: 4 }));
});

test('histogram: reducing the schema merges neighbours, below zero too', () => {
  const reduced = reduceSchema(histogram({ schema: 1, positive: buckets({ [-1]: 1, 0: 2, 1: 4, 2: 8, 3: 16 }) }), 0);
  assert.deepEqual(reduced.positive, buckets({ 0: 3, 1: 12, 2: 16 }));
});

const resets: [name: string, before: HistogramParts, after: HistogramParts, want: boolean][] = [
  [
    'more in all buckets',
    { count: 2, positive: buckets({ 1: 2 }) },
    { count: 3, positive: buckets({ 1: 2, 2: 1 }) },
    false,
  ],
  ['a smaller count', { count: 3 }, { count: 2 }, true],
  [
    'less in one bucket',
    { count: 3, positive: buckets({ 1: 3 }) },
    { count: 4, positive: buckets({ 1: 2, 2: 2 }) },
    true,
  ],
  ['a finer schema', { count: 1, schema: 0 }, { count: 1, schema: 1 }, true],
  [
    'a coarser schema',
    { count: 2, schema: 1, positive: buckets({ 1: 1, 2: 1 }) },
    { count: 2, positive: buckets({ 1: 2 }) },
    false,
  ],
  ['the hint says so', { count: 1 }, { count: 9, hint: 'reset' }, true],
  ['the hint denies it', { count: 9 }, { count: 1, hint: 'not_reset' }, false],
  [
    'a bucket of a negated counter is gone',
    { count: -3, positive: buckets({ 1: -3 }) },
    { count: -2, positive: buckets({ 2: -2 }) },
    true,
  ],
  [
    'a negated counter has a new bucket',
    { count: -3, positive: buckets({ 1: -3 }) },
    { count: -3, positive: buckets({ 1: -1, 2: -2 }) },
    false,
  ],
  ['a smaller zero threshold', { count: 1, zeroThreshold: 0.1 }, { count: 1, zeroThreshold: 0.01 }, true],
  [
    'the threshold cuts a bucket',
    { count: 1, positive: buckets({ 0: 1 }) },
    { count: 1, zeroThreshold: 0.75, zeroCount: 1 },
    true,
  ],
];

for (const [name, before, after, want] of resets) {
  test(`histogram: reset or not: ${name}`, () => {
    assert.equal(histogram(after).isResetAfter(histogram(before)), want);
  });
}

test('histogram: prints as Prometheus does', () => {
  const text = histogram({
    count: 7,
    sum: 1.5e6,
    zeroThreshold: 0.001,
    zeroCount: 1,
    positive: buckets({ 0: 2 }),
    negative: buckets({ 0: 3, 1: 1 }),
  }).toString();
  assert.equal(text, '{count:7, sum:1.5e+06, [-2,-1):1, [-1,-0.5):3, [-0.001,0.001]:1, (0.5,1]:2}');
});

test('histogram sum: losses to rounding are kept, bucket by bucket', () => {
  const of = (value: number) => histogram({ count: value, sum: value, positive: buckets({ 1: value }) });
  const sum = new HistogramSum(of(1));
  for (const value of [1e100, 1, -1e100]) assert.equal(sum.add(of(value)), true);
  assert.equal(sum.total.sum, 2);
  assert.deepEqual(sum.total.positive, buckets({ 1: 2 }));
});

test('histogram mean: does not overflow', () => {
  const large = histogram({ count: 1e308, sum: 1e308 });
  const mean = new HistogramMean(large);
  mean.add(large);
  mean.add(large);
  assert.ok(Math.abs(mean.mean.sum / 1e308 - 1) < 1e-12);
});

const silent = () => assert.fail('no remark expected');

const quantiles: [phi: number, parts: HistogramParts, want: number][] = [
  [0.5, { count: 4, sum: 10, positive: buckets({ 1: 1, 2: 3 }) }, 2 ** (1 + 1 / 3)],
  [0, { count: 4, sum: 10, positive: buckets({ 1: 1, 2: 3 }) }, 1],
  [1, { count: 4, sum: 10, positive: buckets({ 1: 1, 2: 3 }) }, 4],
  [-1, { count: 4 }, -Infinity],
  [2, { count: 4 }, Infinity],
  [0.5, { count: 0 }, Number.NaN],
  [0.5, { schema: -53, bounds: [1, 2], count: 2, sum: 3, positive: buckets({ 0: 1, 1: 1 }) }, 1],
  [0.9, { schema: -53, bounds: [1, 2], count: 2, sum: 9, positive: buckets({ 0: 1, 2: 1 }) }, 2],
  [0.5, { count: 2, sum: 1, zeroThreshold: 1, zeroCount: 2, positive: buckets({}) }, 0],
];

for (const [phi, parts, want] of quantiles) {
  test(`histogram: the ${phi} quantile of ${histogram(parts)} is ${want}`, () => {
    const got = nativeQuantile(phi, histogram(parts), silent);
    assert.ok(Object.is(got, want) || Math.abs(got - want) < 1e-12, `got ${got}`);
  });
}

test('histogram: fractions are the inverse of quantiles', () => {
  for (const phi of [0.1, 0.25, 0.5, 0.7, 0.99]) {
    const value = nativeQuantile(phi, four, silent);
    assert.ok(Math.abs(nativeFraction(-Infinity, value, four, silent) - phi) < 1e-12);
  }
});

test('histogram: variance from the middles of buckets', () => {
  const custom = histogram({ schema: -53, bounds: [2, 4], count: 2, sum: 4, positive: buckets({ 1: 2 }) });
  assert.equal(nativeVariance(custom), 1);
});

test('histogram: trimming divides the bucket it cuts', () => {
  const custom = histogram({ schema: -53, bounds: [2, 4], count: 6, sum: 15, positive: buckets({ 0: 2, 1: 4 }) });
  const below = trimHistogram(custom, 3, 'upper');
  assert.deepEqual(below.positive, buckets({ 0: 2, 1: 2 }));
  assert.equal(below.count, 4);
  assert.equal(trimHistogram(custom, 5, 'upper'), custom);
  assert.deepEqual(trimHistogram(custom, 3, 'lower').positive, buckets({ 1: 2 }));
});

// Known answers: xxHash's specification and its reference implementation.
const hashes: [text: string, want: bigint][] = [
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
];

for (const [text, want] of hashes) {
  test(`label hash: xxHash64 of ${JSON.stringify(text)}`, () => {
    assert.equal(xxHash64(Buffer.from(text)), want);
  });
}

test('label hash: lengths stand before names and values', () => {
  assert.equal(hashLabels(['a', 'b']), xxHash64(Buffer.from('\x01a\x01b')));
  const long = 'x'.repeat(300);
  assert.equal(hashLabels(['a', long]), xxHash64(Buffer.from(`\x01a\xff\x2c\x01\x00${long}`, 'latin1')));
});

const stored: [what: string, before: HistogramParts | undefined, next: HistogramParts, want: string][] = [
  ['the first', undefined, { count: 1 }, 'unknown'],
  ['one that goes on', { count: 1 }, { count: 1 }, 'not_reset'],
  ['what a sender says', undefined, { count: 1, hint: 'not_reset' }, 'unknown'],
  ['a reset', { count: 2 }, { count: 1 }, 'unknown'],
  ['a gauge', { count: 1 }, { count: 2, hint: 'gauge' }, 'gauge'],
  ['one behind a gauge', { count: 1, hint: 'gauge' }, { count: 2 }, 'unknown'],
  ['another schema', { schema: 2, count: 1 }, { schema: 1, count: 2 }, 'unknown'],
  ['another zero threshold', { count: 1 }, { zeroThreshold: 1, count: 2 }, 'unknown'],
  ['the same bounds', { schema: -53, bounds: [1, 2] }, { schema: -53, bounds: [1, 2], count: 1 }, 'not_reset'],
  [
    'other bounds, though nothing shrank',
    { schema: -53, bounds: [1, 2] },
    { schema: -53, bounds: [1], count: 1 },
    'unknown',
  ],
];
for (const [what, before, next, want] of stored) {
  test(`the hint that is stored: ${what}`, () => {
    assert.equal(withStoredHint(histogram(next), before && histogram(before)).hint, want);
  });
}
