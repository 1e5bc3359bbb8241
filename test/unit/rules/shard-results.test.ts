import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { FloatHistogram } from '../../../src/model/histogram.js';
import { formatLabels } from '../../../src/model/labels.js';
import { ALL_PARSE_OPTIONS } from '../../../src/promql/syntax/parse.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { engineQuery, type VectorSample } from '../../../src/rules/query.js';
import { ShardResults } from '../../../src/rules/shard-results.js';
import { ShardSource } from '../../../src/shard/source.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { START_MS, sample } from '../../support/rules.js';
import { testShards } from '../../support/shards.js';

const MINUTE = 60_000;

async function rigOf(count: number) {
  const { shards, ingest } = await testShards(count, 64 * 2 ** 20);
  const options = { ...SCRIPT_OPTIONS, parse: ALL_PARSE_OPTIONS };
  const engine = new QueryEngine(() => new ShardSource(shards, 'rules'), realClock, options);
  const query = engineQuery(engine, new AbortController().signal);
  const ask = async (expr: string, timeMs: number) => {
    const vector = await query(expr, timeMs);
    return vector.map(({ labels, value, histogram }) => `${formatLabels(labels)} ${histogram?.count ?? value}`).sort();
  };
  return { results: new ShardResults(ingest), ask, close: () => shards.close() };
}

function manySamples(count: number): VectorSample[] {
  return Array.from({ length: count }, (_, i) => sample({ __name__: 'r', i: String(i) }, i));
}

for (const count of [1, 3]) {
  test(`results: queries see all of them at once, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    const refused = await results.append({ timeMs: START_MS, samples: manySamples(100), ended: [] });
    assert.equal(refused.reason, undefined);
    assert.deepEqual(await ask('count(r)', START_MS), ['{} 100']);
    assert.deepEqual(await ask('sum(r)', START_MS + 1000), ['{} 4950']);
    await close();
  });

  test(`results: what ended is gone, and what another rule goes on with is not, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    await results.append({ timeMs: START_MS, samples: manySamples(10), ended: [] });
    const later = {
      timeMs: START_MS + MINUTE,
      samples: manySamples(3),
      ended: manySamples(6).map(({ labels }) => labels),
    };
    const refused = await results.append(later);
    assert.equal(refused.reason, undefined);
    const left = ['0', '1', '2', '6', '7', '8', '9'].map((i) => `r{i="${i}"} ${i}`);
    assert.deepEqual(await ask('r', START_MS + MINUTE), left);
    await close();
  });

  test(`results: native histograms, over ${count} shards`, async () => {
    const { results, ask, close } = await rigOf(count);
    const histogram = new FloatHistogram({ schema: 0, count: 5, sum: 7, positive: { indices: [0], counts: [5] } });
    const samples = [{ labels: ['__name__', 'h'], value: 0, histogram }];
    await results.append({ timeMs: START_MS, samples, ended: [] });
    assert.deepEqual(await ask('h', START_MS), ['h 5']);
    await close();
  });
}

test('results: older ones are refused, other values at the same time too', async () => {
  const { results, close } = await rigOf(1);
  await results.append({ timeMs: START_MS, samples: manySamples(2), ended: [] });
  const again = await results.append({ timeMs: START_MS, samples: [sample({ __name__: 'r', i: '0' }, 9)], ended: [] });
  assert.deepEqual(again, { outOfOrder: 0, tooOld: 0, duplicates: 1, reason: 'duplicate sample for timestamp' });
  const older = await results.append({ timeMs: START_MS - 1, samples: manySamples(1), ended: [] });
  assert.deepEqual(older, { outOfOrder: 1, tooOld: 0, duplicates: 0, reason: 'out of order sample' });
  await close();
});
