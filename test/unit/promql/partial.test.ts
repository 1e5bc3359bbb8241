import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import { pickRows } from '../../../src/promql/exec/columns.js';
import { finishPartial, foldColumns, mergePartials, type PartialOp } from '../../../src/promql/exec/partial.js';
import type { Columns } from '../../../src/promql/exec/source.js';

const OPS: PartialOp[] = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];

function byGroup(columns: Columns): Map<string, (number | undefined)[]> {
  const cells = (row: number) =>
    Array.from({ length: columns.steps }, (_, step) => {
      const cell = row * columns.steps + step;
      return columns.present[cell] === 1 ? columns.values[cell] : undefined;
    });
  return new Map(columns.labels.map((labels, row) => [labels.join(), cells(row)]));
}

function close(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}

/** 12 series in 3 groups over 4 steps, with gaps. */
function randomColumns(random: Prng, value: () => number): Columns {
  const labels: Labels[] = Array.from({ length: 12 }, (_, i) => ['__name__', 'm', 'g', `${i % 3}`, 'i', `${i}`]);
  const values = new Float64Array(48);
  const present = new Uint8Array(48);
  for (let cell = 0; cell < 48; cell++) {
    if (random.int(5) === 0) continue;
    present[cell] = 1;
    values[cell] = value();
  }
  return { labels, steps: 4, values, present };
}

for (const op of OPS) {
  test(`partials: ${op} over any split into shards equals one fold`, () => {
    const seed = 11;
    const random = new Prng(seed);
    const aggregate = { op, grouping: 'by', labels: ['g'] } as const;
    for (let round = 0; round < 50; round++) {
      const columns = randomColumns(random, () => random.float() * 1e6);
      const whole = byGroup(finishPartial(foldColumns(columns, aggregate)));
      const shards: number[][] = [[], [], []];
      for (let row = 0; row < 12; row++) shards[random.int(3)]!.push(row);
      const parts = shards.map((rows) => foldColumns(pickRows(columns, rows), aggregate));
      const merged = byGroup(finishPartial(mergePartials(parts)));
      assert.deepEqual([...merged.keys()].sort(), [...whole.keys()].sort());
      for (const [group, cells] of whole) {
        cells.forEach((want, step) => {
          const got = merged.get(group)![step];
          const where = `${op} ${group} step ${step}, seed ${seed} round ${round}`;
          assert.ok(close(got, want), `${where}: got ${got}, want ${want}`);
        });
      }
    }
  });
}

const special: [name: string, op: PartialOp, values: number[], want: number][] = [
  ['sum keeps what rounding loses', 'sum', [1, 1e100, 1, -1e100], 2],
  ['avg does not overflow', 'avg', [1.7e308, 1.7e308, 1.7e308], 1.7e308],
  ['sum overflows', 'sum', [1.7e308, 1.7e308], Infinity],
  ['min skips NaN', 'min', [Number.NaN, 3, 2], 2],
  ['max of NaN alone', 'max', [Number.NaN, Number.NaN], Number.NaN],
  ['stddev of an infinity is NaN', 'stddev', [1, Infinity], Number.NaN],
];

for (const [name, op, values, want] of special) {
  test(`partials: ${name}, in one shard or in one for each value`, () => {
    const of = (numbers: number[]): Columns => ({
      labels: numbers.map((_, i) => ['i', `${i}`]),
      steps: 1,
      values: Float64Array.from(numbers),
      present: new Uint8Array(numbers.length).fill(1),
    });
    const aggregate = { op, grouping: 'by', labels: [] } as const;
    const alone = finishPartial(foldColumns(of(values), aggregate)).values[0];
    const split = finishPartial(mergePartials(values.map((value) => foldColumns(of([value]), aggregate)))).values[0];
    assert.ok(close(alone, want), `one shard: ${alone}`);
    assert.ok(close(split, want), `split: ${split}`);
  });
}
