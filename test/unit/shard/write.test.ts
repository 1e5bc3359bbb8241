import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShardSource } from '../../../src/shard/source.js';
import { freeContext, testShards, writeThrough } from '../../support/shards.js';

for (const count of [1, 2, 3]) {
  test(`write: ${count} shards take all samples of all series once, new ones and known ones`, async () => {
    const { shards, ingest } = await testShards(count);
    const series = (from: number, to: number, timeMs: number) =>
      Array.from({ length: to - from }, (_, i) => ({
        labels: ['__name__', 'x', 'i', `${from + i}`],
        samples: [
          [timeMs, 1],
          [timeMs + 1, 2],
          [timeMs + 2, 3],
        ] as const,
      }));
    for (const [from, to, timeMs] of [
      [0, 40, 1000],
      [0, 60, 2000],
      [30, 90, 3000],
    ] as const) {
      const reply = await writeThrough({ shards, ingest }, timeMs % count, series(from, to, timeMs), 10_000);
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
