// Histograms of a range leave the chunks of a series, and all others stay.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { floatHistogramOf, type StoredHistogram } from '../../../src/model/stored-histogram.js';
import { HistogramDeletion } from '../../../src/shard/histogram-deletion.js';
import { decodeHistogramChunk } from '../../../src/tsdb/chunk/histogram.js';
import { HistogramAppender, type SealedHistograms } from '../../../src/tsdb/chunk/histogram-appender.js';
import { generateStored } from '../../support/stored-histograms.js';

const STEP_MS = 60_000;

/** All but empty buckets, which chunks have for the sake of their neighbours. */
function essenceOf(histogram: StoredHistogram): unknown {
  const { isFloat, sumBits, schema, zeroThreshold, bounds } = histogram;
  return { text: `${floatHistogramOf(histogram)}`, isFloat, sumBits, schema, zeroThreshold, bounds };
}

test('what is left of chunks is what a filter leaves of their samples (seeds 1 … 40)', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Prng(seed);
    const isFloat = seed % 2 === 0;
    const samples = generateStored(random, isFloat, 1 + random.int(200)).map((histogram, i) => ({
      timeMs: i * STEP_MS,
      histogram,
    }));
    const open = new HistogramAppender(isFloat);
    const sealed = samples.flatMap(({ timeMs, histogram }): SealedHistograms[] => {
      const cut = open.append(timeMs, histogram);
      return cut === undefined ? [] : [cut];
    });
    const fromMs = (random.int(220) - 10) * STEP_MS + random.int(2);
    const toMs = fromMs + random.int(100) * STEP_MS;
    const isMeant = ({ timeMs }: { timeMs: number }) => timeMs >= fromMs && timeMs <= toMs;

    const deletion = new HistogramDeletion(fromMs, toMs);
    const left = sealed.flatMap((chunk) => deletion.sealed(chunk));
    const last = deletion.open(open);
    const chunks = [...left, ...last.sealed, ...(last.open === undefined ? [] : [last.open.peek()!])];
    const found = chunks.flatMap(({ data }) => decodeHistogramChunk(data, isFloat));
    const want = samples.filter((sample) => !isMeant(sample));
    assert.deepEqual(
      found.map(({ timeMs }) => timeMs),
      want.map(({ timeMs }) => timeMs),
      `seed ${seed}`,
    );
    for (const [i, { histogram }] of found.entries()) {
      assert.deepEqual(essenceOf(histogram), essenceOf(want[i]!.histogram), `seed ${seed}, sample ${i}`);
    }
    for (const { count, minTimeMs, maxTimeMs, data } of chunks) {
      const times = decodeHistogramChunk(data, isFloat).map(({ timeMs }) => timeMs);
      assert.deepEqual([times.length, times[0], times.at(-1)], [count, minTimeMs, maxTimeMs]);
    }
    const gone = samples.filter(isMeant);
    const times = gone.length === 0 ? undefined : { firstMs: gone[0]!.timeMs, lastMs: gone.at(-1)!.timeMs };
    assert.deepEqual(deletion.deleted, times);
  }
});
