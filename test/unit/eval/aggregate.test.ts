import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import {
  finishPartial,
  foldRows,
  mergePartials,
  type PartialAggregate,
  type PartialOp,
} from '../../../src/promql/exec/partial.js';
import { Core } from '../../../src/wasm/core.js';
import { AGGREGATE_OPS, Eval, type Row } from '../../../src/wasm/eval.js';
import { aggregateModel } from '../../support/window-model.js';

const evaluator = new Eval(new Core());
const OPS: readonly PartialOp[] = [...AGGREGATE_OPS.keys()];

type Values = (random: Prng) => number;
const integers: Values = (random) => random.int(1000);
const floats: Values = (random) => random.float() * 100 - 50;
const cancelling: Values = (random) => random.pick([1, 1e16, -1e16, 1e100, -1e100]);
const overflowing: Values = (random) => random.pick([1.7e308, 1e308, -1.7e308, 1]);
const huge: Values = (random) => random.pick([1.7e308, 1e308, 1]);
const special: Values = (random) => random.pick([0, -0, 1, Infinity, -Infinity, Number.NaN]);

/** Rows, and the group of each. */
interface Input {
  readonly steps: number;
  readonly groups: number;
  readonly rows: Row[];
  readonly ofRow: Int32Array;
}

function randomInput(random: Prng, kinds: readonly Values[]): Input {
  const steps = 1 + random.int(40);
  const groups = 1 + random.int(4);
  const value = random.pick(kinds);
  const gaps = random.pick([0, 3]);
  const rows = Array.from({ length: random.int(24) }, () => {
    const present = Uint8Array.from({ length: steps }, () => (gaps > 0 && random.int(gaps) === 0 ? 0 : 1));
    return { present, values: Float64Array.from(present, (is) => (is === 1 ? value(random) : 0)) };
  });
  return { steps, groups, rows, ofRow: Int32Array.from(rows, () => random.int(groups)) };
}

const labelsOf = (groups: number): Labels[] => Array.from({ length: groups }, (_, i) => ['group', String(i)]);

/** Folds the rows in the core, into a share as it would go to main. */
function foldInCore(op: PartialOp, { steps, groups, rows, ofRow }: Input): PartialAggregate {
  const states = evaluator.groups(AGGREGATE_OPS.get(op)!, groups, steps);
  rows.forEach((row, i) => {
    states.fold(ofRow[i]!, row);
  });
  const share = { op, labels: labelsOf(groups), steps, ...states.share() };
  states.close();
  return share;
}

function cells({ values, present }: { values: Float64Array; present: Uint8Array }): (number | undefined)[] {
  return Array.from(values, (value, i) => (present[i] === 1 ? value : undefined));
}

/**
 * State as numbers that can be compared: the two ways may differ in the sign of a zero sum, and in the
 * compensation of a NaN, and the result in neither.
 */
function comparable(state: readonly Float64Array[]): number[][] {
  return state.map((column, i) =>
    Array.from(column, (value, cell) => (i > 0 && Number.isNaN(state[0]![cell]!) ? Number.NaN : value + 0)),
  );
}

for (const op of OPS) {
  test(`${op} equals the model, and its state the engine's own, bit for bit`, () => {
    for (let seed = 0; seed < 300; seed++) {
      const input = randomInput(new Prng(seed), [integers, floats, cancelling, overflowing, special]);
      const { steps, groups, rows, ofRow } = input;
      const share = foldInCore(op, input);

      const columns = {
        labels: labelsOf(rows.length),
        steps,
        values: Float64Array.from(rows.flatMap(({ values }) => [...values])),
        present: Uint8Array.from(rows.flatMap(({ present }) => [...present])),
      };
      const own = foldRows(columns, op, { ofRow, labels: labelsOf(groups) });
      assert.deepEqual(share.present, own.present, `seed ${seed}`);
      assert.deepEqual(comparable(share.state), comparable(own.state), `seed ${seed}`);

      const want = Array.from({ length: groups * steps }, (_, cell) => {
        const members = rows.filter(
          (row, i) => ofRow[i] === Math.floor(cell / steps) && row.present[cell % steps] === 1,
        );
        return aggregateModel(
          op,
          members.map(({ values }) => values[cell % steps]!),
        );
      });
      assert.deepEqual(cells(finishPartial(share)), want, `seed ${seed}`);
    }
  });

  test(`${op} over shards equals one over all, within 1e-12`, () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = new Prng(seed);
      // Huge values of both signs overflow in one order and cancel in another.
      const input = randomInput(random, [integers, floats, huge, special]);
      const shardOf = input.rows.map(() => random.int(3));
      const shares = [0, 1, 2].map((shard) =>
        foldInCore(op, {
          ...input,
          rows: input.rows.filter((_, i) => shardOf[i] === shard),
          ofRow: input.ofRow.filter((_, i) => shardOf[i] === shard),
        }),
      );
      const merged = cells(finishPartial(mergePartials(shares)));
      const want = cells(finishPartial(foldInCore(op, input)));
      merged.forEach((value, cell) => {
        assertClose(value, want[cell], `seed ${seed}, cell ${cell}`);
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
