// Native histograms of a target, and the stale markers of those that go.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { isStaleHistogram, type StoredHistogram } from '../../../src/model/stored-histogram.js';
import { type FoundHistogram, ScrapedHistograms } from '../../../src/shard/scraped-histograms.js';
import { generateStored } from '../../support/stored-histograms.js';

const OPTIONS = {
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  bucketLimit: 0,
  schemaMax: 8,
  startTimes: false,
};

function found(series: string, histogram: StoredHistogram): FoundHistogram {
  return { series, ownMs: undefined, histogram, exemplars: [] };
}

for (const isFloat of [false, true]) {
  test(`a stale marker is of its series' kind: ${isFloat ? 'floats' : 'integers'}`, () => {
    const [histogram] = generateStored(new Prng(3), isFloat, 1);
    for (const ends of ['missing', 'failed'] as const) {
      const histograms = new ScrapedHistograms();
      const first = histograms.take([found('h', histogram!)], { ...OPTIONS, timeMs: 1000 }, () => ['__name__', 'h']);
      first.keep();
      const gone =
        ends === 'failed' ? histograms.end(2000) : histograms.take([], { ...OPTIONS, timeMs: 2000 }, () => []).series;
      assert.equal(gone.length, 1);
      const [marker] = gone[0]!.stored;
      assert.deepEqual([marker!.timeMs, marker!.histogram.isFloat], [2000, isFloat]);
      assert.ok(isStaleHistogram(marker!.histogram));
    }
  });
}

test('what comes back behind a failed scrape is not new; what comes back behind a good one is', () => {
  const [histogram] = generateStored(new Prng(3), false, 1);
  const histograms = new ScrapedHistograms();
  const added = (...series: string[]) => {
    const taken = histograms.take(
      series.map((one) => found(one, histogram!)),
      { ...OPTIONS, timeMs: 1 },
      ({ series: name }) => ['__name__', name],
    );
    taken.keep();
    return taken.added;
  };
  assert.equal(added('a', 'b'), 2);
  histograms.end(2);
  assert.equal(added('a', 'c'), 1);
  assert.equal(added('a', 'b'), 1);
});
