// A bag has what a Set has.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bag, type Bagged } from '../../../src/base/bag.js';
import { Prng } from '../../../src/base/prng.js';

test('bag: what was added and not removed, each once', () => {
  const random = new Prng(3);
  const things: Bagged[] = Array.from({ length: 20 }, () => ({ place: -1 }));
  const bag = new Bag<Bagged>();
  const model = new Set<Bagged>();
  for (let i = 0; i < 5_000; i++) {
    const thing = random.pick(things);
    if (random.int(2) === 0) {
      bag.add(thing);
      model.add(thing);
    } else {
      bag.remove(thing);
      model.delete(thing);
    }
    assert.equal(bag.size, model.size);
    assert.deepEqual(new Set(bag.list()), model);
    assert.ok(things.every((one) => one.place >= 0 === model.has(one)));
  }
});
