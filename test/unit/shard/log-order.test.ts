// Appends of several shards may reach the log in another order than a series: what a replay makes of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startShardHere } from '../../../src/shard/here.js';
import { Ingest } from '../../../src/shard/ingest.js';
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

test('an append that a slow shard keeps from the log comes behind a later one, and a replay still has its samples', async () => {
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
  // A remote write is answered when all before it are visible: the log has it long before that.
  for (let turn = 0; turn < 1000 && log.records.length === before; turn++) await nextTurn();
  letGo();
  assert.equal((await first).outcome.accepted, 2);
  assert.equal((await second).outcome.accepted, 1);

  const basesMs = log.records
    .filter((record) => record[0] === RecordType.Samples)
    .map((record) => Number(Buffer.from(record).readBigInt64BE(9)));
  assert.deepEqual(
    basesMs.filter((timeMs) => timeMs > 1000),
    [3000, 2000],
    'the order of the log',
  );
  const rig = new HeadRig();
  rig.head.beginReplay(0, 1);
  const late: [number, bigint][] = [];
  for (const record of log.records) {
    const isSeries = record[0] === RecordType.Series;
    assert.equal(rig.replay(record, isSeries ? 'series' : 'samples'), undefined);
    if (!isSeries) for (const { timeMs, bits } of rig.head.replayLate()) late.push([timeMs, bits]);
  }
  assert.deepEqual(late, [[2000, 0x4000000000000000n]]);
  await shards.close();
});
