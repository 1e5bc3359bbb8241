import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { BlockFault, type DeletedInterval } from '../../../src/tsdb/block/contract.js';
import {
  encodeTombstones,
  readTombstones,
  Tombstones,
  withInterval,
  writeTombstones,
} from '../../../src/tsdb/block/tombstones.js';
import { testCrc } from '../../support/block.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testdata } from '../../support/testdata.js';

const RECORDED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB/tombstones');

function onDisk(bytes: Uint8Array): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder('b');
  disk.writeFileAtomic('b/tombstones', bytes);
  return disk;
}

test('tombstones: a recorded file is read, and written as large', () => {
  const bytes = readFileSync(RECORDED);
  const tombstones = readTombstones(onDisk(bytes), 'b/tombstones', testCrc());
  assert.deepEqual(tombstones.series(), [234, 237]);
  assert.deepEqual(tombstones.of(234), [{ minTimeMs: 1769817600000, maxTimeMs: 1769824785000 }]);
  assert.deepEqual(tombstones.of(237), [{ minTimeMs: 1769821200000, maxTimeMs: 1769824785000 }]);
  assert.deepEqual(tombstones.of(1), []);
  assert.equal(tombstones.count, 2);
  // The same intervals, ours in the order of refs.
  assert.equal(encodeTombstones(tombstones, testCrc()).length, bytes.length);
});

test('tombstones: none at all, as Prometheus writes it', () => {
  const bytes = encodeTombstones(new Tombstones(), testCrc());
  assert.equal(Buffer.from(bytes).toString('hex'), '0130ba300100000000');
  assert.equal(readTombstones(onDisk(bytes), 'b/tombstones', testCrc()).isEmpty, true);
  assert.equal(readTombstones(new SimDisk(), 'b/tombstones', testCrc()).isEmpty, true);
});

test('tombstones: what was written is read again, the ends of time with it', () => {
  const tombstones = new Tombstones();
  tombstones.add(7, { minTimeMs: -(2 ** 63), maxTimeMs: -5 });
  tombstones.add(7, { minTimeMs: 10, maxTimeMs: 2 ** 63 });
  tombstones.add(2 ** 32 - 1, { minTimeMs: 0, maxTimeMs: 0 });
  const disk = new SimDisk();
  disk.makeFolder('b');
  writeTombstones(disk, 'b/tombstones', tombstones, testCrc());
  const again = readTombstones(disk, 'b/tombstones', testCrc());
  assert.deepEqual(again.series(), [7, 2 ** 32 - 1]);
  assert.deepEqual(again.of(7), tombstones.of(7));
  assert.equal(again.count, 3);
});

test('tombstones: intervals agree with a set of milliseconds', () => {
  const prng = new Prng(3);
  for (let round = 0; round < 300; round++) {
    let intervals: readonly DeletedInterval[] = [];
    const deleted = new Set<number>();
    for (let i = 0; i < 8; i++) {
      const minTimeMs = Math.floor(prng.float() * 60);
      const maxTimeMs = minTimeMs + Math.floor(prng.float() * 8);
      for (let time = minTimeMs; time <= maxTimeMs; time++) deleted.add(time);
      intervals = withInterval(intervals, { minTimeMs, maxTimeMs });
    }
    for (let time = 0; time < 70; time++) {
      const inside = intervals.filter((interval) => interval.minTimeMs <= time && time <= interval.maxTimeMs);
      assert.equal(inside.length, deleted.has(time) ? 1 : 0, `round ${round}, time ${time}`);
    }
    for (let i = 1; i < intervals.length; i++) {
      assert.ok(intervals[i]!.minTimeMs > intervals[i - 1]!.maxTimeMs + 1, `round ${round}: apart and rising`);
    }
  }
});

test('tombstones: a file that is cut, or that has a bit flipped, is a fault', () => {
  const bytes = readFileSync(RECORDED);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const broken = Uint8Array.from(bytes);
    broken[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => readTombstones(onDisk(broken), 'b/tombstones', testCrc()), BlockFault, `bit ${bit}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    const cut = onDisk(bytes.subarray(0, length));
    assert.throws(() => readTombstones(cut, 'b/tombstones', testCrc()), BlockFault, `${length} bytes`);
  }
});
