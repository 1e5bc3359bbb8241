// A short run of `npm run fuzz -- parse`.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../support/fuzz/parse/judge.js';
import { parseTarget } from '../support/fuzz/parse/target.js';

const SEED = Number(process.env.SEED ?? 20261121);

test('promql: damaged texts are read or refused, with a position', async (t) => {
  const printed: string[] = [];
  const options = {
    seed: SEED,
    count: 30_000,
    endMs: Infinity,
    more: new Map(),
    print: (line: string) => printed.push(line),
  };
  const report = await parseTarget.run(options);
  t.diagnostic(`seed ${SEED}: ${report.summary.join('; ')}`);
  assert.deepEqual(printed, []);
  assert.equal(report.cases, 30_000);
});

test('promql: the judge of damaged texts sees what is wrong', () => {
  assert.equal(judge('sum(a').outcome, 'refused');
  assert.equal(judge('sum(a)').problem, undefined);
  const trouble = { toString: () => 'a' } as unknown as string;
  assert.match(judge(trouble).problem!, /^threw TypeError/);
});
