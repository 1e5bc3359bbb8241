// Our own query test scripts, in the language of Prometheus's promqltest files: on samples in memory, and
// on shards with the core's kernels, also with an evaluator behind them. Prometheus's own are for
// `npm run conformance`.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runScript } from '../support/promqltest/run.js';
import { STORES } from '../support/promqltest/stores.js';

const FOLDER = 'test/testdata/promql';

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.test'))) {
  for (const [store, open] of Object.entries(STORES)) {
    test(`script ${file} on ${store}`, async () => {
      const outcomes = await runScript(readFileSync(join(FOLDER, file), 'utf8'), open);
      assert.ok(outcomes.length > 0);
      const problems = outcomes.filter(({ problem }) => problem !== undefined);
      const lines = problems.map(({ line, query, problem }) => `line ${line}: ${query}\n  ${problem}`);
      assert.deepEqual(lines, []);
    });
  }
}
