// Text has no form for native histograms: series whose newest sample is one are left out, as Prometheus leaves them out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { ShardStorage } from '../../../src/query/storage.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';
import { generateStored } from '../../support/stored-histograms.js';

const T = 1_000_000;
const [histogram] = generateStored(new Prng(1), false, 1);

test('federate: floats, histograms, and series that have both', async () => {
  const { shards, ingest } = await testShards(2);
  const none = new ArrayBuffer(0);
  const append = (name: string, floats: number[], histograms: number[]) => {
    const stored = histograms.map((timeMs) => ({ timeMs, histogram: histogram! }));
    const samples = floats.length === 0 ? none : packSamples(floats.map((timeMs) => [timeMs, 1]));
    return ingest.append([{ labels: ['__name__', name], samples, stored }], T, anyOwner(2));
  };
  await append('floats', [T - 5], []);
  await append('histograms', [], [T - 5]);
  await append('histogram_last', [T - 9], [T - 5]);
  await append('float_last', [], [T - 9]);
  await append('float_last', [T - 5], []);
  const storage = new ShardStorage(shards, () => [], 300_000);
  const selectors = [[{ name: '__name__', op: '=~', value: '.+' } as const]];
  const { signal } = new AbortController();
  const pieces: Uint8Array[] = [];
  for await (const piece of storage.federate({ selectors, nowMs: T, utf8: false, signal })) pieces.push(piece);
  const lines = Buffer.concat(pieces)
    .toString()
    .split('\n')
    .filter((line) => /^[a-z]/.test(line));
  assert.deepEqual(lines, ['float_last{instance=""} 1 999995', 'floats{instance=""} 1 999995']);
  await shards.close();
});
