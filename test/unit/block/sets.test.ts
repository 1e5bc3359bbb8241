import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { intersect, meets, subtract, union } from '../../../src/tsdb/block/sets.js';

const set = (...members: number[]) => Uint32Array.from(members);

test('sets: by hand', () => {
  assert.deepEqual([...intersect(set(1, 3, 5), set(3, 4, 5, 6))], [3, 5]);
  assert.deepEqual([...subtract(set(1, 3, 5), set(3, 4))], [1, 5]);
  assert.deepEqual([...union([set(1, 0xffffffff), set(), set(1, 2)])], [1, 2, 0xffffffff]);
  assert.deepEqual([...union([])], []);
  assert.equal(meets(set(1, 5), set(2, 5)), true);
  assert.equal(meets(set(1, 5), set(2, 6)), false);
});

test('sets: operations agree with those of Set, for sizes and densities of all kinds', () => {
  const prng = new Prng(11);
  for (let round = 0; round < 2000; round++) {
    const range = 2 ** (1 + Math.floor(prng.float() * 18));
    const some = () => {
      const size = Math.floor(prng.float() ** 4 * 600);
      return new Set(Array.from({ length: size }, () => Math.floor(prng.float() * range)));
    };
    const sorted = (members: Iterable<number>) => Uint32Array.from([...members].sort((a, b) => a - b));
    const [a, b, c] = [some(), some(), some()];
    const [x, y, z] = [sorted(a), sorted(b), sorted(c)];
    const both = [...a].filter((member) => b.has(member));
    assert.deepEqual(intersect(x, y), sorted(both), `round ${round}`);
    assert.deepEqual(subtract(x, y), sorted([...a].filter((member) => !b.has(member))), `round ${round}`);
    assert.deepEqual(union([x, y, z]), sorted(new Set([...a, ...b, ...c])), `round ${round}`);
    assert.equal(meets(x, y), both.length > 0, `round ${round}`);
  }
});
