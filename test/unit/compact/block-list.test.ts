import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import type { BlockMeta } from '../../../src/tsdb/block/contract.js';
import { newUlid } from '../../../src/tsdb/block/ulid.js';
import {
  BlockList,
  blockListPath,
  missingBlocks,
  type NotedBlock,
  readBlockList,
} from '../../../src/tsdb/compact/block-list.js';
import { Core } from '../../../src/wasm/core.js';
import { Crc32c } from '../../../src/wasm/crc32c.js';
import { SimDisk } from '../../support/sim-disk.js';

const crc = new Crc32c(new Core());
const HOUR = 3_600_000;

function newDisk(): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder('data/narthex');
  return disk;
}

function someBlocks(random: Prng, count: number): NotedBlock[] {
  return Array.from({ length: count }, (_, i) => {
    const minTimeMs = (i - 3) * 2 * HOUR;
    return { ulid: newUlid(1e12 + random.int(1e9)), minTimeMs, maxTimeMs: minTimeMs + 2 * HOUR };
  });
}

test('list of blocks: what was written last is read, by whoever comes next too', () => {
  const random = new Prng(1);
  const disk = newDisk();
  assert.deepEqual(readBlockList(disk, 'data', crc), []);
  for (let session = 0; session < 3; session++) {
    const list = new BlockList(disk, 'data', crc);
    for (const count of [0, 1, 3, 90]) {
      const blocks = someBlocks(random, count);
      list.write(blocks);
      assert.deepEqual(readBlockList(disk, 'data', crc), blocks);
    }
  }
});

test('list of blocks: of more than it holds the newest are there', () => {
  const disk = newDisk();
  const blocks = someBlocks(new Prng(2), 200);
  new BlockList(disk, 'data', crc).write(blocks);
  const found = readBlockList(disk, 'data', crc);
  assert.ok(found.length > 90);
  assert.deepEqual(found, blocks.slice(-found.length));
});

test('list of blocks: with any bit wrong it is what it was before, or nothing', () => {
  const random = new Prng(3);
  const disk = newDisk();
  const list = new BlockList(disk, 'data', crc);
  const [before, after] = [someBlocks(random, 2), someBlocks(random, 3)];
  list.write(before);
  list.write(after);
  const path = blockListPath('data');
  for (let at = 0; at < disk.stat(path)!.size; at++) {
    const bit = 1 << random.int(8);
    const flip = (bytes: Uint8Array) => {
      bytes[at]! ^= bit;
      return bytes;
    };
    disk.damage(path, flip);
    const found = JSON.stringify(readBlockList(disk, 'data', crc));
    assert.ok(
      [before, after].some((blocks) => JSON.stringify(blocks) === found),
      `byte ${at}: ${found}`,
    );
    disk.damage(path, flip);
  }
});

const noted = (ulid: string): NotedBlock => ({ ulid, minTimeMs: 0, maxTimeMs: 1 });
const served = (ulid: string, compaction: Partial<BlockMeta['compaction']> = {}) =>
  ({ ulid, compaction: { level: 1, sources: [ulid], ...compaction } }) as BlockMeta;
const parent = (ulid: string) => ({ ulid, minTimeMs: 0, maxTimeMs: 1 });

const CASES: [what: string, served: BlockMeta[], names: string[], missing: string[]][] = [
  ['nothing is left', [], [], ['A', 'B']],
  ['both are served', [served('A'), served('B')], ['A', 'B'], []],
  ['one is', [served('B')], ['B'], ['A']],
  ['one was put aside', [served('B')], ['A.bad2', 'B'], []],
  ['one cannot be read now', [served('B')], ['A', 'B'], []],
  ['a block is made of them', [served('C', { parents: [parent('A'), parent('B')] })], ['C'], []],
  ['a block of a block is made of them', [served('D', { sources: ['A', 'B'], parents: [parent('C')] })], ['D'], []],
];
for (const [what, blocks, names, missing] of CASES) {
  test(`missing blocks: ${what}`, () => {
    const found = missingBlocks([noted('A'), noted('B')], blocks, names);
    assert.deepEqual(
      found.map(({ ulid }) => ulid),
      missing,
    );
  });
}
