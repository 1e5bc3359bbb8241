// A remote write that ends a shard is tried twice, and never again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Storage } from '../../../src/server/storage/storage.js';
import { writeDeps } from '../../../src/server/web-deps.js';
import { ShardTrap } from '../../../src/shard/client.js';
import { testShards } from '../../support/shards.js';

test('a body in which a shard trapped twice is refused, and no other', async () => {
  const { shards } = await testShards(2);
  let calls = 0;
  const ingest = {
    write: async () => {
      calls++;
      throw new ShardTrap({ kind: 'internal', message: 'unreachable' });
    },
  };
  const deps = writeDeps({ shards, ingest } as unknown as Storage, [], false, () => 0);
  const send = async (text: string) => {
    const body = Buffer.from(text);
    const slot = deps.open();
    slot.reserve(body.length)!.set(body);
    return (await slot.store(body.length, 1 as never)).kind;
  };
  assert.deepEqual([await send('bad'), await send('other'), await send('bad')], ['failed', 'failed', 'failed']);
  assert.equal(calls, 3);
  assert.deepEqual([await send('bad'), await send('bad')], ['bad', 'bad']);
  assert.equal(calls, 3);
  assert.deepEqual([await send('other'), await send('bae')], ['failed', 'failed']);
  for (let i = 0; i < 10; i++) assert.equal(await send(`others ${i}`), 'failed');
  await shards.close();
});
