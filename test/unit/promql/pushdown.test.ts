// Cell programs and chosen cells in shards, against a source that does neither: there all is done above.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { Prng } from '../../../src/base/prng.js';
import { type CellOp, type CellOpName, runCellOp, runCells } from '../../../src/promql/cells.js';
import { declinedColumns } from '../../../src/promql/exec/columns.js';
import type { Source } from '../../../src/promql/exec/source.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { CELL_OPS } from '../../../src/wasm/shaping.js';
import { memoryStore, SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { bitsOf } from '../../support/promqltest/series.js';
import { shardStores } from '../../support/promqltest/shard-store.js';
import { ask, compareResults, type Question, type Result } from '../../support/query-answers.js';
import { DATA_END_MS, DATA_START_MS, generateSeries } from '../../support/query-generator.js';

const SELECTORS = ['mem', 'up', 'gaps', 'odd', 'cpu_total', 'cpu_total{mode="idle"}', 'missing', '{instance="a"}'];
const WINDOWS = ['rate', 'increase', 'delta', 'max_over_time', 'last_over_time', 'mad_over_time', 'count_over_time'];
const NUMBERS = ['0', '1', '-1', '0.5', '42', '3', '1e9', '1024', '1e-3', '-2.5', 'Inf', 'NaN', '-0'];
const GROUPINGS = ['', ' by (instance)', ' by (job, __name__)', ' without (mode)', ' without (instance, kind)'];

function randomExpression(random: Prng): string {
  const selector = random.pick(SELECTORS);
  let text = random.int(2) === 0 ? selector : `${random.pick(WINDOWS)}(${selector}[5m])`;
  for (let i = random.int(4); i > 0; i--) text = randomCell(random, text);
  const grouping = random.pick(GROUPINGS);
  switch (random.int(5)) {
    case 0:
      return `${random.pick(['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev'])}${grouping} (${text})`;
    case 1:
      return `${random.pick(['topk', 'bottomk', 'limitk'])}${grouping} (${random.pick(['1', '2', '3.7', '100'])}, ${text})`;
    case 2:
      return random.int(3) === 0 ? `absent(${text})` : `count_values${grouping} ("v", ${text})`;
    default:
      return text;
  }
}

function randomCell(random: Prng, text: string): string {
  const number = random.pick(NUMBERS);
  switch (random.int(4)) {
    case 0:
      return `(${text} ${random.pick(['+', '-', '*', '/', '>', '<', '>=', '<=', '==', '!='])} ${number})`;
    case 1:
      return `(${number} ${random.pick(['-', '/', '>', '< bool', '>= bool', '==', '*', '!= bool'])} ${text})`;
    case 2:
      return `${random.pick(['abs', 'ceil', 'floor', 'sqrt', 'sgn', 'deg', 'rad', 'round', '-'])}(${text})`;
    default: {
      const other = random.pick(NUMBERS);
      return random.pick([
        `clamp(${text}, ${number}, ${other})`,
        `clamp_min(${text}, ${number})`,
        `clamp_max(${text}, ${number})`,
        `round(${text}, ${number})`,
      ]);
    }
  }
}

/** Does what it must, and no more. */
function plainly(source: Source): Source {
  return {
    select: async (fragment, context) =>
      fragment.cells === undefined
        ? source.select({ ...fragment, best: undefined } as typeof fragment, context)
        : declinedColumns(fragment.steps.count),
    samples: (...question) => source.samples(...question),
  };
}

const CHOICE = /^(topk|bottomk|limitk)/;

/** What does not depend on the order of rows: of equal values any is as good, and limitk takes whichever come first. */
function chosen(text: string, result: Result): string[] {
  const cells = [...result.values()].flatMap((points) => [...points]);
  return cells.map(([timeMs, value]) => (text.startsWith('limitk') ? `${timeMs}` : `${timeMs} ${value}`)).sort();
}

for (const [count, delayedNames] of [
  [1, true],
  [3, false],
] as const) {
  test(`push-down: ${count} shards answer as if nothing went down`, async () => {
    const seed = Number(process.env.SEED ?? 31) + count;
    const random = new Prng(seed);
    const series = generateSeries(random);
    const options = { ...SCRIPT_OPTIONS, samplesMax: 50_000_000, delayedNames };
    const [memory, shards] = [await memoryStore(), await shardStores(count)()];
    for (const store of [memory, shards]) {
      for (const { labels, samples } of series) {
        for (const { timeMs, value } of samples) store.append(labels, timeMs, bitsOf(value), 0);
      }
      await store.commit?.();
    }
    const plain = new QueryEngine(() => plainly(memory.open()), realClock, options);
    const engines = [memory, shards].map((store) => new QueryEngine(() => store.open(), realClock, options));
    let answers = 0;
    for (let round = 0; round < 250; round++) {
      const text = randomExpression(random);
      const startMs = DATA_START_MS + random.int(DATA_END_MS - DATA_START_MS);
      const isInstant = random.int(2) === 0;
      const question: Question = { text, startMs, stepMs: isInstant ? 0 : 30_000, count: isInstant ? 1 : 7 };
      const want = await ask(plain, question);
      for (const [i, engine] of engines.entries()) {
        const got = await ask(engine, question);
        const where = `${['memory', 'shards'][i]}, seed ${seed}: ${JSON.stringify(question)}`;
        if ('error' in want || 'error' in got) {
          assert.deepEqual(got, want, where);
          continue;
        }
        if (CHOICE.test(text)) assert.deepEqual(chosen(text, got.result), chosen(text, want.result), where);
        else assert.equal(compareResults(want.result, got.result), undefined, where);
        assert.deepEqual(got.annotations, want.annotations, where);
        answers++;
      }
    }
    await shards.close?.();
    assert.ok(answers > 350, `${answers} answers`);
  });
}

const VALUES = [0, -0, 1, -1, 0.5, -0.5, 2.5, 1e300, -1e300, 5e-324, 42, Infinity, -Infinity, Number.NaN];

test('cell programs: the core gives the bits that the model gives, for all operations', async () => {
  const store = await shardStores(1)();
  VALUES.forEach((value, i) => {
    store.append(['__name__', 'm', 'i', `${i}`], DATA_START_MS, bitsOf(value), 0);
  });
  await store.commit?.();
  const context = { signal: new AbortController().signal, charge() {}, check() {}, reserve() {} };
  for (const op of CELL_OPS.keys() as Iterable<CellOpName>) {
    for (const number of [0, 1, -1, 42, 0.1, -2.5]) {
      const program: CellOp[] = [{ op, number }];
      const columns = await store.open().select(
        {
          matchers: [{ name: '__name__', op: '=', value: 'm' }],
          steps: { startMs: DATA_START_MS, stepMs: 1000, count: 2 },
          windowMs: 60_000,
          fn: 'last',
          args: [],
          dropName: false,
          cells: program,
        },
        context,
      );
      const got = new Map(columns.labels.map((row, i) => [Number(row[3]), columns.values[2 * i]!]));
      VALUES.forEach((value, i) => {
        const want = runCellOp(program[0]!, value);
        assert.ok(Object.is(got.get(i), want), `${op} ${number} of ${value}: ${got.get(i)}, want ${want}`);
      });
    }
  }
  await store.close?.();
});

test('cell programs: filtered cells are blank', () => {
  const values = Float64Array.of(9, 1, 2, 3, 9);
  const present = Uint8Array.of(1, 1, 0, 1, 1);
  values[2] = 0;
  const left = runCells(
    [
      { op: 'add', number: 1 },
      { op: 'greater', number: 2 },
    ],
    { values, present },
    1,
    3,
  );
  assert.equal(left, 1);
  assert.deepEqual([...values], [9, 0, 0, 4, 9]);
  assert.deepEqual([...present], [1, 0, 0, 1, 1]);
});
