import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { dropCovered, writeCheckpoint } from '../../../src/tsdb/wal/checkpoint.js';
import { emptyFilterStats, filterRecord, type Keep } from '../../../src/tsdb/wal/filter.js';
import { openLog } from '../../../src/tsdb/wal/open.js';
import { PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import {
  decodeMetadata,
  decodeSamples,
  decodeSeries,
  decodeTombstones,
  encodeMetadata,
  encodeSamples,
  encodeSeries,
  encodeTombstones,
  RecordType,
} from '../../../src/tsdb/wal/record.js';
import { checkpointPath, listCheckpoints, listSegments, segmentPath } from '../../../src/tsdb/wal/segments.js';
import type { Operation, SimDisk } from '../../support/sim-disk.js';
import { emptyDisk, FOLDER, hex, recordOf, testCore, unhex, writerOn } from '../../support/wal.js';

const OWN = 'data/narthex';
const core = testCore();

function filtered(record: Uint8Array, keep: Partial<Keep>): Uint8Array | undefined {
  return filterRecord(record, { series: () => true, mint: Number.NEGATIVE_INFINITY, ...keep }, emptyFilterStats());
}

test('filter: records keep what the naive way, decode and encode, keeps', () => {
  const prng = new Prng(21);
  for (let round = 0; round < 200; round++) {
    const count = prng.int(30);
    const keep: Keep = { series: (ref) => ref % 3 !== round % 3, mint: prng.int(1000) };
    const series = Array.from({ length: count }, () => ({ ref: prng.int(1e6), labels: ['a', `${prng.int(99)}`] }));
    const samples = Array.from({ length: count }, () => ({
      ref: prng.int(1e6),
      timeMs: prng.int(1000),
      bits: BigInt(prng.u32()),
    }));
    const tombstones = Array.from({ length: count }, () => ({ ref: prng.int(1e6), mint: 0, maxt: prng.int(1000) }));
    const got = <T>(record: Uint8Array, decode: (bytes: Uint8Array) => T[]) => {
      const kept = filterRecord(record, keep, emptyFilterStats());
      return kept === undefined ? [] : decode(kept);
    };
    assert.deepEqual(
      got(encodeSeries(series), decodeSeries),
      series.filter(({ ref }) => keep.series(ref)),
    );
    assert.deepEqual(
      got(encodeSamples(samples), decodeSamples),
      samples.filter(({ timeMs }) => timeMs >= keep.mint),
    );
    assert.deepEqual(
      got(encodeTombstones(tombstones), decodeTombstones),
      tombstones.filter(({ ref, maxt }) => keep.series(ref) && maxt >= keep.mint),
    );
  }
});

test('filter: a record that keeps all is given back as it is', () => {
  const record = encodeSamples([{ ref: 1, timeMs: 5, bits: 0n }]);
  assert.equal(filtered(record, { mint: 5 }), record);
  assert.equal(filtered(record, { mint: 6 }), undefined);
  assert.equal(filtered(unhex('02'), {}), undefined);
});

// Two entries each, at 1000 and 2000 ms, by hand.
const BASE = '0000000000000007 00000000000003e8';
const LATER = '02 d00f'; // Δref 1, Δtime 1000
const F8 = '4000000000000000';
const HISTOGRAM = `00 06 ${F8} 01 05 ${F8} 01 0002 01 0001 02 0204 01 06`;
const FLOAT_HISTOGRAM = `00 06 ${F8} ${F8} ${F8} ${F8} 01 0002 00 02 ${F8} ${F8} 00`;
const CUSTOM = `00 69 ${F8} 00 05 ${F8} 01 0002 00 02 0204 00 02 ${F8} ${F8}`;
const FLOAT_CUSTOM = `00 69 ${F8} ${F8} ${F8} ${F8} 01 0002 00 02 ${F8} ${F8} 00 01 ${F8}`;
const TIMED: [name: string, type: string, value: string][] = [
  ['exemplars', '04', `${F8} 01 01 61 01 62`],
  ['histograms', '07', HISTOGRAM],
  ['float histograms', '08', FLOAT_HISTOGRAM],
  ['histograms with custom buckets', '09', CUSTOM],
  ['float histograms with custom buckets', '0a', FLOAT_CUSTOM],
];

for (const [name, type, value] of TIMED) {
  test(`filter: ${name} go by their time`, () => {
    const record = unhex(`${type} ${BASE} 0000 ${value} ${LATER} ${value}`);
    assert.equal(filtered(record, { mint: 1000 }), record);
    assert.equal(hex(filtered(record, { mint: 1001 })!), hex(unhex(`${type} ${BASE} ${LATER} ${value}`)));
    assert.equal(filtered(record, { mint: 2001 }), undefined);
    const elsewhereTo = (ref: number) => (ref === 7 ? Infinity : -Infinity);
    assert.equal(hex(filtered(record, { elsewhereTo })!), hex(unhex(`${type} ${BASE} ${LATER} ${value}`)));
    for (let length = 2; length < record.length; length++) filtered(record.subarray(0, length), { mint: 1001 });
  });
}

const NEWER: [name: string, type: string, value: string][] = [
  ['samples with start times', '0b', F8],
  ['histograms with start times', '0c', HISTOGRAM],
  ['float histograms with start times', '0d', FLOAT_HISTOGRAM],
];

for (const [name, type, value] of NEWER) {
  test(`filter: ${name} are kept while one of the record's is`, () => {
    // ref 7, time 1000, start 0; then Δref 1, Δtime 1000, with no, the same and an own start time.
    for (const start of ['00', '01', '02 04']) {
      const record = unhex(`${type} 0e d00f 00 ${value} 02 d00f ${start} ${value}`);
      assert.equal(filtered(record, { mint: 2000 }), record);
      assert.equal(filtered(record, { mint: 2001 }), undefined);
    }
  });
}

test('filter: unknown and malformed records go, and are counted', () => {
  const stats = emptyFilterStats();
  const keep = { series: () => true, mint: 0 };
  assert.equal(filterRecord(unhex('00 01'), keep, stats), undefined);
  assert.equal(filterRecord(unhex(''), keep, stats), undefined);
  assert.equal(filterRecord(unhex('01 00'), keep, stats), undefined);
  assert.equal(stats.unknownDropped, 2);
  assert.equal(stats.malformedDropped, 1);
});

interface Content {
  readonly series: Map<number, string>;
  readonly samples: string[];
  readonly tombstones: string[];
  readonly metadata: Map<number, string>;
}

function contentOf(disk: SimDisk): Content & { damages: number } {
  const content: Content = { series: new Map(), samples: [], tombstones: [], metadata: new Map() };
  const { damages } = openLog(
    { disk, folder: FOLDER, ownFolder: OWN, core, repair: false },
    {
      record({ type, bytes }) {
        if (type === RecordType.Series) {
          for (const { ref, labels } of decodeSeries(bytes)) {
            assert.equal(content.series.get(ref), undefined, 'a series record is there once');
            content.series.set(ref, labels.join());
          }
        }
        if (type === RecordType.Samples) {
          content.samples.push(...decodeSamples(bytes).map(({ ref, timeMs }) => `${ref} ${timeMs}`));
        }
        if (type === RecordType.Tombstones) {
          content.tombstones.push(...decodeTombstones(bytes).map((stone) => JSON.stringify(stone)));
        }
        if (type === RecordType.Metadata) {
          for (const { ref, help } of decodeMetadata(bytes)) content.metadata.set(ref, help);
        }
      },
    },
  );
  return { ...content, damages: damages.length };
}

const SERIES = 300;

/** Samples of all series at every time 0…39, over several segments; every second series dies at 20. */
function filledLog(): SimDisk {
  const disk = emptyDisk();
  disk.makeFolder(OWN);
  const writer = writerOn(disk, { segmentBytes: 2 * PAGE_BYTES });
  const refs = Array.from({ length: SERIES }, (_, ref) => ref);
  writer.append([[encodeSeries(refs.map((ref) => ({ ref, labels: ['n', `series ${ref}`] })))]]);
  for (let timeMs = 0; timeMs < 40; timeMs++) {
    const live = refs.filter((ref) => timeMs < 20 || ref % 2 === 0);
    writer.append([
      [encodeSamples(live.map((ref) => ({ ref, timeMs, bits: 0n })))],
      [encodeMetadata([{ ref: timeMs, type: 'gauge', unit: '', help: `at ${timeMs}` }])],
      [encodeMetadata([{ ref: 2, type: 'gauge', unit: '', help: `at ${timeMs}` }])],
      [recordOf(timeMs, 3000)],
    ]);
    if (timeMs % 10 === 5) writer.append([[encodeTombstones([{ ref: timeMs - 1, mint: 0, maxt: timeMs }])]]);
  }
  writer.close();
  return disk;
}

const KEEP: Keep = { series: (ref) => ref % 2 === 0, mint: 10 };

/** What must be left of filledLog() behind any number of checkpoints with KEEP. */
function assertKept(content: Content, place: string): void {
  for (let ref = 0; ref < SERIES; ref += 2) assert.equal(content.series.get(ref), `n,series ${ref}`, place);
  const samples = new Set(content.samples);
  assert.equal(samples.size, content.samples.length, `${place}: no sample twice`);
  for (let timeMs = 10; timeMs < 40; timeMs++) {
    for (let ref = 0; ref < SERIES; ref += 2) assert.ok(samples.has(`${ref} ${timeMs}`), `${place}: ${ref} ${timeMs}`);
  }
  assert.equal(content.metadata.get(2), 'at 39', place);
  assert.ok(content.tombstones.length >= 3, place);
}

test('checkpoint: keeps what is needed and drops the rest; segments go; a second one builds on the first', () => {
  const disk = filledLog();
  const before = contentOf(disk);
  const segments = listSegments(disk, FOLDER);
  assert.ok(segments.length >= 4);
  const stats = writeCheckpoint({ disk, folder: FOLDER, core, last: 1, keep: KEEP });
  assert.equal(stats.seriesDropped, SERIES / 2);
  assert.equal(stats.damages.length, 0);
  assertKept(contentOf(disk), 'before the segments go');
  assert.deepEqual(dropCovered(disk, FOLDER), { segments: 2, checkpoints: 0 });
  assert.equal(listSegments(disk, FOLDER)[0], 2);
  assertKept(contentOf(disk), 'after');

  const last = segments.at(-2)!;
  writeCheckpoint({ disk, folder: FOLDER, core, last, keep: KEEP, segmentBytes: PAGE_BYTES });
  dropCovered(disk, FOLDER);
  assert.deepEqual(listCheckpoints(disk, FOLDER), [last]);
  assert.deepEqual(listSegments(disk, FOLDER), [segments.at(-1)]);
  const after = contentOf(disk);
  assertKept(after, 'second');
  assert.equal(after.series.size, SERIES / 2);
  assert.ok(after.samples.length < before.samples.length);
  assert.throws(() => writeCheckpoint({ disk, folder: FOLDER, core, last, keep: KEEP }), RangeError);
});

test('checkpoint: a crash at any call, or a call that fails, loses nothing', () => {
  const operations: Operation[] = ['open', 'pwrite', 'fdatasync', 'syncFolder', 'rename', 'unlink', 'makeFolder'];
  for (const operation of operations) {
    for (let nth = 1; nth <= 6; nth++) {
      const disk = filledLog();
      disk.fail({ operation, nth, times: 20 });
      let failed = false;
      try {
        writeCheckpoint({ disk, folder: FOLDER, core, last: 2, keep: KEEP });
        dropCovered(disk, FOLDER);
      } catch (error) {
        failed = true;
        assert.match((error as Error).name, /^(DiskError|LogStuck|UnreadableLog)$/);
      }
      const place = `${operation} number ${nth}, ${failed ? 'failed' : 'went on'}`;
      disk.heal();
      disk.quietly(() => assertKept(contentOf(disk), place));
      disk.crash(new Prng(nth));
      disk.makeFolder(OWN);
      assertKept(contentOf(disk), `${place}, crashed`);
      assert.deepEqual(
        disk.list(FOLDER).filter((name) => name.endsWith('.tmp')),
        [],
        place,
      );
    }
  }
});

test('checkpoint: damaged while its segments are there, it is passed over; otherwise the rest of it counts', () => {
  const disk = filledLog();
  writeCheckpoint({ disk, folder: FOLDER, core, last: 2, keep: KEEP });
  const inside = segmentPath(checkpointPath(FOLDER, 2), 0);
  disk.damage(inside, (bytes) => bytes.fill(0xee, 40_000, 40_010));
  const opened = openLog({ disk, folder: FOLDER, ownFolder: OWN, core, repair: false }, { record: () => {} });
  assert.deepEqual(opened.distrusted, [2]);
  assertKept(contentOf(disk), 'from the segments');
  dropCovered(disk, FOLDER);
  const { damages, samples } = contentOf(disk);
  assert.equal(damages, 1);
  assert.ok(samples.length > 0);
});
