import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { Core } from '../../../src/wasm/core.js';
import { AGGREGATE_OPS, Eval, type Group, type Row } from '../../../src/wasm/eval.js';
import { aggregateModel } from '../../support/window-model.js';

const evaluator = new Eval(new Core());

const VALUES: ((random: Prng) => number)[] = [
  (random) => random.int(1000),
  (random) => random.float() * 100 - 50,
  (random) => random.pick([1, 1e16, -1e16, 1e100, -1e100]),
  (random) => random.pick([1.7e308, 1e308, -1.7e308, 1]),
  (random) => random.pick([0, -0, 1, Infinity, -Infinity, Number.NaN]),
];

/** What sums of other order must agree on: huge values of both signs overflow in one order and cancel in another. */
const WITHOUT_CANCELLATION = [VALUES[0]!, VALUES[1]!, VALUES[4]!, (random: Prng) => random.pick([1.7e308, 1e308, 1])];

function randomRows(random: Prng, kinds = VALUES): Row[] {
  const steps = 1 + random.int(9);
  const value = random.pick(kinds);
  const gaps = random.pick([0, 3]);
  return Array.from({ length: random.int(12) }, () => {
    const present = Uint8Array.from({ length: steps }, () => (gaps > 0 && random.int(gaps) === 0 ? 0 : 1));
    return { present, values: Float64Array.from(present, (is) => (is === 1 ? value(random) : 0)) };
  });
}

function want(op: string, rows: readonly Row[], step: number): number | undefined {
  return aggregateModel(
    op,
    rows.filter(({ present }) => present[step] === 1).map(({ values }) => values[step]!),
  );
}

function cells(group: Group): (number | undefined)[] {
  const { values, present } = group.row();
  return Array.from(values, (value, i) => (present[i] === 1 ? value : undefined));
}

function fold(op: string, rows: readonly Row[], steps: number): Group {
  const group = evaluator.group(AGGREGATE_OPS.get(op)!, steps);
  for (const row of rows) group.fold(row);
  return group;
}

for (const op of AGGREGATE_OPS.keys()) {
  test(`${op} equals its model bit for bit`, () => {
    for (let seed = 0; seed < 300; seed++) {
      const rows = randomRows(new Prng(seed));
      const steps = rows[0]?.values.length ?? 3;
      const group = fold(op, rows, steps);
      assert.deepEqual(
        cells(group),
        Array.from({ length: steps }, (_, step) => want(op, rows, step)),
        `seed ${seed}`,
      );
      group.close();
    }
  });

  test(`${op} over shards equals one over all, within 1e-12`, () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = new Prng(seed);
      const rows = randomRows(random, WITHOUT_CANCELLATION);
      const steps = rows[0]?.values.length ?? 3;
      const shards: Row[][] = [[], [], []];
      for (const row of rows) random.pick(shards).push(row);
      const into = fold(op, [], steps);
      for (const shard of shards) {
        // Across threads a state travels as bytes.
        const group = fold(op, [], steps);
        group.load(fold(op, shard, steps).state());
        into.merge(group);
      }
      cells(into).forEach((value, step) => {
        assertClose(value, want(op, rows, step), `seed ${seed}, step ${step}`);
      });
    }
  });
}

function assertClose(got: number | undefined, wanted: number | undefined, message: string): void {
  if (got === undefined || wanted === undefined || !Number.isFinite(wanted)) {
    // The squares of 1e308 are an infinity in one order and a NaN in another.
    assert.ok(Object.is(got, wanted) || !Number.isFinite(got), `${message}: ${got}, want ${wanted}`);
    return;
  }
  assert.ok(Math.abs(got - wanted) <= 1e-12 * Math.max(1, Math.abs(wanted)), `${message}: ${got}, want ${wanted}`);
}
