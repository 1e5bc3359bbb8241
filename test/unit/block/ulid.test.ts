import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUlid, newUlid, ulidTimeMs } from '../../../src/tsdb/block/ulid.js';

const cases: [what: string, timeMs: number, chance: number[], want: string][] = [
  ['nothing at the epoch', 0, Array(10).fill(0), '00000000000000000000000000'],
  ['all ones at the last moment', 2 ** 48 - 1, Array(10).fill(255), '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'],
  ['the example of the specification', 1469918176385, Array(10).fill(0), '01ARYZ6S410000000000000000'],
  ['chance goes from the high bits down', 0, [0x08, ...Array(9).fill(0)], '00000000001000000000000000'],
  ['and to the last', 0, [...Array(9).fill(0), 1], '00000000000000000000000001'],
];

for (const [what, timeMs, chance, want] of cases) {
  test(`ulid: ${what}`, () => {
    const ulid = newUlid(timeMs, () => Uint8Array.from(chance));
    assert.equal(ulid, want);
    assert.equal(ulidTimeMs(ulid), timeMs);
    assert.ok(isUlid(ulid));
  });
}

test('ulid: later ones sort behind earlier ones', () => {
  const ulids = Array.from({ length: 50 }, (_, i) => newUlid(1_800_000_000_000 + i * i));
  assert.deepEqual([...ulids].sort(), ulids);
  assert.ok(ulids.every(isUlid));
});

test('ulid: other folders are no blocks', () => {
  const others = ['', 'wal', 'chunks_head', '01ARYZ6S41000000000000000', '01ARYZ6S410000000000000000.tmp-for-creation'];
  others.push('81ARYZ6S410000000000000000', '01ARYZ6S41000000000000000I');
  assert.deepEqual(others.filter(isUlid), []);
});
