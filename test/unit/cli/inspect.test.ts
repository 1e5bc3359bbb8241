import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { inspect } from '../../../src/cli/inspect/inspect.js';
import { ManifestWriter } from '../../../src/tsdb/wal/manifest.js';
import { Crc32c } from '../../../src/wasm/crc32c.js';
import { inMemory } from '../../support/block.js';
import { headChunkRecord } from '../../support/head-chunks.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testdata } from '../../support/testdata.js';
import { testCore } from '../../support/wal.js';

const KILLED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB');

const lines = (path: string) => [...inspect(realDisk, path, testCore())];

test('inspect: an index, section by section', () => {
  const printed = lines(`${KILLED}/index`);
  assert.equal(printed[0], 'index, 6341 bytes');
  assert.match(printed[1]!, /^ {9}5 {2}\d+ symbols$/);
  assert.ok(printed.includes('                 0  ""'));
  assert.equal(printed.filter((line) => /^ +\d+ {2}series \d+ {2}/.test(line)).length, 74);
  assert.equal(printed.filter((line) => /^ +0:\d+ {2}\d+ … \d+$/.test(line)).length, 296);
  assert.ok(printed.some((line) => /^ +\d+ {2}__name__="fx_nh" {2}\d+( \d+)*$/.test(line)));
});

test('inspect: a segment of chunks, tombstones, a description', () => {
  const chunks = lines(`${KILLED}/chunks/000001`);
  assert.equal(chunks[0], 'segment of chunks, 92274 bytes');
  assert.equal(chunks.length, 1 + 296);
  assert.match(chunks[1]!, /^ {13}8 {2}Xor, \d+ samples, \d+ bytes$/);
  assert.ok(chunks.some((line) => line.includes('FloatHistogram, ') || line.includes('Histogram, ')));
  assert.deepEqual(lines(`${KILLED}/tombstones`), [
    'tombstones, 2 intervals',
    '           234  1769817600000 … 1769824785000',
    '           237  1769821200000 … 1769824785000',
  ]);
  assert.match(lines(`${KILLED}/meta.json`).join('\n'), /"numChunks": 296/);
});

test('inspect: a block is all of its files', () => {
  const printed = lines(KILLED);
  const titles = printed.filter((line) => line.startsWith('──'));
  assert.deepEqual(titles, ['── meta.json', '── index', '── chunks/000001', '── tombstones']);
});

test('inspect: prints up to where a file is damaged, then says what is wrong', () => {
  const disk = inMemory(KILLED);
  disk.damage('data/block/chunks/000001', (bytes) => bytes.subarray(0, 5000));
  const printed: string[] = [];
  assert.throws(() => {
    for (const line of inspect(disk, 'data/block/chunks/000001', testCore())) printed.push(line);
  }, /^BlockFault: data\/block\/chunks\/000001: chunk at \d+: its length \d+ reaches beyond the file's end$/);
  assert.ok(printed.length > 10);
  disk.damage('data/block/index', (bytes) => bytes.fill(7));
  assert.throws(() => [...inspect(disk, 'data/block/index', testCore())], /nothing of ours begins with 07070707/);
  assert.throws(() => [...inspect(disk, 'data/nothing', testCore())], /data\/nothing is not there/);
});

test('inspect: a log, its checkpoint, one segment', () => {
  const wal = testdata('wal/killed/wal');
  const whole = lines(wal);
  assert.match(whole[0]!, /^ +3:0 {2}[a-z_]+ \(\d+\), \d+ bytes$/);
  assert.ok(whole.some((line) => / {2}float_histogram_samples \(8\), /.test(line)));
  assert.ok(whole.some((line) => /^ {4} +\d+ {2}\d{13} {2}[-+.e\d]+$/.test(line)));
  assert.ok(whole.some((line) => / {2}\d{13} {2}stale$/.test(line)));
  assert.equal(whole.filter((line) => line.endsWith('end of the segment')).length, 4);
  const series = lines(`${wal}/checkpoint.00000002`).filter((line) => line.includes('{'));
  assert.ok(series.some((line) => line.includes('fx_')));
  const fifth = lines(`${wal}/00000005`);
  assert.deepEqual(fifth, whole.slice(whole.indexOf(fifth[0]!), whole.indexOf(fifth.at(-1)!) + 1));
});

test('inspect: damage of a log stands where it is', () => {
  const disk = inMemory(testdata('wal/killed/wal'), 'data/wal');
  disk.damage('data/wal/00000004', (bytes) => bytes.fill(0xff, 40_000, 40_100));
  const printed = [...inspect(disk, 'data/wal', testCore())];
  assert.equal(printed.filter((line) => / 4:\d+ {2}DAMAGED, \d+ bytes: /.test(line)).length, 1);
});

test('inspect: chunks of the head, a folder or a file, up to damage', () => {
  const core = testCore();
  const disk = new SimDisk();
  disk.makeFolder('data/chunks_head');
  const header = Uint8Array.of(0x01, 0x30, 0xbc, 0x91, 1, 0, 0, 0);
  const records = [
    { ref: 1, minTimeMs: 1000, maxTimeMs: 2000, encoding: 1, data: Uint8Array.of(0, 2, 9) },
    { ref: 7, minTimeMs: 3000, maxTimeMs: 4000, encoding: 0x82, data: Uint8Array.of(1, 0, 9) },
  ].map((chunk) => headChunkRecord(core, chunk));
  const write = (name: string, parts: Uint8Array[]) => {
    const file = disk.open(`data/chunks_head/${name}`, 'create');
    disk.pwrite(file, Buffer.concat([header, ...parts]), 0);
    disk.close(file);
  };
  write('000001', records);
  write('000002', [records[0]!, new Uint8Array(64)]);
  const printed = [...inspect(disk, 'data/chunks_head', core)];
  const [first, second] = [
    '         8  series 1  1000 … 2000  Xor, 2 samples, 3 bytes',
    '        41  series 7  3000 … 4000  Histogram, out of order, 256 samples, 3 bytes',
  ];
  const title = 'chunks of the head';
  assert.deepEqual(printed, ['', '── 1', title, first, second, '', '── 2', title, first]);
  disk.damage('data/chunks_head/000001', (bytes) => bytes.fill(7, 45, 47));
  const some: string[] = [];
  assert.throws(() => {
    for (const line of inspect(disk, 'data/chunks_head/000001', core)) some.push(line);
  }, /^HeadChunkFault/);
  assert.deepEqual(some, [title, first]);
});

test('inspect: a manifest', () => {
  const disk = new SimDisk();
  disk.makeFolder('narthex');
  const path = 'narthex/log.manifest';
  const writer = new ManifestWriter(disk, path, new Crc32c(testCore()), 0);
  writer.write({ highest: 3, synced: new Map([[2, 4096]]) });
  writer.close();
  assert.deepEqual(
    [...inspect(disk, path, testCore())],
    ['manifest of the log, generation 1', '         3  the highest segment', '             2  4096 bytes synced'],
  );
  disk.damage(path, (bytes) => bytes.fill(0));
  assert.deepEqual([...inspect(disk, path, testCore())], ['manifest of the log, damaged']);
});
