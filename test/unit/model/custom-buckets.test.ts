// Classic buckets as one histogram: the cases that Prometheus's converter tells apart.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CustomBuckets } from '../../../src/model/custom-buckets.js';
import { floatOf, type StoredHistogram } from '../../../src/model/stored-histogram.js';

const INF = Number.POSITIVE_INFINITY;

interface Given {
  readonly buckets: readonly (readonly [bound: number, count: number])[];
  readonly count?: number;
  readonly sum?: number;
}

/** `int 3 sum 1 (0 +2) 1 2 | 0.5`: kind, count, sum, spans, counts, bounds. */
function shown(histogram: StoredHistogram | string): string {
  if (typeof histogram === 'string') return histogram;
  const { isFloat, count, sumBits, positiveSpans, positive, bounds } = histogram;
  const spans = positiveSpans.map(({ offset, length }) => `(${offset} +${length})`).join('');
  return `${isFloat ? 'float' : 'int'} ${count} sum ${floatOf(sumBits)} ${spans} ${[...positive].join(' ')} | ${bounds.join(' ')}`;
}

const cases: [name: string, given: Given, want: string][] = [
  [
    'ascending',
    {
      buckets: [
        [0.5, 1],
        [1, 3],
        [INF, 6],
      ],
      count: 6,
      sum: 9,
    },
    'int 6 sum 9 (0 +3) 1 2 3 | 0.5 1',
  ],
  [
    'in any order',
    {
      buckets: [
        [INF, 6],
        [1, 3],
        [0.5, 1],
      ],
      count: 6,
    },
    'int 6 sum 0 (0 +3) 1 2 3 | 0.5 1',
  ],
  [
    'a bound twice',
    {
      buckets: [
        [1, 3],
        [1, 9],
        [INF, 6],
      ],
      count: 6,
    },
    'int 6 sum 0 (0 +2) 3 3 | 1',
  ],
  [
    'no +Inf',
    {
      buckets: [
        [0.5, 1],
        [1, 3],
      ],
      count: 6,
    },
    'int 6 sum 0 (0 +3) 1 2 3 | 0.5 1',
  ],
  [
    'no count',
    {
      buckets: [
        [0.5, 1],
        [INF, 3],
      ],
    },
    'int 3 sum 0 (0 +2) 1 2 | 0.5',
  ],
  [
    'no count, no +Inf',
    {
      buckets: [
        [0.5, 1],
        [2, 3],
      ],
    },
    'int 3 sum 0 (0 +2) 1 2 | 0.5 2',
  ],
  ['no bucket', { buckets: [], count: 4, sum: 1 }, 'int 4 sum 1 (0 +1) 4 | '],
  ['nothing', { buckets: [] }, 'int 0 sum 0   | '],
  [
    'a part of an observation',
    {
      buckets: [
        [0.5, 0.5],
        [INF, 3],
      ],
      count: 3,
    },
    'float 3 sum 0 (0 +2) 0.5 2.5 | 0.5',
  ],
  [
    'no observations',
    {
      buckets: [
        [0.5, 0],
        [1, 0],
        [INF, 0],
      ],
      count: 0,
    },
    'int 0 sum 0   | 0.5 1',
  ],
  [
    'few empty ones between stay, where counts are whole',
    {
      buckets: [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 2],
        [INF, 2],
      ],
      count: 2,
    },
    'int 2 sum 0 (0 +4) 1 0 0 1 | 1 2 3 4',
  ],
  [
    'many empty ones do not',
    {
      buckets: [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
        [5, 2],
        [INF, 2],
      ],
      count: 2,
    },
    'int 2 sum 0 (0 +1)(3 +1) 1 1 | 1 2 3 4 5',
  ],
  [
    'none does, where they are not',
    {
      buckets: [
        [1, 0.5],
        [2, 0.5],
        [3, 1.5],
        [INF, 1.5],
      ],
      count: 1.5,
    },
    'float 1.5 sum 0 (0 +1)(1 +1) 0.5 1 | 1 2 3',
  ],
  [
    'the first ones empty',
    {
      buckets: [
        [1, 0],
        [2, 0],
        [3, 5],
        [INF, 5],
      ],
      count: 5,
    },
    'int 5 sum 0 (2 +1) 5 | 1 2 3',
  ],
  ['another count', { buckets: [[INF, 3]], count: 4 }, 'count mismatch: count=4 != le=+Inf count=3'],
  [
    'falling',
    {
      buckets: [
        [0.5, 3],
        [1, 2],
      ],
    },
    'count is not cumulative: 2 < 3',
  ],
  [
    'falling, in between',
    {
      buckets: [
        [0.5, 3],
        [2, 4],
        [1, 2],
      ],
    },
    'count is not cumulative: 2 < 3',
  ],
  [
    'too large in between',
    {
      buckets: [
        [0.5, 3],
        [2, 4],
        [1, 5],
      ],
    },
    'count is not cumulative: 5 > 4',
  ],
  ['less than nothing', { buckets: [[0.5, -1]] }, 'bucket count must be non-negative: le=0.5, count=-1'],
  ['a count less than nothing', { buckets: [], count: -1 }, 'count must be non-negative: count=-1'],
  ['a bound that is none', { buckets: [[Number.NaN, 1]] }, 'bucket boundary must not be NaN'],
  ['a count that is none', { buckets: [[1, 1]], count: Number.NaN }, 'float NaN sum 0 (0 +2) 1 NaN | 1'],
];
for (const [name, { buckets, count, sum }, want] of cases) {
  test(`custom buckets: ${name}`, () => {
    const gathered = new CustomBuckets();
    for (const [bound, of] of buckets) gathered.addBucket(bound, of);
    if (count !== undefined) gathered.setCount(count);
    if (sum !== undefined) gathered.setSum(sum);
    assert.equal(shown(gathered.finish(false)), want);
  });
}
