import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockSet } from '../../../src/server/storage/block-set.js';
import { Scrubbing } from '../../../src/server/storage/scrubbing.js';
import { createLogger } from '../../../src/telemetry/log.js';
import type { CompactorOp, CompactorPort, CompactorRequest } from '../../../src/tsdb/compact/protocol.js';
import { Scrub } from '../../../src/tsdb/compact/scrub.js';
import { copyInto } from '../../support/block.js';
import { FakeClock } from '../../support/clock.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testdata } from '../../support/testdata.js';
import { testCore } from '../../support/wal.js';

const KILLED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB');
const ULIDS = ['01M7Y0DXJ9842ERM7HS55F3Y8P', '01M7Y0DYVRQYB5RRVPA5E1T2RB', '01M7Y0DYZZZZZZZZZZZZZZZZZZ'];
const DAY_MS = 86_400_000;

/** A compactor that does one step of a scrub a task, and notes which block it was. */
async function setUp() {
  const disk = new SimDisk();
  for (const ulid of ULIDS) {
    copyInto(disk, KILLED, `data/${ulid}`);
    const meta = Buffer.from(disk.readFile(`data/${ulid}/meta.json`)).toString();
    disk.writeFileAtomic(`data/${ulid}/meta.json`, Buffer.from(meta.replaceAll(ULIDS[1]!, ulid)));
  }
  const scrub = new Scrub(disk, testCore());
  const read: string[] = [];
  const compactor = {
    call: (_op: CompactorOp, request: CompactorRequest<'scrubBlock'>) => {
      const step = scrub.step(request.path, () => false);
      if (step.state !== 'more') read.push(`${request.path.slice(5)} ${step.state}`);
      return Promise.resolve(step);
    },
    close: () => Promise.resolve(),
  } as unknown as CompactorPort;
  const clock = new FakeClock();
  const logger = createLogger({ write: () => {} });
  const blocks = new BlockSet({ disk, folder: 'data', logger, tell: () => Promise.resolve() });
  await blocks.look();
  const scrubbing = new Scrubbing({ compactor, clock, logger }, blocks);
  scrubbing.start();
  const pass = async (ms: number, times = 1) => {
    for (let i = 0; i < times; i++) {
      clock.advance(ms);
      for (let turn = 0; turn < 8; turn++) await Promise.resolve();
    }
  };
  return { disk, blocks, scrubbing, read, pass };
}

test('every block is read once in a week, in steps', async () => {
  const { scrubbing, read, pass, disk } = await setUp();
  await pass(2500);
  assert.deepEqual(read, []);
  await pass(2500, 50);
  assert.deepEqual(
    read,
    ULIDS.map((ulid) => `${ulid} sound`),
  );
  await pass(DAY_MS, 6);
  assert.equal(read.length, 3);
  await pass(DAY_MS);
  await pass(2500, 50);
  assert.equal(read.length, 6);
  assert.deepEqual(scrubbing.stats, { blocks: 6, damaged: 0 });
  assert.equal(disk.openFiles, 0);
  await scrubbing.close();
  await pass(DAY_MS, 10);
  assert.equal(read.length, 6);
});

test('a damaged block is put aside, and the others are read', async () => {
  const { disk, blocks, scrubbing, read, pass } = await setUp();
  disk.damage(`data/${ULIDS[1]}/chunks/000001`, (bytes) => {
    bytes[50_000]! ^= 1;
    return bytes;
  });
  await pass(2500, 100);
  assert.deepEqual(read, [`${ULIDS[0]} sound`, `${ULIDS[1]} damaged`, `${ULIDS[2]} sound`]);
  assert.deepEqual(disk.list('data'), [ULIDS[0], `${ULIDS[1]}.bad`, ULIDS[2]]);
  assert.equal(blocks.blocks.length, 2);
  assert.deepEqual(scrubbing.stats, { blocks: 2, damaged: 1 });
  assert.equal(disk.openFiles, 0);
});

test('a block that a query could not read is the next', async () => {
  const { scrubbing, read, pass } = await setUp();
  await pass(2500);
  scrubbing.suspect(`data/${ULIDS[2]}`);
  await pass(2500, 100);
  assert.equal(read[0], `${ULIDS[2]} sound`);
  assert.equal(read.length, 3);
  scrubbing.suspect(`data/${ULIDS[2]}`);
  await pass(2500, 100);
  assert.equal(read.length, 4);
});

test('a disk that refuses is no damage', async () => {
  const { disk, blocks, read, pass } = await setUp();
  disk.fail({ operation: 'pread', nth: 1, times: Number.POSITIVE_INFINITY, path: ULIDS[0] });
  await pass(2500, 100);
  assert.equal(read[0], `${ULIDS[0]} unread`);
  assert.equal(blocks.blocks.length, 3);
  assert.equal(disk.openFiles, 0);
});
