// Looking after blocks: the compactor in this thread, a disk in memory, a clock turned by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockKeeping } from '../../../src/server/storage/block-keeping.js';
import { listBlocks } from '../../../src/tsdb/block/open-blocks.js';
import { newUlid } from '../../../src/tsdb/block/ulid.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import type { Retention } from '../../../src/tsdb/compact/retention.js';
import { supersededBlocks } from '../../../src/tsdb/compact/superseded.js';
import { chunkAt, fill } from '../../support/blocks.js';
import { FakeClock } from '../../support/clock.js';
import { HereCompactor, QuietLog } from '../../support/head-cuts.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testCore } from '../../support/wal.js';

const BLOCK_MS = 7_200_000;
const LOOK_MS = 60_000;
const DATA = 'data';
const KEEP_ALL = { timeMs: 0, bytes: 0, percentage: 0 };

class Rig {
  readonly disk = new SimDisk();
  readonly clock = new FakeClock(1_800_000_000_000);
  readonly log = new QuietLog();
  readonly keeping: BlockKeeping;
  /** Blocks that were to be seen each time that readers were told. */
  readonly told: string[][] = [];

  constructor(blocks: number, retention: Retention = KEEP_ALL) {
    this.disk.makeFolder(DATA);
    this.keeping = new BlockKeeping(
      {
        compactor: new HereCompactor(this.disk, DATA),
        clock: this.clock,
        logger: this.log.logger,
        options: { blockMs: BLOCK_MS },
      },
      { look: async () => {}, changed: async () => void this.told.push(this.served()), retention },
    );
    for (let i = 0; i < blocks; i++) this.add(i);
  }

  /** A block of the i-th two hours. */
  add(i: number): void {
    const minTimeMs = i * BLOCK_MS;
    const ulid = newUlid(i);
    const writer = BlockWriter.create(this.disk, DATA, ulid, { core: testCore() });
    fill(writer, [{ labels: { a: 'b' }, chunks: [chunkAt([minTimeMs])] }]);
    writer.finish({ minTimeMs, maxTimeMs: minTimeMs + BLOCK_MS, compaction: { level: 1, sources: [ulid] } });
  }

  /** Spans of the blocks that queries would read, in blocks. */
  served(): string[] {
    const metas = listBlocks(this.disk, DATA).blocks.map(({ meta }) => meta);
    const superseded = supersededBlocks(metas);
    return metas
      .filter(({ ulid }) => !superseded.has(ulid))
      .map(({ minTimeMs, maxTimeMs }) => `${minTimeMs / BLOCK_MS}-${maxTimeMs / BLOCK_MS}`);
  }

  /** Everything runs in this thread. */
  async idle(): Promise<void> {
    for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  async look(): Promise<void> {
    this.clock.advance(LOOK_MS);
    await this.idle();
  }
}

test('blocks: merged level by level; readers hear of each before its parents go', async () => {
  const rig = new Rig(10);
  rig.keeping.start();
  await rig.look();
  assert.deepEqual(rig.served(), ['0-9', '9-10']);
  assert.deepEqual(rig.told, [
    ['0-3', '3-4', '4-5', '5-6', '6-7', '7-8', '8-9', '9-10'],
    ['0-3', '3-6', '6-7', '7-8', '8-9', '9-10'],
    ['0-3', '3-6', '6-9', '9-10'],
    ['0-9', '9-10'],
  ]);
  assert.equal(rig.disk.list(DATA).length, 2, 'no parent is left');
  const { triggered, compactions, vertical, failures, bytes } = rig.keeping.stats;
  assert.deepEqual(
    { triggered, compactions, vertical, failures },
    { triggered: 1, compactions: 4, vertical: 0, failures: 0 },
  );
  assert.ok(bytes > 0);
  await rig.keeping.close();
});

test('blocks: what is too old goes at the next look, with the limit of then', async () => {
  const rig = new Rig(3, { ...KEEP_ALL, timeMs: 2.5 * BLOCK_MS });
  rig.keeping.start();
  await rig.look();
  assert.deepEqual(rig.served(), ['0-1', '1-2', '2-3']);
  rig.keeping.setRetention({ ...KEEP_ALL, timeMs: BLOCK_MS });
  await rig.look();
  assert.deepEqual(rig.served(), ['2-3']);
  assert.deepEqual(rig.told, [['2-3']]);
  assert.equal(rig.disk.list(DATA).length, 1);
  assert.equal(rig.keeping.stats.timeRetentions, 1);
  rig.keeping.setRetention({ ...KEEP_ALL, bytes: 1 });
  await rig.look();
  assert.deepEqual(rig.disk.list(DATA), []);
  assert.equal(rig.keeping.stats.sizeRetentions, 1);
  await rig.keeping.close();
});

test('blocks: what fails is said and tried again', async () => {
  const rig = new Rig(4);
  rig.disk.fail({ operation: 'pwrite', nth: 1, code: 'ENOSPC' });
  rig.keeping.start();
  await rig.look();
  assert.equal(rig.keeping.stats.failures, 1);
  assert.equal(rig.served().length, 4);
  rig.disk.heal();
  await rig.look();
  assert.deepEqual(rig.served(), ['0-3', '3-4']);
  assert.equal(rig.keeping.stats.compactions, 1);
  await rig.keeping.close();
});

test('blocks: superseded ones that a crash has left are removed', async () => {
  const rig = new Rig(4);
  rig.disk.fail({ operation: 'rename', nth: 4 });
  rig.keeping.start();
  await rig.look();
  const left = rig.disk.list(DATA).length;
  assert.ok(left > 2, `${left} folders`);
  assert.deepEqual(rig.served(), ['0-3', '3-4']);
  rig.disk.heal();
  await rig.look();
  assert.equal(rig.disk.list(DATA).length, 2);
  await rig.keeping.close();
});

test('blocks: old ones go though the disk is full', async () => {
  const rig = new Rig(3, { ...KEEP_ALL, timeMs: BLOCK_MS });
  rig.disk.capacity = rig.disk.usedBytes;
  rig.keeping.start();
  await rig.look();
  assert.deepEqual(rig.served(), ['2-3']);
  assert.equal(rig.disk.list(DATA).length, 1);
  await rig.keeping.close();
});
