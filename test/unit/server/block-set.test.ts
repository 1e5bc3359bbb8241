import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError } from '../../../src/base/disk.js';
import { BlockSet } from '../../../src/server/storage/block-set.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { BlockFault, NOT_THERE } from '../../../src/tsdb/block/contract.js';
import { Tombstones, writeTombstones } from '../../../src/tsdb/block/tombstones.js';
import { copyInto, testCrc } from '../../support/block.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testdata } from '../../support/testdata.js';

const KILLED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB');
const ONE = '01M7Y0DXJ9842ERM7HS55F3Y8P';
const TWO = '01M7Y0DYVRQYB5RRVPA5E1T2RB';
const THREE = '01M7Y0DYZZZZZZZZZZZZZZZZZZ';

function setUp() {
  const disk = new SimDisk();
  disk.makeFolder('data/wal');
  const told: string[][] = [];
  const lines: string[] = [];
  const set = new BlockSet({
    disk,
    folder: 'data',
    logger: createLogger({ write: (line) => lines.push(line) }),
    tell: async (blocks) => {
      told.push(blocks.map(({ meta }) => meta.ulid));
    },
  });
  return { disk, set, told, lines };
}

/** A block whose name and description are its own. */
function addBlock(disk: SimDisk, ulid: string, parents: readonly string[] = []): void {
  copyInto(disk, KILLED, `data/${ulid}`);
  const meta = JSON.parse(Buffer.from(disk.readFile(`data/${ulid}/meta.json`)).toString()) as Record<string, unknown>;
  const compaction = {
    level: parents.length > 0 ? 2 : 1,
    parents: parents.map((parent) => ({ ulid: parent, minTime: 0, maxTime: 1 })),
  };
  disk.writeFileAtomic(`data/${ulid}/meta.json`, Buffer.from(JSON.stringify({ ...meta, ulid, compaction })));
}

test('a set is told once, and again when it is another', async () => {
  const { disk, set, told, lines } = setUp();
  await set.look();
  addBlock(disk, ONE);
  await set.look();
  await set.look();
  addBlock(disk, TWO);
  await set.look();
  disk.remove(`data/${ONE}`);
  await set.look();
  assert.deepEqual(told, [[ONE], [ONE, TWO], [TWO]]);
  assert.deepEqual([set.stats, lines], [{ looks: 5, failures: 0, quarantined: 0 }, []]);
  assert.ok(set.sizeBytes > 90_000);
});

test('a set of the same blocks is told again where other samples of them are deleted', async () => {
  const { disk, set, told } = setUp();
  addBlock(disk, ONE);
  await set.look();
  const tombstones = new Tombstones();
  tombstones.add(234, { minTimeMs: 1, maxTimeMs: 2 });
  writeTombstones(disk, `data/${ONE}/tombstones`, tombstones, testCrc());
  await set.look();
  await set.look();
  assert.deepEqual(told, [[ONE], [ONE]]);
});

test('blocks that another was made of are not served', async () => {
  const { disk, set, told } = setUp();
  for (const ulid of [ONE, TWO]) addBlock(disk, ulid);
  addBlock(disk, THREE, [ONE, TWO]);
  await set.look();
  assert.deepEqual(told, [[THREE]]);
});

test('damage that a reader met: nobody reads the block any more, then it is renamed', async () => {
  const { disk, set, told, lines } = setUp();
  for (const ulid of [ONE, TWO]) addBlock(disk, ulid);
  await set.look();
  const fault = new BlockFault(`data/${ONE}/chunks/000001`, 'chunk at 8', 'checksum');
  await Promise.all([set.report(fault), set.report(fault)]);
  await set.look();
  assert.deepEqual(told, [[ONE, TWO], [TWO]]);
  assert.deepEqual(disk.list('data'), [`${ONE}.bad`, TWO, 'wal']);
  assert.equal(set.stats.quarantined, 1);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /level=ERROR .*data\/01M7Y0DXJ9842ERM7HS55F3Y8P\.bad/);
});

test('a block that a reader cannot open for want of a file or of a disk: it keeps its name, and is tried again', async () => {
  for (const fault of [
    new BlockFault(`data/${ONE}/index`, 'file', NOT_THERE),
    new DiskError('open', `data/${ONE}/index`, 'EMFILE', new Error('too many open files')),
  ]) {
    const { disk, set, told, lines } = setUp();
    for (const ulid of [ONE, TWO]) addBlock(disk, ulid);
    await set.look();
    await set.report(fault);
    await set.look();
    await set.report(fault);
    assert.deepEqual(told, [[ONE, TWO], [TWO], [ONE, TWO], [TWO]]);
    assert.deepEqual(disk.list('data'), [ONE, TWO, 'wal']);
    assert.equal(set.stats.quarantined, 0);
    assert.deepEqual(lines.length, 1);
  }
});

test('a description that is damaged: the block is put aside at once', async () => {
  const { disk, set, told } = setUp();
  for (const ulid of [ONE, TWO]) addBlock(disk, ulid);
  disk.damage(`data/${ONE}/meta.json`, (bytes) => bytes.fill(0));
  await set.look();
  assert.deepEqual(told, [[TWO]]);
  assert.deepEqual(disk.list('data'), [`${ONE}.bad`, TWO, 'wal']);
});

test('a block that is being copied here waits until it is whole, and is spoken of once', async () => {
  const { disk, set, told, lines } = setUp();
  addBlock(disk, ONE);
  const meta = disk.readFile(`data/${ONE}/meta.json`);
  disk.unlink(`data/${ONE}/meta.json`);
  await set.look();
  await set.look();
  assert.deepEqual([told, lines.length], [[], 1]);
  disk.writeFileAtomic(`data/${ONE}/meta.json`, meta);
  await set.look();
  assert.deepEqual(told, [[ONE]]);
});

test('a disk that refuses: what is served goes on being served', async () => {
  const { disk, set, told, lines } = setUp();
  addBlock(disk, ONE);
  await set.look();
  disk.remove('data');
  await set.look();
  assert.deepEqual([told, set.blocks.length, set.stats.failures, lines.length], [[[ONE]], 1, 1, 1]);
});

test('a damaged block that cannot be renamed is served no more, and renamed when it can be', async () => {
  const { disk, set, told, lines } = setUp();
  addBlock(disk, ONE);
  await set.look();
  disk.fail({ operation: 'rename', nth: 1, code: 'EROFS' });
  await set.report(new BlockFault(`data/${ONE}/index`, 'series at 16', 'checksum'));
  assert.deepEqual(disk.list('data'), [ONE, 'wal']);
  assert.equal(lines.length, 1);
  await set.look();
  assert.deepEqual(told, [[ONE], []]);
  assert.deepEqual(disk.list('data'), [`${ONE}.bad`, 'wal']);
});

test('tombstones that a description counts and that are gone: the block is served, and it is said once', async () => {
  const { disk, set, told, lines } = setUp();
  addBlock(disk, ONE);
  const path = `data/${ONE}/meta.json`;
  const meta = JSON.parse(Buffer.from(disk.readFile(path)).toString()) as { stats: { numTombstones: number } };
  meta.stats.numTombstones = 3;
  disk.writeFileAtomic(path, Buffer.from(JSON.stringify(meta)));
  disk.remove(`data/${ONE}/tombstones`);
  await set.look();
  await set.look();
  assert.deepEqual(told, [[ONE]]);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /level=ERROR .*what was deleted of it is there again.* deletions=3/);
});
