import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { realDisk } from '../../src/base/disk.js';
import type { Flocked } from '../../src/base/flock.js';
import { DirectoryInUse, DirectoryLock } from '../../src/tsdb/lock.js';
import { missing, peerBinary } from '../support/peers.js';
import { startPeer } from '../support/servers.js';
import { SimDisk } from '../support/sim-disk.js';

function take(disk: SimDisk, pid: number, flock: Flocked = 'locked', running: number[] = []): DirectoryLock {
  const isRunning = (other: number) => running.includes(other);
  return DirectoryLock.take({ disk, folder: 'data', pid, nowMs: 1000, flock: () => flock, isRunning });
}

test('a clean start and a clean stop', () => {
  const disk = new SimDisk();
  const lock = take(disk, 7);
  assert.equal(lock.cleanStart, 1);
  assert.equal(lock.isReal, true);
  assert.match(new TextDecoder().decode(disk.readFile('data/lock')), /^\{"pid":7,"startedMs":1000,"bootId":""\}\n$/);
  lock.release();
  assert.equal(disk.stat('data/lock'), undefined);
  assert.equal(take(disk, 8).cleanStart, 1);
});

test('a file left by a killed server is replaced', () => {
  const disk = new SimDisk();
  take(disk, 700_000);
  const lock = take(disk, 8);
  assert.equal(lock.cleanStart, 0);
  assert.match(new TextDecoder().decode(disk.readFile('data/lock')), /^\{"pid":8,/);
});

const FILES: [name: string, content: string, pid: number | undefined][] = [
  ['ours', '{"pid":9,"startedMs":1,"bootId":""}', 9],
  ['of a Prometheus', '', undefined],
  ['with something else in it', '{"pid":"9"}', undefined],
  ['with no JSON in it', '12345', undefined],
];

for (const [name, content, pid] of FILES) {
  test(`held by another: refused, naming the process where the file does; a file ${name}`, () => {
    const disk = new SimDisk();
    disk.makeFolder('data');
    disk.writeFileAtomic('data/lock', new TextEncoder().encode(content));
    assert.throws(
      () => take(disk, 8, 'held'),
      (error) => error instanceof DirectoryInUse && error.pid === pid,
    );
  });
}

test('without flock(1): our own lock counts while its process runs', () => {
  const disk = new SimDisk();
  assert.equal(take(disk, 7, 'unsupported').isReal, false);
  assert.throws(() => take(disk, 8, 'unsupported', [7]), DirectoryInUse);
  assert.equal(take(disk, 8, 'unsupported').cleanStart, 0);
});

test('a directory that cannot be written is the disk’s error, not "in use"', () => {
  const disk = new SimDisk();
  disk.fail({ operation: 'open', nth: 1, code: 'EROFS' });
  assert.throws(() => take(disk, 7), { name: 'DiskError', code: 'EROFS' });
});

const hasFlock = (() => {
  try {
    execFileSync('flock', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test('real locks: a second one is refused, and a killed owner leaves none', {
  skip: !hasFlock && 'no flock(1)',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-lock-'));
  const options = { disk: realDisk, folder, pid: process.pid, nowMs: 0 };
  const first = DirectoryLock.take(options);
  assert.equal(first.isReal, true);
  assert.throws(() => DirectoryLock.take(options), DirectoryInUse);
  first.release();

  const script = join(folder, 'hold.mjs');
  const at = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  writeFileSync(
    script,
    `import { realDisk } from ${at('src/base/disk.js')};
     import { DirectoryLock } from ${at('src/tsdb/lock.js')};
     DirectoryLock.take({ disk: realDisk, folder: ${JSON.stringify(folder)}, pid: process.pid, nowMs: 0 });
     console.log('held');
     setInterval(() => {}, 1000);`,
  );
  const holder = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  assert.throws(
    () => DirectoryLock.take(options),
    (error) => error instanceof DirectoryInUse && error.pid === holder.pid,
  );
  holder.kill('SIGKILL');
  await new Promise((resolve) => holder.once('exit', resolve));
  const after = DirectoryLock.take(options);
  assert.equal(after.cleanStart, 0);
  after.release();
  rmSync(folder, { recursive: true, force: true });
});

const prometheus = peerBinary('prometheus');

test('a real Prometheus and we keep each other out', {
  skip: (prometheus === undefined && missing('prometheus')) || (!hasFlock && 'no flock(1)'),
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-lock-'));
  const options = { disk: realDisk, folder, pid: process.pid, nowMs: 0 };
  const server = await startPeer(prometheus!, { data: folder });
  assert.throws(() => DirectoryLock.take(options), DirectoryInUse);
  await server.stop();
  const lock = DirectoryLock.take(options);
  await assert.rejects(startPeer(prometheus!, { data: folder }), /ended with code/);
  lock.release();
  const again = await startPeer(prometheus!, { data: folder });
  await again.stop();
  rmSync(folder, { recursive: true, force: true });
});
