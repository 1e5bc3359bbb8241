// The head beside a Map of label sets: series made, appended to, dropped and made again, and found by any matchers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { keyOf, type Labels, labelsOf, valueOf } from '../../../src/model/labels.js';
import { compileMatcher, type Matcher } from '../../../src/model/matcher.js';
import { Core } from '../../../src/wasm/core.js';
import { Exposition } from '../../../src/wasm/exposition.js';
import { Head, NO_SERIES } from '../../../src/wasm/head.js';
import { ROW_BYTES } from '../../../src/wasm/rows.js';
import { Select } from '../../../src/wasm/select.js';

const NAMES = ['__name__', 'job', 'instance', 'zone'];
const VALUES: Record<string, readonly string[]> = {
  __name__: ['up', 'cpu', 'mem_bytes'],
  job: ['a', 'b', 'node-1', 'node-2', ''],
  instance: Array.from({ length: 60 }, (_, i) => `host-${i}:9100`),
  zone: ['eu', 'us', '', '', 'žluťoučký'],
};
/** Each form that matching has a way of its own for, and some that it has none for. */
const PATTERNS = [
  'up',
  'a|b',
  'node-.*',
  'node-.+',
  '.*9100',
  '.*ost-1.*',
  '.*',
  '.+',
  '',
  'host-[1-3]\\d:.*',
  '(e|u).?',
  'node-[12]',
];

interface Known {
  readonly labels: Labels;
  readonly index: number;
  readonly ref: number;
  newestMs: number;
}

class Both {
  readonly core = new Core();
  readonly exposition = new Exposition(this.core);
  readonly head = new Head(this.core);
  readonly select = new Select(this.core);
  readonly known = new Map<string, Known>();
  #lastRef = 2 ** 32 - 100;
  #append = 0;

  constructor() {
    this.exposition.seed(7n);
    this.exposition.setShards(1, 0);
  }

  /** Finds or makes a series in both. */
  meet(labels: Labels): Known {
    this.exposition.scratch.write(labels);
    const index = this.head.resolve();
    const known = this.known.get(keyOf(labels));
    assert.equal(index, known?.index ?? NO_SERIES, `resolve ${labels}`);
    if (known !== undefined) return known;
    const part = this.head.openPart();
    const ref = ++this.#lastRef;
    const made = { labels, index: this.head.create(part, ref), ref, newestMs: Number.NEGATIVE_INFINITY };
    this.head.closePart(part);
    this.known.set(keyOf(labels), made);
    return made;
  }

  append(series: readonly Known[], timeMs: number): void {
    const rows = new DataView(new ArrayBuffer(series.length * ROW_BYTES));
    series.forEach(({ index, ref }, i) => {
      rows.setUint32(i * ROW_BYTES, index, true);
      rows.setUint32(i * ROW_BYTES + 4, ref % 2 ** 32, true);
      rows.setBigInt64(i * ROW_BYTES + 8, BigInt(timeMs), true);
      rows.setFloat64(i * ROW_BYTES + 16, i, true);
    });
    const { address, count } = this.exposition.loadRows(new Uint8Array(rows.buffer));
    const part = this.head.openPart();
    this.head.beginAppend();
    const bounds = { append: ++this.#append, baseRef: 0, baseTimeMs: 0, minTimeMs: -(2 ** 52), maxTimeMs: 2 ** 52 };
    assert.ok(this.head.rows(address, count, bounds, part));
    assert.equal(this.head.outcome().accepted, series.length);
    this.head.commit(this.#append);
    this.head.closePart(part);
    for (const known of series) known.newestMs = timeMs;
  }

  /** `between` runs between two steps. Gives the number of steps behind the scan. */
  truncate(minTimeMs: number, between = () => {}): number {
    for (let from = 0; from < this.head.seriesBound; from += 50) this.head.scan(minTimeMs, from, 50);
    const gone = [...this.known.values()].filter(({ newestMs }) => newestMs < minTimeMs);
    assert.deepEqual(
      [...this.head.retired()],
      gone.map(({ index }) => index).sort((a, b) => a - b),
    );
    for (const { labels } of gone) this.known.delete(keyOf(labels));
    if (gone.length === 0) return 0;
    this.check([]);
    assert.ok(this.head.beginSweep());
    let steps = 1;
    for (let name = 0; name < this.head.names; steps++) {
      if (this.head.sweepName(name)) name++;
      between();
    }
    for (; !this.head.finishSweep(); steps++) between();
    return steps;
  }

  /** Both find the same series. */
  check(matchers: readonly Matcher[]): void {
    const tests = matchers.map((matcher) => ({ name: matcher.name, passes: compileMatcher(matcher) }));
    const want = [...this.known.values()].filter(({ labels }) =>
      tests.every(({ name, passes }) => passes(valueOf(labels, name))),
    );
    const list = this.select.series(matchers);
    const got = [...this.select.indexes(list)];
    this.select.release(list);
    const text = matchers.map(({ name, op, value }) => `${name}${op}"${value}"`).join(',');
    assert.deepEqual(
      got,
      want.map(({ index }) => index).sort((a, b) => a - b),
      `{${text}}`,
    );
  }

  checkLists(): void {
    const values = new Map<string, Set<string>>();
    const series = new Map<string, number>();
    for (const { labels } of this.known.values()) {
      for (let i = 0; i < labels.length; i += 2) {
        const [name, value] = [labels[i]!, labels[i + 1]!];
        if (!values.has(name)) values.set(name, new Set());
        values.get(name)!.add(value);
        series.set(name, (series.get(name) ?? 0) + 1);
      }
    }
    const want = [...values].map(([name, set]) => ({ name, values: set.size, series: series.get(name)! }));
    assert.deepEqual(
      this.select.names(),
      want.sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const refs = [...this.known.values()].sort((a, b) => a.index - b.index).map(({ ref }) => ref);
    const pairs = [...this.head.liveRefs(0, 2 ** 16, () => 0)];
    assert.deepEqual(
      pairs.filter((_, i) => i % 2 === 0),
      refs,
    );
    for (const name of NAMES) assert.deepEqual(new Set(this.select.values(name)), values.get(name) ?? new Set());
  }
}

function randomLabels(random: Prng): Labels {
  return labelsOf(NAMES.map((name): [string, string] => [name, random.pick(VALUES[name]!)]));
}

function randomMatchers(random: Prng): Matcher[] {
  return Array.from({ length: 1 + random.int(4) }, () => {
    const name = random.pick([...NAMES, 'nothing']);
    const op = random.pick(['=', '!=', '=~', '!~'] as const);
    const value = op.includes('~') ? random.pick(PATTERNS) : random.pick([...(VALUES[name] ?? []), 'x', '']);
    return { name, op, value };
  });
}

for (const seed of [1, 2, 3]) {
  test(`head: the same series as in a Map, whatever comes and goes, seed ${seed}`, () => {
    const random = new Prng(seed);
    const both = new Both();
    let timeMs = 1_000_000;
    for (let round = 0; round < 40; round++) {
      const met = Array.from({ length: 1 + random.int(80) }, () => both.meet(randomLabels(random)));
      timeMs += 60_000;
      both.append(
        [...new Set(met)].filter(() => random.float() < 0.9),
        timeMs,
      );
      for (let i = 0; i < 10; i++) both.check(randomMatchers(random));
      if (round % 5 === 4) both.truncate(timeMs - random.int(200_000));
      for (let i = 0; i < 10; i++) both.check(randomMatchers(random));
      both.checkLists();
    }
    both.truncate(timeMs + 1);
    assert.equal(both.head.seriesCount, 0);
    assert.equal(both.head.counters.pairs, 0);
    both.check([]);
  });
}

test('head: many series go in many steps, and what comes in between is there', () => {
  const both = new Both();
  const COUNT = 70_000;
  const labelsOfId = (id: number): Labels => ['__name__', 'm', 'id', `${id}`, 'job', 'j'];
  const all = Array.from({ length: COUNT }, (_, id) => both.meet(labelsOfId(id)));
  both.append(all, 1000);
  both.append(
    all.filter((_, id) => id % 1000 === 0),
    5000,
  );
  let id = COUNT;
  const steps = both.truncate(2000, () => {
    both.append([both.meet(labelsOfId(id++)), both.meet(labelsOfId((id % 7) * 1000 + 1))], 6000 + id);
  });
  assert.ok(steps > 15, `${steps} steps`);
  for (const value of ['0', '1', '999', '1000', `${COUNT}`, `${id - 1}`]) both.check([{ name: 'id', op: '=', value }]);
  both.check([]);
  both.check([{ name: 'job', op: '=', value: 'j' }]);
  assert.ok(both.truncate(10_000) > 0);
  both.check([]);
});
