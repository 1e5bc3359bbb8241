// What main reads of newest samples by itself: that it is what the shards say, to the bit, and when it leaves them to the shards.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { encodeHistograms } from '../../../src/model/histogram-table.js';
import type { Labels } from '../../../src/model/labels.js';
import type { Matcher } from '../../../src/model/matcher.js';
import { wordsOf } from '../../../src/model/value.js';
import type { CellOp } from '../../../src/promql/cells.js';
import type { Columns, Fragment, FragmentAggregate } from '../../../src/promql/exec/source.js';
import type { Ingest } from '../../../src/shard/ingest.js';
import type { Shards } from '../../../src/shard/shards.js';
import { ShardSource } from '../../../src/shard/source.js';
import { anyOwner, freeContext, packSamples, testShards } from '../../support/shards.js';
import { generateStored } from '../../support/stored-histograms.js';

const STALE = 0x7ff0000000000002n;
const STEP_MS = 15_000;

interface Rig {
  readonly shards: Shards;
  readonly ingest: Ingest;
}

function fragmentOf(timeMs: number, rest: Partial<Fragment> = {}): Fragment {
  return {
    matchers: [{ name: '__name__', op: '=', value: 'm' }],
    steps: { startMs: timeMs, stepMs: 1, count: 1 },
    windowMs: 5 * 60_000,
    fn: 'last',
    args: [],
    dropName: false,
    ...rest,
  };
}

function write(
  { shards, ingest }: Rig,
  series: readonly Labels[],
  timeMs: number,
  value: (i: number) => number | bigint,
): Promise<unknown> {
  const appended = series.map((labels, i) => ({ labels, samples: packSamples([[timeMs, value(i)]]) }));
  return ingest.append(appended, timeMs, anyOwner(shards.count));
}

function seriesOf(count: number, from = 0): Labels[] {
  return Array.from({ length: count }, (_, i): Labels => ['__name__', 'm', 'i', `${from + i}`, 'job', `${i % 3}`]);
}

/** Everything that tells two answers apart. */
function told({ labels, values, present }: Columns): string[] {
  const words = wordsOf(values);
  return labels.map((set, row) => `${set.join()} ${present[row]} ${words[2 * row]} ${words[2 * row + 1]}`);
}

async function answer(shards: Shards, fragment: Fragment): Promise<Columns> {
  const source = new ShardSource(shards, 'adhoc');
  try {
    return await source.select(fragment, freeContext());
  } finally {
    source.close();
  }
}

/** The shards alone. */
function withoutMain({ handles, appends }: Shards): Shards {
  return { handles, appends, known: { read: () => undefined } } as unknown as Shards;
}

/** Asks so often that main knows the places, and waits until it does. */
async function learn(shards: Shards, fragment: Fragment): Promise<void> {
  for (let i = 0; i < 2; i++) await answer(shards, fragment);
  await new Promise(setImmediate);
  await answer(shards, fragment);
}

/** What main says and what the shards say, both at the watermark of now. */
async function answers(shards: Shards, fragment: Fragment): Promise<[string[], string[]]> {
  const sources = [new ShardSource(shards, 'adhoc'), new ShardSource(withoutMain(shards), 'adhoc')];
  const [ours, theirs] = await Promise.all(sources.map((source) => source.select(fragment, freeContext())));
  for (const source of sources) source.close();
  return [told(ours!), told(theirs!)];
}

/** Whether main answers. */
async function isReadHere(shards: Shards, fragment: Fragment): Promise<boolean> {
  const before = shards.known.reads;
  const [ours, theirs] = await answers(shards, fragment);
  assert.deepEqual(ours, theirs);
  return shards.known.reads > before;
}

interface Case {
  readonly name: string;
  /** After samples of four series at 15,000 and 30,000 ms were written and their places learnt. */
  readonly change?: (rig: Rig) => Promise<unknown>;
  readonly fragment?: Partial<Fragment>;
  readonly timeMs?: number;
  readonly isReadHere: boolean;
}

const cases: readonly Case[] = [
  { name: 'nothing changed', isReadHere: true },
  { name: 'another time', timeMs: 200_000, isReadHere: true },
  { name: 'the time of the newest samples', timeMs: 30_000, isReadHere: true },
  { name: 'before the newest samples', timeMs: 29_999, isReadHere: false },
  { name: 'at the end of the lookback', timeMs: 329_999, isReadHere: true },
  { name: 'past the lookback', timeMs: 330_000, isReadHere: true },
  { name: 'a time between milliseconds', timeMs: 30_000.5, isReadHere: true },
  { name: 'timestamps', fragment: { fn: 'timestamp', dropName: true }, isReadHere: true },
  { name: 'a range function', fragment: { fn: 'count_over_time' }, isReadHere: false },
  { name: 'two steps', fragment: { steps: { startMs: 30_000, stepMs: 1, count: 2 } }, isReadHere: false },
  {
    name: 'arithmetic and a comparison',
    fragment: {
      cells: [
        { op: 'multiply', number: 3 },
        { op: 'greater', number: 4 },
      ],
    },
    isReadHere: true,
  },
  { name: 'groups', fragment: { aggregate: { op: 'sum', grouping: 'by', labels: ['job'] } }, isReadHere: true },
  {
    name: 'a later sample',
    change: (rig) => write(rig, seriesOf(4), 45_000, (i) => i + 20),
    timeMs: 45_000,
    isReadHere: true,
  },
  {
    name: 'a stale marker',
    change: (rig) => write(rig, seriesOf(2), 45_000, () => STALE),
    timeMs: 45_000,
    isReadHere: true,
  },
  {
    name: 'a new series',
    change: (rig) => write(rig, seriesOf(1, 4), 45_000, () => 1),
    timeMs: 45_000,
    isReadHere: false,
  },
  {
    name: 'a new series of another name',
    change: (rig) => write(rig, [['__name__', 'other']], 45_000, () => 1),
    timeMs: 45_000,
    isReadHere: false,
  },
  {
    name: 'series that have gone',
    change: async ({ shards }) => {
      for (const { client } of shards.handles) {
        while (!(await client.call('truncate', { minTimeMs: 40_000 }, 'rules')).done);
      }
    },
    isReadHere: false,
  },
  {
    name: 'an append under way',
    change: async (rig) => void write(rig, seriesOf(4), 45_000, () => 5),
    timeMs: 45_000,
    isReadHere: false,
  },
];

for (const { name, change, fragment, timeMs = 30_000, isReadHere: expected } of cases) {
  for (const count of [1, 3]) {
    test(`${name}: read ${expected ? 'here' : 'by the shards'}, ${count} shards`, async () => {
      const rig = await testShards(count);
      for (const time of [15_000, 30_000]) await write(rig, seriesOf(4), time, (i) => i + time / 30_000);
      const asked = fragmentOf(timeMs, fragment);
      await learn(rig.shards, asked);
      await change?.(rig);
      assert.equal(await isReadHere(rig.shards, asked), expected);
      await rig.shards.close();
    });
  }
}

test('main learns when the same series are asked for again, and once more after they changed', async () => {
  const rig = await testShards(1);
  await write(rig, seriesOf(3), 30_000, (i) => i);
  const asked = fragmentOf(30_000);
  const here: boolean[] = [];
  const look = async () => {
    here.push(await isReadHere(rig.shards, asked));
    await new Promise(setImmediate);
  };
  for (let i = 0; i < 4; i++) await look();
  assert.deepEqual(here.splice(0), [false, false, true, true]);
  await write(rig, seriesOf(4), 31_000, (i) => i);
  for (let i = 0; i < 4; i++) await look();
  // The first evaluation time lies before the newest samples now.
  assert.deepEqual(here.splice(0), [false, false, false, false]);
  const later = fragmentOf(31_000);
  assert.equal(await isReadHere(rig.shards, later), true);
  await rig.shards.close();
});

test('what an append brought is not shown before the watermark has passed it', async () => {
  const rig = await testShards(1);
  await write(rig, seriesOf(3), 30_000, (i) => i);
  const asked = fragmentOf(30_000);
  await learn(rig.shards, asked);
  const { watermark } = rig.shards.appends;
  const question = { watermark, endMs: 30_000, windowMs: 300_000, fn: 'last' } as const;
  assert.ok(rig.shards.known.read(asked.matchers, question));
  assert.equal(rig.shards.known.read(asked.matchers, { ...question, watermark: watermark - 1 }), undefined);
  await rig.shards.close();
});

test('a selector of many series is left to the shards', async () => {
  const rig = await testShards(2);
  await write(rig, seriesOf(2_001), 30_000, (i) => i);
  const asked = fragmentOf(30_000);
  await learn(rig.shards, asked);
  assert.equal(await isReadHere(rig.shards, asked), false);
  assert.ok(rig.shards.known.bytes < 5_000, 'nothing is kept of it');
  await rig.shards.close();
});

test('with samples beside the head nothing is read here', async () => {
  const rig = await testShards(1, undefined, { sideSamples: true });
  await write(rig, seriesOf(3), 30_000, (i) => i);
  const asked = fragmentOf(30_000);
  await learn(rig.shards, asked);
  assert.equal(await isReadHere(rig.shards, asked), true);
  const side = {
    starts: Float64Array.of(30_000, 20_000).buffer,
    histogramTimes: new ArrayBuffer(0),
    histogramStarts: new ArrayBuffer(0),
    histograms: encodeHistograms([]),
  };
  const samples = packSamples([[30_000, 0]]);
  await rig.ingest.append([{ labels: seriesOf(1)[0]!, samples, side }], 30_000, anyOwner(1));
  assert.equal(await isReadHere(rig.shards, asked), false);
  await learn(rig.shards, asked);
  assert.equal(await isReadHere(rig.shards, asked), false);
  await rig.shards.close();
});

test('a series that gets a histogram is read here no more, and all others are', async () => {
  const rig = await testShards(2);
  await write(rig, seriesOf(6), 30_000, (i) => i);
  const asked = fragmentOf(30_000);
  await learn(rig.shards, asked);
  assert.equal(await isReadHere(rig.shards, asked), true);
  const labels = ['__name__', 'other', 'x', 'y'];
  const stored = [{ timeMs: 29_000, histogram: generateStored(new Prng(1), false, 1)[0]! }];
  await rig.ingest.append([{ labels, samples: new ArrayBuffer(0), stored }], 30_000, anyOwner(2));
  await learn(rig.shards, asked);
  assert.equal(await isReadHere(rig.shards, asked), true, 'it is none of those asked for');
  const later = { timeMs: 30_500, histogram: stored[0]!.histogram };
  await rig.ingest.append(
    [{ labels: seriesOf(1)[0]!, samples: new ArrayBuffer(0), stored: [later] }],
    30_500,
    anyOwner(2),
  );
  await learn(rig.shards, asked);
  assert.equal(await isReadHere(rig.shards, asked), false);
  await rig.shards.close();
});

test('after a shard was made again nothing of the old one is read', async () => {
  const rig = await testShards(2);
  await write(rig, seriesOf(6), 30_000, (i) => i);
  const asked = fragmentOf(30_000);
  await learn(rig.shards, asked);
  assert.ok(rig.shards.known.bytes > 0);
  await rig.shards.restart(0, async () => {});
  assert.equal(rig.shards.known.bytes, 0);
  assert.equal(await isReadHere(rig.shards, asked), false);
  await rig.shards.close();
});

const AGGREGATES: readonly (FragmentAggregate | undefined)[] = [
  undefined,
  undefined,
  { op: 'sum', grouping: 'by', labels: ['job'] },
  { op: 'avg', grouping: 'without', labels: ['i'] },
  { op: 'stddev', grouping: 'by', labels: [] },
  { op: 'group', grouping: 'by', labels: [] },
];
const PROGRAMS: readonly (readonly CellOp[] | undefined)[] = [
  undefined,
  [{ op: 'greater', number: 0.5 }],
  [{ op: 'subtractFrom', number: 7 }],
];
const MATCHERS: readonly Matcher[][] = [
  [{ name: '__name__', op: '=', value: 'm' }],
  [{ name: 'job', op: '=~', value: '0|1' }],
  [
    { name: 'i', op: '!=', value: '3' },
    { name: '__name__', op: '=', value: 'm' },
  ],
  [{ name: '__name__', op: '=', value: 'gone' }],
];

for (const [count, threads] of [
  [1, false],
  [3, false],
  [1, true],
] as const) {
  test(`beside writers main says what the shards say: ${count} shards, threads ${threads}`, async () => {
    const seed = 77 + count;
    const random = new Prng(seed);
    const rig = await testShards(count, undefined, { threads });
    let alive = seriesOf(9);
    let nowMs = STEP_MS;
    let isWriting = true;
    const writer = async () => {
      for (let round = 0; round < 250; round++) {
        nowMs += random.int(3) === 0 ? 0 : STEP_MS;
        if (random.int(40) === 0) alive = [...alive, ...seriesOf(1, alive.length)];
        const some = alive.filter(() => random.int(4) > 0);
        const wait = write(rig, some, nowMs, () => (random.int(12) === 0 ? STALE : random.float()));
        if (random.int(2) === 0) await wait;
        if (random.int(50) === 0) {
          for (const { client } of rig.shards.handles)
            await client.call('truncate', { minTimeMs: nowMs - 20 * STEP_MS }, 'rules');
        }
        for (let turns = random.int(60); turns > 0; turns--) await undefined;
        if (threads) await new Promise(setImmediate);
      }
      isWriting = false;
    };
    const reader = async () => {
      while (isWriting) {
        const cells = random.pick(PROGRAMS);
        const aggregate = random.pick(AGGREGATES);
        const fragment = fragmentOf(nowMs + random.pick([0, 0, 0, -STEP_MS, 1, 290_000]), {
          matchers: random.pick(MATCHERS),
          fn: random.pick(['last', 'last', 'timestamp']),
          windowMs: random.pick([300_000, STEP_MS]),
          ...(cells && { cells }),
          ...(aggregate && { aggregate }),
        });
        const [ours, theirs] = await answers(rig.shards, fragment);
        assert.deepEqual(ours, theirs, `seed ${seed}: ${JSON.stringify(fragment)}`);
        for (let turns = random.int(20); turns > 0; turns--) await undefined;
      }
    };
    await Promise.all([writer(), reader(), reader()]);
    assert.ok(rig.shards.known.reads > 10, `${rig.shards.known.reads} reads`);
    await rig.shards.close();
  });
}
