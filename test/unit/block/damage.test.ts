// A block that is damaged is a fault, or answers as before: never something else, and never something wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import { BlockFault } from '../../../src/tsdb/block/contract.js';
import { listBlocks, openBlocks } from '../../../src/tsdb/block/open-blocks.js';
import { labelValues, selectSeries } from '../../../src/tsdb/block/select.js';
import { copyInto, inMemory, openBlock, rawSeries, testCrc, withBlock } from '../../support/block.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testdata } from '../../support/testdata.js';

const ULID = '01M7Y0DYVRQYB5RRVPA5E1T2RB';
const KILLED = testdata(`blocks/killed/${ULID}`);
const PATH = 'data/block';
/** Of each kind and file; one reads all of the block. */
const ROUNDS = 25;
const FILES = ['index', 'chunks/000001', 'tombstones'];

/** All that one can ask a block. */
function answers(disk: SimDisk): unknown {
  return withBlock(
    PATH,
    (block) => ({
      series: rawSeries(block),
      deleted: block.tombstones.series().map((ref) => [ref, block.tombstones.of(ref)]),
      values: block.index.names().map((name) => labelValues(block, name, [{ name: '__name__', op: '!=', value: 'x' }])),
      selected: [...selectSeries(block, [{ name: 'instance', op: '=~', value: 'k0:.+' }])],
    }),
    disk,
  );
}

type Damage = (bytes: Uint8Array, prng: Prng) => Uint8Array;

const DAMAGES: [name: string, damage: Damage][] = [
  [
    'a bit is flipped',
    (bytes, prng) => {
      bytes[prng.int(bytes.length)]! ^= 1 << prng.int(8);
      return bytes;
    },
  ],
  ['the end is cut', (bytes, prng) => bytes.slice(0, prng.int(bytes.length))],
  [
    'a stretch is zero',
    (bytes, prng) => {
      const at = prng.int(bytes.length);
      return bytes.fill(0, at, at + 1 + prng.int(4096));
    },
  ],
  [
    'bytes are strange',
    (bytes, prng) => {
      const at = prng.int(bytes.length);
      for (let i = at; i < Math.min(bytes.length, at + 12); i++) bytes[i] = prng.int(256);
      return bytes;
    },
  ],
  [
    'bytes are missing in the middle',
    (bytes, prng) => {
      const at = prng.int(bytes.length);
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + prng.int(16))]);
    },
  ],
];

for (const file of FILES) {
  for (const [name, damage] of DAMAGES) {
    test(`${file}: ${name}`, () => {
      const right = answers(inMemory(KILLED));
      const pristine = inMemory(KILLED).readFile(`${PATH}/${file}`);
      const disk = inMemory(KILLED);
      let faults = 0;
      for (let seed = 1; seed <= ROUNDS; seed++) {
        disk.damage(`${PATH}/${file}`, () => damage(Uint8Array.from(pristine), new Prng(seed)));
        try {
          assert.deepEqual(answers(disk), right, `seed ${seed}`);
        } catch (error) {
          if (!(error instanceof BlockFault)) throw new Error(`seed ${seed}`, { cause: error });
          faults++;
        }
      }
      assert.ok(faults > ROUNDS / 2, `${faults} faults`);
    });
  }
}

for (const file of ['index', 'chunks', 'chunks/000001', 'meta.json']) {
  test(`${file} is not there`, () => {
    const disk = inMemory(KILLED);
    disk.remove(`${PATH}/${file}`);
    assert.throws(() => answers(disk), BlockFault);
  });
}

test('a disk that refuses is not taken for a damaged block, and no file stays open', () => {
  for (const operation of ['open', 'pread'] as const) {
    for (let nth = 1; ; nth++) {
      const disk = inMemory(KILLED);
      disk.fail({ operation, nth, times: 2, path: 'data/' });
      try {
        openBlock(PATH, disk).close();
        assert.ok(nth > 1);
        break;
      } catch (error) {
        assert.ok(error instanceof DiskError, `${operation} ${nth}: ${error}`);
        assert.equal(disk.openFiles, 0, `${operation} ${nth}`);
      }
    }
  }
});

test('a read that fails once is tried again', () => {
  const right = answers(inMemory(KILLED));
  const disk = inMemory(KILLED);
  disk.fail({ operation: 'pread', nth: 3, path: 'data/block/index' });
  disk.fail({ operation: 'pread', nth: 1, path: 'data/block/chunks' });
  assert.deepEqual(answers(disk), right);
});

test('a data directory: good blocks in the order of time, bad ones reported, the rest passed over', () => {
  const disk = new SimDisk();
  const early = '01M7Y0DXJ9842ERM7HS55F3Y8P';
  const bad = '01M7Y0DXKKSAXXFXF93BV48HZG';
  copyInto(disk, KILLED, `data/${ULID}`);
  copyInto(disk, KILLED, `data/${early}`);
  copyInto(disk, KILLED, `data/${bad}`);
  copyInto(disk, KILLED, `data/${early}.tmp-for-creation`);
  copyInto(disk, KILLED, `data/${early}.bad`);
  disk.makeFolder('data/wal');
  const later = Buffer.from(disk.readFile(`data/${early}/meta.json`))
    .toString()
    .replace('1769817600000', '1769817600001');
  disk.writeFileAtomic(`data/${early}/meta.json`, Buffer.from(later));
  disk.unlink(`data/${bad}/index`);

  const opened = openBlocks(disk, 'data', testCrc());
  assert.deepEqual(
    opened.blocks.map(({ path }) => path),
    [`data/${ULID}`, `data/${early}`],
  );
  assert.deepEqual(
    opened.bad.map(({ path, fault }) => [path, fault.message]),
    [[`data/${bad}`, `data/${bad}/index: file: not there`]],
  );
  const listed = listBlocks(disk, 'data');
  // A list looks at descriptions alone.
  assert.deepEqual(
    listed.blocks.map(({ path }) => path),
    [`data/${bad}`, `data/${ULID}`, `data/${early}`],
  );
  assert.equal(listed.blocks[1]!.sizeBytes, opened.blocks[0]!.sizeBytes);
  for (const block of opened.blocks) block.close();
  assert.equal(disk.openFiles, 0);

  disk.unlink(`data/${bad}/meta.json`);
  assert.deepEqual(
    listBlocks(disk, 'data').bad.map(({ fault }) => fault.message),
    [`data/${bad}/meta.json: file: not there`],
  );
});
