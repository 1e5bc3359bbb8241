import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShardSource } from '../../../src/shard/source.js';
import { encodeWrite, snappyLiterals } from '../../support/remote-write.js';
import { freeContext, testShards } from '../../support/shards.js';

for (const count of [1, 2, 3]) {
  test(`write: ${count} shards take all samples of all series once, new ones and known ones`, async () => {
    const { shards, ingest } = await testShards(count);
    const body = (from: number, to: number, timeMs: number) =>
      snappyLiterals(
        encodeWrite(
          Array.from({ length: to - from }, (_, i) => ({
            labels: ['__name__', 'x', 'i', `${from + i}`],
            samples: [
              [timeMs, 1],
              [timeMs + 1, 2],
              [timeMs + 2, 3],
            ],
          })),
        ),
      );
    const write = async (shard: number, bytes: Buffer) => {
      const slot = shards.shard(shard).slots.take(bytes.length)!;
      shards.shard(shard).slots.view(slot).set(bytes);
      const reply = await ingest.write(shard, { address: slot.address, bytes: bytes.length }, 10_000);
      shards.shard(shard).slots.give(slot);
      return reply;
    };
    for (const [from, to, timeMs] of [
      [0, 40, 1000],
      [0, 60, 2000],
      [30, 90, 3000],
    ] as const) {
      const reply = await write(timeMs % count, body(from, to, timeMs));
      assert.equal(reply.error, undefined);
      assert.deepEqual(
        { ...reply.outcome, created: 0, newestMs: 0 },
        {
          ...reply.outcome,
          created: 0,
          newestMs: 0,
          accepted: (to - from) * 3,
          repeated: 0,
          outOfOrder: 0,
          unknown: 0,
        },
      );
    }
    const matchers = [{ name: '__name__', op: '=' as const, value: 'x' }];
    const found = await new ShardSource(shards, 'adhoc').samples(matchers, 10_000, 10_000, freeContext());
    assert.equal(found.length, 90);
    assert.equal(
      found.reduce((sum, { times }) => sum + times.length, 0),
      3 * (40 + 60 + 60),
    );
  });
}
