// Samples beside the head: who may append them, who sees them, and in which forms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../src/base/clock.js';
import { FloatHistogram } from '../../../src/model/histogram.js';
import { encodeHistograms } from '../../../src/model/histogram-table.js';
import type { Labels } from '../../../src/model/labels.js';
import { QueryEngine } from '../../../src/query/engine.js';
import type { SideMessage } from '../../../src/shard/side-samples.js';
import { ShardSource } from '../../../src/shard/source.js';
import { SCRIPT_OPTIONS } from '../../support/promqltest/run.js';
import { freeContext, packSamples, testShards } from '../../support/shards.js';

const MEMORY_BYTES = 64 * 2 ** 20;

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

async function storedTimes(appends: { floats: [number, number][]; histograms: [number, number][] }[]) {
  const { shards } = await testShards(1, MEMORY_BYTES);
  const outcomes: [accepted: number, refused: string | undefined][] = [];
  for (const [i, { floats, histograms }] of appends.entries()) {
    const header = { append: i + 1, job: '', baseRef: 0, baseTimeMs: 0, minTimeMs: -1e9, maxTimeMs: 1e9 };
    const series = [{ labels: labels('h'), samples: packSamples(floats), side: side(histograms) }];
    const { outcome } = await shards.shard(0).client.call('append', { ...header, series }, 'ingest');
    outcomes.push([outcome.accepted, outcome.firstRefused]);
  }
  await shards.close();
  return outcomes;
}

test('histograms and floats of a series are taken in the order of their times', async () => {
  assert.deepEqual(
    await storedTimes([
      {
        floats: [
          [1000, 1],
          [3000, 3],
        ],
        histograms: [
          [2000, 2],
          [4000, 4],
        ],
      },
      { floats: [], histograms: [[4000, 4]] },
      { floats: [], histograms: [[4000, 5]] },
      { floats: [], histograms: [[3500, 4]] },
      { floats: [[4000, 4]], histograms: [] },
      { floats: [[3900, 4]], histograms: [] },
      { floats: [[5000, 5]], histograms: [[6000, 1]] },
      { floats: [], histograms: [[5000, 5]] },
      { floats: [], histograms: [[1e10, 5]] },
      { floats: [], histograms: [[-1e10, 5]] },
    ]),
    [
      [4, undefined],
      [0, undefined],
      [0, 'duplicate sample for timestamp'],
      [0, 'out of order sample'],
      [0, 'duplicate sample for timestamp'],
      [0, 'out of order sample'],
      [2, undefined],
      [0, 'out of order sample'],
      [0, 'out of bounds: the timestamp is too far in the future'],
      [0, 'out of bounds'],
    ],
  );
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
