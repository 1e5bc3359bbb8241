// The same queries on samples in memory and on shards with the core's kernels.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { Prng } from '../../../src/base/prng.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { memoryStore, SCRIPT_OPTIONS, type TestStore } from '../../support/promqltest/run.js';
import { bitsOf } from '../../support/promqltest/series.js';
import { shardStores } from '../../support/promqltest/shard-store.js';
import { ask, compareResults, plainError, randomQuestions } from '../../support/query-answers.js';
import { generateSeries } from '../../support/query-generator.js';

const QUERIES = 400;

for (const [count, delayedNames] of [
  [1, false],
  [3, true],
] as const) {
  test(`sources: ${count} shards answer random queries as memory does`, async () => {
    const seed = Number(process.env.SEED ?? 5) + count;
    const random = new Prng(seed);
    const series = generateSeries(random);
    const stores = await Promise.all([memoryStore(), shardStores(count)()]);
    const engines: QueryEngine[] = [];
    for (const store of stores) {
      await fill(store, series);
      const options = { ...SCRIPT_OPTIONS, samplesMax: 50_000_000, delayedNames };
      engines.push(new QueryEngine(() => store.open(), realClock, options));
    }
    const problems: string[] = [];
    let answers = 0;
    for (const question of randomQuestions(random, QUERIES)) {
      const [memory, shards] = await Promise.all(engines.map((engine) => ask(engine, question)));
      if ('error' in memory! || 'error' in shards!) {
        const [a, b] = [memory!, shards!].map((one) => ('error' in one ? plainError(one.error) : 'an answer'));
        if (a !== b) problems.push(`${JSON.stringify(question)}\n  memory ${a}\n  shards ${b}`);
        continue;
      }
      answers++;
      const difference = compareResults(memory.result, shards.result);
      if (difference !== undefined) problems.push(`${JSON.stringify(question)}\n  ${difference}`);
      else if (memory.annotations.join() !== shards.annotations.join()) {
        problems.push(`${JSON.stringify(question)}\n  memory ${memory.annotations}\n  shards ${shards.annotations}`);
      }
    }
    for (const store of stores) await store.close?.();
    assert.equal(problems.length, 0, `${problems.length} differ, seed ${seed}:\n${problems.slice(0, 10).join('\n')}`);
    assert.ok(answers > QUERIES / 2);
  });
}

async function fill(store: TestStore, series: ReturnType<typeof generateSeries>): Promise<void> {
  for (const { labels, samples } of series) {
    for (const { timeMs, value } of samples) store.append(labels, timeMs, bitsOf(value), 0);
  }
  await store.commit?.();
}
