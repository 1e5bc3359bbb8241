import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { CUSTOM_SCHEMA } from '../../../src/model/histogram.js';
import {
  bitsOf,
  bucketIndices,
  floatHistogramOf,
  isStaleHistogram,
  type StoredHistogram,
  sameStored,
  spansOf,
  staleHistogram,
  storedHistogramOf,
} from '../../../src/model/stored-histogram.js';
import { ChunkFault } from '../../../src/tsdb/chunk/bit-stream.js';
import { decodeHistogramChunk, encodeHistogramChunk, type HistogramSample } from '../../../src/tsdb/chunk/histogram.js';
import { HistogramAppender, type SealedHistograms } from '../../../src/tsdb/chunk/histogram-appender.js';
import { ResetHeader, resetHeaderOf } from '../../../src/tsdb/chunk/histogram-layout.js';
import { generateStored } from '../../support/stored-histograms.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Buckets from 1 on. */
function integer(counts: readonly number[], more: Partial<StoredHistogram> = {}): StoredHistogram {
  return {
    isFloat: false,
    hint: 'unknown',
    schema: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    count: counts.reduce((sum, count) => sum + count, 0),
    sumBits: bitsOf(1),
    positiveSpans: counts.length === 0 ? [] : [{ offset: 1, length: counts.length }],
    negativeSpans: [],
    positive: Float64Array.from(counts),
    negative: new Float64Array(0),
    bounds: [],
    ...more,
  };
}

// Bytes worked out by hand from docs/formats/chunk.md, as bits.
const golden: [name: string, samples: HistogramSample[], bits: string][] = [
  [
    'no buckets',
    [{ timeMs: 0, histogram: integer([]) }],
    // count, header │ threshold, schema, no spans twice │ time, count, zero count │ sum
    `0000000000000001 00000000 00000000 0 0 0 0 0 0 ${0x3ff0000000000000n.toString(2).padStart(64, '0')}`,
  ],
  [
    'two buckets, twice',
    [
      { timeMs: 4, histogram: integer([2, 1], { zeroThreshold: 2 ** -128, schema: -4 }) },
      { timeMs: 5, histogram: integer([2, 2], { zeroThreshold: 2 ** -128, schema: -4 }) },
    ],
    // one span: length 2, offset 1; time 4; count 3; buckets 2, -1
    // change of time 1, of count 1, of zero count 0; same sum; buckets 0, 1
    `0000000000000010 00000000 01110100 110111100 10001 10010 10001 0 10100 10011 0 ${0x3ff0000000000000n
      .toString(2)
      .padStart(64, '0')} 10010 10111 10001 10001 0 0 0 10001`,
  ],
  [
    'custom bounds, a gauge that ends',
    [
      {
        timeMs: 0,
        histogram: integer([7], { schema: CUSTOM_SCHEMA, bounds: [0.005, -1], hint: 'gauge', sumBits: 0n }),
      },
      { timeMs: 1, histogram: staleHistogram(false) },
    ],
    // schema -53 in 9 bits; bounds: two, 5 + 1, then a whole float
    `0000000000000010 11000000 00000000 1110111001011 10001 10001 10001 0 10010 10110 0 ${(0xbff0000000000000n).toString(2)}
     0 10111 0 ${'0'.repeat(64)} 110000111 10001 0 0 11 00001 111110 ${(0x7ff0000000000002n >> 1n).toString(2)}`,
  ],
];

for (const [name, samples, bits] of golden) {
  test(`golden: ${name}`, () => {
    const header = samples[0]!.histogram.hint === 'gauge' ? ResetHeader.Gauge : ResetHeader.Unknown;
    const bytes = bits.replaceAll(/\s/g, '').match(/.{1,8}/g) ?? [];
    const want = Uint8Array.from(bytes, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    assert.equal(hex(encodeHistogramChunk(samples, header)), hex(want));
    const again = decodeHistogramChunk(want, false);
    again.forEach(({ timeMs, histogram }, i) => {
      assert.equal(timeMs, samples[i]!.timeMs);
      assert.ok(sameStored(histogram, samples[i]!.histogram));
    });
  });
}

function appendAll(samples: readonly StoredHistogram[], stepMs = 15_000): SealedHistograms[] {
  const appender = new HistogramAppender(samples[0]!.isFloat);
  const chunks: SealedHistograms[] = [];
  samples.forEach((sample, i) => {
    const cut = appender.append(1_000_000_000 + i * stepMs, sample);
    if (cut !== undefined) chunks.push(cut);
  });
  return [...chunks, appender.peek()!];
}

for (const isFloat of [false, true]) {
  test(`${isFloat ? 'float' : 'integer'} series: what was appended is what the chunks hold (seeds 1 … 200)`, () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Prng(seed);
      const samples = generateStored(random, isFloat, 1 + random.int(300));
      const chunks = appendAll(samples);
      let i = 0;
      for (const { data, minTimeMs, maxTimeMs, count } of chunks) {
        const decoded = decodeHistogramChunk(data, isFloat);
        assert.equal(decoded.length, count);
        assert.deepEqual([decoded[0]!.timeMs, decoded.at(-1)!.timeMs], [minTimeMs, maxTimeMs]);
        assert.equal(hex(encodeHistogramChunk(decoded, resetHeaderOf(data))), hex(data), `seed ${seed}`);
        for (const { timeMs, histogram } of decoded) {
          const want = samples[i]!;
          assert.equal(timeMs, 1_000_000_000 + i * 15_000, `seed ${seed}, sample ${i}`);
          assert.equal(isStaleHistogram(histogram), isStaleHistogram(want));
          if (!isStaleHistogram(want)) {
            assert.ok(floatHistogramOf(histogram).equals(floatHistogramOf(want)), `seed ${seed}, sample ${i}`);
          }
          i++;
        }
      }
      assert.equal(i, samples.length);
    }
  });
}

test('counters in one chunk never go down, and a chunk behind a reset says so (seeds 1 … 200)', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const samples = generateStored(new Prng(seed), false, 200);
    if (samples.some(({ hint }) => hint === 'gauge')) continue;
    let before: StoredHistogram | undefined;
    for (const { data } of appendAll(samples)) {
      const header = resetHeaderOf(data);
      decodeHistogramChunk(data, false).forEach(({ histogram }, i) => {
        if (isStaleHistogram(histogram)) return;
        const now = floatHistogramOf({ ...histogram, hint: 'unknown' });
        const last = before && floatHistogramOf({ ...before, hint: 'unknown' });
        const isReset = last !== undefined && now.isResetAfter(last);
        if (i > 0) assert.ok(!isReset, `seed ${seed}: a reset inside a chunk`);
        else if (header === ResetHeader.NotReset) assert.ok(!isReset, `seed ${seed}: a reset that is denied`);
        before = histogram;
      });
    }
  }
});

const grown = integer([1, 2, 3]);

const cuts: [name: string, samples: StoredHistogram[], headers: ResetHeader[]][] = [
  ['goes on', [grown, integer([1, 2, 4])], [ResetHeader.Unknown]],
  ['a count less', [grown, integer([1, 2, 2])], [ResetHeader.Unknown, ResetHeader.Reset]],
  ['a bucket less, the count more', [grown, integer([0, 9, 9])], [ResetHeader.Unknown, ResetHeader.Reset]],
  ['a bucket in use gone', [grown, integer([9, 9])], [ResetHeader.Unknown, ResetHeader.Reset]],
  ['an empty bucket gone', [integer([1, 2, 0]), integer([1, 2])], [ResetHeader.Unknown]],
  ['a new bucket', [grown, integer([1, 2, 3, 1])], [ResetHeader.Unknown]],
  ['another schema', [grown, integer([1, 2, 3], { schema: 1 })], [ResetHeader.Unknown, ResetHeader.Unknown]],
  ['another threshold', [grown, integer([1, 2, 3], { zeroThreshold: 1 })], [ResetHeader.Unknown, ResetHeader.Unknown]],
  ['a reset that is said', [grown, { ...grown, hint: 'reset' }], [ResetHeader.Unknown, ResetHeader.Reset]],
  ['a gauge behind a counter', [grown, { ...grown, hint: 'gauge' }], [ResetHeader.Unknown, ResetHeader.Gauge]],
  [
    'a gauge goes down',
    [
      { ...grown, hint: 'gauge' },
      { ...integer([1]), hint: 'gauge' },
    ],
    [ResetHeader.Gauge],
  ],
  ['the end', [grown, staleHistogram(false)], [ResetHeader.Unknown]],
  ['behind the end', [grown, staleHistogram(false), grown], [ResetHeader.Unknown, ResetHeader.Unknown]],
  [
    'other bounds',
    [
      { ...integer([1]), schema: CUSTOM_SCHEMA, bounds: [1, 2] },
      { ...integer([1]), schema: CUSTOM_SCHEMA, bounds: [1, 3] },
    ],
    [ResetHeader.Unknown, ResetHeader.Reset],
  ],
];

for (const [name, samples, headers] of cuts) {
  test(`cut: ${name} → ${headers.length} chunks`, () => {
    assert.deepEqual(
      appendAll(samples).map(({ data }) => resetHeaderOf(data)),
      headers,
    );
  });
}

test('cut: at a multiple of two hours, and about every kibibyte', () => {
  const samples = Array.from({ length: 600 }, (_, i) =>
    integer(Array.from({ length: 20 }, (__, b) => (i + 1) * (b + i))),
  );
  const chunks = appendAll(samples);
  for (const { minTimeMs, maxTimeMs, data, count } of chunks) {
    assert.equal(Math.floor(minTimeMs / 7_200_000), Math.floor(maxTimeMs / 7_200_000));
    assert.ok(data.length < 3000 && count <= 600);
  }
  assert.ok(chunks.length > 4);
  assert.ok(chunks.slice(1).every(({ data }) => resetHeaderOf(data) === ResetHeader.NotReset));
});

test('spans and buckets', () => {
  assert.deepEqual(
    [
      ...bucketIndices([
        { offset: 2, length: 3 },
        { offset: 1, length: 2 },
      ]),
    ],
    [2, 3, 4, 6, 7],
  );
  assert.deepEqual(
    [
      ...bucketIndices([
        { offset: -3, length: 1 },
        { offset: 1, length: 0 },
        { offset: 1, length: 1 },
      ]),
    ],
    [-3, 0],
  );
  assert.deepEqual(spansOf([-3, -2, 0]), [
    { offset: -3, length: 2 },
    { offset: 1, length: 1 },
  ]);
  assert.deepEqual(spansOf([]), []);
});

test('to a float histogram and back', () => {
  for (let seed = 1; seed <= 50; seed++) {
    for (const stored of generateStored(new Prng(seed), true, 20)) {
      if (isStaleHistogram(stored)) continue;
      const float = floatHistogramOf(stored);
      assert.ok(floatHistogramOf(storedHistogramOf(float)).equals(float));
    }
  }
});

for (const isFloat of [false, true]) {
  test(`damaged ${isFloat ? 'float' : 'integer'} chunks are a fault or other samples, never more`, () => {
    const random = new Prng(9);
    for (const { data } of appendAll(generateStored(random, isFloat, 60))) {
      for (let end = 0; end < data.length; end++) attempt(data.subarray(0, end), isFloat);
      for (let i = 0; i < 2000; i++) {
        const bad = data.slice();
        for (let flips = 1 + random.int(3); flips > 0; flips--) bad[random.int(bad.length)]! ^= 1 << random.int(8);
        attempt(bad, isFloat);
      }
    }
  });
}

function attempt(bytes: Uint8Array, isFloat: boolean): void {
  try {
    decodeHistogramChunk(bytes, isFloat);
  } catch (error) {
    if (!(error instanceof ChunkFault)) throw error;
  }
}
