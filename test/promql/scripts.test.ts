// Our own query test scripts, in the language of Prometheus's promqltest files, and
// those of the conformance cases where they are at hand: on samples in memory, and on
// shards with the core's kernels, also with an evaluator behind them.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runScript } from '../support/promqltest/run.js';
import { STORES } from '../support/promqltest/stores.js';

const FOLDERS = [
  'test/testdata/promql',
  join(process.env.CONFORMANCE_DIR ?? '../shared/conformance', 'promqltest', 'testdata'),
];

for (const folder of FOLDERS.filter((path) => existsSync(path))) {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.test'))) {
    for (const [store, open] of Object.entries(STORES)) {
      test(`script ${file} on ${store}`, async () => {
        const outcomes = await runScript(readFileSync(join(folder, file), 'utf8'), open);
        assert.ok(outcomes.length > 0);
        const problems = outcomes.filter(({ problem }) => problem !== undefined);
        const lines = problems.map(({ line, query, problem }) => `line ${line}: ${query}\n  ${problem}`);
        assert.deepEqual(lines, []);
      });
    }
  }
}
