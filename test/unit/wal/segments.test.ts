// The frame of the log: fragments, pages, segments; what damage costs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compress } from 'snappyjs';
import { Prng } from '../../../src/base/prng.js';
import { framedBytes, PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import { listCheckpoints, listSegments, segmentPath } from '../../../src/tsdb/wal/segments.js';
import { Crc32c } from '../../../src/wasm/crc32c.js';
import type { SimDisk } from '../../support/sim-disk.js';
import { emptyDisk, FOLDER, hex, inParts, readBack, recordOf, testCore, unhex, writerOn } from '../../support/wal.js';

const FIRST = segmentPath(FOLDER, 0);

test('golden bytes: two records of one fragment each', () => {
  const disk = emptyDisk();
  const writer = writerOn(disk);
  // CRC-32C of "123456789" is e3069283, of nothing 0.
  const position = writer.append([[new TextEncoder().encode('12345'), new TextEncoder().encode('6789')], []]);
  writer.sync();
  assert.deepEqual(position, { segment: 0, offset: 23 });
  assert.equal(
    hex(disk.readFile(FIRST)),
    `01 0009 e3069283 ${Buffer.from('123456789').toString('hex')} 01 0000 00000000`.replace(/\s+/g, ''),
  );
});

test('golden bytes: a record over three pages', () => {
  const disk = emptyDisk();
  const record = new Uint8Array(2 * (PAGE_BYTES - 7) + 5);
  const writer = writerOn(disk);
  writer.append([[record]]);
  const file = disk.readFile(FIRST);
  const crcOf = (length: number) => new Crc32c(testCore()).of(new Uint8Array(length)).toString(16).padStart(8, '0');
  assert.equal(file.length, 2 * PAGE_BYTES + 12);
  assert.equal(hex(file.subarray(0, 7)), `027ff9${crcOf(PAGE_BYTES - 7)}`);
  assert.equal(hex(file.subarray(PAGE_BYTES, PAGE_BYTES + 7)), `037ff9${crcOf(PAGE_BYTES - 7)}`);
  assert.equal(hex(file.subarray(2 * PAGE_BYTES, 2 * PAGE_BYTES + 7)), `040005${crcOf(5)}`);
});

test('every room left in a page: 0 to 20 bytes, then a short and a long record', () => {
  for (let left = 0; left <= 20; left++) {
    for (const length of [0, 1, 13, PAGE_BYTES - 8, PAGE_BYTES - 7, PAGE_BYTES - 6, 3 * PAGE_BYTES]) {
      const disk = emptyDisk();
      const writer = writerOn(disk);
      const records = [recordOf(1, PAGE_BYTES - 7 - left), recordOf(2, length), recordOf(3, 10)];
      for (const record of records) writer.append([[record]]);
      const { records: read, damages, places } = readBack(disk);
      assert.deepEqual(damages, [], `${left} left, ${length} bytes`);
      assert.deepEqual(read.map(hex), records.map(hex), `${left} left, ${length} bytes`);
      let offset = 0;
      for (const [i, place] of places.entries()) {
        const end = offset + framedBytes(offset, records[i]!.length);
        assert.ok(place.offset >= offset && place.offset < end, `${left} left, ${length} bytes, record ${i}`);
        offset = end;
      }
      assert.equal(writer.position.offset, offset);
    }
  }
});

test('round trip: random batches in random parts, over segment rolls, synced or not', () => {
  for (let seed = 0; seed < 20; seed++) {
    const prng = new Prng(seed);
    const disk = emptyDisk();
    const segmentBytes = PAGE_BYTES * (2 + prng.int(8));
    const stepBytes = prng.pick([0, PAGE_BYTES, 3 * PAGE_BYTES]);
    const unsyncedBytesMax = prng.pick([10_000, 100_000, 10_000_000]);
    const writer = writerOn(disk, { segmentBytes, stepBytes, unsyncedBytesMax });
    const records: Uint8Array[] = [];
    for (let batch = 0; batch < 30; batch++) {
      const added = Array.from({ length: prng.int(5) }, (_, i) =>
        recordOf(batch * 10 + i, prng.int(prng.pick([10, 1000, PAGE_BYTES * 2, PAGE_BYTES * 12]))),
      );
      writer.append(added.map((record) => inParts(record, prng)));
      records.push(...added);
      if (prng.float() < 0.3) writer.sync();
      if (prng.float() < 0.3) writer.prepare();
      if (prng.float() < 0.05) writer.roll();
    }
    const open = readBack(disk);
    assert.deepEqual(open.records.map(hex), records.map(hex), `seed ${seed}`);
    writer.close();
    const { records: read, damages, summary } = readBack(disk);
    assert.deepEqual(read.map(hex), records.map(hex), `seed ${seed}`);
    assert.deepEqual(damages, [], `seed ${seed}`);
    const segments = listSegments(disk, FOLDER);
    const last = segments.at(-1)!;
    assert.equal(disk.readFile(segmentPath(FOLDER, last)).length, summary.ends.get(last), 'cut to what is used');
    for (const segment of segments.slice(0, -1)) {
      assert.equal(disk.readFile(segmentPath(FOLDER, segment)).length % PAGE_BYTES, 0, 'whole pages');
    }
  }
});

test('names: only segments and finished checkpoints are seen', () => {
  const disk = emptyDisk();
  for (const name of ['00000003', '00000012', 'checkpoint.00000002', 'checkpoint.00000005.tmp', 'x', '123']) {
    disk.makeFolder(`${FOLDER}/${name}`);
  }
  assert.deepEqual(listSegments(disk, FOLDER), [3, 12]);
  assert.deepEqual(listCheckpoints(disk, FOLDER), [2]);
});

test('compressed records are decoded, whole or in fragments; a damaged one costs itself', () => {
  const crc = new Crc32c(testCore());
  const prng = new Prng(5);
  const record = Uint8Array.from({ length: 90_000 }, () => prng.int(16));
  const block = new Uint8Array(compress(record));
  const fragments: Uint8Array[] = [];
  let at = 0;
  const put = (kind: number, payload: Uint8Array) => {
    const header = new Uint8Array(7);
    const view = new DataView(header.buffer);
    view.setUint8(0, kind);
    view.setUint16(1, payload.length);
    view.setUint32(3, crc.of(payload));
    fragments.push(header, payload);
    at += 7 + payload.length;
  };
  const putRecord = (bytes: Uint8Array, flag: number) => {
    for (let done = 0; done < bytes.length || done === 0; ) {
      const count = Math.min(bytes.length - done, PAGE_BYTES - (at % PAGE_BYTES) - 7);
      const last = done + count === bytes.length;
      put(flag | (done === 0 ? (last ? 1 : 2) : last ? 4 : 3), bytes.subarray(done, done + count));
      done += count;
    }
  };
  putRecord(new Uint8Array(compress(unhex('0102'))), 8);
  putRecord(block, 8);
  putRecord(unhex('05ffff'), 8);
  putRecord(unhex('ffffffff0f'), 8);
  putRecord(unhex('0304'), 0);
  const disk = emptyDisk();
  const file = disk.open(FIRST, 'create');
  disk.pwrite(file, Buffer.concat(fragments), 0);
  disk.close(file);
  const read = readBack(disk);
  assert.deepEqual(read.records.map(hex), ['0102', hex(record), '0304']);
  assert.deepEqual(
    read.damages.map(({ reason, bytes, torn }) => ({ reason, bytes, torn })),
    [
      { reason: 'compression', bytes: 10, torn: false },
      { reason: 'record too large', bytes: 12, torn: false },
    ],
  );
});

/** A small log over five pages and two segments; `where` has the range of bytes of each record. */
function smallLog(): {
  disk: SimDisk;
  records: Uint8Array[];
  where: { segment: number; from: number; to: number }[];
} {
  const disk = emptyDisk();
  const writer = writerOn(disk, { segmentBytes: 4 * PAGE_BYTES });
  const lengths = [100, 32_000, 5000, 40_000, 7, 20_000, 12, 30_000, 300, 33_000, 50, 9];
  const records = lengths.map((length, i) => recordOf(i, length));
  const where = records.map((record) => {
    const from = writer.position;
    const to = writer.append([[record]]);
    return { segment: to.segment, from: from.segment === to.segment ? from.offset : 0, to: to.offset };
  });
  writer.close();
  assert.deepEqual(listSegments(disk, FOLDER), [0, 1]);
  return { disk, records, where };
}

/** The records that damage at a byte may cost: those with a byte in its page. */
function inPage(where: { segment: number; from: number; to: number }[], segment: number, offset: number): Set<number> {
  const page = Math.floor(offset / PAGE_BYTES);
  const touched = where.flatMap((place, i) =>
    place.segment === segment &&
    Math.floor(place.from / PAGE_BYTES) <= page &&
    Math.floor((place.to - 1) / PAGE_BYTES) >= page
      ? [i]
      : [],
  );
  return new Set(touched);
}

test('damage at any byte: costs only records of its page, never gives a wrong one, and is always reported', () => {
  const { disk, records, where } = smallLog();
  const all = records.map(hex);
  let checked = 0;
  for (const segment of [0, 1]) {
    const path = segmentPath(FOLDER, segment);
    const sound = disk.readFile(path);
    const prng = new Prng(segment);
    for (let at = 0; at < sound.length; at += isNearHeader(where, segment, at) ? 1 : 1 + prng.int(400)) {
      const costs = inPage(where, segment, at);
      for (const bit of isNearHeader(where, segment, at) ? [0, 1, 2, 3, 4, 5, 6, 7] : [prng.int(8)]) {
        const place = `bit ${bit} of byte ${at} of segment ${segment}`;
        disk.damage(path, (bytes) => {
          bytes[at]! ^= 1 << bit;
          return bytes;
        });
        const { records: read, damages } = readBack(disk);
        const got = new Set(read.map(hex));
        for (const text of got) assert.ok(all.includes(text), `${place}: a record that was never written`);
        for (const [i, text] of all.entries()) {
          // A record that crosses into or out of the page may go as well as the page's own.
          if (!costs.has(i)) assert.ok(got.has(text), `${place}: record ${i} was lost`);
        }
        assert.ok(damages.length > 0, `${place}: nothing was said`);
        assert.ok(damages.every((damage) => damage.segment === segment && damage.bytes <= 3 * PAGE_BYTES));
        assert.equal(read.length + missing(all, got), all.length);
        disk.damage(path, () => sound);
        checked++;
      }
    }
  }
  assert.ok(checked > 500, `${checked} bytes checked`);
});

test('a page of zeroes: costs its records, and is reported unless it was empty', () => {
  const { disk, records, where } = smallLog();
  const all = records.map(hex);
  for (const segment of [0, 1]) {
    const path = segmentPath(FOLDER, segment);
    const sound = disk.readFile(path);
    for (let from = 0; from < sound.length; from += 4096) {
      disk.damage(path, (bytes) => bytes.fill(0, from, from + 4096));
      const { records: read, damages } = readBack(disk);
      const got = new Set(read.map(hex));
      const costs = inPage(where, segment, from);
      for (const [i, text] of all.entries()) if (!costs.has(i)) assert.ok(got.has(text), `record ${i}, byte ${from}`);
      if (got.size < all.length && segment === 0) assert.ok(damages.length > 0, `byte ${from}`);
      disk.damage(path, () => sound);
    }
  }
});

test('cut at any byte of the last segment: a torn tail, and everything before it', () => {
  const { disk, records, where } = smallLog();
  const path = segmentPath(FOLDER, 1);
  const sound = disk.readFile(path);
  const prng = new Prng(9);
  for (let length = 0; length <= sound.length; length += isNearHeader(where, 1, length) ? 1 : 1 + prng.int(300)) {
    disk.damage(path, (bytes) => bytes.slice(0, length));
    const { records: read, damages } = readBack(disk);
    const whole = where.filter((place) => place.segment === 0 || place.to <= length).length;
    assert.deepEqual(read.map(hex), records.slice(0, whole).map(hex), `cut at ${length}`);
    assert.ok(damages.length <= 1 && damages.every((damage) => damage.torn), `cut at ${length}`);
    const boundary = whole === 0 ? 0 : where[whole - 1]!.to;
    if (where[whole]?.segment === 1 && length > boundary) {
      assert.equal(damages.length, 1, `cut at ${length}: ${boundary}`);
      assert.equal(damages[0]!.offset + damages[0]!.bytes, length);
    }
    disk.damage(path, () => sound);
  }
});

test('cut in an earlier segment: damage, and the later segment is read', () => {
  const { disk, records, where } = smallLog();
  disk.damage(segmentPath(FOLDER, 0), (bytes) => bytes.slice(0, where[1]!.to + 10));
  const { records: read, damages } = readBack(disk);
  const kept = records.filter((_, i) => i < 2 || where[i]!.segment === 1);
  assert.deepEqual(read.map(hex), kept.map(hex));
  assert.deepEqual(
    damages.map(({ segment, offset, bytes, reason, torn }) => ({ segment, offset, bytes, reason, torn })),
    [{ segment: 0, offset: where[1]!.to, bytes: 10, reason: 'fragment cut off', torn: false }],
  );
});

test('a missing segment and unreadable spots are reported; the rest is read', () => {
  const disk = emptyDisk();
  const writer = writerOn(disk);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 4; j++) writer.append([[recordOf(i * 4 + j, 30_000)]]);
    writer.roll();
  }
  writer.close();
  disk.unlink(segmentPath(FOLDER, 1));
  disk.fail({ operation: 'pread', path: segmentPath(FOLDER, 2), nth: 1, times: 4 });
  const { records, damages } = readBack(disk);
  const ids = records.map((record) => new DataView(record.buffer).getUint32(1));
  // The piece fails twice, then its first page twice.
  assert.deepEqual(ids, [0, 1, 2, 3, 10, 11]);
  assert.deepEqual(
    damages.map(({ segment, reason, torn }) => `${segment} ${reason} ${torn}`),
    ['1 segment missing false', '2 read error false'],
  );
});

test('anything at all: a segment of noise, or a sound one with noise in it, ends in records and damage, never in an error', () => {
  const { disk } = smallLog();
  const path = segmentPath(FOLDER, 0);
  const sound = disk.readFile(path);
  for (let seed = 0; seed < 150; seed++) {
    const prng = new Prng(seed);
    const noise = Uint8Array.from({ length: prng.int(3 * PAGE_BYTES) }, () => prng.int(prng.pick([2, 6, 256])));
    disk.damage(path, (bytes) => {
      if (seed % 3 === 0) return noise;
      bytes.set(noise.subarray(0, bytes.length - 1000), prng.int(1000));
      // Headers with a length that fits, so that more than the first check is reached.
      for (let i = 0; i < 50; i++) bytes.set([prng.int(32), 0, prng.int(64), 0, 0, 0, 0], prng.int(bytes.length - 7));
      return bytes;
    });
    const { damages, summary } = readBack(disk);
    assert.ok(summary.segments === 2, `seed ${seed}`);
    for (const { segment, offset, bytes } of damages) {
      const size = disk.readFile(segmentPath(FOLDER, segment)).length;
      assert.ok(
        offset >= 0 && bytes >= 0 && offset + bytes <= size,
        `seed ${seed}: ${segment} ${offset} ${bytes} ${size}`,
      );
    }
    disk.damage(path, () => sound);
  }
});

function missing(all: string[], got: Set<string>): number {
  return all.filter((text) => !got.has(text)).length;
}

/** Headers are looked at byte by byte; payloads are all alike. */
function isNearHeader(where: { segment: number; from: number; to: number }[], segment: number, at: number): boolean {
  const inPageAt = at % PAGE_BYTES;
  return (
    inPageAt < 12 ||
    inPageAt > PAGE_BYTES - 12 ||
    where.some((place) => place.segment === segment && Math.abs(place.from - at) < 12)
  );
}
