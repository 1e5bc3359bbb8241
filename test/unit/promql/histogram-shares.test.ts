// Shares of native histograms: any split into shards ends as one fold does, also as messages.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { type CounterHint, FloatHistogram } from '../../../src/model/histogram.js';
import { decodeHistograms, encodeHistograms, tableBytes } from '../../../src/model/histogram-table.js';
import type { Labels } from '../../../src/model/labels.js';
import { blankColumns, pickRows } from '../../../src/promql/exec/columns.js';
import { HistogramMean, HistogramSum } from '../../../src/promql/exec/histogram-sum.js';
import { finishPartial, foldColumns, mergePartials, type PartialOp } from '../../../src/promql/exec/partial.js';
import type { Columns } from '../../../src/promql/exec/source.js';
import { columnsMessage, decodeCells, decodePartial, partialMessage } from '../../../src/shard/column-messages.js';

const HINTS: CounterHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];
const STEPS = 3;

function exponential(random: Prng): FloatHistogram {
  const counts = Array.from({ length: 4 }, () => 1 + random.float() * 100);
  return new FloatHistogram({
    schema: random.int(3),
    count: 10 * random.float(),
    sum: (random.float() - 0.5) * 10 ** random.int(17),
    zeroThreshold: 0.001,
    zeroCount: random.int(3),
    positive: { indices: [-3, 0, 1, 7], counts },
    negative: { indices: [2], counts: [random.float()] },
    hint: random.pick(HINTS),
  });
}

function custom(random: Prng): FloatHistogram {
  const bounds = random.pick([
    [1, 2, 5],
    [1, 2, 5],
    [2, 5, 9],
  ]);
  const counts = Array.from({ length: 4 }, () => 1 + random.int(9));
  const parts = { bounds, positive: { indices: [0, 1, 2, 3], counts }, hint: random.pick(HINTS) };
  return new FloatHistogram({ schema: -53, count: counts.reduce((a, b) => a + b), sum: random.float(), ...parts });
}

/** 12 series in 3 groups; groups are of one kind, but for some cells. */
function randomColumns(random: Prng): Columns {
  const labels: Labels[] = Array.from({ length: 12 }, (_, i) => ['__name__', 'm', 'g', `${i % 3}`, 'i', `${i}`]);
  const columns = blankColumns(labels, STEPS);
  for (let cell = 0; cell < 12 * STEPS; cell++) {
    if (random.int(4) === 0) continue;
    const group = Math.floor(cell / STEPS) % 3;
    if (random.int(20) === 0) {
      columns.present[cell] = 1;
      columns.values[cell] = random.float();
      continue;
    }
    columns.present[cell] = 2;
    const isCustom = group === 2 ? random.int(10) > 0 : group === 1;
    columns.histograms.set(cell, isCustom ? custom(random) : exponential(random));
  }
  return columns;
}

function cellsOf({ labels, steps, present, values, histograms }: Columns): Map<string, unknown> {
  const cells = new Map<string, unknown>();
  labels.forEach((group, row) => {
    for (let step = 0; step < steps; step++) {
      const cell = row * steps + step;
      cells.set(`${group.join()} ${step}`, present[cell] === 2 ? histograms!.get(cell) : present[cell] && values[cell]);
    }
  });
  return cells;
}

function close(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    return Object.is(a, b) || Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
  }
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => close(one, b[i]));
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  return Object.keys(a).every((key) => close(a[key as never], b[key as never]));
}

/** Remarks that do not depend on the order; reconciled is not said of cells that come to nothing. */
function kindsOf({ notes }: Columns): string {
  return [...new Set((notes ?? []).map(({ kind }) => kind))].sort().join();
}

const OPS: PartialOp[] = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];

for (const op of OPS) {
  test(`histogram shares: ${op} over any split into shards equals one fold`, () => {
    const seed = 31;
    const random = new Prng(seed);
    const aggregate = { op, grouping: 'by', labels: ['g'] } as const;
    for (let round = 0; round < 40; round++) {
      const columns = randomColumns(random);
      const whole = finishPartial(foldColumns(columns, aggregate));
      const shards: number[][] = [[], [], []];
      for (let row = 0; row < 12; row++) shards[random.int(3)]!.push(row);
      const notes: Columns['notes'][] = [];
      const parts = shards.map((rows) => {
        const partial = foldColumns(pickRows(columns, rows), aggregate);
        notes.push(partial.notes);
        return decodePartial(structuredClone(partialMessage(partial)), op, STEPS);
      });
      const merged = finishPartial(mergePartials(parts));
      const remarks = kindsOf({ ...merged, notes: [...(merged.notes ?? []), ...notes.flatMap((list) => list ?? [])] });
      const where = `${op}, seed ${seed} round ${round}`;
      assert.equal(remarks, kindsOf(whole), where);
      const [want, got] = [cellsOf(whole), cellsOf(merged)];
      assert.deepEqual([...got.keys()].sort(), [...want.keys()].sort());
      for (const [cell, value] of want) {
        const other = got.get(cell);
        assert.ok(close(value, other), `${where}, ${cell}: ${String(value)}, merged ${String(other)}`);
      }
    }
  });
}

test('histogram sums: what rounding lost survives a merge', () => {
  const of = (sum: number) => new FloatHistogram({ count: 1, sum });
  const sums = [
    [1e100, 1],
    [-1e100, 1],
  ].map(([first, second]) => {
    const fold = new HistogramSum(of(first!));
    fold.add(of(second!));
    return HistogramSum.of(fold.state);
  });
  assert.ok(sums[0]!.addSum(sums[1]!));
  assert.equal(sums[0]!.total.sum, 2);
  assert.equal(sums[0]!.total.count, 4);
});

test('histogram means: shares too large to add go on as running means', () => {
  const of = (sum: number) => new FloatHistogram({ count: 2, sum });
  const large = Number.MAX_VALUE;
  const cases: [shares: number[][], mean: number][] = [
    [[[large, large, large], [large]], large],
    [
      [
        [large, large],
        [large / 2, large / 2],
      ],
      large * 0.75,
    ],
    [[[large], [large]], large],
    [[[1, 2, 3], [6]], 3],
  ];
  for (const [shares, mean] of cases) {
    for (const order of [shares, [...shares].reverse()]) {
      const [into, other] = order.map(([first, ...rest]) => {
        const fold = new HistogramMean(of(first!));
        for (const sum of rest) assert.ok(fold.add(of(sum)));
        return HistogramMean.of(fold.state);
      });
      assert.ok(into!.addMean(other!));
      assert.ok(close(into!.mean.sum, mean), `${order}: ${into!.mean.sum}`);
      assert.equal(into!.mean.count, 2);
    }
  }
});

test('histogram means: a hint seen while running is remembered', () => {
  const of = (hint: CounterHint) => new FloatHistogram({ sum: Number.MAX_VALUE, hint });
  const mean = new HistogramMean(of('not_reset'));
  mean.add(of('not_reset'));
  mean.add(of('reset'));
  assert.ok(mean.remarks.sawReset && mean.remarks.sawNotReset);
});

test('histogram sums: exponential and custom buckets do not add', () => {
  const sum = new HistogramSum(new FloatHistogram({ schema: 1 }));
  assert.equal(sum.addSum(new HistogramSum(new FloatHistogram({ schema: -53, bounds: [1] }))), false);
});

test('histogram tables: histograms come back bit for bit', () => {
  const random = new Prng(7);
  const histograms = Array.from({ length: 50 }, () => (random.int(2) === 0 ? custom(random) : exponential(random)));
  histograms.push(
    new FloatHistogram({}),
    new FloatHistogram({ sum: Number.NaN, count: Infinity, zeroCount: -0, schema: -4 }),
    new FloatHistogram({ schema: 8, positive: { indices: [-(2 ** 31), 2 ** 31 - 1], counts: [1, 2] } }),
  );
  const table = encodeHistograms(histograms);
  const decoded = decodeHistograms(structuredClone(table));
  assert.deepEqual(decoded, histograms);
  assert.ok(decoded.every((histogram) => histogram instanceof FloatHistogram));
  assert.equal(tableBytes(table), table.shape.byteLength + table.numbers.byteLength);
  assert.deepEqual(decodeHistograms(encodeHistograms([])), []);
});

test('histogram cells: rows as a message', () => {
  const columns = randomColumns(new Prng(3));
  const message = structuredClone(columnsMessage(columns));
  const histograms = new Map<number, FloatHistogram>();
  decodeCells(message.histograms!, histograms, 100);
  assert.deepEqual(histograms, new Map([...columns.histograms!].map(([cell, histogram]) => [cell + 100, histogram])));
  assert.equal(columnsMessage({ ...columns, histograms: new Map() }).histograms, undefined);
});
