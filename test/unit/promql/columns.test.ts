// Cells with a value are counted several at a time: the same as one by one, wherever they lie.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { presentCount } from '../../../src/promql/exec/columns.js';

test('presentCount: marks of all kinds, in arrays of any length at any place', () => {
  const random = new Prng(3);
  for (let round = 0; round < 400; round++) {
    const offset = random.int(6);
    const all = Uint8Array.from({ length: offset + random.int(3000) }, () => random.int(3));
    const present = all.subarray(offset);
    const want = present.filter((mark) => mark !== 0).length;
    assert.equal(presentCount({ labels: [], steps: 1, values: new Float64Array(0), present }), want, `round ${round}`);
  }
});
