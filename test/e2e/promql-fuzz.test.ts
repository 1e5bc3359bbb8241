// A short run of the fuzzer beside a real Prometheus 3.5: queries over generated series,
// on memory, on shards and on files, their trees and their printed texts.
// `npm run fuzz -- promql` asks as many more as you like.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promqlTarget } from '../support/fuzz/promql/target.js';
import { missing, peerBinary } from '../support/peers.js';

/** Seeds that are always run, and that of the day. */
const SEEDS = [1, 2, Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000))];
const COUNT = Number(process.env.QUERIES ?? 600);
/** A loaded machine asks fewer. */
const TIME_MS = 60_000;

for (const seed of SEEDS) {
  test(`promql: a real Prometheus answers as we do, seed ${seed}`, {
    skip: peerBinary('prometheus') === undefined && missing('prometheus'),
  }, async (t) => {
    const problems: string[] = [];
    const report = await promqlTarget.run({
      seed,
      count: COUNT,
      endMs: Date.now() + TIME_MS,
      more: new Map(),
      print: (line) => problems.push(line),
    });
    for (const line of report.summary) t.diagnostic(line);
    assert.equal(report.failures, 0, `npm run fuzz -- promql --seed ${seed}\n${problems.slice(0, 10).join('\n')}`);
    assert.ok(report.cases > 50, `${report.cases} cases only`);
    for (const what of ['readings of newest samples by main', 'samples in blocks', 'chunks in chunks_head']) {
      const line = report.summary.find((one) => one.endsWith(` ${what}`));
      assert.notEqual(Number.parseInt(line ?? '0', 10), 0, `no ${what}`);
    }
  });
}
