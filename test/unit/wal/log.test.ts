// The log as its thread runs it: groups, timers, failures, checkpoints.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { type Commit, Log, type LogOptions, LogUnsynced } from '../../../src/tsdb/wal/log.js';
import { openLog } from '../../../src/tsdb/wal/open.js';
import { PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import { encodeSamples, encodeSeries } from '../../../src/tsdb/wal/record.js';
import {
  checkpointBytes,
  checkpointPath,
  listCheckpoints,
  listSegments,
  segmentPath,
} from '../../../src/tsdb/wal/segments.js';
import { LogStuck } from '../../../src/tsdb/wal/writer.js';
import { FakeClock } from '../../support/clock.js';
import { SimDisk } from '../../support/sim-disk.js';
import { FOLDER, recordOf, testCore } from '../../support/wal.js';

const OWN = 'data/narthex';
const core = testCore();

interface Bench {
  readonly disk: SimDisk;
  readonly clock: FakeClock;
  readonly log: Log;
  /** Runs what was put off to "soon". */
  turn(): void;
}

function start(options: Partial<LogOptions> = {}, disk = new SimDisk()): Bench {
  const clock = new FakeClock();
  const opened = openLog({ disk, folder: FOLDER, ownFolder: OWN, core }, { record: () => {} });
  const put: (() => void)[] = [];
  const log = new Log({
    disk,
    folder: FOLDER,
    core,
    clock,
    opened,
    stepBytes: PAGE_BYTES,
    soon: (action) => put.push(action),
    ...options,
  });
  return {
    disk,
    clock,
    log,
    turn: () => {
      for (const action of put.splice(0)) action();
    },
  };
}

function commitOf(id: number, durable = true, length = 100): Commit {
  return { records: [[recordOf(id, length)]], durable };
}

function idsOn(disk: SimDisk): number[] {
  const ids: number[] = [];
  openLog(
    { disk, folder: FOLDER, ownFolder: OWN, core, repair: false },
    {
      record({ bytes }) {
        // Others are fillers of a repair.
        if (bytes[0] === 0xfe) ids.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(1));
      },
    },
  );
  return ids;
}

function count(disk: SimDisk, operation: string, from: number): number {
  return disk.calls.slice(from).filter((call) => call.startsWith(`${operation} ${FOLDER}`)).length;
}

test('commits that arrive together take one write and one sync', async () => {
  const { disk, log, turn } = start();
  await Promise.resolve();
  const from = disk.calls.length;
  const answers = [1, 2, 3, 4].map((id) => log.commit(commitOf(id)));
  assert.equal(disk.calls.length, from, 'nothing yet');
  turn();
  assert.equal(count(disk, 'pwrite', from), 1);
  assert.equal(count(disk, 'fdatasync', from), 1);
  const positions = await Promise.all(answers);
  assert.ok(positions.every(({ segment, offset }) => segment === 0 && offset === 4 * 107));
  disk.crash();
  assert.deepEqual(idsOn(disk), [1, 2, 3, 4]);
});

test('scrapes are written at once and synced within a second', async () => {
  const { disk, clock, log, turn } = start();
  const from = disk.calls.length;
  const answer = log.commit(commitOf(1, false));
  turn();
  await answer;
  assert.equal(count(disk, 'pwrite', from), 1);
  assert.equal(count(disk, 'fdatasync', from), 0);
  clock.advance(999);
  assert.equal(count(disk, 'fdatasync', from), 0);
  clock.advance(1);
  assert.equal(count(disk, 'fdatasync', from), 1);
  clock.advance(60_000);
  assert.equal(count(disk, 'fdatasync', from), 1, 'nothing to sync, no sync');
  disk.crash();
  assert.deepEqual(idsOn(disk), [1]);
});

test('interval: a durable commit does not wait; all is synced in that time', async () => {
  const { disk, clock, log, turn } = start({ sync: { mode: 'interval', intervalMs: 5000 } });
  const from = disk.calls.length;
  const answer = log.commit(commitOf(1));
  turn();
  await answer;
  clock.advance(4999);
  assert.equal(count(disk, 'fdatasync', from), 0);
  clock.advance(1);
  assert.equal(count(disk, 'fdatasync', from), 1);
});

test('never: no sync but at the ends of segments; a failed write still loses nothing that was written', async () => {
  const { disk, clock, log, turn } = start({ sync: { mode: 'never' }, stepBytes: 0 });
  const from = disk.calls.length;
  const first = log.commit(commitOf(1));
  turn();
  await first;
  clock.advance(60_000);
  assert.equal(count(disk, 'fdatasync', from), 0);
  disk.fail({ operation: 'pwrite', nth: 1, share: 0.5, path: FOLDER });
  const second = log.commit(commitOf(2));
  turn();
  await second;
  assert.deepEqual(idsOn(disk), [1, 2]);
});

test('a full disk: commits are refused with its code; when there is room the log goes on by itself', async () => {
  const { disk, clock, log, turn } = start();
  const first = log.commit(commitOf(1));
  turn();
  await first;
  disk.capacity = disk.usedBytes;
  const refused = [log.commit(commitOf(2, true, 200_000)), log.commit(commitOf(3, false))];
  turn();
  for (const answer of refused) await assert.rejects(answer, { name: 'LogStuck', code: 'ENOSPC' });
  assert.equal(log.stats.stuck, true);
  assert.equal(log.stats.refused, 2);
  clock.advance(10_000);
  disk.heal();
  clock.advance(1000);
  assert.equal(log.stats.stuck, false);
  const later = log.commit(commitOf(4));
  turn();
  await later;
  disk.crash();
  assert.deepEqual(idsOn(disk), [1, 4]);
});

test('a disk that is full or read-only at the start: the log comes up, refuses, and goes on when it can', async () => {
  for (const operation of ['open', 'pwrite', 'syncFolder', 'fdatasync'] as const) {
    const disk = new SimDisk();
    disk.makeFolder(FOLDER);
    disk.makeFolder(OWN);
    disk.syncFolder('data');
    disk.syncFolder('');
    disk.fail({ operation, nth: 1, times: 1000, code: 'EROFS' });
    const { clock, log, turn } = start({}, disk);
    const refused = log.commit(commitOf(1));
    turn();
    if (operation !== 'pwrite') assert.equal(log.stats.stuck, true, operation);
    await assert.rejects(refused, { name: 'LogStuck', code: 'EROFS' });
    disk.heal();
    clock.advance(1000);
    const answer = log.commit(commitOf(2));
    turn();
    await answer;
    log.close();
    assert.deepEqual(idsOn(disk), [2], operation);
  }
});

test('a nearly full disk: commits are refused before it is full, and taken again when there is clearly room', async () => {
  const { disk, clock, log, turn } = start({ reserveBytes: 1_000_000 });
  const commit = async (id: number) => {
    const answer = log.commit(commitOf(id));
    turn();
    return answer.then(
      () => 'ok',
      (error) => (error instanceof LogStuck ? error.message : String(error)),
    );
  };
  assert.equal(await commit(1), 'ok');
  disk.capacity = disk.usedBytes + 900_000;
  assert.equal(await commit(2), 'ok', 'looked at once a second');
  clock.advance(1000);
  assert.match(await commit(3), /ENOSPC.*only \d+ bytes are free, 1000000 are kept in reserve/);
  assert.equal(log.stats.stuck, true);
  disk.capacity = disk.usedBytes + 1_100_000;
  clock.advance(1000);
  assert.match(await commit(4), /ENOSPC/);
  disk.capacity = disk.usedBytes + 1_300_000;
  clock.advance(1000);
  assert.equal(await commit(5), 'ok');
  assert.equal(log.stats.stuck, false);
  assert.deepEqual(idsOn(disk), [1, 2, 5]);
});

test('a sync that fails for good: waiting commits hear that it is not known, the others that it is written', async () => {
  const { disk, clock, log, turn } = start();
  disk.fail({ operation: 'fdatasync', nth: 1, times: 100, path: FOLDER });
  const durable = log.commit(commitOf(1, true));
  const scrape = log.commit(commitOf(2, false));
  turn();
  await assert.rejects(durable, (error) => error instanceof LogUnsynced && error.code === 'EIO');
  await scrape;
  const refused = log.commit(commitOf(3));
  turn();
  await assert.rejects(refused, LogStuck);
  disk.heal();
  clock.advance(1000);
  disk.crash();
  assert.deepEqual(idsOn(disk), [1, 2], 'both were kept, and written again');
});

test('closing writes what waits; starting again goes on in the next segment and reads all', async () => {
  const { disk, log } = start();
  const answer = log.commit(commitOf(1, false));
  log.close();
  await answer;
  disk.crash();
  assert.equal(disk.readFile(segmentPath(FOLDER, 0)).length, 107);
  const second = start({}, disk);
  const answer2 = second.log.commit(commitOf(2));
  second.turn();
  await answer2;
  disk.kill();
  assert.deepEqual(idsOn(disk), [1, 2]);
  assert.deepEqual(listSegments(disk, FOLDER).slice(0, 2), [0, 1]);
});

test('the manifest knows what is synced: an emptied segment is noticed at the next start', async () => {
  const { disk, clock, log, turn } = start();
  const answer = log.commit(commitOf(1));
  turn();
  await answer;
  clock.advance(2000);
  const second = log.commit(commitOf(2));
  turn();
  await second;
  disk.crash();
  disk.damage(segmentPath(FOLDER, 0), () => new Uint8Array(0));
  const again = start({}, disk);
  assert.equal(again.log.stats.corruptions, 1);
});

test('commitNow: for a caller that gathers by itself', () => {
  const { disk, log } = start();
  const from = disk.calls.length;
  const position = log.commitNow([commitOf(1, false), commitOf(2, true)]);
  log.prepare();
  log.tick();
  assert.deepEqual(position, { segment: 0, offset: 214 });
  assert.equal(count(disk, 'fdatasync', from), 1);
  disk.fail({ operation: 'fdatasync', nth: 1, times: 100, path: FOLDER });
  assert.throws(() => log.commitNow([commitOf(3)]), LogUnsynced);
  assert.throws(() => log.commitNow([commitOf(4)]), LogStuck);
});

test('a checkpoint between commits: old segments go, new samples come, nothing is lost', async () => {
  const { disk, log, turn } = start({ segmentBytes: 2 * PAGE_BYTES });
  const expected = new Set<string>();
  let timeMs = 0;
  const commit = () => {
    const samples = Array.from({ length: 1000 }, (_, ref) => ({ ref, timeMs, bits: 0n }));
    for (const { ref } of samples) expected.add(`${ref} ${timeMs}`);
    timeMs++;
    const answer = log.commit({ records: [[encodeSamples(samples)]], durable: timeMs % 2 === 0 });
    turn();
    return answer;
  };
  const series = Array.from({ length: 1000 }, (_, ref) => ({ ref, labels: ['n', `${ref}`] }));
  const first = log.commit({ records: [[encodeSeries(series)]], durable: true });
  turn();
  await first;
  for (let i = 0; i < 30; i++) await commit();
  const task = log.checkpoint(() => ({ series: () => true, mint: 10 }));
  let done = false;
  const finished = task.then((stats) => {
    done = true;
    return stats;
  });
  while (!done) {
    await commit();
    await Promise.resolve();
  }
  const stats = await finished;
  assert.equal(stats?.samplesDropped, 10_000);
  assert.equal(listCheckpoints(disk, FOLDER).length, 1);
  assert.ok(listSegments(disk, FOLDER)[0]! > 2);
  for (let i = 0; i < 5; i++) await commit();
  log.close();
  disk.crash();
  const got = new Set<string>();
  const { damages } = openLog(
    { disk, folder: FOLDER, ownFolder: OWN, core },
    {
      record({ type, bytes }) {
        if (type !== 2) return;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        got.add(`${Number(view.getBigUint64(1))} ${Number(view.getBigInt64(9))}`);
      },
    },
  );
  assert.deepEqual(damages, []);
  // The first sample of each record tells that the record is there.
  for (let at = 10; at < timeMs; at++) assert.ok(got.has(`0 ${at}`), `time ${at}`);
});

/** A log that was closed, with a checkpoint. */
async function withCheckpoint(): Promise<SimDisk> {
  const { disk, log, turn } = start({ segmentBytes: PAGE_BYTES });
  for (let i = 0; i < 8; i++) {
    const series = Array.from({ length: 1000 }, (_, ref) => ({ ref: i * 1000 + ref, labels: ['n', `${i} ${ref}`] }));
    const answer = log.commit({ records: [[encodeSeries(series)]], durable: true });
    turn();
    await answer;
  }
  let done = false;
  const task = log
    .checkpoint(() => ({ series: () => true, mint: 0 }))
    .finally(() => {
      done = true;
    });
  while (!done) {
    turn();
    await Promise.resolve();
  }
  await task;
  log.close();
  return disk;
}

test('the manifest knows of the newest checkpoint: one that was emptied, or is gone, is noticed at the next start', async () => {
  const found = (disk: SimDisk) =>
    openLog({ disk, folder: FOLDER, ownFolder: OWN, core }, { record() {} }).damages.map(
      ({ folder, bytes, reason }) => ({ folder, bytes, reason }),
    );
  const whole = await withCheckpoint();
  const last = listCheckpoints(whole, FOLDER)[0]!;
  const folder = checkpointPath(FOLDER, last);
  const bytes = checkpointBytes(whole, FOLDER, last);
  assert.deepEqual(found(whole), []);

  const emptied = await withCheckpoint();
  for (const segment of listSegments(emptied, folder)) {
    emptied.damage(segmentPath(folder, segment), () => new Uint8Array(0));
  }
  assert.deepEqual(found(emptied), [{ folder, bytes, reason: 'segment missing' }]);

  const gone = await withCheckpoint();
  gone.remove(folder);
  assert.deepEqual(found(gone)[0], { folder, bytes, reason: 'segment missing' });
});

test('too few segments for a checkpoint: nothing happens', async () => {
  const { log, turn } = start();
  const answer = log.commit(commitOf(1));
  turn();
  await answer;
  assert.equal(await log.checkpoint(() => ({ series: () => true, mint: 0 })), undefined);
});

test('seeds: commits, crashes and failing calls; what was answered durable is there after every crash', async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const prng = new Prng(seed);
    let disk = new SimDisk();
    let bench = start({ segmentBytes: 4 * PAGE_BYTES }, disk);
    const durable = new Set<number>();
    const possible = new Set<number>();
    const refused = new Set<number>();
    let id = 0;
    for (let round = 0; round < 40; round++) {
      if (prng.float() < 0.3) {
        const operation = prng.pick(['pwrite', 'fdatasync', 'truncate', 'open', 'syncFolder', 'unlink'] as const);
        bench.disk.fail({ operation, nth: 1 + prng.int(3), times: 1 + prng.int(4), share: prng.float() });
      }
      const group = Array.from({ length: 1 + prng.int(3) }, () => {
        const commit = commitOf(++id, prng.float() < 0.6, 5 + prng.int(prng.pick([50, 30_000, 80_000])));
        return { id, commit, answer: bench.log.commit(commit) };
      });
      bench.turn();
      for (const { id: own, commit, answer } of group) {
        await answer.then(
          () => void (commit.durable ? durable : possible).add(own),
          (error) => {
            if (error instanceof LogUnsynced) possible.add(own);
            else if (error instanceof LogStuck) refused.add(own);
            else throw error;
          },
        );
      }
      if (prng.float() < 0.2) bench.clock.advance(1000);
      if (prng.float() < 0.15) {
        disk = bench.disk;
        disk.heal();
        disk.crash(new Prng(seed * 1000 + round));
        const seen = new Set(idsOn(disk));
        for (const own of durable) assert.ok(seen.has(own), `seed ${seed}, round ${round}: ${own} is lost`);
        for (const own of seen) {
          assert.ok(durable.has(own) || possible.has(own), `seed ${seed}, round ${round}: ${own} was refused`);
        }
        bench = start({ segmentBytes: 4 * PAGE_BYTES }, disk);
        assert.deepEqual(
          openLog({ disk, folder: FOLDER, ownFolder: OWN, core, repair: false }, { record: () => {} }).damages,
          [],
          `seed ${seed}, round ${round}: repaired`,
        );
      }
    }
    assert.ok(durable.size > 5, `seed ${seed}`);
  }
});
