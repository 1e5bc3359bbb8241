// The simulated disk itself: what a crash keeps, and how faults come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PowerCut, SimDisk } from '../../support/sim-disk.js';
import { SECTOR_BYTES } from '../../support/sim-file.js';

const BYTES = Uint8Array.from({ length: 4 * SECTOR_BYTES }, (_, i) => 1 + (i % 250));

/** A disk with a durable folder `d`. */
function diskWithFolder(): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder('d');
  disk.syncFolder('');
  return disk;
}

function write(disk: SimDisk, path: string, bytes = BYTES, sync = true): void {
  const file = disk.open(path, 'create');
  disk.pwrite(file, bytes, 0);
  if (sync) disk.fdatasync(file);
  disk.close(file);
}

test('a crash without a seed: only what was synced is there, bytes by the file, names by the folder', () => {
  const disk = diskWithFolder();
  write(disk, 'd/both');
  write(disk, 'd/named', BYTES, false);
  disk.syncFolder('d');
  write(disk, 'd/written');
  disk.crash();
  assert.deepEqual(disk.list('d'), ['both', 'named']);
  assert.deepEqual(disk.readFile('d/both'), BYTES);
  assert.equal(disk.readFile('d/named').length, 0);
});

test('a kill keeps all, and closes files', () => {
  const disk = diskWithFolder();
  write(disk, 'd/x', BYTES, false);
  const file = disk.open('d/x', 'write');
  disk.kill();
  assert.deepEqual(disk.readFile('d/x'), BYTES);
  assert.throws(() => disk.pwrite(file, BYTES, 0), /not open/);
});

test('crashes with seeds: each pending sector has its old bytes or its new ones; both are seen, and sizes too', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const disk = diskWithFolder();
    write(disk, 'd/x');
    disk.syncFolder('d');
    const file = disk.open('d/x', 'write');
    // From the middle of one sector to the middle of another, and behind the end.
    disk.pwrite(file, new Uint8Array(2 * SECTOR_BYTES).fill(255), SECTOR_BYTES / 2);
    disk.pwrite(file, new Uint8Array(SECTOR_BYTES).fill(254), BYTES.length);
    disk.crash(seed);
    const bytes = disk.readFile('d/x');
    const sectors = [0, 1, 2].map((i) => {
      const from = Math.max(i * SECTOR_BYTES, SECTOR_BYTES / 2);
      const part = bytes.subarray(from, Math.min((i + 1) * SECTOR_BYTES, 2.5 * SECTOR_BYTES));
      const isNew = part.every((byte) => byte === 255);
      assert.ok(isNew || Buffer.compare(part, BYTES.subarray(from, from + part.length)) === 0, `seed ${seed}`);
      return isNew ? 'n' : 'o';
    });
    assert.deepEqual(bytes.subarray(0, SECTOR_BYTES / 2), BYTES.subarray(0, SECTOR_BYTES / 2), 'synced bytes stay');
    const tail = bytes.subarray(BYTES.length);
    const kind = tail.length === 0 ? '-' : tail.every((byte) => byte === 254) ? 'n' : tail.some((b) => b) ? 'g' : '0';
    seen.add(sectors.join('')).add(`tail ${kind}`);
  }
  for (const want of ['nnn', 'ooo', 'tail -', 'tail n', 'tail 0', 'tail g']) assert.ok(seen.has(want), want);
  assert.ok(
    [...seen].some((text) => /^(?=.*n)(?=.*o)[no]+$/.test(text)),
    'torn',
  );
});

test('names that are pending come or go each on its own; a rename is there or is not', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const disk = diskWithFolder();
    write(disk, 'd/old');
    disk.syncFolder('d');
    write(disk, 'd/new');
    disk.rename('d/old', 'd/moved');
    disk.crash(seed);
    const names = disk.list('d');
    assert.ok(names.includes('old') !== names.includes('moved'), `seed ${seed}: ${names}`);
    seen.add(names.join());
  }
  assert.deepEqual([...seen].sort(), ['moved', 'moved,new', 'new,old', 'old'].sort());
});

test('a folder that moves takes its own names along, durable or not', () => {
  const disk = diskWithFolder();
  disk.makeFolder('d/tmp');
  write(disk, 'd/tmp/synced');
  disk.syncFolder('d/tmp');
  write(disk, 'd/tmp/not');
  disk.rename('d/tmp', 'd/final');
  disk.syncFolder('d');
  assert.deepEqual(disk.list('d/final'), ['not', 'synced']);
  disk.crash();
  assert.deepEqual(disk.list('d/final'), ['synced']);
});

test('a link is a second name: the file stays while either does', () => {
  const disk = diskWithFolder();
  write(disk, 'd/x');
  disk.link('d/x', 'd/y');
  assert.throws(() => disk.link('d/x', 'd/y'), { code: 'EEXIST' });
  disk.syncFolder('d');
  disk.unlink('d/x');
  disk.syncFolder('d');
  disk.crash();
  assert.deepEqual(disk.list('d'), ['y']);
  assert.deepEqual(disk.readFile('d/y'), BYTES);
});

test('a failed fdatasync loses the pages: the next one answers well, and they are gone after a crash', () => {
  const disk = diskWithFolder();
  write(disk, 'd/x', BYTES, false);
  disk.syncFolder('d');
  const file = disk.open('d/x', 'write');
  disk.fail({ operation: 'fdatasync', nth: 1 });
  assert.throws(() => disk.fdatasync(file), { name: 'DiskError', code: 'EIO' });
  disk.fdatasync(file);
  assert.deepEqual(disk.readFile('d/x'), BYTES, 'the cache still shows them');
  disk.crash();
  assert.deepEqual(disk.readFile('d/x'), new Uint8Array(BYTES.length));
});

test('a full disk takes what fits and says so; room that comes back is used', () => {
  const disk = diskWithFolder();
  disk.capacity = 1000;
  const file = disk.open('d/x', 'create');
  assert.throws(() => disk.pwrite(file, BYTES, 0), { code: 'ENOSPC' });
  assert.equal(disk.size(file), 1000);
  disk.pwrite(file, BYTES.subarray(0, 1000), 0);
  assert.equal(disk.freeBytes(''), 0);
  disk.heal();
  disk.pwrite(file, BYTES, 0);
});

test('faults come at the n-th call of their kind and path, as often as they are told', () => {
  const disk = diskWithFolder();
  write(disk, 'd/x');
  const file = disk.open('d/x', 'read');
  const into = new Uint8Array(16);
  const outcome = () => {
    try {
      return disk.pread(file, into.fill(0), 0) === 16 && into.every((byte, i) => byte === BYTES[i]) ? 'ok' : 'wrong';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  disk.fail({ operation: 'pread', nth: 2, times: 2, code: 'EIO', path: 'd/x' });
  disk.fail({ operation: 'pread', nth: 5, effect: 'flip' });
  disk.fail({ operation: 'pread', nth: 6, effect: 'short' });
  disk.fail({ operation: 'pread', nth: 1, times: Infinity, path: 'elsewhere' });
  assert.deepEqual(Array.from({ length: 7 }, outcome), ['ok', 'EIO', 'EIO', 'ok', 'wrong', 'wrong', 'ok']);
});

test('the power cut comes before the n-th call, and nothing is done after it', () => {
  const disk = diskWithFolder();
  disk.cutPowerAt(2);
  const file = disk.open('d/x', 'create');
  assert.throws(() => disk.pwrite(file, BYTES, 0), PowerCut);
  assert.throws(() => disk.syncFolder('d'), PowerCut);
  disk.crash();
  assert.deepEqual(disk.list('d'), []);
});

test('a habit stays through crashes', () => {
  const disk = new SimDisk([{ skips: 'syncFolder', path: /^d$/ }]);
  disk.makeFolder('d');
  disk.syncFolder('');
  for (let i = 0; i < 2; i++) {
    write(disk, 'd/x');
    disk.syncFolder('d');
    disk.crash();
    assert.deepEqual(disk.list('d'), []);
  }
});
