// Multikey quicksort beside the sort of the language.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { SEQUENCE_END, sortSequences } from '../../../src/tsdb/compact/sort.js';

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? SEQUENCE_END) - (b[i] ?? SEQUENCE_END);
    if (difference !== 0) return difference;
  }
  return 0;
}

function sorted(sequences: readonly (readonly number[])[]): (readonly number[])[] {
  const items = Uint32Array.from(sequences, (_, i) => i);
  sortSequences(items, (item, depth) => sequences[item]![depth] ?? SEQUENCE_END);
  assert.equal(new Set(items).size, sequences.length, 'each item is there once');
  return Array.from(items, (item) => sequences[item]!);
}

const prefix = Array.from({ length: 300 }, (_, i) => i + 1);
const shapes: [name: string, make: (random: Prng, i: number) => number[]][] = [
  ['all equal', () => [1, 2, 3]],
  ['all empty', () => []],
  ['one key', (random) => [1 + random.int(1_000_000)]],
  ['prefixes of each other', (random) => prefix.slice(0, random.int(300))],
  ['long common beginnings', (random) => [...prefix, 1 + random.int(50), 1 + random.int(50)]],
  ['few keys', (random) => Array.from({ length: random.int(12) }, () => 1 + random.int(3))],
  ['ascending', (_, i) => [i + 1]],
  ['descending', (_, i) => [10_000 - i]],
];

for (const [name, make] of shapes) {
  test(`sequences in order: ${name}`, () => {
    for (const count of [0, 1, 2, 13, 40, 2000]) {
      const random = new Prng(count + 1);
      const sequences = Array.from({ length: count }, (_, i) => make(random, i));
      assert.deepEqual(sorted(sequences), sequences.toSorted(compare));
    }
  });
}
