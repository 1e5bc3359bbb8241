import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { parseFamilies, TextFormatError } from '../../../src/exposition/families.js';

const PAGE = `# a comment
# HELP up Is it\\n"there"?
# TYPE up gauge
up{job="a",instance="x:1"} 1 1700000000000
up { job = "b" , } 0

# TYPE rpc summary
rpc{quantile="0.5",m="x"} 2
rpc_sum{m="x"} 7.5
rpc_count{m="x"} 3
rpc{m="y",quantile="0.5"} 4
# TYPE size histogram
size_bucket{le="1"} 1
size_bucket{le="+Inf"} 4
size_sum 9
size_count 4
size_other 5
{"with.dots",l="\\"\\\\"} NaN
`;

test('a page becomes families, and parts of one metric one', () => {
  const metric = { timeMs: undefined, value: 0, parts: [], sum: 0, count: 0 };
  const part = (bound: number, value: number) => ({ bound, value });
  assert.deepEqual(parseFamilies(PAGE), [
    {
      name: 'up',
      type: 'gauge',
      help: 'Is it\n"there"?',
      metrics: [
        {
          ...metric,
          labels: [
            ['job', 'a'],
            ['instance', 'x:1'],
          ],
          value: 1,
          timeMs: 1_700_000_000_000,
        },
        { ...metric, labels: [['job', 'b']] },
      ],
    },
    {
      name: 'rpc',
      type: 'summary',
      help: undefined,
      metrics: [
        { ...metric, labels: [['m', 'x']], parts: [part(0.5, 2)], sum: 7.5, count: 3 },
        { ...metric, labels: [['m', 'y']], parts: [part(0.5, 4)] },
      ],
    },
    {
      name: 'size',
      type: 'histogram',
      help: undefined,
      metrics: [{ ...metric, labels: [], parts: [part(1, 1), part(Infinity, 4)], sum: 9, count: 4 }],
    },
    { name: 'size_other', type: 'untyped', help: undefined, metrics: [{ ...metric, labels: [], value: 5 }] },
    {
      name: 'with.dots',
      type: 'untyped',
      help: undefined,
      metrics: [{ ...metric, labels: [['l', '"\\']], value: Number.NaN }],
    },
  ]);
});

test('a page that is cut or damaged anywhere is read or refused, never worse', () => {
  const prng = new Prng(7);
  for (let at = 0; at <= PAGE.length; at++) {
    const damaged = PAGE.slice(0, at) + '{}"\\=,# \n\t1eN'[prng.int(14)] + PAGE.slice(at + prng.int(2));
    for (const text of [PAGE.slice(0, at), damaged]) {
      try {
        parseFamilies(text);
      } catch (error) {
        assert.ok(error instanceof TextFormatError, text);
      }
    }
  }
});
