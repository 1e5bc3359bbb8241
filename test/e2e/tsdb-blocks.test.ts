// Blocks that a real Prometheus wrote answer as it does, with any number of shards.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, ordered, readRecorded, readSeries, withCopy } from '../support/recorded-tsdb.js';
import { startNarthex } from '../support/servers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';

const skip = conformanceMissing();

for (const shards of [1, 2, 5]) {
  test(`tsdb/blocks: recorded queries and series with ${shards} shards`, { skip }, async () => {
    const folder = conformance('tsdb/blocks');
    const recorded = readRecorded(folder);
    await withCopy(folder, async (data) => {
      const server = await startNarthex({ data, flags: [`--shards=${shards}`, '--storage.tsdb.retention.time=100y'] });
      try {
        const wrong: unknown[] = [];
        for (const { path, params, data: want } of recorded.queries) {
          const got = await ask(server.url, path, params);
          try {
            assert.deepEqual(got, ordered(want));
          } catch {
            wrong.push({ path, params, got: JSON.stringify(got), want: JSON.stringify(ordered(want)) });
          }
        }
        assert.deepEqual(wrong, [], 'queries');
        for (const { metric, ...want } of recorded.series) {
          const got = await readSeries(server.url, metric, recorded);
          const { floats, histograms, first, last, sha256 } = want;
          assert.deepEqual(got, { floats, histograms, first, last, sha256 }, JSON.stringify(metric));
        }
        assert.doesNotMatch(server.log(), /level=ERROR/);
      } finally {
        await server.stop();
      }
    });
  });
}
