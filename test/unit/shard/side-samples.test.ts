// Samples beside the head: who may append them, who sees them, and in which forms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { FloatHistogram } from '../../../src/model/histogram.js';
import { encodeHistograms } from '../../../src/model/histogram-table.js';
import type { Labels } from '../../../src/model/labels.js';
import { QueryEngine } from '../../../src/query/engine.js';
import { type SideMessage, SideSamples } from '../../../src/shard/side-samples.js';
import { ShardSource } from '../../../src/shard/source.js';
import type { SeriesIndex } from '../../../src/wasm/head.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { freeContext, packSamples, testShards } from '../../support/shards.js';

const MEMORY_BYTES = 64 * 2 ** 20;
const FIVE = 5 as SeriesIndex;
const NO_FLOATS = new Float64Array(0);

function counts(...all: number[]): FloatHistogram[] {
  return all.map((count) => new FloatHistogram({ count, sum: count, positive: { indices: [0], counts: [count] } }));
}

function side(histograms: readonly [timeMs: number, count: number][], starts: number[] = []): SideMessage {
  return {
    starts: Float64Array.from(starts).buffer,
    histogramTimes: Float64Array.from(histograms, ([timeMs]) => timeMs).buffer,
    histogramStarts: new Float64Array(histograms.length).buffer,
    histograms: encodeHistograms(counts(...histograms.map(([, count]) => count))),
  };
}

function labels(name: string): Labels {
  return ['__name__', name];
}

test('side samples: a query sees what was appended up to its watermark', () => {
  const samples = new SideSamples(() => 1);
  assert.ok(samples.isEmpty);
  samples.add(FIVE, 3, Float64Array.of(15), side([[10, 1]], [15, 12]));
  samples.add(FIVE, 4, Float64Array.of(25), side([[20, 2]], [25, 22]));
  const seen = (watermark: number) => {
    const view = samples.view(FIVE, watermark)!;
    return [[...view.histogramTimes], [...view.startsOf(Float64Array.of(5, 15, 25))!]];
  };
  assert.deepEqual(seen(2), [[], [0, 0, 0]]);
  assert.deepEqual(seen(3), [[10], [0, 12, 0]]);
  assert.deepEqual(seen(4), [
    [10, 20],
    [0, 12, 22],
  ]);
  assert.equal(samples.view(6 as SeriesIndex, 9), undefined);
});

test('side samples: an index that was given again is another series', () => {
  let ref = 1;
  const samples = new SideSamples(() => ref);
  samples.add(FIVE, 1, NO_FLOATS, side([[10, 1]]));
  assert.ok(samples.has(FIVE));
  ref = 2;
  assert.ok(!samples.has(FIVE));
  assert.equal(samples.view(FIVE, 9), undefined);
  samples.add(FIVE, 2, NO_FLOATS, side([[20, 1]]));
  assert.deepEqual([...samples.view(FIVE, 9)!.histogramTimes], [20]);
});

test('side samples: hints say whether a histogram goes on from the sample before it', () => {
  const cases: [appends: { floats: number[]; histograms: [number, number][] }[], hints: string][] = [
    [
      [
        {
          floats: [],
          histograms: [
            [10, 1],
            [20, 2],
            [30, 1],
            [40, 1],
          ],
        },
      ],
      'unknown not_reset unknown not_reset',
    ],
    [
      [
        {
          floats: [15],
          histograms: [
            [10, 1],
            [20, 2],
          ],
        },
      ],
      'unknown unknown',
    ],
    [
      [
        { floats: [15], histograms: [[10, 1]] },
        {
          floats: [],
          histograms: [
            [20, 2],
            [30, 3],
          ],
        },
      ],
      'unknown unknown not_reset',
    ],
    [
      [
        { floats: [], histograms: [[10, 1]] },
        { floats: [5], histograms: [[20, 2]] },
      ],
      'unknown not_reset',
    ],
    // One that is late goes to its place; one at the time of another takes it.
    [
      [
        {
          floats: [],
          histograms: [
            [10, 1],
            [30, 3],
          ],
        },
        { floats: [], histograms: [[20, 2]] },
      ],
      'unknown not_reset not_reset',
    ],
    [
      [
        { floats: [], histograms: [[10, 2]] },
        { floats: [], histograms: [[10, 1]] },
      ],
      'unknown',
    ],
  ];
  for (const [appends, hints] of cases) {
    const samples = new SideSamples(() => 1);
    appends.forEach(({ floats, histograms }, i) => {
      samples.add(FIVE, i + 1, Float64Array.from(floats), side(histograms));
    });
    const view = samples.view(FIVE, 9)!;
    assert.equal(view.histograms.map(({ hint }) => hint).join(' '), hints, JSON.stringify(appends));
    const times = [...view.histogramTimes];
    assert.deepEqual(
      times,
      times.slice().sort((a, b) => a - b),
    );
  }
});

test('side samples: a shard that nobody started for them refuses the series, counted', async () => {
  const { shards } = await testShards(1, MEMORY_BYTES);
  const header = { append: 1, job: '', baseRef: 0, baseTimeMs: 0, minTimeMs: -1e9, maxTimeMs: 1e9 };
  const series = [
    { labels: labels('h'), samples: packSamples([[1000, 1]]), side: side([[2000, 1]]) },
    { labels: labels('f'), samples: packSamples([[1000, 1]]) },
  ];
  const reply = await shards.shard(0).client.call('append', { ...header, series }, 'ingest');
  assert.equal(reply.invalidSeries, 1);
  assert.equal(reply.error, 'native histograms are not supported yet');
  assert.equal(reply.outcome.accepted, 1);
  await shards.close();
});

/** Shards with a series of floats, one of histograms and one of both, on whichever. */
async function filled(count: number, morsel?: { samples: number; series: number }) {
  const { shards, ingest } = await testShards(count, MEMORY_BYTES, { sideSamples: true, ...(morsel && { morsel }) });
  const series = [
    {
      labels: labels('floats'),
      samples: packSamples([
        [1000, 1],
        [2000, 2],
      ]),
    },
    {
      labels: labels('histograms'),
      samples: packSamples([]),
      side: side([
        [1000, 4],
        [2000, 8],
      ]),
    },
    {
      labels: labels('both'),
      samples: packSamples([
        [1000, 3],
        [3000, 0x7ff0000000000002n],
      ]),
      side: side([[2000, 6]]),
    },
  ];
  let next = 0;
  await ingest.append(series, 0, () => next++ % count);
  return shards;
}

for (const count of [1, 2]) {
  test(`side samples: text and columns of ${count} shards tell the same`, async () => {
    const shards = await filled(count);
    const engine = new QueryEngine(() => new ShardSource(shards, 'adhoc'), realClock, SCRIPT_OPTIONS);
    for (const [query, rendered] of [
      ['floats', true],
      ['histograms', false],
      ['{__name__=~".+"}', false],
      ['nothing', true],
    ] as const) {
      const answer = await engine.instant(query, 2500, { rendered: true });
      assert.equal(answer.data.kind, rendered ? 'rendered' : 'vector', query);
    }
    const { data } = await engine.instant('{__name__=~".+"}', 2500, { rendered: true });
    assert.ok(data.kind === 'vector');
    assert.equal(data.columns.labels.length, 3);
    assert.equal(data.columns.histograms?.size, 2);
    await shards.close();
  });
}

test('side samples: raw samples of all kinds, in their time range', async () => {
  const shards = await filled(2, { samples: 1, series: 1 });
  const source = new ShardSource(shards, 'adhoc');
  const matchers = [{ name: '__name__', op: '=~', value: '.+' }] as const;
  const told = async (windowMs: number, endMs: number) => {
    const series = await source.samples(matchers, windowMs, endMs, freeContext());
    const entries = series.map((one) => {
      const floats = [...one.times].map((timeMs, i) => `${timeMs}=${one.values[i]}`);
      const histograms = [...(one.histogramTimes ?? [])].map((timeMs, i) => `${timeMs}=H${one.histograms![i]!.count}`);
      return `${one.labels[1]}: ${[...floats, ...histograms].join(' ')}`;
    });
    return entries.sort();
  };
  assert.deepEqual(await told(5000, 5000), [
    'both: 1000=3 2000=H6',
    'floats: 1000=1 2000=2',
    'histograms: 1000=H4 2000=H8',
  ]);
  assert.deepEqual(await told(1000, 2000), ['both: 2000=H6', 'floats: 2000=2', 'histograms: 2000=H8']);
  assert.deepEqual(await told(500, 4000), []);
  source.close();
  await shards.close();
});

test('side samples: a query goes on over the morsels of both kinds of series', async () => {
  const shards = await filled(1, { samples: 1, series: 1 });
  const engine = new QueryEngine(() => new ShardSource(shards, 'adhoc'), realClock, SCRIPT_OPTIONS);
  const { data } = await engine.instant('count by (__name__) ({__name__=~".+"})', 2500);
  assert.ok(data.kind === 'vector');
  assert.deepEqual([...data.columns.values], [1, 1, 1]);
  // The stale marker is the newest of `both`.
  const later = await engine.instant('count({__name__=~".+"})', 3500);
  assert.ok(later.data.kind === 'vector');
  assert.deepEqual([...later.data.columns.values], [2]);
  await shards.close();
});
