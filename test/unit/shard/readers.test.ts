// Readers: whatever their number, a query answers the same, to the bit, and sees what its view shows.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { ROUND_FAILED } from '../../../assembly/layout.js';
import { Prng } from '../../../src/base/prng.js';
import type { Labels } from '../../../src/model/labels.js';
import { decodeLabels } from '../../../src/shard/columns.js';
import { Readers } from '../../../src/shard/readers.js';
import { WINDOW_FNS } from '../../../src/wasm/eval.js';
import type { SeriesIndex } from '../../../src/wasm/head.js';
import { OutOfMemory } from '../../../src/wasm/out-of-memory.js';
import type { MorselSize, QueryAggregate } from '../../../src/wasm/query.js';
import { ANY_TIME, HeadRig, type HeadRow } from '../../support/head.js';
import { floatBits } from '../../support/xor-model.js';

const START_MS = 1_700_000_000_000;
const SERIES = 400;
const SAMPLES = 300;
/** A morsel of the usual size, and one that ends after a few series. */
const MORSELS: readonly MorselSize[] = [
  { samples: 200_000, series: 50_000 },
  { samples: 30_000, series: 170 },
];

interface Crew {
  readonly rig: HeadRig;
  readonly readers: Readers | undefined;
}

const crews: Crew[] = [];
after(() => Promise.all(crews.map(({ readers }) => readers?.close())));

/** A core with `count` readers that already run. */
function crew(count: number, seed: number): Crew {
  const rig = new HeadRig();
  const { memory } = rig.core;
  const round = rig.queries.round;
  const readers =
    count === 0 ? undefined : new Readers(count, { memory, round, input: { address: 0, bytes: 0 } }, undefined);
  rig.queries.setReaders(count);
  readers?.start((error) => assert.fail(error));
  fill(rig, seed);
  const made = { rig, readers };
  crews.push(made);
  return made;
}

/** Counters, integers, noise, gaps and stale markers. */
function fill(rig: HeadRig, seed: number): void {
  const random = new Prng(seed);
  const series = Array.from({ length: SERIES }, (_, i): Labels => ['__name__', 'm', 'i', `${i}`, 'job', `${i % 7}`]);
  const indexes = series.map((labels) => rig.create(labels));
  const values = series.map(() => random.int(1000));
  for (let n = 0; n < SAMPLES; n++) {
    const rows: HeadRow[] = [];
    indexes.forEach((index, i) => {
      if (random.int(20) === 0) return;
      const nature = i % 4;
      values[i] = nature === 0 ? values[i]! : nature === 1 ? values[i]! + random.int(9) : random.float() * 100;
      const bits = random.int(100) === 0 ? 0x7ff0000000000002n : floatBits(values[i]!);
      rows.push({ series: index, ref: rig.head.refLow(index), timeMs: BigInt(timeOf(n)), bits });
    });
    rig.append(rows, { append: 1, baseRef: 0, baseTimeMs: 0, ...ANY_TIME });
  }
  rig.head.commit(1);
}

function timeOf(n: number): number {
  return START_MS + n * 15000;
}

interface Question {
  readonly fn: string;
  readonly windowMs: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly aggregate: QueryAggregate | undefined;
}

/** Asks and renders everything that comes out, bits of values included. `meanwhile` runs between the view and the first morsel. */
function ask(rig: HeadRig, question: Question, morsel: MorselSize, meanwhile = () => {}, watermark = 1): string[] {
  const { fn, windowMs, stepMs, steps, aggregate } = question;
  const list = rig.select.anyOf([]);
  const view = rig.queries.view(watermark);
  const out: string[] = [];
  try {
    const window = { startMs: timeOf(SAMPLES) - (steps - 1) * stepMs, stepMs, steps, windowMs };
    const query = rig.queries.open(list, view, fn, window, false, aggregate);
    try {
      meanwhile();
      for (let done = false; !done; ) {
        done = query.next(morsel);
        if (aggregate !== undefined) continue;
        const { labels, count, values, present } = query.rows();
        decodeLabels(labels.strings, labels.rows, count).forEach((row, i) => {
          const cells = [values.slice(i * steps * 8, (i + 1) * steps * 8), present.slice(i * steps, (i + 1) * steps)];
          out.push(`${row} ${cells.map(hex)}`);
        });
      }
      if (aggregate === undefined) return out;
      const { count, state, present } = query.groups();
      return [`${count}`, hex(present), ...state.map(hex)];
    } finally {
      query.close();
    }
  } finally {
    rig.select.release(list);
  }
}

function hex(bytes: ArrayBuffer | Uint8Array): string {
  return Buffer.from(bytes as ArrayBuffer).toString('hex');
}

/** A question heavy enough for readers to be called. */
function randomQuestion(random: Prng): Question {
  const op = random.pick(['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'] as const);
  return {
    fn: random.pick([...WINDOW_FNS.keys()]),
    windowMs: random.pick([15_000, 300_000, 3_600_000]),
    stepMs: random.pick([15_000, 60_000, 300_000]),
    steps: 2 + random.int(60),
    aggregate: random.int(3) === 0 ? undefined : { op, grouping: 'by', labels: random.pick([[], ['job'], ['i']]) },
  };
}

for (const count of [1, 3]) {
  test(`readers: ${count} of them change no bit of an answer`, () => {
    const { rig: alone } = crew(0, 1);
    const { rig } = crew(count, 1);
    const random = new Prng(count);
    const until = performance.now() + 30_000;
    for (let i = 0; i < 60 || (rig.queries.helped === 0 && performance.now() < until); i++) {
      const question = randomQuestion(random);
      for (const morsel of MORSELS) {
        assert.deepEqual(ask(rig, question, morsel), ask(alone, question, MORSELS[0]!), JSON.stringify(question));
      }
    }
    assert.ok(rig.queries.calls > 0, 'readers were called');
    assert.ok(rig.queries.helped > 0, 'readers evaluated series');
  });
}

test('readers: samples appended after the view are not seen', () => {
  const { rig } = crew(2, 2);
  const question: Question = {
    fn: 'sum_over_time',
    windowMs: 600_000,
    stepMs: 60_000,
    steps: 70,
    aggregate: undefined,
  };
  const want = ask(rig, question, MORSELS[0]!);
  const list = rig.select.anyOf([]);
  const all = [...rig.select.indexes(list)] as SeriesIndex[];
  rig.select.release(list);
  const append = (nth: number) =>
    rig.append(
      all.map((series) => ({
        series,
        ref: rig.head.refLow(series),
        timeMs: BigInt(timeOf(SAMPLES - 1) + nth * 1000),
        bits: floatBits(1e9),
      })),
      { append: 1 + nth, baseRef: 0, baseTimeMs: 0, ...ANY_TIME },
    );
  for (let nth = 1; nth < 5; nth++)
    assert.deepEqual(
      ask(rig, question, MORSELS[1]!, () => append(nth)),
      want,
    );
});

test('readers: where memory is short there is an answer, or OutOfMemory', () => {
  const { rig: alone } = crew(0, 3);
  const { rig } = crew(3, 3);
  const question: Question = { fn: 'rate', windowMs: 300_000, stepMs: 60_000, steps: 70, aggregate: undefined };
  const want = ask(alone, question, MORSELS[0]!);
  const used = rig.core.exports.memory_used_pages();
  let refused = 0;
  for (let room = 0; room < 48; room++) {
    rig.core.exports.memory_limit(used + room);
    try {
      assert.deepEqual(ask(rig, question, MORSELS[0]!), want, `${room} pages`);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      refused++;
    }
  }
  assert.ok(refused > 0 && refused < 40, `${refused} refused`);
});

test('readers: when one has trapped, the shard traps', () => {
  const { rig } = crew(1, 4);
  rig.core.view.setUint32(rig.queries.round + ROUND_FAILED, 1, true);
  const question: Question = { fn: 'rate', windowMs: 300_000, stepMs: 60_000, steps: 70, aggregate: undefined };
  assert.throws(() => ask(rig, question, MORSELS[0]!), WebAssembly.RuntimeError);
});

test('readers: their module brings no data, which would be written over each other’s', () => {
  const bytes = readFileSync(new URL('../../../../build/reader.wasm', import.meta.url));
  const sections: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    sections.push(bytes[at++]!);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  assert.ok(sections.includes(10), 'code');
  assert.ok(!sections.includes(11), 'no data');
});
