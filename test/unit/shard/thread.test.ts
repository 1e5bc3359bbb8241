// Threads that are ended in the middle of things.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeBuffer } from '../../../src/base/thread.js';
import { testShards } from '../../support/shards.js';

test('freeBuffer: the memory is gone at once', () => {
  const bytes = 64 * 2 ** 20;
  const before = process.memoryUsage().arrayBuffers;
  const buffer = new ArrayBuffer(bytes);
  freeBuffer(buffer);
  assert.equal(buffer.byteLength, 0);
  assert.ok(process.memoryUsage().arrayBuffers < before + bytes / 2);
});

test('threads: one that is ended while its answer is on the way ends quietly', async () => {
  const uncaught: Error[] = [];
  const note = (error: Error) => uncaught.push(error);
  process.on('uncaughtException', note);
  try {
    for (let round = 0; round < 5; round++) {
      const { shards } = await testShards(1, 64 * 2 ** 20, { threads: true });
      const { client } = shards.shard(0);
      await client.call('counters', {}, 'adhoc');
      const refused = assert.rejects(client.call('counters', {}, 'adhoc'), { name: 'ShardUnavailable' });
      await Promise.resolve();
      // Until the answer is there, and nobody has had the time to take it.
      for (const end = performance.now() + 20; performance.now() < end; );
      await shards.close();
      await refused;
    }
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('uncaughtException', note);
  }
  assert.deepEqual(uncaught, []);
});
