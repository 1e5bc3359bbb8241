// The cache of lists gives nothing that is older than the last change.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ListingCache } from '../../../src/query/listing-cache.js';

function counted(list: readonly string[] = ['a']) {
  const made = {
    times: 0,
    make: async () => {
      made.times++;
      return list;
    },
  };
  return made;
}

test('a list is made once until something changes', async () => {
  let version = 0;
  const cache = new ListingCache(() => version);
  const made = counted();
  assert.deepEqual(await cache.get('labels', made.make), ['a']);
  assert.deepEqual(await cache.get('labels', made.make), ['a']);
  assert.equal(made.times, 1);
  version++;
  await cache.get('labels', made.make);
  assert.equal(made.times, 2);
});

test('keys do not meet', async () => {
  const cache = new ListingCache(() => 0);
  assert.deepEqual(await cache.get('one', async () => ['1']), ['1']);
  assert.deepEqual(await cache.get('two', async () => ['2']), ['2']);
});

test('a change while a list is made counts', async () => {
  let version = 0;
  const cache = new ListingCache(() => version);
  const old = await cache.get('labels', async () => {
    version++;
    return ['old'];
  });
  assert.deepEqual(old, ['old']);
  assert.deepEqual(await cache.get('labels', async () => ['new']), ['new']);
});

test('a list that failed is not kept', async () => {
  const cache = new ListingCache(() => 0);
  await assert.rejects(
    cache.get('labels', () => Promise.reject(new Error('gone'))),
    /gone/,
  );
  assert.deepEqual(await cache.get('labels', async () => ['a']), ['a']);
});

test('long lists and those asked for longest ago are not kept', async () => {
  const cache = new ListingCache(() => 0);
  const long = counted(new Array<string>(10_001).fill('x'));
  await cache.get('long', long.make);
  await cache.get('long', long.make);
  assert.equal(long.times, 2);
  const first = counted();
  await cache.get('first', first.make);
  const second = counted();
  await cache.get('second', second.make);
  await cache.get('first', first.make);
  for (let i = 0; i < 99; i++) await cache.get(`other ${i}`, async () => []);
  await cache.get('first', first.make);
  await cache.get('second', second.make);
  assert.deepEqual([first.times, second.times], [1, 2]);
});
