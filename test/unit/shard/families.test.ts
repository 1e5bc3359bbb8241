// Families of metrics: names, what a shard remembers, and the entries that the log gets of each series.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familyOf, type MetricMetadata, namesOf } from '../../../src/model/family.js';
import { Families } from '../../../src/shard/families.js';
import { FamilyLog } from '../../../src/shard/family-log.js';

const of = (metric: string, type = 'counter', help = 'h'): MetricMetadata => ({ metric, type, help, unit: '' });

const names: [name: string, type: string, family: string][] = [
  ['a_seconds_bucket', 'histogram', 'a_seconds'],
  ['a_seconds_count', 'histogram', 'a_seconds'],
  ['a_seconds_count', 'summary', 'a_seconds'],
  ['a_seconds_bucket', 'summary', 'a_seconds_bucket'],
  ['a_seconds_gsum', 'gaugehistogram', 'a_seconds'],
  // In text 0.0.4 the family of a counter has the suffix too.
  ['a_total', 'counter', 'a_total'],
  ['a_total', 'gauge', 'a_total'],
  ['_sum', 'summary', '_sum'],
  ['a_count', 'unknown', 'a_count'],
];

for (const [name, type, family] of names) {
  test(`${name} of type ${type} is of the family ${family}`, () => {
    assert.equal(familyOf(name, type), family);
    assert.ok(namesOf({ metric: family, type }).includes(name));
  });
}

test('a series finds its family by its own name, or by that without a suffix of the type', () => {
  const families = new Families();
  for (const one of [of('a', 'histogram'), of('a_sum', 'gauge'), of('b', 'gauge'), of('c', 'counter')])
    families.learn(one);
  const found = (name: string) => families.find(name)?.metric;
  assert.deepEqual(['a', 'a_bucket', 'a_sum', 'a_total', 'b_bucket', 'c_total', 'd'].map(found), [
    ...['a', 'a', 'a_sum', undefined, undefined, 'c', undefined],
  ]);
});

test('only what is new is learnt', () => {
  const families = new Families();
  assert.equal(families.learn(of('a')), true);
  assert.equal(families.learn(of('a')), false);
  assert.deepEqual(families.changesIn([of('a'), of('a', 'gauge'), of('b')]), [of('a', 'gauge'), of('b')]);
  assert.deepEqual(families.list(undefined), [of('a')]);
  assert.equal(families.learn(of('')), false);
});

test('a family without series goes when it was not named for a while', () => {
  const families = new Families();
  families.learn(of('a'));
  families.learn(of('b', 'histogram'));
  families.learn(of('c'));
  const hasSeries = (name: string) => name === 'b_bucket';
  families.prune(hasSeries);
  assert.equal(families.size, 3, 'all are fresh');
  families.changesIn([of('c')]);
  families.prune(hasSeries);
  assert.deepEqual(
    families.list(undefined).map(({ metric }) => metric),
    ['b', 'c'],
  );
  families.prune(hasSeries);
  assert.deepEqual(
    families.list(undefined).map(({ metric }) => metric),
    ['b'],
  );
});

/** A head of series with these names, as far as selecting them goes. */
function fakeSelect(all: readonly string[]) {
  return {
    anyOf: (selectors: readonly (readonly { value: string }[])[]) => {
      const wanted = new Set(selectors.map(([matcher]) => matcher!.value));
      return all.flatMap((name, number) => (wanted.has(name) ? [number] : []));
    },
    indexes: (list: number[]) => Uint32Array.from(list),
    release: () => {},
  };
}

test('every series of a family gets one entry, page by page; what is said later counts', () => {
  const all = Array.from({ length: 12_000 }, (_, i) => ['a_bucket', 'a_sum', 'other'][i % 3]!);
  const families = new Families();
  const log = new FamilyLog(families, fakeSelect(all) as never, {} as never);
  const got = new Map<number, string[]>();
  const write = (series: number, { help }: MetricMetadata) => got.set(series, [...(got.get(series) ?? []), help]);
  log.add(of('a', 'histogram', 'first'));
  log.add(of('other', 'gauge', 'x'));
  assert.equal(log.step(write), false);
  assert.equal(got.size, 5000);
  log.add(of('a', 'histogram', 'second'));
  let steps = 1;
  while (!log.step(write)) steps++;
  assert.equal(steps, 3);
  assert.equal(got.size, all.length);
  for (const [series, helps] of got) assert.equal(helps.at(-1), all[series] === 'other' ? 'x' : 'second');
});
