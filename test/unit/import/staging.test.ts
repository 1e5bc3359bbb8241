// An import that was cut off by a crash: all of its blocks are there after the next start, or none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitImport, recoverImport, stagingFolder } from '../../../src/tsdb/import/staging.js';
import { SimDisk } from '../../support/sim-disk.js';

const ULIDS = ['01HQSTAGED000000000000000A', '01HQSTAGED000000000000000B', '01HQSTAGED000000000000000C'];
const STAGING = stagingFolder('data');

function staged(): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder('data');
  for (const ulid of ULIDS) {
    disk.makeFolder(`${STAGING}/${ulid}`);
    disk.writeFileAtomic(`${STAGING}/${ulid}/meta.json`, Buffer.from(ulid));
  }
  return disk;
}

const served = (disk: SimDisk) => disk.list('data').filter((name) => name !== 'narthex');

test('staging: without a commit nothing is served', () => {
  const disk = staged();
  recoverImport(disk, 'data');
  assert.deepEqual(served(disk), []);
  assert.equal(disk.stat(STAGING), undefined);
  recoverImport(disk, 'data');
});

test('staging: a commit that was cut off at any step is made up for', () => {
  for (let moved = 0; moved <= ULIDS.length; moved++) {
    const disk = staged();
    disk.writeFileAtomic(`${STAGING}/commit`, Buffer.from(ULIDS.join('\n')));
    for (const ulid of ULIDS.slice(0, moved)) disk.rename(`${STAGING}/${ulid}`, `data/${ulid}`);
    recoverImport(disk, 'data');
    assert.deepEqual(served(disk), ULIDS);
    assert.equal(disk.stat(STAGING), undefined);
  }
  const disk = staged();
  commitImport(disk, 'data', ULIDS);
  assert.deepEqual(served(disk), ULIDS);
});
