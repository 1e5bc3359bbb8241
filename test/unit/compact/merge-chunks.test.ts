import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNK_SAMPLES_MAX } from '../../../assembly/layout.js';
import { Prng } from '../../../src/base/prng.js';
import type { CounterHint } from '../../../src/model/histogram.js';
import { floatHistogramOf } from '../../../src/model/stored-histogram.js';
import type { DeletedInterval, StreamedChunk } from '../../../src/tsdb/block/contract.js';
import { mergeChunks, mergeSamples, withoutDeleted } from '../../../src/tsdb/compact/merge-chunks.js';
import { type Sample, SampleCodec } from '../../../src/tsdb/compact/samples.js';
import { Chunks } from '../../../src/wasm/chunks.js';
import { chunkAt } from '../../support/blocks.js';
import { generateStored } from '../../support/stored-histograms.js';
import { testCore } from '../../support/wal.js';
import { decodeXor } from '../../support/xor-model.js';

const codec = new SampleCodec(new Chunks(testCore()));

/** Rows written as `time` + name of the row: its sample's value. */
function row(name: string, times: readonly number[]): Sample[] {
  return times.map((timeMs) => ({ timeMs, bits: BigInt(name.charCodeAt(0)) }));
}

function text(samples: readonly Sample[]): string {
  return samples
    .map(({ timeMs, ...rest }) => `${timeMs}${String.fromCharCode(Number('bits' in rest ? rest.bits : 63))}`)
    .join(' ');
}

// What Prometheus's chain of iterators makes of these, worked out by hand from its rule.
const rows: [what: string, rows: [name: string, times: number[]][], want: string][] = [
  ['one', [['a', [1, 2]]], '1a 2a'],
  ['none', [], ''],
  [
    'in turn',
    [
      ['a', [1, 3]],
      ['b', [2, 4]],
    ],
    '1a 2b 3a 4b',
  ],
  [
    'one behind the other',
    [
      ['a', [1, 2]],
      ['b', [3, 4]],
    ],
    '1a 2a 3b 4b',
  ],
  [
    'the same times: the first',
    [
      ['a', [1, 2, 3]],
      ['b', [1, 2, 3]],
    ],
    '1a 2a 3a',
  ],
  [
    'the first began: the other goes in',
    [
      ['a', [3, 5]],
      ['b', [5, 7]],
    ],
    '3a 5b 7b',
  ],
  [
    'the second began: the first goes in',
    [
      ['a', [5, 7]],
      ['b', [3, 5]],
    ],
    '3b 5a 7a',
  ],
  [
    'and stays in',
    [
      ['a', [3, 5, 7, 9]],
      ['b', [5, 7, 9]],
    ],
    '3a 5b 7b 9b',
  ],
  [
    'one is empty',
    [
      ['a', []],
      ['b', [1]],
    ],
    '1b',
  ],
  [
    'the other is',
    [
      ['a', [1]],
      ['b', []],
    ],
    '1a',
  ],
  [
    'three',
    [
      ['a', [1, 4]],
      ['b', [2, 5]],
      ['c', [3, 6]],
    ],
    '1a 2b 3c 4a 5b 6c',
  ],
];
for (const [what, given, want] of rows) {
  test(`samples: ${what}`, () =>
    assert.equal(text(mergeSamples(given.map(([name, times]) => row(name, times)))), want));
}

test('samples: every time once, each with a value that a row has for it', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const prng = new Prng(seed);
    const given = Array.from({ length: 1 + prng.int(4) }, (_, i) => {
      const times = Array.from({ length: prng.int(12) }, () => prng.int(20));
      return row(
        String.fromCharCode(97 + i),
        [...new Set(times)].sort((a, b) => a - b),
      );
    });
    const merged = mergeSamples(given);
    const times = [...new Set(given.flat().map(({ timeMs }) => timeMs))].sort((a, b) => a - b);
    assert.deepEqual(
      merged.map(({ timeMs }) => timeMs),
      times,
      `seed ${seed}`,
    );
    for (const one of merged) assert.ok(given.some((samples) => samples.some((s) => text([s]) === text([one]))));
  }
});

function timesOf(chunks: readonly StreamedChunk[]): number[][] {
  return chunks.map((chunk) => {
    const times = decodeXor(chunk.data)!.map(({ time }) => time);
    assert.deepEqual([chunk.minTimeMs, chunk.maxTimeMs], [times[0], times.at(-1)]);
    return times;
  });
}

const range = (from: number, count: number, step = 1) => Array.from({ length: count }, (_, i) => from + i * step);

const groups: [what: string, chunks: number[][], want: number[][]][] = [
  [
    'side by side: as they are',
    [
      [1, 2],
      [3, 4],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    'out of order',
    [
      [3, 4],
      [1, 2],
    ],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    'the same twice',
    [
      [1, 2],
      [1, 2],
    ],
    [[1, 2]],
  ],
  [
    'one in common',
    [
      [1, 3],
      [3, 4],
    ],
    [[1, 3, 4]],
  ],
  [
    'by way of a third',
    [
      [1, 9],
      [2, 4],
      [5, 12],
      [13, 14],
    ],
    [
      [1, 2, 4, 5, 9, 12],
      [13, 14],
    ],
  ],
  [
    'more than fit in one',
    [range(0, 100, 2), range(1, 100, 2)],
    [range(0, CHUNK_SAMPLES_MAX), range(CHUNK_SAMPLES_MAX, 200 - CHUNK_SAMPLES_MAX)],
  ],
];
for (const [what, chunks, want] of groups) {
  test(`chunks: ${what}`, () =>
    assert.deepEqual(
      timesOf(
        mergeChunks(
          chunks.map((times) => chunkAt(times)),
          codec,
        ),
      ),
      want,
    ));
}

test('chunks: those alone with their time are copied, not encoded again', () => {
  const chunks = [chunkAt([1, 2]), chunkAt([5, 6]), chunkAt([6, 7])];
  assert.equal(mergeChunks(chunks, codec)[0]!.data, chunks[0]!.data);
});

const deletions: [what: string, deleted: [min: number, max: number][], want: number[][]][] = [
  [
    'nothing',
    [],
    [
      [1, 2, 3],
      [5, 6, 7],
    ],
  ],
  [
    'beside them',
    [
      [-5, 0],
      [4, 4],
      [8, 99],
    ],
    [
      [1, 2, 3],
      [5, 6, 7],
    ],
  ],
  ['one wholly', [[1, 3]], [[5, 6, 7]]],
  ['both', [[0, 99]], []],
  [
    'over the gap',
    [[3, 5]],
    [
      [1, 2],
      [6, 7],
    ],
  ],
  [
    'the middle',
    [[2, 2]],
    [
      [1, 3],
      [5, 6, 7],
    ],
  ],
  [
    'piece by piece',
    [
      [1, 1],
      [2, 3],
      [6, 6],
    ],
    [[5, 7]],
  ],
];
for (const [what, deleted, want] of deletions) {
  test(`deleted: ${what}`, () => {
    const intervals: DeletedInterval[] = deleted.map(([minTimeMs, maxTimeMs]) => ({ minTimeMs, maxTimeMs }));
    assert.deepEqual(timesOf(withoutDeleted([chunkAt([1, 2, 3]), chunkAt([5, 6, 7])], intervals, codec)), want);
  });
}

function histogramChunks(isFloat: boolean, seed: number, times: readonly number[]): StreamedChunk[] {
  const stored = generateStored(new Prng(seed), isFloat, times.length);
  return codec.encode(times.map((timeMs, i) => ({ timeMs, histogram: stored[i]! })));
}

test('chunks: histograms and floats of both kinds merge, each sample as it was', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = new Prng(seed);
    const times = () => [...new Set(Array.from({ length: 60 }, () => prng.int(400) * 1000))].sort((a, b) => a - b);
    const chunks = [
      ...histogramChunks(false, seed, times()),
      ...histogramChunks(prng.int(2) === 0, seed + 1000, times()),
      chunkAt(times()),
    ];
    const rows = chunks.map((chunk) => codec.decode(chunk));
    const merged = mergeChunks(chunks, codec);
    const samples = merged.flatMap((chunk) => {
      const decoded = codec.decode(chunk);
      assert.deepEqual([chunk.minTimeMs, chunk.maxTimeMs], [decoded[0]!.timeMs, decoded.at(-1)!.timeMs]);
      return decoded;
    });
    const wanted = [...new Set(rows.flat().map(({ timeMs }) => timeMs))].sort((a, b) => a - b);
    assert.deepEqual(
      samples.map(({ timeMs }) => timeMs),
      wanted,
      `seed ${seed}`,
    );
    for (const sample of samples) {
      const same = rows.flat().filter(({ timeMs }) => timeMs === sample.timeMs);
      assert.ok(
        same.some((one) => isSameValue(one, sample)),
        `seed ${seed}, time ${sample.timeMs}`,
      );
    }
  }
});

/** But for hints and empty buckets. */
function isSameValue(a: Sample, b: Sample): boolean {
  if (a.histogram === undefined || b.histogram === undefined) return 'bits' in a && 'bits' in b && a.bits === b.bits;
  if (a.histogram.isFloat !== b.histogram.isFloat || a.histogram.sumBits !== b.histogram.sumBits) return false;
  return floatHistogramOf(a.histogram).equals(floatHistogramOf(b.histogram));
}

test('samples: hints of resets hold only behind the sample that they were written behind', () => {
  const [first] = generateStored(new Prng(3), false, 1);
  const sample = (timeMs: number, hint: CounterHint): Sample => ({ timeMs, histogram: { ...first!, hint } });
  const hints = (samples: readonly Sample[]) => samples.map(({ histogram }) => histogram?.hint);
  const a = [sample(1, 'reset'), sample(2, 'not_reset'), sample(5, 'not_reset')];
  const b = [sample(3, 'gauge'), sample(4, 'not_reset'), sample(6, 'reset')];
  assert.deepEqual(hints(mergeSamples([a, b])), ['unknown', 'not_reset', 'gauge', 'not_reset', 'unknown', 'unknown']);
});
