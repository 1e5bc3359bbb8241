// Operators between vectors against a model that goes step by step and keeps maps, as Prometheus's text says it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { filterLabels, type Labels, labelsOf, METRIC_NAME, pairsOf, valueOf } from '../../src/model/labels.js';
import { arithmetic, compare, isArithmetic } from '../../src/promql/arithmetic.js';
import { Annotations } from '../../src/promql/exec/annotations.js';
import { combineSets } from '../../src/promql/exec/binary/set.js';
import { combineVectors } from '../../src/promql/exec/binary/with-vector.js';
import { joinSameRows } from '../../src/promql/exec/columns.js';
import { Pace, type Reserve } from '../../src/promql/exec/operator.js';
import type { Columns } from '../../src/promql/exec/source.js';
import { Names, vector } from '../../src/promql/exec/value.js';
import type { BinaryOp, ComparisonOp, SetOp, VectorMatching } from '../../src/promql/syntax/ast.js';

const STEPS = 3;
const ROUNDS = 3000;
const LABELS = ['a', 'b', 'c'];
const POS = { start: 0, end: 0 };
const OPS: readonly BinaryOp[] = ['+', '-', '*', '/', '%', '^', 'atan2', '==', '!=', '<', '<=', '>', '>='];

interface Element {
  readonly labels: Labels;
  readonly value: number;
}

function randomVector(random: Prng, name: string): Columns {
  const values = 1 + random.int(3);
  const labels = Array.from({ length: random.int(6) }, () => {
    const pairs = LABELS.filter(() => random.int(4) > 0).map((label): [string, string] => [
      label,
      `${random.int(values)}`,
    ]);
    return labelsOf([[METRIC_NAME, random.int(5) === 0 ? 'other' : name], ...pairs]);
  });
  const distinct = [...new Map(labels.map((row) => [row.join(' '), row])).values()];
  const present = Uint8Array.from({ length: distinct.length * STEPS }, () => Number(random.int(4) > 0));
  const cells = Float64Array.from(present, (mark) => (mark === 1 ? random.int(5) - 1 : 0));
  return { labels: distinct, steps: STEPS, values: cells, present };
}

function randomMatching(random: Prng, card: VectorMatching['card']): VectorMatching {
  const labels = LABELS.filter(() => random.int(2) === 0);
  const grouped = card === 'many-to-one' || card === 'one-to-many';
  const include = grouped ? LABELS.filter((label) => !labels.includes(label) && random.int(3) === 0) : [];
  return { card, on: random.int(2) === 0, labels, include };
}

function elementsAt({ labels, steps, present, values }: Columns, step: number): Element[] {
  const rows = [...labels.keys()].filter((row) => present[row * steps + step] === 1);
  return rows.map((row) => ({ labels: labels[row]!, value: values[row * steps + step]! }));
}

/** JSON, in which -0 and NaN are what they are. */
function show(elements: readonly Element[]): string {
  const texts = elements.map(({ labels, value }) => `${JSON.stringify(labels)} ${Object.is(value, -0) ? '-0' : value}`);
  return texts.sort().join('\n');
}

function matchKey({ on, labels }: VectorMatching, row: Labels): string {
  return JSON.stringify(
    filterLabels(row, (name) => (on ? labels.includes(name) : name !== METRIC_NAME && !labels.includes(name))),
  );
}

class Refused extends Error {}

function joinModel(
  op: BinaryOp,
  bool: boolean,
  matching: VectorMatching,
  left: Element[],
  right: Element[],
): Element[] {
  const swapped = matching.card === 'one-to-many';
  const [many, one] = swapped ? [right, left] : [left, right];
  const partners = new Map<string, Element>();
  if (left.length === 0 || right.length === 0) return [];
  for (const element of one) {
    const key = matchKey(matching, element.labels);
    if (partners.has(key)) throw new Refused('found duplicate series');
    partners.set(key, element);
  }
  const found: Element[] = [];
  const claimed = new Set<string>();
  const results = new Set<string>();
  for (const element of many) {
    const key = matchKey(matching, element.labels);
    const partner = partners.get(key);
    if (partner === undefined) continue;
    const [a, b] = swapped ? [partner.value, element.value] : [element.value, partner.value];
    const holds = isArithmetic(op) || compare(op as ComparisonOp, a, b);
    const value = isArithmetic(op) ? arithmetic(op, a, b) : bool ? Number(holds) : a;
    const labels = resultOf(matching, isArithmetic(op) || bool, element.labels, partner.labels);
    const claim = matching.card === 'one-to-one' ? key : `${key} ${JSON.stringify(labels)}`;
    if (claimed.has(claim)) throw new Refused('multiple matches for labels');
    claimed.add(claim);
    if (!holds && !bool) continue;
    if (results.has(JSON.stringify(labels))) throw new Refused('same labelset');
    results.add(JSON.stringify(labels));
    found.push({ labels, value });
  }
  return found;
}

function resultOf({ card, on, labels, include }: VectorMatching, unnamed: boolean, many: Labels, one: Labels): Labels {
  const kept = [...pairsOf(many)].filter(([name]) => {
    if (unnamed && name === METRIC_NAME) return false;
    return card !== 'one-to-one' || labels.includes(name) === on;
  });
  return labelsOf([...kept, ...include.map((name): [string, string] => [name, valueOf(one, name)])]);
}

function contextOf(reserve: Reserve = () => {}) {
  const steps = { startMs: 0, stepMs: 1000, count: STEPS };
  return { names: new Names(false), annotations: new Annotations(), steps, pace: new Pace(() => {}), reserve };
}

/** What a join asks for, and holds at last. */
class Reserved {
  held = 0;
  peak = 0;
  readonly reserve = (bytes: number) => {
    this.held += bytes;
    this.peak = Math.max(this.peak, this.held);
  };
}

test('vectors are joined as a model joins them, with its errors', () => {
  const seed = Number(process.env.SEED ?? 21);
  const random = new Prng(seed);
  let refusals = 0;
  let cells = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const op = OPS[random.int(OPS.length)]!;
    const bool = !isArithmetic(op) && random.int(3) === 0;
    const matching = randomMatching(random, (['one-to-one', 'many-to-one', 'one-to-many'] as const)[random.int(3)]!);
    const [left, right] = [randomVector(random, 'left'), randomVector(random, 'right')];
    const where = `seed ${seed} round ${round}: ${op} ${JSON.stringify(matching)}`;
    const memory = new Reserved();
    const context = contextOf(memory.reserve);
    const run = () => combineVectors({ op, bool, matching, pos: POS }, vector(left), vector(right), context).columns;
    let want: Element[][];
    try {
      want = Array.from({ length: STEPS }, (_, step) =>
        joinModel(op, bool, matching, elementsAt(left, step), elementsAt(right, step)),
      );
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      assert.throws(run, /duplicate series|multiple matches|same labelset/, where);
      assert.equal(memory.held, 0, where);
      refusals++;
      continue;
    }
    const got = run();
    assert.ok(memory.peak >= got.values.byteLength + got.present.byteLength && memory.held === 0, where);
    for (const [step, elements] of want.entries()) {
      assert.equal(show(elementsAt(got, step)), show(elements), `${where} step ${step}`);
    }
    cells += want.flat().length;
  }
  assert.ok(refusals > ROUNDS / 20 && cells > ROUNDS / 4, `${refusals} refused, ${cells} cells`);
});

test('a join that there is no memory for is refused before it is made', () => {
  const left = randomVector(new Prng(1), 'left');
  assert.ok(left.labels.length > 1);
  const refuse = (bytes: number) => {
    if (bytes > 0) throw new Error(`no ${bytes} bytes`);
  };
  const join = (fill: Partial<VectorMatching>) => () =>
    combineVectors(
      { op: '+', bool: false, matching: { card: 'one-to-one', on: false, labels: [], include: [], ...fill }, pos: POS },
      vector(left),
      vector(left),
      contextOf(refuse),
    );
  assert.throws(join({}), { message: `no ${left.labels.length * STEPS * 9} bytes` });
  assert.throws(join({ fillLeft: 0 }), /no \d+ bytes/);
});

test('sets are made as a model makes them', () => {
  const seed = Number(process.env.SEED ?? 22);
  const random = new Prng(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const op = (['and', 'or', 'unless'] as const satisfies SetOp[])[random.int(3)]!;
    const matching = randomMatching(random, 'many-to-many');
    const [left, right] = [randomVector(random, 'left'), randomVector(random, 'right')];
    const want = Array.from({ length: STEPS }, (_, step) =>
      setModel(op, matching, elementsAt(left, step), elementsAt(right, step)),
    );
    const where = `seed ${seed} round ${round}: ${op} ${JSON.stringify(matching)}`;
    const run = () => combineSets(op, vector(left), vector(right), matching, contextOf()).columns;
    if (want.some((elements) => new Set(elements.map(({ labels }) => labels.join(' '))).size < elements.length)) {
      assert.throws(run, /same labelset/, where);
      continue;
    }
    const got = run();
    assert.equal(joinSameRows(got), got, where);
    for (const [step, elements] of want.entries()) {
      assert.equal(show(elementsAt(got, step)), show(elements), `${where} step ${step}`);
    }
  }
});

function setModel(op: SetOp, matching: VectorMatching, left: Element[], right: Element[]): Element[] {
  const keysOf = (elements: Element[]) => new Set(elements.map(({ labels }) => matchKey(matching, labels)));
  if (op === 'or') {
    const taken = keysOf(left);
    return [...left, ...right.filter(({ labels }) => !taken.has(matchKey(matching, labels)))];
  }
  const taken = keysOf(right);
  return left.filter(({ labels }) => taken.has(matchKey(matching, labels)) === (op === 'and'));
}
