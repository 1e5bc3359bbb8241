import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quarantine } from '../../../src/server/storage/quarantine.js';
import { BlockFault } from '../../../src/tsdb/block/contract.js';
import { isUlid } from '../../../src/tsdb/block/ulid.js';
import { verifyBlock } from '../../../src/tsdb/block/verify.js';
import { blocksIn, inMemory, openBlock, withBlock } from '../../support/block.js';
import { SimDisk } from '../../support/sim-disk.js';
import { conformance, conformanceMissing, testdata } from '../../support/testdata.js';

const KILLED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB');

test('verify: recorded blocks hold what they say', () => {
  for (const path of [KILLED, ...(conformanceMissing() ? [] : blocksIn(conformance('tsdb/blocks/data')))]) {
    withBlock(path, (block) => {
      const { series, chunks, samples } = block.meta.stats;
      assert.deepEqual(verifyBlock(block), { series, chunks, samples });
    });
  }
});

test('verify: a flipped bit in any chunk, series or list is found', () => {
  const disk = inMemory(KILLED);
  const pristine = { index: disk.readFile('data/block/index'), segment: disk.readFile('data/block/chunks/000001') };
  for (const [file, bytes, step] of [
    ['index', pristine.index, 61],
    ['chunks/000001', pristine.segment, 4099],
  ] as const) {
    // Behind the header, and not in the zeroes between sections.
    for (let at = 12; at < bytes.length; at += step) {
      if (bytes[at] === 0) continue;
      disk.damage(`data/block/${file}`, () => {
        const broken = Uint8Array.from(bytes);
        broken[at]! ^= 4;
        return broken;
      });
      if (file === 'index' && isUnread(at)) continue;
      assert.throws(() => withBlock('data/block', verifyBlock, disk), BlockFault, `${file} at ${at}`);
    }
    disk.damage(`data/block/${file}`, () => bytes);
  }
});

/** Label indices and their table are there for old readers; nobody looks at them. */
function isUnread(at: number): boolean {
  return withBlock(KILLED, ({ index: { toc } }) => {
    const inIndices = at >= toc.labelIndices && at < toc.postings;
    return inIndices || (at >= toc.labelOffsetTable && at < toc.postingsTable);
  });
}

test('quarantine: the folder is renamed, again and again, and nothing is lost', () => {
  const ulid = '01M7Y0DYVRQYB5RRVPA5E1T2RB';
  const disk = inMemory(KILLED, `data/${ulid}`);
  assert.equal(quarantine(disk, `data/${ulid}`), `data/${ulid}.bad`);
  assert.deepEqual(disk.list('data'), [`${ulid}.bad`]);
  openBlock(`data/${ulid}.bad`, disk).close();
  disk.makeFolder(`data/${ulid}`);
  assert.equal(quarantine(disk, `data/${ulid}`), `data/${ulid}.bad2`);
  assert.ok(disk.list('data').every((name) => !isUlid(name)));
});

test('quarantine: a disk that refuses leaves the block where it is', () => {
  const disk = new SimDisk();
  disk.makeFolder('data/b');
  disk.fail({ operation: 'rename', nth: 1, code: 'EROFS' });
  assert.throws(() => quarantine(disk, 'data/b'), { name: 'DiskError' });
  assert.deepEqual(disk.list('data'), ['b']);
});

const NAMES: [name: string, is: boolean][] = [
  ['01M7Y0DYVRQYB5RRVPA5E1T2RB', true],
  ['01m7y0dyvrqyb5rrvpa5e1t2rb', true],
  ['81M7Y0DYVRQYB5RRVPA5E1T2RB', false],
  ['01M7Y0DYVRQYB5RRVPA5E1T2R', false],
  ['01M7Y0DYVRQYB5RRVPA5E1T2RU', false],
  ['01M7Y0DYVRQYB5RRVPA5E1T2RB.bad', false],
  ['01M7Y0DYVRQYB5RRVPA5E1T2RB.tmp-for-creation', false],
  ['chunks_head', false],
];

for (const [name, is] of NAMES) {
  test(`a folder named ${name} is ${is ? 'a block' : 'none'}`, () => assert.equal(isUlid(name), is));
}
