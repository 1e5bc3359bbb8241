// Buckets left out and joined: beside a map from bucket to count.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { coarsenTo, compactHistogram, limitBuckets, schemaOfFactor } from '../../../src/model/histogram-shape.js';
import {
  bucketIndices,
  NO_COUNTS,
  NO_SPANS,
  type Span,
  type StoredHistogram,
  spanBuckets,
} from '../../../src/model/stored-histogram.js';

const EMPTY: StoredHistogram = {
  isFloat: false,
  hint: 'unknown',
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 0,
  sumBits: 0n,
  positiveSpans: NO_SPANS,
  negativeSpans: NO_SPANS,
  positive: NO_COUNTS,
  negative: NO_COUNTS,
  bounds: [],
};

/** Spans as a target may send them: some touch, some are of no length, many buckets are empty. */
function generate(random: Prng): { spans: Span[]; counts: Float64Array } {
  const spans: Span[] = [];
  for (let n = random.int(5); n > 0; n--) {
    const offset = spans.length === 0 ? random.int(20) - 10 : random.int(4);
    spans.push({ offset, length: random.int(5) });
  }
  const counts = Float64Array.from({ length: spanBuckets(spans) }, () => (random.int(2) === 0 ? 0 : 1 + random.int(9)));
  return { spans, counts };
}

function filled(spans: readonly Span[], counts: Float64Array): Map<number, number> {
  const indices = bucketIndices(spans);
  return new Map([...indices].map((index, i) => [index, counts[i]!] as const).filter(([, count]) => count !== 0));
}

function histogram(random: Prng): StoredHistogram {
  const [above, below] = [generate(random), generate(random)];
  return {
    ...EMPTY,
    schema: random.int(6) - 2,
    positiveSpans: above.spans,
    positive: above.counts,
    negativeSpans: below.spans,
    negative: below.counts,
  };
}

test('compact histograms have the same observations, and empty buckets only where few stand between others', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Prng(seed);
    const given = histogram(random);
    const emptyKept = random.int(4);
    const { positiveSpans, positive, negativeSpans, negative } = compactHistogram(given, emptyKept);
    const sides = [
      [given.positiveSpans, given.positive, positiveSpans, positive],
      [given.negativeSpans, given.negative, negativeSpans, negative],
    ] as const;
    for (const [spans, counts, compactSpans, compact] of sides) {
      assert.deepEqual(filled(compactSpans, compact), filled(spans, counts), `seed ${seed}`);
      const run = /^0|0$|(?:0 ){4,}/.test([...compact].map((count) => Math.min(count, 1)).join(' '));
      assert.ok(!run, `seed ${seed}: empty at an end, or many`);
      assert.ok(
        compactSpans.every(({ length }) => length > 0),
        `seed ${seed}`,
      );
      assert.ok(
        compactSpans.slice(1).every(({ offset }) => offset > emptyKept),
        `seed ${seed}`,
      );
    }
  }
});

test('what is compact already is the same object', () => {
  const given = { ...EMPTY, positiveSpans: [{ offset: 3, length: 2 }], positive: Float64Array.of(1, 2) };
  assert.equal(compactHistogram(given), given);
});

test('spans that promise more buckets than there are stay, to be refused', () => {
  const given = { ...EMPTY, positiveSpans: [{ offset: 0, length: 4_000_000_000 }], positive: Float64Array.of(0) };
  assert.equal(compactHistogram(given), given);
});

test('coarser histograms have the sums of the buckets that they join', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Prng(seed);
    const given = compactHistogram(histogram(random));
    const schema = given.schema - random.int(4);
    const coarse = coarsenTo(given, schema);
    assert.equal(coarse.schema, schema);
    const want = new Map<number, number>();
    for (const [index, count] of filled(given.positiveSpans, given.positive)) {
      // Of bucket i the upper end is 2^(i / 2^schema).
      const joined = Math.ceil(index / 2 ** (given.schema - schema));
      want.set(joined, (want.get(joined) ?? 0) + count);
    }
    assert.deepEqual(filled(coarse.positiveSpans, coarse.positive), want, `seed ${seed}`);
  }
});

test('a limit of buckets makes a histogram as coarse as it has to be', () => {
  const given = {
    ...EMPTY,
    schema: 0,
    positiveSpans: [{ offset: 1, length: 8 }],
    positive: new Float64Array(8).fill(1),
  };
  const of = (bucketsMax: number) => {
    const limited = limitBuckets(given, bucketsMax);
    return limited && [limited.schema, [...limited.positive]];
  };
  assert.deepEqual(of(8), [0, [1, 1, 1, 1, 1, 1, 1, 1]]);
  assert.deepEqual(of(7), [-1, [2, 2, 2, 2]]);
  assert.deepEqual(of(3), [-2, [4, 4]]);
  assert.deepEqual(of(1), [-3, [8]]);
  // Both sides of zero stay apart.
  const both = { ...given, negativeSpans: given.positiveSpans, negative: given.positive };
  assert.equal(limitBuckets(both, 1), undefined);
  // Bounds of its own cannot be joined.
  const custom = { ...given, schema: -53, bounds: [1, 2, 3, 4, 5, 6, 7], positiveSpans: [{ offset: 0, length: 8 }] };
  assert.equal(limitBuckets(custom, 7), undefined);
  assert.equal(limitBuckets(custom, 8), custom);
  assert.equal(coarsenTo(custom, -60), custom);
});

const factors: [factor: number, schema: number][] = [
  [0, 8],
  [1, 8],
  [1.002, 8],
  [1.1, 2],
  [1.5, 0],
  [2, 0],
  [3, -1],
  [4, -1],
  [65536, -4],
  [1e9, -4],
];
for (const [factor, schema] of factors) {
  test(`buckets that grow by ${factor} at least are of schema ${schema}`, () => {
    assert.equal(schemaOfFactor(factor), schema);
  });
}
