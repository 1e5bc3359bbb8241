// Appends reach the log in the order in which shards applied them, whatever holds them up; and what a replay makes of logs in
// which they did not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Prng } from '../../../src/base/prng.js';
import { startShardHere } from '../../../src/shard/here.js';
import { Ingest } from '../../../src/shard/ingest.js';
import { LogOrder } from '../../../src/shard/log-order.js';
import { type LogPort, noLog, type RecordPart } from '../../../src/shard/log-port.js';
import type { BootedShard } from '../../../src/shard/readers.js';
import { Shards } from '../../../src/shard/shards.js';
import { RecordType } from '../../../src/tsdb/wal/record.js';
import { HeadRig } from '../../support/head.js';
import type { Series } from '../../support/remote-write.js';
import { ANY_TIME, writeThrough } from '../../support/shards.js';

/** A log that keeps its records here, in the order in which they came. */
class KeptLog implements LogPort {
  readonly records: Uint8Array[] = [];
  readonly stuck = undefined;
  #memories: readonly WebAssembly.Memory[] = [];

  attach(memories: readonly WebAssembly.Memory[]): void {
    this.#memories = memories;
  }

  async commit(records: readonly (readonly RecordPart[])[]): Promise<void> {
    for (const parts of records) this.records.push(Buffer.concat(parts.map((part) => this.#bytes(part))));
  }

  #bytes(part: RecordPart): Uint8Array {
    if (part instanceof Uint8Array) return part;
    return new Uint8Array(this.#memories[part.shard]!.buffer, part.span.address, part.span.bytes).slice();
  }

  replace = noLog.replace;
  whenStuck = noLog.whenStuck;
  close = noLog.close;
}

test('an append that a slow shard holds up holds up what was applied behind it: the log has them in order', async () => {
  const log = new KeptLog();
  let letGo = () => {};
  let waits: Promise<void> | undefined;
  /** The last shard answers late. */
  const boot = async (setup: Parameters<typeof startShardHere>[0]): Promise<BootedShard> => {
    const { port, started } = await startShardHere(setup);
    if (setup.index < 2) return { port, started };
    const run: typeof port.run = async (task, transfer) => {
      const reply = await port.run(task, transfer);
      await waits;
      return reply;
    };
    return { port: { ...port, run }, started };
  };
  const options = { count: 3, seed: 42n, memoryBytes: 2 ** 28, inputBytes: 2 ** 20, threads: false, boot };
  const shards = await Shards.start(options, log);
  const ingest = new Ingest(shards, () => ANY_TIME);
  const storage = { shards, ingest };
  const seriesOf = async (owner: number): Promise<Series['labels']> => {
    for (let i = 0; ; i++) {
      const labels = ['__name__', 'm', 'i', `${owner} ${i}`];
      const { client } = shards.shard(owner);
      const before = await client.call('counters', {}, 'rules');
      await writeThrough(storage, 0, [{ labels, samples: [[1000, 1]] }], 1000);
      if ((await client.call('counters', {}, 'rules')).series! > before.series!) return labels;
    }
  };
  const [shared, slow] = [await seriesOf(1), await seriesOf(2)];
  const at = (timeMs: number, value: number) => [[timeMs, value]] as const;
  waits = new Promise((resolve) => {
    letGo = resolve;
  });
  const first = writeThrough(
    storage,
    0,
    [
      { labels: shared, samples: at(2000, 2) },
      { labels: slow, samples: at(2000, 2) },
    ],
    2000,
  );
  const before = log.records.length;
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  const second = writeThrough(storage, 1, [{ labels: shared, samples: at(3000, 3) }], 3000);
  for (let turn = 0; turn < 200; turn++) await nextTurn();
  assert.equal(log.records.length, before, 'the second waits for the first');
  letGo();
  assert.equal((await first).outcome.accepted, 2);
  assert.equal((await second).outcome.accepted, 1);

  const ofSamples = log.records.filter((record) => record[0] === RecordType.Samples);
  const basesMs = ofSamples.map((record) => Number(Buffer.from(record).readBigInt64BE(9)));
  const inOrder = basesMs.filter((timeMs) => timeMs > 1000);
  assert.deepEqual(inOrder, [2000, 3000], 'the order of the log');
  assert.deepEqual(replayLate(log.records), []);
  // As older versions wrote it.
  const rest = log.records.slice(0, -2);
  assert.deepEqual(replayLate([...rest, log.records.at(-1)!, log.records.at(-2)!]), [[2000, 0x4000000000000000n]]);
  await shards.close();
});

/** Replays records; gives the samples that were earlier than the newest of their series. */
function replayLate(records: readonly Uint8Array[]): [timeMs: number, bits: bigint][] {
  const rig = new HeadRig();
  rig.head.beginReplay(0, 1);
  const late: [number, bigint][] = [];
  for (const record of records) {
    const isSeries = record[0] === RecordType.Series;
    assert.equal(rig.replay(record, isSeries ? 'series' : 'samples'), undefined);
    if (!isSeries) for (const { timeMs, bits } of rig.head.replayLate()) late.push([timeMs, bits]);
  }
  return late;
}

/** A shard applies an append, or an append is over. */
type Event = { readonly append: number; readonly shard?: number; readonly part?: number };

function orderOf(events: readonly Event[]): number[] {
  const order = new LogOrder();
  const written: number[] = [];
  for (const { append, shard, part } of events) {
    if (shard === undefined) order.commit(append, () => written.push(append));
    else order.touch(append, shard, part!);
  }
  return written;
}

const on = (append: number, shard: number, part: number): Event => ({ append, shard, part });
const over = (append: number): Event => ({ append });

const CASES: [name: string, events: Event[], want: number[]][] = [
  ['nothing applied', [over(3)], [3]],
  ['one behind the other', [on(1, 0, 1), on(2, 0, 2), over(2), over(1)], [1, 2]],
  ['on other shards', [on(1, 0, 1), on(2, 1, 1), over(2), over(1)], [2, 1]],
  ['as applied, not as numbered', [on(2, 0, 5), on(1, 0, 6), over(1), over(2)], [2, 1]],
  ['told late', [on(1, 0, 6), on(2, 0, 5), over(1), over(2)], [2, 1]],
  ['by its first part', [on(1, 0, 1), on(2, 0, 2), on(1, 0, 3), over(2), over(1)], [1, 2]],
  ['in a row of three', [on(1, 0, 1), on(2, 0, 2), on(2, 1, 1), on(3, 1, 2), over(3), over(2), over(1)], [1, 2, 3]],
  ['round each other', [on(1, 0, 1), on(2, 0, 2), on(2, 1, 1), on(1, 1, 2), over(2), over(1)], [1, 2]],
  [
    'round each other, beside one that is not over',
    [on(1, 0, 1), on(2, 0, 2), on(2, 1, 1), on(1, 1, 2), on(3, 2, 1), over(2), over(1), over(3)],
    [3, 1, 2],
  ],
];

for (const [name, events, want] of CASES) test(`log order: ${name}`, () => assert.deepEqual(orderOf(events), want));

test('seeds: everything is written, each shard in its order where no two go round each other', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Prng(seed);
    const order = new LogOrder();
    const written: number[] = [];
    const parts = [0, 0, 0];
    /** Those that every shard applies in the order of their numbers cannot go round each other. */
    const isPlain = seed % 2 === 0;
    const applied: number[][] = [[], [], []];
    const open = new Map(Array.from({ length: 30 }, (_, i) => [i + 1, [0, 1, 2].filter(() => random.int(2) === 0)]));
    while (open.size > 0) {
      const append = random.pick([...open.keys()].slice(0, 6));
      const left = open.get(append)!;
      const shard = left.find((one) => !isPlain || ![...open].some(([a, rest]) => a < append && rest.includes(one)));
      if (left.length === 0) {
        open.delete(append);
        order.commit(append, () => written.push(append));
      } else if (shard !== undefined) {
        open.set(
          append,
          left.filter((one) => one !== shard),
        );
        order.touch(append, shard, ++parts[shard]!);
        applied[shard]!.push(append);
      }
    }
    assert.equal(new Set(written).size, 30, `seed ${seed}`);
    if (!isPlain) continue;
    for (const one of applied)
      assert.deepEqual(
        written.filter((a) => one.includes(a)),
        one,
        `seed ${seed}`,
      );
  }
});
