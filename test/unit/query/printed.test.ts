// Rows of a range query as WebAssembly prints them are the bytes that JavaScript writes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { Columns, Steps } from '../../../src/promql/exec/source.js';
import { rangeJson, seriesText } from '../../../src/query/render.js';
import { boundaryDoubles, randomDoubles } from '../../support/float-cases.js';

const SPECIAL = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  1e-7,
  1e21,
  123_456_789.125,
];

function assertSame(steps: Steps, columns: Columns): void {
  const want = [...rangeJson(steps, columns)].join('');
  const got = Buffer.from(seriesText({ kind: 'range', steps, columns })).toString();
  if (got === want) return;
  const at = [...want].findIndex((character, i) => got[i] !== character);
  assert.fail(`…${got.slice(at - 60, at + 60)}… instead of …${want.slice(at - 60, at + 60)}…`);
}

/** One row, all cells present. */
function rowOf(values: readonly number[]): Columns {
  const present = new Uint8Array(values.length).fill(1);
  return { labels: [['__name__', 'm']], steps: values.length, values: Float64Array.from(values), present };
}

test('printed rows: numbers of all sizes', () => {
  const doubles = [...SPECIAL, ...boundaryDoubles(), ...randomDoubles(7, 20_000)];
  const values = [...doubles, ...doubles.map((value) => -value)];
  assertSame({ startMs: 0, stepMs: 1, count: values.length }, rowOf(values));
});

const times: [name: string, startMs: number, stepMs: number][] = [
  ['whole seconds', 1_700_000_000_000, 15_000],
  ['with milliseconds', 1_700_000_000_007, 9_990],
  ['around 1970', -2_500, 499],
  ['far in the past', -9_223_372_036_854_000, 1_000_000],
  ['far in the future', 9_007_199_254_000_000, 1_001],
];

for (const [name, startMs, stepMs] of times) {
  test(`printed rows: times ${name}`, () => assertSame({ startMs, stepMs, count: 20 }, rowOf(Array(20).fill(1.5))));
}

const TEXTS = ['', 'a', '"', '\\', '\n', '\u0000', '\u001f', 'é', '😀', '\ud800', '\udc00x', 'y'.repeat(3000)];

test('printed rows: rows with gaps, runs of equal values and any labels, over more than one piece', () => {
  const random = new Prng(11);
  for (let round = 0; round < 60; round++) {
    const steps = round === 0 ? 2 ** 17 : 1 + random.int(round < 5 ? 11_000 : 200);
    const rows = 1 + random.int(round < 5 ? 14 : 40);
    const labels = Array.from({ length: rows }, (_, i) => ['i', String(i), 'l', random.pick(TEXTS)]);
    const values = new Float64Array(rows * steps);
    const present = new Uint8Array(rows * steps);
    for (let cell = 0; cell < values.length; cell++) {
      const value = random.float() < 0.1 ? random.pick(SPECIAL) : Math.round(random.float() * 1e6) / 100;
      values[cell] = cell > 0 && random.float() < 0.5 ? values[cell - 1]! : value;
      present[cell] = random.float() < 0.9 ? 1 : 0;
    }
    for (let row = 0; row < rows; row++) present[row * steps + random.int(steps)] = 1;
    assertSame({ startMs: 1_700_000_000_000, stepMs: 15_000, count: steps }, { labels, steps, values, present });
  }
});

test('printed rows: none', () =>
  assertSame({ startMs: 0, stepMs: 1, count: 3 }, { ...rowOf([]), labels: [], steps: 3 }));
