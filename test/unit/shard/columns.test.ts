import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Labels } from '../../../src/model/labels.js';
import { decodeLabels, encodeLabels, joinBuffers } from '../../../src/shard/columns.js';

/** The example of docs/formats/shard-messages.md. */
const SETS: readonly Labels[] = [
  ['__name__', 'up', 'job', 'a'],
  ['__name__', 'up', 'job', 'b'],
];
const STRINGS = [
  ['08000000', '__name__'],
  ['02000000', 'up'],
  ['03000000', 'job'],
  ['01000000', 'a'],
  ['01000000', 'b'],
]
  .map(([length, text]) => length + Buffer.from(text!).toString('hex'))
  .join('');
const ROWS = [2, 0, 1, 2, 3, 2, 0, 1, 2, 4];

test('label table: the bytes of the format page', () => {
  const { strings, rows } = encodeLabels(SETS);
  assert.equal(Buffer.from(strings).toString('hex'), STRINGS);
  assert.deepEqual([...new Uint32Array(rows)], ROWS);
  assert.deepEqual(
    decodeLabels(Uint8Array.from(Buffer.from(STRINGS, 'hex')).buffer, Uint32Array.from(ROWS).buffer, 2),
    SETS,
  );
});

const tables: [name: string, sets: readonly Labels[]][] = [
  ['none', []],
  ['a set without labels', [[]]],
  ['sets of different sizes', [[], ['a', '1'], ['a', '1', 'b', '2'], []]],
  ['text of several bytes a character', [['žluťoučký', '🔥']]],
  ['a value that is also a name', [['a', 'a']]],
];

for (const [name, sets] of tables) {
  test(`label table: ${name}, there and back`, () => {
    const { strings, rows } = encodeLabels(sets);
    assert.deepEqual(decodeLabels(strings, rows, sets.length), sets);
  });
}

test('buffers are joined in order; one alone is not copied', () => {
  const parts = [[1, 2], [], [3]].map((bytes) => Uint8Array.from(bytes).buffer);
  assert.deepEqual([...new Uint8Array(joinBuffers(parts))], [1, 2, 3]);
  assert.equal(joinBuffers([parts[0]!]), parts[0]);
});
