// Finding series: postings and select against a matcher run over every label set.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { compareStrings, type Labels, labelsOf, valueOf } from '../../../src/model/labels.js';
import { compileMatcher, type Matcher } from '../../../src/model/matcher.js';
import { Truncation } from '../../../src/shard/truncation.js';
import { NO_SERIES } from '../../../src/wasm/head.js';
import { KeptSelections } from '../../../src/wasm/kept-selections.js';
import { HeadRig } from '../../support/head.js';

const NAMES = ['__name__', 'job', 'instance', 'zone', 'le', 'größe', 'only_some'];
const VALUES = ['a', 'ab', 'abc', 'b', 'bc', 'api-1', 'api-2', 'x\ny', '\ufeffmark', 'ü', '😀', 'job', 'zone'];

function randomLabels(random: Prng): Labels {
  const pairs: [string, string][] = [];
  for (const name of NAMES) {
    if (random.float() < 0.25) continue;
    const value = name === 'instance' ? `host-${random.int(300)}` : random.pick(VALUES);
    pairs.push([name, value]);
  }
  return labelsOf(pairs);
}

const PATTERNS = [
  'a.*',
  '.*c',
  '.*b.*',
  'a|b|bc',
  'a|b|a',
  'a|',
  '.+',
  '.*',
  '',
  'api-[12]',
  'host-1.',
  '[^a].+',
  'ab?c?',
  'api-.+',
  '.+c',
  '😀|ü',
  '.mark',
];

function randomMatcher(random: Prng): Matcher {
  const name = random.pick([...NAMES, 'unknown', 'abc']);
  const op = random.pick(['=', '!=', '=~', '!~'] as const);
  const value = op === '=' || op === '!=' ? random.pick([...VALUES, '', 'none', 'host-7']) : random.pick(PATTERNS);
  return { name, op, value };
}

/** Selectors that are asked for again and again, one value named in each: what was found before is known. */
const USUAL = Array.from({ length: 40 }, (_, i): Matcher[] => {
  const random = new Prng(i);
  const exact: Matcher = { name: random.pick(NAMES.slice(0, 4)), op: '=', value: random.pick([...VALUES, 'host-7']) };
  return [...Array.from({ length: random.int(3) }, () => randomMatcher(random)), exact];
});

/** The model: what is alive, by series index. */
class Model {
  readonly alive = new Map<number, Labels>();

  select(matchers: readonly Matcher[]): number[] {
    const tests = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
    const found = [...this.alive].filter(([, labels]) => tests.every(({ name, test }) => test(valueOf(labels, name))));
    return found.map(([index]) => index).sort((a, b) => a - b);
  }

  values(name: string): string[] {
    const values = new Set([...this.alive.values()].map((labels) => valueOf(labels, name)));
    values.delete('');
    return [...values].sort(compareStrings);
  }
}

function check(rig: HeadRig, model: Model, random: Prng, rounds: number, seed: number): void {
  for (let i = 0; i < rounds; i++) {
    const selectors = Array.from({ length: 1 + random.int(2) }, () =>
      random.int(2) === 0 ? random.pick(USUAL) : Array.from({ length: random.int(4) }, () => randomMatcher(random)),
    );
    const want = [...new Set(selectors.flatMap((matchers) => model.select(matchers)))].sort((a, b) => a - b);
    const got = rig.indexes(rig.select.anyOf(selectors));
    assert.deepEqual(got, want, `seed ${seed}: ${JSON.stringify(selectors)}`);
  }
  for (const labels of [...model.alive.values()].slice(0, 50)) {
    assert.equal(model.alive.get(rig.find(labels))?.join(), labels.join());
  }
}

function checkListings(rig: HeadRig, model: Model, seed: number): void {
  for (const name of NAMES) {
    assert.deepEqual(rig.select.values(name), model.values(name), `seed ${seed}: ${name}`);
    for (const { value, series } of rig.select.valueCounts(name)) {
      const count = [...model.alive.values()].filter((labels) => valueOf(labels, name) === value).length;
      assert.equal(series, count, `seed ${seed}: ${name}=${value}`);
    }
  }
  const names = NAMES.filter((name) => model.values(name).length > 0).sort(compareStrings);
  assert.deepEqual(
    rig.select.names(),
    names.map((name) => ({
      name,
      values: model.values(name).length,
      series: [...model.alive.values()].filter((labels) => valueOf(labels, name) !== '').length,
    })),
  );
}

for (const seed of [1, 2, 3]) {
  test(`select: as a matcher over every label set, while series come, go and come back (seed ${seed})`, () => {
    const random = new Prng(seed);
    const rig = new HeadRig();
    const model = new Model();
    const times = new Map<number, number>();
    const add = (labels: Labels, time: number) => {
      const known = rig.find(labels);
      const index = rig.create(labels);
      assert.notEqual(index, NO_SERIES);
      if (known === NO_SERIES) assert.ok(!times.has(index), 'an index is given out once');
      rig.sample(index, time + (times.get(index) ?? 0));
      times.set(index, time + (times.get(index) ?? 0));
      model.alive.set(index, labels);
    };
    const retired: Labels[] = [];
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 250; i++) add(randomLabels(random), 1 + random.int(1000));
      // Some of those that went come back while the next are on their way.
      const mint = 1000 * round;
      const truncation = new Truncation(rig.head, [], 0);
      for (let done = false; !done; ) {
        done = truncation.step(mint).done;
        for (const [index, labels] of model.alive) {
          if (rig.core.exports.series_ref(index) > 0) continue;
          model.alive.delete(index);
          retired.push(labels);
        }
        for (let i = 0; i < 10 && retired.length > 0; i++) add(random.pick(retired), mint + 1 + random.int(1000));
        check(rig, model, random, 20, seed);
      }
      for (const index of model.alive.keys()) assert.ok(times.get(index)! >= mint);
      assert.equal(rig.head.seriesCount, model.alive.size);
      check(rig, model, random, 100, seed);
      checkListings(rig, model, seed);
    }
  });
}

test('select: what is kept of selections is bounded, and found by the newest series of a value', () => {
  const rig = new HeadRig();
  const kept = new KeptSelections(rig.core);
  const first = rig.create(['__name__', 'm', 'i', '0']);
  kept.keep('a', Uint32Array.of(first), 0);
  assert.deepEqual(kept.find('a'), Uint32Array.of(first));
  assert.equal(kept.find('b'), undefined);
  for (let i = 0; i < 200; i++) kept.keep(`long ${i}`, new Uint32Array(16_000), 0);
  assert.equal(kept.find('a'), undefined, 'the longest unused went');
  assert.notEqual(kept.find('long 199'), undefined);
  rig.create(['__name__', 'm', 'i', '1']);
  assert.equal(kept.find('long 199'), undefined, 'one more has the name');
});

test('select: more labels than fit a small set, and a set without any', () => {
  const rig = new HeadRig();
  const many = labelsOf(Array.from({ length: 300 }, (_, i): [string, string] => [`name_${i}`, `value_${i % 7}`]));
  const wide = rig.create(many);
  const empty = rig.create([]);
  assert.notEqual(wide, NO_SERIES);
  assert.notEqual(empty, NO_SERIES);
  assert.equal(rig.find(many), wide);
  assert.equal(rig.find([]), empty);
  assert.deepEqual(rig.indexes(rig.select.series([{ name: 'name_299', op: '=~', value: 'value_.' }])), [wide]);
  assert.deepEqual(rig.indexes(rig.select.series([{ name: 'name_299', op: '=', value: '' }])), [empty]);
  assert.deepEqual(rig.indexes(rig.select.series([])), [wide, empty]);
});

test('select: no memory stays behind', () => {
  const rig = new HeadRig();
  for (let i = 0; i < 100; i++) rig.create(['__name__', 'm', 'i', `${i}`]);
  const selectors: Matcher[][] = [
    [
      { name: '__name__', op: '=', value: 'm' },
      { name: 'i', op: '!=', value: 'none' },
    ],
    [
      { name: 'unknown', op: '=', value: '' },
      { name: 'i', op: '=~', value: '1.|2' },
    ],
    [
      { name: 'i', op: '!~', value: '[^0]+' },
      { name: 'i', op: '!~', value: '1|2' },
    ],
  ];
  const run = () => {
    for (let i = 0; i < 2000; i++) rig.select.release(rig.select.anyOf(selectors));
  };
  run();
  const before = rig.core.exports.memory_used_pages();
  for (let i = 0; i < 4; i++) run();
  assert.equal(rig.core.exports.memory_used_pages(), before);
});

// --- Sets ---

function put(rig: HeadRig, numbers: readonly number[], room = numbers.length): number {
  const address = rig.core.exports.heap_alloc(Math.max(room, 1) * 4) >>> 0;
  rig.core.u32(address, numbers.length).set(numbers);
  return address;
}

for (const [aCount, bCount] of [
  [0, 0],
  [0, 5],
  [1, 1],
  [3, 100],
  [100, 3],
  [500, 400],
  [5, 4000],
  [4000, 5],
  [2000, 2000],
] as const) {
  test(`sets: intersect, subtract, union of ${aCount} and ${bCount}, as Set does`, () => {
    const random = new Prng(aCount * 10007 + bCount);
    const rig = new HeadRig();
    const { exports } = rig.core;
    for (let round = 0; round < 20; round++) {
      const span = random.pick([aCount + bCount + 1, 10 * (aCount + bCount) + 1, 2 ** 32 - 1]);
      const draw = (count: number) => {
        const set = new Set<number>();
        while (set.size < count) set.add(random.int(span));
        return [...set].sort((x, y) => x - y);
      };
      const a = draw(aCount);
      const b = draw(bCount);
      const inA = new Set(a);
      const inB = new Set(b);
      const aAt = put(rig, a);
      const bAt = put(rig, b);
      const into = put(rig, [], aCount + bCount);
      const read = (count: number, at = into) => [...rig.core.u32(at, count >>> 0)];
      const both = a.filter((x) => inB.has(x));
      const left = a.filter((x) => !inB.has(x));
      assert.deepEqual(read(exports.sets_intersect(aAt, aCount, bAt, bCount, into)), both);
      assert.deepEqual(read(exports.sets_subtract(aAt, aCount, bAt, bCount, into)), left);
      const union = [...new Set([...inA, ...inB])].sort((x, y) => x - y);
      assert.deepEqual(read(exports.sets_union(aAt, aCount, bAt, bCount, into)), union);
      // In place, as select does it.
      const copy = put(rig, a);
      assert.deepEqual(read(exports.sets_intersect(copy, aCount, bAt, bCount, copy), copy), both);
      rig.core.u32(copy, aCount).set(a);
      assert.deepEqual(read(exports.sets_subtract(copy, aCount, bAt, bCount, copy), copy), left);
    }
  });
}
