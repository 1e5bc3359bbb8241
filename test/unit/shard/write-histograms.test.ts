// Native histograms by remote write 1.0: read from protobuf, checked, stored by the shard that owns the series.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { histogramFault } from '../../../src/model/histogram-check.js';
import { bitsOf, isStaleHistogram, type StoredHistogram, sameStored } from '../../../src/model/stored-histogram.js';
import { WireError } from '../../../src/shard/wire.js';
import { extrasOf } from '../../../src/shard/write-extras.js';
import { encodeHistogramMessage, field, text } from '../../support/histogram-message.js';
import { generateStored } from '../../support/stored-histograms.js';

function request(histograms: readonly StoredHistogram[]): Buffer {
  const label = Buffer.concat([field(1, text('__name__')), field(2, text('h'))]);
  const samples = histograms.map((one, i) => field(4, encodeHistogramMessage(one, 1000 * i - 5000)));
  return field(1, Buffer.concat([field(1, label), ...samples]));
}

test('histograms of a request are what the sender has (seeds 1 … 100)', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const sent = generateStored(new Prng(seed), seed % 2 === 0, 20);
    const [series] = extrasOf(request(sent)).series;
    assert.deepEqual(series!.labels, ['__name__', 'h']);
    series!.histograms.forEach(({ timeMs, histogram }, i) => {
      assert.equal(timeMs, 1000 * i - 5000);
      assert.ok(sameStored(histogram, sent[i]!), `seed ${seed}, sample ${i}`);
      assert.equal(histogram.hint, sent[i]!.hint);
    });
  }
});

test('damaged requests are a fault or other histograms, never more', () => {
  const random = new Prng(4);
  const bytes = request(generateStored(random, false, 20));
  for (let i = 0; i < 3000; i++) {
    const bad = Buffer.from(bytes.subarray(0, random.int(3) === 0 ? random.int(bytes.length) : bytes.length));
    for (let flips = random.int(3); flips > 0 && bad.length > 0; flips--)
      bad[random.int(bad.length)]! ^= 1 << random.int(8);
    try {
      for (const { histograms } of extrasOf(bad).series)
        for (const { histogram } of histograms) histogramFault(histogram);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }
});

const [good] = generateStored(new Prng(1), false, 1).filter((one) => !isStaleHistogram(one));

const faults: [name: string, change: Partial<StoredHistogram>, want: RegExp | undefined][] = [
  ['as it is', {}, undefined],
  ['an unknown schema', { schema: 9 }, /invalid schema, which must be between -4 and 8 .*, got schema 9$/],
  ['another count', { count: 1e9, sumBits: bitsOf(1) }, /should equal the number of observations/],
  ['fewer buckets than spans', { positiveSpans: [{ offset: 0, length: 99 }] }, /spans need 99 buckets/],
  [
    'a span behind itself',
    {
      positiveSpans: [
        { offset: 0, length: 1 },
        { offset: -1, length: 1 },
      ],
    },
    /offset -1/,
  ],
  ['a stale marker, whatever it has', { schema: 99, sumBits: 0x7ff0000000000002n }, undefined],
];

for (const [name, change, want] of faults) {
  test(`check: ${name}`, () => {
    const fault = histogramFault({ ...good!, ...change });
    if (want === undefined) assert.equal(fault, undefined);
    else assert.match(fault ?? '', want);
  });
}
