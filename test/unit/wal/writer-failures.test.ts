// A log on a failing disk: nothing appended is lost, nothing refused comes back,
// and what is on the disk is legal at every moment.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import { listSegments, segmentPath } from '../../../src/tsdb/wal/segments.js';
import { LogStuck } from '../../../src/tsdb/wal/writer.js';
import { type Operation, PowerCut, type SimDisk } from '../../support/sim-disk.js';
import { emptyDisk, FOLDER, readBack, recordOf, writerOn } from '../../support/wal.js';

const ids = (records: Uint8Array[]) => records.map((record) => new DataView(record.buffer).getUint32(1));

/** As Prometheus reads: in order up to the first bad record, of which there may be none before the very end. */
function assertLegal(disk: SimDisk, place: string): number[] {
  const { records, damages } = disk.quietly(() => readBack(disk));
  const bad = damages.filter((damage) => !damage.torn);
  assert.deepEqual(bad, [], place);
  return ids(records);
}

test('a failed sync: the segment is cut where it was synced, the rest goes to a new one', () => {
  const disk = emptyDisk();
  const writer = writerOn(disk, { stepBytes: 2 * PAGE_BYTES });
  writer.append([[recordOf(1, 1000)]]);
  writer.sync();
  const synced = writer.synced;
  writer.append([[recordOf(2, 40_000)], [recordOf(3, 10)]]);
  disk.fail({ operation: 'fdatasync', nth: 1 });
  writer.sync();
  assert.equal(writer.stuck, undefined);
  assert.deepEqual(writer.synced.segment, 1);
  // The old descriptor is not trusted: the data that the "successful" second sync would stand for is elsewhere.
  disk.crash();
  assert.deepEqual(assertLegal(disk, 'after the crash'), [1, 2, 3]);
  const { places } = readBack(disk);
  assert.deepEqual(
    places.map((place) => place.segment),
    [0, 1, 1],
  );
  const old = disk.readFile(segmentPath(FOLDER, 0));
  assert.ok(
    old.subarray(synced.offset).every((byte) => byte === 0),
    'nothing behind the cut',
  );
  assert.equal(writer.stats.sealed, 1);
});

test('the cut is durable before anything newer is: a crash at any call in between leaves a legal log', () => {
  for (let n = 1; n < 12; n++) {
    const disk = emptyDisk();
    const writer = writerOn(disk);
    writer.append([[recordOf(1, 1000)]]);
    writer.sync();
    writer.append([[recordOf(2, 70_000)]]);
    disk.fail({ operation: 'fdatasync', nth: 1 });
    const before = disk.calls.length;
    disk.cutPowerAt(n);
    untilPowerCut(() => writer.sync());
    for (const seed of [0, 1, 2]) {
      const copy = disk;
      copy.crash(new Prng(seed));
      const got = assertLegal(copy, `crash at call ${n} (${disk.calls.slice(before).join(', ')})`);
      assert.deepEqual(got.slice(0, 1), [1]);
    }
  }
});

test('a write that fails in the middle: the batch is written once, in a new segment', () => {
  for (const share of [0, 0.3, 0.99]) {
    const disk = emptyDisk();
    const writer = writerOn(disk);
    writer.append([[recordOf(1, 1000)]]);
    writer.append([[recordOf(2, 50_000)]]);
    disk.fail({ operation: 'pwrite', nth: 1, share });
    writer.append([[recordOf(3, 50_000)], [recordOf(4, 10)]]);
    assert.deepEqual(assertLegal(disk, `share ${share}`), [1, 2, 3, 4]);
    writer.sync();
    disk.crash();
    assert.deepEqual(assertLegal(disk, `share ${share}, crashed`), [1, 2, 3, 4]);
  }
});

test('a full disk: refuses with its code, keeps what it has, goes on when there is room', () => {
  const disk = emptyDisk();
  const writer = writerOn(disk, { stepBytes: PAGE_BYTES });
  writer.append([[recordOf(1, 20_000)]]);
  writer.sync();
  writer.append([[recordOf(2, 10_000)]]);
  disk.capacity = disk.usedBytes + 1000;
  assert.throws(() => writer.append([[recordOf(3, 60_000)], [recordOf(4, 10)]]), {
    name: 'LogStuck',
    code: 'ENOSPC',
  });
  assert.throws(() => writer.append([[recordOf(5, 10)]]), LogStuck);
  assert.throws(() => writer.sync(), LogStuck);
  for (let i = 0; i < 5; i++) {
    const had = writer.retry();
    if (had) break;
  }
  const files = disk.list(FOLDER).length;
  assert.ok(files <= 2, `retrying leaves no row of files: ${disk.list(FOLDER)}`);
  disk.heal();
  assert.equal(writer.retry(), true);
  writer.append([[recordOf(6, 60_000)]]);
  writer.sync();
  disk.crash();
  assert.deepEqual(assertLegal(disk, 'after the room came back'), [1, 2, 6]);
});

test('a disk that fails for good: stuck, and nothing of a refused batch ever shows', () => {
  const disk = emptyDisk();
  const writer = writerOn(disk);
  writer.append([[recordOf(1, 1000)]]);
  writer.sync();
  writer.append([[recordOf(2, 1000)]]);
  for (const operation of ['pwrite', 'fdatasync', 'truncate', 'open'] as const) {
    disk.fail({ operation, nth: 1, times: Number.POSITIVE_INFINITY, code: 'EROFS' });
  }
  assert.throws(() => writer.append([[recordOf(3, 1000)]]), { code: 'EROFS' });
  assert.equal(writer.retry(), false);
  assert.equal(writer.retry(), false);
  assert.equal(writer.unsyncedBytes, 1007);
  disk.heal();
  assert.equal(writer.retry(), true);
  writer.append([[recordOf(4, 1000)]]);
  writer.close();
  disk.crash();
  assert.deepEqual(assertLegal(disk, 'healed'), [1, 2, 4]);
});

test('closing while stuck tries once more, and says so where that fails', () => {
  for (const heals of [true, false]) {
    const disk = emptyDisk();
    const writer = writerOn(disk);
    writer.append([[recordOf(1, 1000)]]);
    disk.fail({ operation: 'fdatasync', nth: 1, times: Number.POSITIVE_INFINITY });
    assert.throws(() => writer.sync(), { code: 'EIO' });
    if (heals) disk.heal();
    if (heals) writer.close();
    else assert.throws(() => writer.close(), { code: 'EIO' });
    disk.crash();
    assert.deepEqual(assertLegal(disk, `heals ${heals}`), heals ? [1] : []);
  }
});

test('the N-th call fails, once or for a while, for every kind and every N: the books balance', () => {
  const kinds: Operation[] = ['pwrite', 'fdatasync', 'truncate', 'open', 'syncFolder', 'unlink'];
  let stuck = 0;
  for (const operation of kinds) {
    for (const times of [1, 2, 3, 6]) {
      for (let nth = 1; nth <= 14; nth++) {
        const place = `${operation} number ${nth}, ${times} times`;
        const outcome = runScript(operation, nth, times, place);
        stuck += outcome;
      }
    }
  }
  assert.ok(stuck > 20, `only ${stuck} runs got stuck`);
});

/** Appends, syncs and rolls over a failing disk, then crashes; gives 1 if the log got stuck on the way. */
function runScript(operation: Operation, nth: number, times: number, place: string): number {
  const disk = emptyDisk();
  const prng = new Prng(nth * 100 + times);
  const writer = writerOn(disk, { segmentBytes: 4 * PAGE_BYTES, stepBytes: PAGE_BYTES, unsyncedBytesMax: 100_000 });
  disk.fail({ operation, nth, times, share: prng.float(), code: prng.pick(['EIO', 'ENOSPC']) });
  const accepted: number[] = [];
  const refused = new Set<number>();
  let durable = 0;
  let stuck = 0;
  for (let id = 1; id <= 24; id++) {
    try {
      writer.append([[recordOf(id, 5 + prng.int(prng.pick([100, 20_000, 60_000])))]]);
      accepted.push(id);
      if (prng.float() < 0.4) {
        writer.sync();
        durable = accepted.length;
      }
      if (prng.float() < 0.3) writer.prepare();
    } catch (error) {
      assert.ok(error instanceof LogStuck, `${place}: ${error}`);
      if (accepted.at(-1) !== id) refused.add(id);
      stuck = 1;
      writer.retry();
    }
    const seen = assertLegal(disk, `${place}, after ${id}`);
    assert.deepEqual(
      seen.filter((got) => refused.has(got)),
      [],
      `${place}: a refused record shows after ${id}`,
    );
    assert.deepEqual(
      seen,
      [...new Set(seen)].sort((a, b) => a - b),
      `${place}: twice or out of order`,
    );
    if (writer.stuck === undefined) assert.deepEqual(seen, accepted, `${place}, after ${id}`);
  }
  const sequence = listSegments(disk, FOLDER);
  assert.deepEqual(
    sequence,
    sequence.map((_, i) => i),
    `${place}: numbers without gaps`,
  );
  disk.crash(new Prng(nth));
  const kept = assertLegal(disk, `${place}, crashed`);
  assert.deepEqual(kept.slice(0, durable), accepted.slice(0, durable), `${place}: synced records are there`);
  assert.deepEqual(kept, accepted.slice(0, kept.length), `${place}: a prefix`);
  return stuck;
}

function untilPowerCut(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
}
