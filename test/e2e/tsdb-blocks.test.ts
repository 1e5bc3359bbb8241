// Data directories that a real Prometheus wrote answer as it does, with any number of shards: blocks alone, and what a
// server left that was killed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, ordered, type RecordedDirectory, readRecorded, readSeries, withCopy } from '../support/recorded-tsdb.js';
import { type LaunchOptions, startNarthex } from '../support/servers.js';
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
