import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { SeriesRef } from '../../../src/tsdb/block/contract.js';
import { PostingsGatherer } from '../../../src/tsdb/block/postings-gatherer.js';

test('lists: what a map would give, in any number of passes', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = new Prng(seed);
    const gatherer = new PostingsGatherer(prng.pick([1, 7, 100, 1e6]));
    const model = new Map<string, { key: [number, number]; refs: number[] }>();
    const names = 1 + prng.int(6);
    const values = prng.pick([2, 50, 5000]);
    for (let series = 0, ref = prng.int(9); series < 400; series++, ref += 1 + prng.int(9)) {
      const labels: number[] = [];
      for (let name = 0; name < names; name++) {
        // Numbers of symbols go up to 2^32: halves must not be taken for signed.
        if (prng.float() < 0.8) labels.push(name * 715_827_882, (4_294_967_295 - prng.int(values)) >>> 0);
      }
      gatherer.add(ref as SeriesRef, Uint32Array.from(labels));
      for (let i = 0; i < labels.length; i += 2) {
        const key: [number, number] = [labels[i]!, labels[i + 1]!];
        const entry = model.get(key.join()) ?? { key, refs: [] };
        entry.refs.push(ref);
        model.set(key.join(), entry);
      }
    }
    const want = [...model.values()].sort((a, b) => a.key[0] - b.key[0] || a.key[1] - b.key[1]);
    assert.equal(gatherer.pairs, want.length, `seed ${seed}`);
    const found = Array.from(gatherer.lists(), ({ name, value, refs }) => ({ key: [name, value], refs: [...refs] }));
    assert.deepEqual(found, want, `seed ${seed}`);
  }
});

test('all series: kept over the pieces of the list', () => {
  const gatherer = new PostingsGatherer();
  const labels = Uint32Array.of(1, 2);
  const count = 600_000;
  for (let ref = 0; ref < count; ref++) gatherer.add((ref * 2) as SeriesRef, labels);
  assert.equal(gatherer.series, count);
  let at = 0;
  for (const piece of gatherer.refs()) for (const ref of piece) if (ref !== at++ * 2) assert.fail(`ref ${at - 1}`);
  assert.equal(at, count);
  const lists = Array.from(gatherer.lists(), ({ refs }) => [refs.length, refs[0], refs.at(-1)]);
  assert.deepEqual(lists, [[count, 0, (count - 1) * 2]]);
});
