import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { joinSymbols } from '../../../src/tsdb/compact/join-symbols.js';
import { symbolsOf } from '../../support/blocks.js';

function joined(lists: readonly (readonly string[])[]): { strings: string[]; numbers: number[][] } {
  const { table, numbers } = joinSymbols(lists.map((list) => symbolsOf(list).table));
  const strings = Array.from(table.ends, (end, i) =>
    Buffer.from(table.bytes.subarray(i === 0 ? 0 : table.ends[i - 1], end)).toString(),
  );
  return { strings, numbers: numbers.map((list) => [...list]) };
}

const cases: [what: string, lists: string[][], strings: string[], numbers: number[][]][] = [
  ['nothing', [], [], []],
  ['empty tables', [[], []], [], [[], []]],
  ['one table', [['a', 'b']], ['a', 'b'], [[0, 1]]],
  [
    'equal strings are one',
    [
      ['api', 'job', 'node'],
      ['cpu', 'job'],
    ],
    ['api', 'cpu', 'job', 'node'],
    [
      [0, 2, 3],
      [1, 2],
    ],
  ],
  ['in all of three', [['x'], ['x'], ['x']], ['x'], [[0], [0], [0]]],
  ['the empty string is the first', [['a'], ['', 'a']], ['', 'a'], [[1], [0, 1]]],
  ['what begins another comes before it', [['ab'], ['a', 'abc']], ['a', 'ab', 'abc'], [[1], [0, 2]]],
  ['bytes above 127 are not negative', [['ž'], ['z', '😀']], ['z', 'ž', '😀'], [[1], [0, 2]]],
];
for (const [what, lists, strings, numbers] of cases) {
  test(`join: ${what}`, () => assert.deepEqual(joined(lists), { strings, numbers }));
}

test('join: what sorting would give', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const prng = new Prng(seed);
    const lists = Array.from({ length: 1 + prng.int(5) }, () =>
      Array.from({ length: prng.int(200) }, () => prng.pick(['a', 'ž', 'bb', '']).repeat(prng.int(4)) + prng.int(90)),
    );
    const all = symbolsOf(lists.flat());
    const { strings, numbers } = joined(lists);
    assert.deepEqual(strings.map(all.numberOf), [...strings.keys()], `seed ${seed}`);
    const want = lists.map((list) => [...new Set(list.map(all.numberOf))].sort((a, b) => a - b));
    assert.deepEqual(numbers, want, `seed ${seed}`);
  }
});
