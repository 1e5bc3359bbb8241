// Label sets that main lists by itself: that they are those that the shards list, and when it leaves them to the shards.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Labels } from '../../../src/model/labels.js';
import { ShardStorage } from '../../../src/query/storage.js';
import type { Ingest } from '../../../src/shard/ingest.js';
import type { Shards } from '../../../src/shard/shards.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';

const STALE = 0x7ff0000000000002n;
const { signal } = new AbortController();
const SELECTORS = [[{ name: '__name__', op: '=', value: 'm' }] as const];

interface Rig {
  readonly shards: Shards;
  readonly ingest: Ingest;
}

interface Range {
  readonly startMs: number;
  readonly endMs: number;
}

function seriesOf(count: number, from = 0): Labels[] {
  return Array.from({ length: count }, (_, i): Labels => ['__name__', 'm', 'i', `${from + i}"`]);
}

function write({ shards, ingest }: Rig, series: readonly Labels[], timeMs: number, value: number | bigint = 1) {
  const appended = series.map((labels) => ({ labels, samples: packSamples([[timeMs, value]]) }));
  return ingest.append(appended, timeMs, anyOwner(shards.count));
}

async function list(storage: ShardStorage, range: Range, limit = 0): Promise<string> {
  const { rows } = await storage.series({ selectors: SELECTORS, ...range, limit, signal });
  const pieces: Uint8Array[] = [];
  for await (const piece of rows.pieces(limit)) pieces.push(piece);
  return `${rows.rowCount} ${Buffer.concat(pieces)}`;
}

/** The shards alone. */
function withoutMain({ handles, appends, blocks, seriesVersion }: Shards): ShardStorage {
  const known = { generation: 0, haveNewest: () => false };
  return new ShardStorage({ handles, appends, blocks, seriesVersion, known } as unknown as Shards, () => [], 0);
}

/** Whether main lists. */
async function isListedHere(rig: Rig, storage: ShardStorage, range: Range, limit = 0): Promise<boolean> {
  const before = rig.shards.known.reads;
  assert.equal(await list(storage, range, limit), await list(withoutMain(rig.shards), range, limit));
  return rig.shards.known.reads > before;
}

interface Case {
  readonly name: string;
  /** After samples of four series at 15,000 and 30,000 ms were written and listed twice. */
  readonly change?: (rig: Rig) => Promise<unknown>;
  readonly range?: Partial<Range>;
  readonly limit?: number;
  readonly isListedHere: boolean;
}

const CASES: readonly Case[] = [
  { name: 'nothing changed', isListedHere: true },
  { name: 'a later range', range: { startMs: 30_000, endMs: 90_000 }, isListedHere: true },
  { name: 'a range that ends with the newest samples', range: { endMs: 30_000 }, isListedHere: true },
  { name: 'a range that ends before them', range: { endMs: 29_999 }, isListedHere: false },
  { name: 'a range behind them', range: { startMs: 30_001, endMs: 90_000 }, isListedHere: false },
  { name: 'all times', range: { startMs: -Infinity, endMs: Infinity }, isListedHere: true },
  { name: 'times between milliseconds', range: { startMs: 29_999.5, endMs: 30_000.5 }, isListedHere: true },
  { name: 'a limit above what there is', limit: 5, isListedHere: true },
  { name: 'a later sample', change: (rig) => write(rig, seriesOf(4), 45_000), isListedHere: true },
  {
    name: 'a later sample, past the range',
    change: (rig) => write(rig, seriesOf(1), 60_001),
    isListedHere: false,
  },
  { name: 'a stale marker', change: (rig) => write(rig, seriesOf(1), 45_000, STALE), isListedHere: false },
  { name: 'a new series', change: (rig) => write(rig, seriesOf(1, 4), 45_000), isListedHere: false },
  { name: 'an append under way', change: async (rig) => void write(rig, seriesOf(4), 45_000), isListedHere: false },
  {
    name: 'series that have gone',
    change: async ({ shards }) => {
      for (const { client } of shards.handles) {
        while (!(await client.call('truncate', { minTimeMs: 40_000 }, 'rules')).done);
      }
    },
    isListedHere: false,
  },
  {
    name: 'another block with times in the range',
    change: async ({ shards }) => {
      const block = { ulid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', path: '/none', version: 0, minTimeMs: 0, maxTimeMs: 20_000 };
      shards.blocks.set([block], 20_000);
    },
    isListedHere: false,
  },
];

for (const { name, change, range, limit, isListedHere: expected } of CASES) {
  for (const count of [1, 3]) {
    test(`${name}: listed ${expected ? 'here' : 'by the shards'}, ${count} shards`, async () => {
      const rig = await testShards(count);
      for (const timeMs of [15_000, 30_000]) await write(rig, seriesOf(4), timeMs);
      const storage = new ShardStorage(rig.shards, () => [], 0);
      const whole = { startMs: 0, endMs: 60_000 };
      for (let i = 0; i < 2; i++) await list(storage, whole);
      await change?.(rig);
      assert.equal(await isListedHere(rig, storage, { ...whole, ...range }, limit), expected);
      await rig.shards.close();
    });
  }
}

test('a limit below what there is, is asked for', async () => {
  const rig = await testShards(1);
  await write(rig, seriesOf(4), 30_000);
  const storage = new ShardStorage(rig.shards, () => [], 0);
  const whole = { startMs: 0, endMs: 60_000 };
  for (let i = 0; i < 2; i++) await list(storage, whole);
  const { rows } = await storage.series({ selectors: SELECTORS, ...whole, limit: 3, signal });
  assert.equal(rows.rowCount, 4, 'more than the limit is told');
  await rig.shards.close();
});

test('what not all series have is kept by nobody', async () => {
  const rig = await testShards(1);
  await write(rig, seriesOf(4), 30_000);
  await write(rig, seriesOf(2), 45_000);
  const storage = new ShardStorage(rig.shards, () => [], 0);
  const late = { startMs: 40_000, endMs: 60_000 };
  for (let i = 0; i < 3; i++) assert.equal(await isListedHere(rig, storage, late), false);
  await rig.shards.close();
});

test('a shard that was made again is asked', async () => {
  const rig = await testShards(2);
  await write(rig, seriesOf(4), 30_000);
  const storage = new ShardStorage(rig.shards, () => [], 0);
  const whole = { startMs: 0, endMs: 60_000 };
  for (let i = 0; i < 2; i++) await list(storage, whole);
  assert.equal(await isListedHere(rig, storage, whole), true);
  rig.shards.known.restart(0, new WebAssembly.Memory({ initial: 1 }));
  assert.equal(await isListedHere(rig, storage, whole), false);
  await rig.shards.close();
});
