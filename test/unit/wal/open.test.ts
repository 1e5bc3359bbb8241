// Starting on a log: repair, the manifest, and where writing goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { ManifestWriter, readManifest } from '../../../src/tsdb/wal/manifest.js';
import { type OpenedLog, openLog } from '../../../src/tsdb/wal/open.js';
import { PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import { fillerFor } from '../../../src/tsdb/wal/repair.js';
import { listSegments, segmentPath } from '../../../src/tsdb/wal/segments.js';
import { Crc32c } from '../../../src/wasm/crc32c.js';
import { SimDisk } from '../../support/sim-disk.js';
import { emptyDisk, FOLDER, hex, readBack, recordOf, testCore, writerOn } from '../../support/wal.js';

const OWN = 'data/narthex';
const core = testCore();
const crc = new Crc32c(core);

function open(disk: SimDisk): OpenedLog & { ids: number[] } {
  const ids: number[] = [];
  const opened = openLog(
    { disk, folder: FOLDER, ownFolder: OWN, core },
    { record: ({ bytes, length }) => void (length > 4 && bytes[0] === 0xfe && ids.push(idOf(bytes))) },
  );
  return { ...opened, ids };
}

function idOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
}

function logOf(lengths: number[], options: { segmentBytes?: number; stepBytes?: number } = {}): SimDisk {
  const disk = emptyDisk();
  const writer = writerOn(disk, options);
  for (const [i, length] of lengths.entries()) writer.append([[recordOf(i, length)]]);
  writer.sync();
  writer.prepare();
  disk.kill();
  return disk;
}

test('an empty place: folders are made, writing begins with segment 0', () => {
  const disk = new SimDisk();
  const { nextSegment, damages, checkpoint } = open(disk);
  assert.deepEqual({ nextSegment, damages, checkpoint }, { nextSegment: 0, damages: [], checkpoint: -1 });
  assert.deepEqual(disk.list('data'), ['narthex', 'wal']);
});

test('after a kill: zeroes written ahead are given back, writing goes on in the next segment', () => {
  const disk = logOf([100, 50_000, 60_000, 10], { segmentBytes: 4 * PAGE_BYTES, stepBytes: 2 * PAGE_BYTES });
  const made = listSegments(disk, FOLDER);
  const { ids, damages, nextSegment } = open(disk);
  assert.deepEqual(ids, [0, 1, 2, 3]);
  assert.deepEqual(damages, []);
  assert.ok(nextSegment <= made.length);
  const last = segmentPath(FOLDER, nextSegment - 1);
  const end = readBack(disk).summary.ends.get(nextSegment - 1)!;
  assert.equal(disk.readFile(last).length, Math.ceil(end / PAGE_BYTES) * PAGE_BYTES);
  assert.equal(open(disk).nextSegment, nextSegment);
});

test('repair: after damage at any byte the log reads without a fault, with the same records', () => {
  const lengths = [100, 32_000, 5000, 40_000, 7, 20_000, 12, 30_000, 300, 33_000, 50, 9];
  const prng = new Prng(4);
  for (let round = 0; round < 300; round++) {
    const disk = logOf(lengths, { segmentBytes: 4 * PAGE_BYTES });
    const segment = prng.int(2);
    const path = segmentPath(FOLDER, segment);
    const size = disk.readFile(path).length;
    const at = prng.int(size);
    const kind = prng.int(4);
    disk.damage(path, (bytes) => {
      if (kind === 0) bytes[at]! ^= 1 << prng.int(8);
      if (kind === 1) bytes.fill(0, at, at + 4096);
      if (kind === 2) bytes.fill(0xff, at, at + 3 * PAGE_BYTES);
      return kind === 3 ? bytes.slice(0, at) : bytes;
    });
    const place = `round ${round}: kind ${kind} at ${at} of segment ${segment}`;
    const first = open(disk);
    assert.deepEqual(first.unrepaired, [], place);
    const { records, damages } = readBack(disk);
    assert.deepEqual(damages, [], place);
    const ids = records.filter((record) => record[0] === 0xfe).map(idOf);
    assert.deepEqual(ids, first.ids, place);
    assert.ok(
      records.every((record) => record[0] === 0xfe || record.length === 0 || record[0] === 0),
      place,
    );
    if (first.damages.some((damage) => damage.bytes > 0)) assert.ok(disk.list(`${OWN}/lost`).length > 0, place);
    const second = open(disk);
    assert.deepEqual(second.damages, [], place);
    assert.deepEqual(second.ids, first.ids, place);
  }
});

test('repair: a missing segment is replaced by an empty one, as numbers must not have gaps', () => {
  const disk = logOf([60_000, 60_000, 60_000, 60_000, 60_000], { segmentBytes: 2 * PAGE_BYTES });
  disk.unlink(segmentPath(FOLDER, 2));
  const { ids, damages } = open(disk);
  assert.deepEqual(ids, [0, 1, 3, 4]);
  assert.deepEqual(
    damages.map(({ reason, segment }) => ({ reason, segment })),
    [{ reason: 'segment missing', segment: 2 }],
  );
  assert.deepEqual(listSegments(disk, FOLDER), [0, 1, 2, 3, 4]);
  assert.equal(open(disk).damages.length, 0);
});

test('repair: what the disk refuses stays, and is said', () => {
  const disk = logOf([30_000, 30_000, 30_000]);
  disk.damage(segmentPath(FOLDER, 0), (bytes) => bytes.fill(1, 40_000, 40_010));
  disk.fail({ operation: 'pwrite', nth: 1, times: 99, code: 'EROFS' });
  const { unrepaired, ids } = open(disk);
  assert.deepEqual(ids, [0]);
  assert.equal(unrepaired.length, 1);
});

test('filler: readable at any place and of any length', () => {
  for (const from of [0, 1, PAGE_BYTES - 20, PAGE_BYTES - 7, PAGE_BYTES - 6, PAGE_BYTES - 1]) {
    for (const to of [from + 7, from + 8, from + 100, 2 * PAGE_BYTES, 2 * PAGE_BYTES + 7, 3 * PAGE_BYTES]) {
      if (to < from + 7 || (from % PAGE_BYTES > PAGE_BYTES - 7 && to < PAGE_BYTES + 7)) continue;
      const tail = to % PAGE_BYTES;
      if (tail > 0 && tail < 7) continue;
      const disk = emptyDisk();
      const writer = writerOn(disk);
      // A record in front, so that the filler begins at `from`.
      if (from >= 7) writer.append([[recordOf(1, from - 7)]]);
      const file = disk.open(segmentPath(FOLDER, 0), 'write');
      if (from === 0 || from >= 7) disk.pwrite(file, fillerFor(from, to, crc), from);
      assert.deepEqual(readBack(disk).damages, [], `${from} to ${to}`);
    }
  }
});

test('manifest: an emptied or shortened last segment is missed', () => {
  for (const keep of [0, 20_000]) {
    const disk = logOf([30_000, 30_000]);
    const { manifest } = open(disk);
    const writer = new ManifestWriter(disk, manifest.path, crc, 0);
    writer.write(manifest.state);
    const synced = manifest.state.synced.get(0)!;
    disk.damage(segmentPath(FOLDER, 0), (bytes) => bytes.slice(0, keep));
    const { damages } = open(disk);
    assert.deepEqual(
      damages.map(({ reason, torn }) => ({ reason, torn })),
      [
        { reason: keep === 0 ? 'segment shortened' : 'fragment cut off', torn: false },
        ...(keep === 0 ? [] : [{ reason: 'segment shortened', torn: false }]),
      ],
      `kept ${keep} of ${synced}`,
    );
  }
});

test('manifest: a segment that went is missed; one that another server added makes it void', () => {
  const disk = logOf([60_000, 60_000, 60_000], { segmentBytes: 2 * PAGE_BYTES });
  const { manifest } = open(disk);
  new ManifestWriter(disk, manifest.path, crc, 0).write(manifest.state);
  disk.unlink(segmentPath(FOLDER, 2));
  const { damages } = open(disk);
  assert.deepEqual(
    damages.map(({ reason, segment, bytes }) => ({ reason, segment, bytes })),
    [{ reason: 'segment missing', segment: 2, bytes: manifest.state.synced.get(2) }],
  );
  writerOn(disk, { segment: 3 }).append([[recordOf(9, 10)]]);
  assert.deepEqual(open(disk).damages, []);
});

test('manifest: two slots in turn; one damaged, the other is believed; both, it says so', () => {
  const disk = emptyDisk();
  const path = 'data/manifest';
  assert.equal(readManifest(disk, path, crc).outcome, 'absent');
  const writer = new ManifestWriter(disk, path, crc, 0);
  for (let i = 1; i <= 3; i++) writer.write({ highest: i, synced: new Map([[i, i * 2 ** 31]]) });
  const found = readManifest(disk, path, crc);
  assert.deepEqual(found, {
    outcome: 'found',
    generation: 3,
    state: { highest: 3, synced: new Map([[3, 3 * 2 ** 31]]), checkpoint: undefined },
  });
  const sound = disk.readFile(path);
  for (let at = 0; at < sound.length; at++) {
    disk.damage(path, (bytes) => {
      bytes[at]! ^= 0x40;
      return bytes;
    });
    const again = readManifest(disk, path, crc);
    assert.ok(again.outcome === 'found', `byte ${at}`);
    assert.ok(again.generation === 3 || (at >= 4096 && again.generation === 2), `byte ${at}`);
    disk.damage(path, () => sound);
  }
  disk.damage(path, (bytes) => bytes.fill(0));
  assert.equal(readManifest(disk, path, crc).outcome, 'damaged');
  disk.damage(path, () => new Uint8Array(5));
  assert.equal(readManifest(disk, path, crc).outcome, 'damaged');
});

test('manifest: golden bytes', () => {
  const disk = emptyDisk();
  const checkpoint = { last: 3, bytes: 2 ** 33 };
  new ManifestWriter(disk, 'data/manifest', crc, 7).write({ highest: 5, synced: new Map([[4, 256]]), checkpoint });
  const slot = disk.readFile('data/manifest');
  const body = '0000000000000008 00000005 00000003 0000000200000000 00000001 00000004 0000000000000100'.replace(
    / /g,
    '',
  );
  const sum = crc.of(Buffer.from(body, 'hex')).toString(16).padStart(8, '0');
  assert.equal(hex(slot.subarray(0, 48)), `4e4c4d32${sum}${body}`);
});
