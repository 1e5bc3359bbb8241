// Data directories that a real Prometheus wrote answer as it does, with any number of shards: blocks alone, and what a
// server left that was killed.

import assert from 'node:assert/strict';
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, ordered, type RecordedDirectory, readRecorded, readSeries, withCopy } from '../support/recorded-tsdb.js';
import { writeAll } from '../support/remote-write.js';
import { eventually, type LaunchOptions, raw, startNarthex } from '../support/servers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';

const skip = conformanceMissing();

const RECORDED: readonly [folder: string, config: LaunchOptions['config']][] = [
  ['tsdb/blocks', undefined],
  ['tsdb/killed', 'storage: {tsdb: {out_of_order_time_window: 2h}}\n'],
];

for (const [name, config] of RECORDED) {
  for (const shards of [1, 2, 5]) {
    test(`${name}: recorded queries and series with ${shards} shards`, { skip }, async () => {
      const folder = conformance(name);
      const recorded = readRecorded(folder);
      await withCopy(folder, async (data) => {
        const flags = [`--shards=${shards}`, '--storage.tsdb.retention.time=100y'];
        const server = await startNarthex({ data, flags, ...(config && { config }) });
        try {
          await compare(server.url, recorded);
          assert.doesNotMatch(server.log(), /level=ERROR/);
        } finally {
          await server.stop();
        }
      });
    });
  }
}

test('a block copied into the directory of a running server is found, and hides nothing of the head', {
  skip,
}, async () => {
  const folder = conformance('tsdb/blocks');
  const { toMs } = readRecorded(folder);
  await withCopy(folder, async (blocks) => {
    await withCopy(folder, async (data) => {
      const names = readdirSync(data);
      for (const name of readdirSync(data, { recursive: true }) as string[]) chmodSync(join(data, name), 0o755);
      for (const name of names) rmSync(join(data, name), { recursive: true });
      const flags = ['--shards=2', '--storage.tsdb.retention.time=100y', '--storage.tsdb.block-reload-interval=1s'];
      const server = await startNarthex({ data, flags: [...flags, '--web.enable-remote-write-receiver'] });
      try {
        await writeAll(server.url, [{ labels: ['__name__', 'own'], samples: [[toMs - 1000, 7]] }]);
        for (const name of names) cpSync(join(blocks, name), join(data, name), { recursive: true });
        const count = async (query: string) => (await raw(server.url, query, toMs / 1000)).length;
        await eventually(async () => assert.ok((await count('{__name__=~".+",__name__!="own"}[100y]')) > 10));
        assert.equal(await count('own[1h]'), 1);
      } finally {
        await server.stop();
      }
    });
  });
});

async function compare(url: string, recorded: RecordedDirectory): Promise<void> {
  const wrong: unknown[] = [];
  for (const { path, params, data: want } of recorded.queries) {
    const got = await ask(url, path, params);
    try {
      assert.deepEqual(got, ordered(want));
    } catch {
      wrong.push({ path, params, got: JSON.stringify(got), want: JSON.stringify(ordered(want)) });
    }
  }
  for (const { metric, ...want } of recorded.series) {
    const got = await readSeries(url, metric, recorded);
    try {
      assert.deepEqual(got, want);
    } catch {
      wrong.push({ metric, got, want });
    }
  }
  assert.deepEqual(wrong, []);
}
