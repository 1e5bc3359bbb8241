import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import { decodeSeries, encodeSamples, encodeSeries, RecordType } from '../../../src/tsdb/wal/record.js';
import { listCheckpoints, segmentPath } from '../../../src/tsdb/wal/segments.js';
import { readSeriesCopy, SeriesCopy } from '../../../src/tsdb/wal/series-copy.js';
import { FakeClock } from '../../support/clock.js';
import type { Operation, SimDisk } from '../../support/sim-disk.js';
import { emptyDisk, FOLDER, testCore, writerOn } from '../../support/wal.js';

const COPY = 'data/narthex/series';
const core = testCore();

const seriesOf = (...refs: number[]) => encodeSeries(refs.map((ref) => ({ ref, labels: ['n', `${ref}`] })));
const SAMPLES = encodeSamples([{ ref: 1, timeMs: 5, bits: 0n }]);

function copyOn(disk: SimDisk): { copy: SeriesCopy; clock: FakeClock } {
  const clock = new FakeClock(0);
  const soon = (action: () => void) => queueMicrotask(action);
  return { copy: new SeriesCopy({ disk, clock, core, logFolder: FOLDER, folder: COPY, soon }), clock };
}

/** Refs that a reader finds. */
function refsIn(disk: SimDisk): number[] {
  const refs: number[] = [];
  disk.quietly(() =>
    readSeriesCopy(disk, COPY, core, {
      record({ type, bytes }) {
        assert.equal(type, RecordType.Series);
        refs.push(...decodeSeries(bytes).map(({ ref }) => ref));
      },
    }),
  );
  return refs;
}

/** A log with series 1 and 2, and samples. */
function filledLog(disk = emptyDisk()): SimDisk {
  const writer = writerOn(disk);
  writer.append([[seriesOf(1)], [SAMPLES], [seriesOf(2)], [SAMPLES]]);
  writer.close();
  return disk;
}

test('a copy has what the log has, and what it is given since; within a second a power cut takes nothing of it', async () => {
  const disk = filledLog();
  const { copy, clock } = copyOn(disk);
  copy.remake();
  copy.append([[seriesOf(3)], [SAMPLES]]);
  await copy.settled();
  copy.append([[seriesOf(4).subarray(0, 1), seriesOf(4).subarray(1)]]);
  assert.deepEqual(refsIn(disk).sort(), [1, 2, 4], 'the third came before there was anything to write it to');
  clock.advance(1000);
  disk.crash();
  assert.deepEqual(refsIn(disk).sort(), [1, 2, 4]);
});

test('made anew it has what the log has by then, once', async () => {
  const disk = filledLog();
  const { copy } = copyOn(disk);
  for (let round = 0; round < 3; round++) {
    copy.remake();
    await copy.settled();
    copy.append([[seriesOf(10 + round)]]);
  }
  assert.deepEqual(refsIn(disk), [1, 2, 12], 'the log of this test has none of those that came');
  assert.equal(listCheckpoints(disk, COPY).length, 1);
});

test('it is made anew behind a checkpoint of the log where much came, or where something is missing', async () => {
  const disk = filledLog();
  const { copy, clock } = copyOn(disk);
  const follow = async () => {
    copy.follow();
    await copy.settled();
  };
  await follow();
  copy.append([[seriesOf(7)]]);
  await follow();
  assert.deepEqual(refsIn(disk), [1, 2, 7], 'the log of this test has no 7: the copy is the one before');
  const large = encodeSeries([{ ref: 8, labels: ['n', 'x'.repeat(2 ** 20)] }]);
  for (let i = 0; i < 17; i++) copy.append([[large]]);
  await follow();
  assert.deepEqual(refsIn(disk), [1, 2]);
  disk.fail({ operation: undefined, nth: 1, times: Number.POSITIVE_INFINITY });
  copy.append([[seriesOf(9)]]);
  clock.advance(1000);
  disk.heal();
  copy.append([[seriesOf(10)]]);
  assert.ok(!refsIn(disk).includes(10), 'it was given up');
  await follow();
  copy.append([[seriesOf(11)]]);
  assert.deepEqual(refsIn(disk), [1, 2, 11]);
  copy.close();
});

test('what another life wrote does not count until it is made anew', async () => {
  const disk = filledLog();
  const first = copyOn(disk).copy;
  first.remake();
  await first.settled();
  first.close();
  const { copy } = copyOn(disk);
  copy.discard();
  copy.append([[seriesOf(5)]]);
  assert.deepEqual(refsIn(disk), []);
  disk.crash();
  assert.deepEqual(refsIn(disk), [], 'for good');
  copy.remake();
  await copy.settled();
  assert.deepEqual(refsIn(disk), [1, 2]);
});

test('closed while it is made it leaves what was there', async () => {
  const disk = filledLog();
  const { copy } = copyOn(disk);
  copy.remake();
  await copy.settled();
  copy.remake();
  await Promise.resolve();
  copy.close();
  await copy.settled();
  assert.deepEqual(refsIn(disk), [1, 2]);
});

test('what damage takes from the log stays in the copy', async () => {
  const disk = filledLog();
  const { copy } = copyOn(disk);
  copy.remake();
  await copy.settled();
  disk.damage(segmentPath(FOLDER, 0), (bytes) => bytes.fill(0xee, 0, 20));
  const writer = writerOn(disk, { segment: 1 });
  writer.append([[seriesOf(6)]]);
  writer.close();
  copy.append([[seriesOf(6)]]);
  copy.remake();
  await copy.settled();
  assert.deepEqual(refsIn(disk), [1, 2, 6]);
});

test('damage of the copy costs what it holds there', async () => {
  const disk = emptyDisk();
  const writer = writerOn(disk);
  const many = Array.from({ length: 40 }, (_, i) => i + 1);
  const labels = ['n', 'x'.repeat(5000)];
  writer.append(many.map((ref) => [encodeSeries([{ ref, labels }])]));
  writer.close();
  const { copy } = copyOn(disk);
  copy.remake();
  await copy.settled();
  const [last] = listCheckpoints(disk, COPY);
  disk.damage(`${COPY}/checkpoint.0000000${last}/00000000`, (bytes) => bytes.fill(7, PAGE_BYTES + 9, PAGE_BYTES + 10));
  const refs = refsIn(disk);
  assert.ok(refs.length < 40 && refs.length > 30, `${refs}`);
});

test('whatever the disk refuses, nobody hears of it, and the next time it is made', async () => {
  const operations: (Operation | undefined)[] = ['open', 'pwrite', 'fdatasync', 'rename', 'syncFolder', undefined];
  for (const operation of operations) {
    for (let nth = 1; nth <= 30; nth++) {
      for (const times of [1, 3, Number.POSITIVE_INFINITY]) {
        const disk = filledLog();
        const { copy, clock } = copyOn(disk);
        disk.fail({ operation, nth, times });
        copy.discard();
        copy.remake();
        await copy.settled();
        copy.append([[seriesOf(3)]]);
        clock.advance(1000);
        const refs = refsIn(disk);
        assert.ok(refs.every((ref) => ref <= 3) && new Set(refs).size === refs.length, `${refs}`);
        disk.heal();
        copy.remake();
        await copy.settled();
        copy.append([[seriesOf(4)]]);
        assert.deepEqual(refsIn(disk), [1, 2, 4], `${operation} ${nth} ${times}`);
        copy.close();
        assert.equal(disk.openFiles, 0, `${operation} ${nth} ${times}`);
      }
    }
  }
});
