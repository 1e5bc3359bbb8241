// The schedule of head cuts: shards and compactor in this thread, a clock turned by hand, a log that only notes.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Labels } from '../../../src/model/labels.js';
import { HeadCutting } from '../../../src/server/storage/cutting.js';
import { HeadSchedule } from '../../../src/server/storage/head-schedule.js';
import { LateCutting } from '../../../src/server/storage/late-cutting.js';
import type { StorageParts } from '../../../src/server/storage/options.js';
import { Truncation } from '../../../src/server/storage/truncation.js';
import { Ingest } from '../../../src/shard/ingest.js';
import type { Outcome } from '../../../src/shard/protocol.js';
import type { Shards } from '../../../src/shard/shards.js';
import { FakeClock } from '../../support/clock.js';
import { blocksOf, HereCompactor, QuietLog } from '../../support/head-cuts.js';
import { anyOwner, packSamples, testShards } from '../../support/shards.js';
import { SimDisk } from '../../support/sim-disk.js';

const DATA = 'data';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SHARDS = 2;
const LOOK_MS = 15_000;
const LABELS: Labels[] = Array.from({ length: 20 }, (_, i) => ['__name__', 'm', 'id', `${i}`]);

const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing) await close();
});

class Rig {
  readonly disk = new SimDisk();
  readonly clock = new FakeClock(0);
  readonly log = new QuietLog();
  readonly checkpoints: number[] = [];
  /** How many checkpoints fail. */
  refusals = 0;
  readonly compactor = new HereCompactor(this.disk, DATA);
  readonly schedule: HeadSchedule;
  readonly #ingest: Ingest;

  private constructor(
    readonly shards: Shards,
    memoryBytes: number,
    floorMs: number,
  ) {
    this.disk.makeFolder(DATA);
    // As storage has them: half a block behind the newest, and never before the floor.
    this.#ingest = new Ingest(shards, () => ({
      minTimeMs: Math.max(this.#ingest.newestMs - HOUR, this.schedule.floorMs),
      maxTimeMs: 2 ** 52,
    }));
    const parts: StorageParts = {
      shards,
      ingest: this.#ingest,
      log: {
        open: () => Promise.resolve(),
        sync: () => Promise.resolve(),
        roll: () => Promise.resolve(0),
        refreshStats: () => Promise.resolve(undefined),
        checkpoint: async (_refs, minTimeMs) => {
          if (this.refusals-- > 0) throw new Error('the log cannot be cut');
          this.checkpoints.push(minTimeMs);
        },
        rollLate: () => Promise.resolve(undefined),
        dropLate: () => Promise.resolve(),
      },
      compactor: this.compactor,
      options: {
        path: DATA,
        shards: SHARDS,
        memoryBytes,
        sync: { mode: 'group' },
        blockMs: 2 * HOUR,
        onHopeless() {},
      },
      clock: this.clock,
      logger: this.log.logger,
    };
    const cutting = new HeadCutting(shards, this.compactor);
    this.schedule = new HeadSchedule(parts, {
      cutting,
      late: new LateCutting(parts, cutting, () => Promise.resolve()),
      truncation: new Truncation(parts, { before: () => Promise.resolve() }),
      floorMs,
      onBlock: async () => {},
    });
    closing.push(async () => {
      await this.schedule.close();
      await shards.close();
    });
  }

  static async open({ memoryBytes = 2 ** 29, floorMs = Number.NEGATIVE_INFINITY } = {}): Promise<Rig> {
    const { shards } = await testShards(SHARDS, memoryBytes);
    return new Rig(shards, memoryBytes, floorMs);
  }

  /** A sample a minute of every series, both ends included. */
  async fill(fromMs: number, toMs: number): Promise<Outcome> {
    const samples: [number, number][] = [];
    for (let timeMs = fromMs; timeMs <= toMs; timeMs += MINUTE) samples.push([timeMs, timeMs]);
    const series = LABELS.map((labels) => ({ labels, samples: packSamples(samples) }));
    return this.#ingest.append(series, fromMs, anyOwner(SHARDS));
  }

  /** Lets a look come, and waits for what it does. */
  async look(): Promise<void> {
    this.clock.advance(LOOK_MS);
    await this.idle();
  }

  /** Everything runs in this thread, so turns of the event loop are all it takes. */
  async idle(): Promise<void> {
    for (let turn = 0; turn < 3000; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Hours of the blocks, and samples of one series in each. */
  blocks(): [min: number, max: number, samples: number][] {
    return blocksOf(this.disk, DATA).map(({ minTimeMs, maxTimeMs, samples }) => {
      assert.equal(samples.size, LABELS.length);
      return [minTimeMs / HOUR, maxTimeMs / HOUR, samples.get(LABELS[3]!.join('\0'))!.length];
    });
  }

  async oldestHour(): Promise<number> {
    const times = await Promise.all(
      this.shards.handles.map(({ client }) => client.call('oldestTime', { minTimeMs: -(2 ** 52), from: 0 }, 'rules')),
    );
    return Math.min(...times.map(({ oldestMs }) => oldestMs)) / HOUR;
  }
}

test('nothing is cut up to three hours, then the first two are, and leave head and log', async () => {
  const rig = await Rig.open();
  await rig.fill(0, 3 * HOUR);
  rig.schedule.start();
  await rig.idle();
  assert.deepEqual(rig.blocks(), []);
  assert.equal(rig.schedule.oldestMs, 0);
  await rig.fill(3 * HOUR + MINUTE, 3 * HOUR + 2 * MINUTE);
  await rig.look();
  assert.deepEqual(rig.blocks(), [[0, 2, 120]]);
  assert.equal(await rig.oldestHour(), 2);
  assert.deepEqual(rig.checkpoints, [2 * HOUR]);
  assert.equal(rig.schedule.floorMs, 2 * HOUR);
  assert.deepEqual(
    { ...rig.schedule.stats, seconds: 0 },
    { cuts: 1, failures: 0, truncations: 1, truncationFailures: 0, seconds: 0 },
  );
});

test('a head that is behind is cut several times in a row, over gaps too', async () => {
  const rig = await Rig.open();
  await rig.fill(30 * MINUTE, 5 * HOUR);
  await rig.fill(100 * HOUR, 103 * HOUR);
  rig.schedule.start();
  await rig.idle();
  assert.deepEqual(rig.blocks(), [
    [0, 2, 90],
    [2, 4, 120],
    [4, 6, 61],
  ]);
  assert.equal(await rig.oldestHour(), 100);
  const late = await rig.fill(5 * HOUR, 5 * HOUR + MINUTE);
  assert.equal(late.tooOld, 2 * LABELS.length);
});

test('a block that was there is not cut again', async () => {
  const rig = await Rig.open({ floorMs: 2 * HOUR });
  const outcome = await rig.fill(0, 6 * HOUR);
  assert.equal(outcome.tooOld, 120 * LABELS.length);
  rig.schedule.start();
  await rig.idle();
  assert.deepEqual(rig.blocks(), [[2, 4, 120]]);
});

test('a full disk: nothing leaves the head, it is said, and tried again', async () => {
  const rig = await Rig.open();
  await rig.fill(0, 4 * HOUR);
  rig.disk.capacity = 2000;
  rig.schedule.start();
  await rig.idle();
  assert.deepEqual(rig.disk.list(DATA), []);
  assert.equal(await rig.oldestHour(), 0);
  assert.equal(rig.schedule.floorMs, Number.NEGATIVE_INFINITY);
  assert.equal(rig.schedule.stats.failures, 1);
  assert.deepEqual(rig.log.lines.at(-1)?.[0], 'error');
  await rig.look();
  assert.equal(rig.schedule.stats.failures, 2);
  rig.disk.heal();
  await rig.look();
  assert.deepEqual(rig.blocks(), [[0, 2, 120]]);
  assert.equal(await rig.oldestHour(), 2);
});

test('a log that cannot be cut: the block stays, is not written twice, and the log is tried again', async () => {
  const rig = await Rig.open();
  await rig.fill(0, 4 * HOUR);
  rig.refusals = 2;
  rig.schedule.start();
  await rig.idle();
  await rig.look();
  assert.deepEqual(rig.checkpoints, []);
  await rig.look();
  assert.deepEqual(rig.checkpoints, [2 * HOUR]);
  assert.deepEqual(rig.blocks(), [[0, 2, 120]]);
  assert.equal(rig.schedule.stats.truncationFailures, 2);
});

test('where memory is short the older half leaves early, and nothing is lost', async () => {
  const rig = await Rig.open({ memoryBytes: 40 * 2 ** 20 });
  await rig.fill(0, HOUR);
  rig.schedule.start();
  await rig.idle();
  assert.deepEqual(rig.blocks(), []);
  // Somebody else takes the memory.
  const { handles } = rig.shards;
  for (const { client } of handles) {
    const { call } = client;
    client.call = ((op: 'counters', ...rest: [never, never]) =>
      op === 'counters' ? Promise.resolve({ heldBytes: 2 ** 25 }) : call.call(client, op, ...rest)) as typeof call;
  }
  await rig.look();
  // Half of what is there each time, as long as that is five minutes and more.
  const blocks = rig.blocks();
  assert.deepEqual(
    blocks.map(([, max]) => max * 60),
    [30, 45, 52],
  );
  for (const [i, [min]] of blocks.slice(1).entries()) assert.equal(min, blocks[i]![1]);
  assert.deepEqual(
    blocks.map(([, , samples]) => samples),
    [30, 15, 7],
  );
  assert.equal((await rig.oldestHour()) * 60, 52);
});

test('closed while a cut is under way: it ends, and nothing is dropped', async () => {
  const rig = await Rig.open();
  await rig.fill(0, 4 * HOUR);
  let closed: Promise<void> | undefined;
  rig.compactor.before = (op) => {
    if (op === 'sortCut') closed = rig.schedule.close();
  };
  rig.schedule.start();
  await rig.idle();
  await closed;
  assert.equal(await rig.oldestHour(), 0);
  assert.deepEqual(rig.checkpoints, []);
});
