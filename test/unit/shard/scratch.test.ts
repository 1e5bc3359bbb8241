// What queries may hold in a shard: each by itself, all together, and that they give it back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fragment } from '../../../src/promql/exec/source.js';
import { STOP_WORD } from '../../../src/promql/exec/source.js';
import { ShardError } from '../../../src/shard/client.js';
import type { Ingest } from '../../../src/shard/ingest.js';
import { HeadRig } from '../../support/head.js';
import { packSamples, testShards } from '../../support/shards.js';

const MIB = 2 ** 20;
const SERIES = 200;

/** One shard, whose queries are evaluated some series at a time. */
async function limited(ofOne: number, ofAll: number, rulesBytes = 0) {
  const scratch = { ofOne: { bytes: ofOne, name: 'one' }, ofAll: { bytes: ofAll, name: 'all' }, rulesBytes };
  const { shards, ingest } = await testShards(1, 256 * MIB, { scratch, morsel: { samples: 10, series: 10 } });
  assert.equal(await append(ingest, 1000), SERIES);
  return { client: shards.shard(0).client, watermark: () => shards.appends.hold().watermark, ingest };
}

async function append(ingest: Ingest, timeMs: number): Promise<number> {
  const series = Array.from({ length: SERIES }, (_, i) => ({
    labels: ['__name__', 'm', 'i', `${i}`],
    samples: packSamples([[timeMs, i]]),
  }));
  const outcome = await ingest.append(series, timeMs, () => 0);
  return outcome.accepted;
}

function fragment(steps: number, by?: string[]): Fragment {
  return {
    matchers: [{ name: '__name__', op: '=', value: 'm' }],
    steps: { startMs: 1000, stepMs: 1, count: steps },
    windowMs: 300_000,
    fn: 'sum_over_time',
    args: [],
    dropName: true,
    ...(by && { aggregate: { op: 'sum', grouping: 'by', labels: by } }),
  };
}

const refusedAs = (type: string, name: string) => (error: unknown) => {
  assert.ok(error instanceof ShardError);
  assert.equal(error.type, type);
  assert.match(error.message, new RegExp(`: ${name}$`));
  return true;
};

test('queries that would hold more than all may are refused, appends are not, and nothing is lost', async () => {
  const { client, watermark, ingest } = await limited(8 * MIB, 8 * MIB);
  const request = { fragment: fragment(10), snapshot: 0, watermark: watermark() };
  const counts: number[] = [];
  for (let round = 0; round < 5; round++) {
    const open: number[] = [];
    await assert.rejects(
      async () => {
        for (;;) open.push((await client.call('openQuery', request, 'adhoc')).query);
      },
      refusedAs('unavailable', 'all'),
    );
    assert.equal(await append(ingest, 2000 + round), SERIES);
    // Those that are open go on.
    assert.equal((await client.call('nextMorsel', { query: open[0]! }, 'adhoc')).done, false);
    for (const query of open) await client.call('closeQuery', { query }, 'adhoc');
    counts.push(open.length);
  }
  assert.ok(counts[0]! > 5, `${counts[0]} queries at a time`);
  assert.deepEqual(new Set(counts).size, 1, `as many each time: ${counts}`);
});

test('a query that can never fit is refused by its own limit, and leaves nothing behind', async () => {
  const { client, watermark } = await limited(4 * MIB, 64 * MIB);
  const small = { fragment: fragment(10), snapshot: 0, watermark: watermark() };
  // 200 groups of 20,000 steps, of which each takes 17 bytes.
  const large = { ...small, fragment: fragment(20_000, ['i']) };
  for (let i = 0; i < 40; i++) {
    let open: number | undefined;
    await assert.rejects(
      async () => {
        open = (await client.call('openQuery', large, 'adhoc')).query;
        for (;;) await client.call('nextMorsel', { query: open }, 'adhoc');
      },
      refusedAs('execution', 'one'),
    );
    if (open !== undefined) await client.call('closeQuery', { query: open }, 'adhoc');
  }
  const { query } = await client.call('openQuery', small, 'adhoc');
  await client.call('closeQuery', { query }, 'adhoc');
});

// 2^29 × 8 bytes is 0 in 32 bits.
for (const steps of [2 ** 26 + 1, 2 ** 29, 2 ** 29 + 1, 2 ** 32, 2 ** 32 + 1]) {
  test(`${steps} steps are too many for a shard, whatever its limits`, async () => {
    const { shards } = await testShards(1);
    const { client } = shards.shard(0);
    const request = { fragment: fragment(steps), snapshot: 0, watermark: 0 };
    await assert.rejects(client.call('openQuery', request, 'adhoc'), (error) => {
      assert.equal((error as ShardError).type, 'execution');
      return true;
    });
  });
}

test('a pattern that runs over long values ends when nobody wants the query any more', async () => {
  const { shards, ingest } = await testShards(1);
  const labels = (i: number) => ['__name__', 'm', 'long', `${'x'.repeat(4000)}${i}`];
  await ingest.append(
    Array.from({ length: 100 }, (_, i) => ({ labels: labels(i), samples: packSamples([[1000, 1]]) })),
    1000,
    () => 0,
  );
  const stop = new SharedArrayBuffer(8);
  const matchers = [{ name: 'long', op: '=~', value: '(x|y)*[0-9]+' }] as const;
  const request = {
    fragment: { ...fragment(1), matchers },
    snapshot: 0,
    watermark: shards.appends.hold().watermark,
    stop,
  };
  const { client } = shards.shard(0);
  assert.equal((await client.call('openQuery', request, 'adhoc')).series, 100);
  Atomics.store(new Int32Array(stop), STOP_WORD, 1);
  await assert.rejects(client.call('openQuery', request, 'adhoc'), /query has ended/);
});

test('a pattern is asked to go on in the middle of its values, and gives its memory back when it is not', () => {
  const rig = new HeadRig();
  for (let i = 0; i < 100; i++) rig.create(['__name__', 'm', 'long', `${'x'.repeat(4000)}${i}`]);
  const matchers = [{ name: 'long', op: '=~', value: '(x|y)*[0-9]+' }] as const;
  let asked = 0;
  rig.select.release(rig.select.series(matchers, () => asked++));
  assert.ok(asked >= 20 && asked <= 30, `asked ${asked} times`);
  const before = rig.core.heldBytes;
  asked = 0;
  const series = () =>
    rig.select.series(matchers, () => {
      if (++asked === 3) throw new Error('enough');
    });
  assert.throws(series, /enough/);
  assert.equal(asked, 3);
  assert.equal(rig.core.heldBytes, before);
});

test('what people ask leaves rules their part, which rules do not exceed', async () => {
  const { client, watermark } = await limited(8 * MIB, 4 * MIB, 2 * MIB);
  const request = { fragment: fragment(10), snapshot: 0, watermark: watermark() };
  const fill = async (of: Parameters<typeof client.call<'openQuery'>>[1], lane: 'rules' | 'adhoc') => {
    let opened = 0;
    await assert.rejects(
      async () => {
        for (; ; opened++) await client.call('openQuery', of, lane);
      },
      refusedAs('unavailable', 'all'),
    );
    return opened;
  };
  assert.ok((await fill(request, 'adhoc')) > 0);
  const ofRules = await fill({ ...request, isRule: true }, 'rules');
  assert.ok(ofRules > 0, 'there is room for rules');
  assert.equal(await fill({ ...request, isRule: true }, 'rules'), 0);
});
