import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError, realDisk } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import { HeadChunkFiles } from '../../../src/tsdb/head-chunks/files.js';
import { listHeadChunks } from '../../../src/tsdb/head-chunks/layout.js';
import { type HeadChunk, readHeadChunks } from '../../../src/tsdb/head-chunks/reader.js';
import { HeadChunkWriter } from '../../../src/tsdb/head-chunks/writer.js';
import { Core } from '../../../src/wasm/core.js';
import { Crc32c } from '../../../src/wasm/crc32c.js';
import { allHeadChunks, headChunkRecord } from '../../support/head-chunks.js';
import { PowerCut, SimDisk } from '../../support/sim-disk.js';
import { conformance, conformanceMissing } from '../../support/testdata.js';

const core = new Core();
const FOLDER = 'data/chunks_head';

type Chunk = Omit<HeadChunk, 'offset'>;

function newDisk(): SimDisk {
  const disk = new SimDisk();
  disk.makeFolder('data');
  disk.syncFolder('');
  return disk;
}

function someChunks(prng: Prng, count: number): Chunk[] {
  return Array.from({ length: count }, () => {
    const minTimeMs = prng.int(1_000_000) - 500_000;
    return {
      ref: 1 + prng.int(50),
      minTimeMs,
      maxTimeMs: minTimeMs + prng.int(100_000),
      encoding: 1,
      data: Uint8Array.from({ length: 3 + prng.int(300) }, () => prng.int(256)),
    };
  });
}

const recordsOf = (chunks: readonly Chunk[]) => chunks.map((chunk) => headChunkRecord(core, chunk));
const plain = (chunks: readonly (Chunk | HeadChunk)[]) =>
  chunks.map(({ ref, minTimeMs, maxTimeMs, encoding, data }) => ({
    ref,
    minTimeMs,
    maxTimeMs,
    encoding,
    data: [...data],
  }));

test('writer: a folder whose name could not be made durable at first is there after a power cut', () => {
  const disk = newDisk();
  disk.fail({ operation: 'syncFolder', nth: 1, path: 'data' });
  assert.throws(() => new HeadChunkWriter(disk, FOLDER), DiskError);
  const chunks = someChunks(new Prng(4), 3);
  const writer = new HeadChunkWriter(disk, FOLDER);
  writer.write(recordsOf(chunks));
  disk.crash();
  assert.deepEqual(plain(allHeadChunks(disk, FOLDER, core)), plain(chunks));
});

test('writer: files read as what was written, in files of a size, each session in files of its own', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed);
    const disk = newDisk();
    const want: Chunk[] = [];
    for (let session = 0; session < 3; session++) {
      const writer = new HeadChunkWriter(disk, FOLDER, prng.pick([2000, 10_000, undefined]));
      for (let batch = prng.int(6); batch > 0; batch--) {
        const chunks = someChunks(prng, 1 + prng.int(10));
        const { file, offset } = writer.write(recordsOf(chunks));
        const first = [...readHeadChunks(disk, `${FOLDER}/${String(file).padStart(6, '0')}`, new Crc32c(core))].find(
          (chunk) => chunk.offset === offset,
        );
        assert.deepEqual(plain([first!]), plain([chunks[0]!]));
        want.push(...chunks);
      }
      writer.close();
    }
    assert.deepEqual(plain(allHeadChunks(disk, FOLDER, core)), plain(want), `seed ${seed}`);
    const files = listHeadChunks(disk, FOLDER);
    assert.deepEqual(
      files,
      files.map((_, i) => i + 1),
    );
    assert.equal(disk.openFiles, 0);
  }
});

test('writer: a crash at any call leaves whole batches, those that were written among them, in files that read to their end', () => {
  let cuts = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const prng = new Prng(seed);
    const disk = newDisk();
    const before = someChunks(prng, 4);
    const first = new HeadChunkWriter(disk, FOLDER, 3000);
    first.write(recordsOf(before));
    first.close();
    const batches: Chunk[][] = [];
    let written = 0;
    disk.cutPowerAt(1 + prng.int(40));
    try {
      const writer = new HeadChunkWriter(disk, FOLDER, 3000);
      for (let i = 0; i < 4; i++) {
        const chunks = someChunks(prng, 1 + prng.int(12));
        batches.push(chunks);
        writer.write(recordsOf(chunks));
        written++;
      }
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      cuts++;
    }
    disk.crash(prng);
    new HeadChunkWriter(disk, FOLDER).close();
    // Sectors of one small write may come alone: then the record is damaged, and nothing in front of it.
    const found = foundOf(disk);
    const whole = [0, 1].map((more) => plain([before, ...batches.slice(0, written + more)].flat()));
    assert.ok(
      whole.some((want) => JSON.stringify(want) === JSON.stringify(plain(found))),
      `seed ${seed}: ${found.length} chunks found, ${written} batches written`,
    );
  }
  assert.ok(cuts > 100);
});

function foundOf(disk: SimDisk): HeadChunk[] {
  return listHeadChunks(disk, FOLDER).flatMap((file) => {
    const chunks: HeadChunk[] = [];
    try {
      for (const chunk of readHeadChunks(disk, `${FOLDER}/${String(file).padStart(6, '0')}`, new Crc32c(core)))
        chunks.push(chunk);
    } catch (error) {
      assert.equal((error as Error).name, 'HeadChunkFault');
    }
    return chunks;
  });
}

test('writer: of a batch that could not be written nothing is there, and the next one is in another file', () => {
  for (const operation of ['pwrite', 'fdatasync', 'truncate', 'open', 'syncFolder'] as const) {
    for (let nth = 1; nth <= 4; nth++) {
      for (const times of [1, 3]) {
        const disk = newDisk();
        const prng = new Prng(nth);
        const writer = new HeadChunkWriter(disk, FOLDER);
        const want = someChunks(prng, 3);
        writer.write(recordsOf(want));
        disk.fail({ operation, nth, times, share: 0.5 });
        for (let batch = 0; batch < 6; batch++) {
          const chunks = someChunks(prng, 3);
          try {
            writer.write(recordsOf(chunks));
            want.push(...chunks);
          } catch (error) {
            assert.ok(error instanceof DiskError);
          }
        }
        disk.crash();
        assert.deepEqual(plain(allHeadChunks(disk, FOLDER, core)), plain(want), `${operation} ${nth}`);
      }
    }
  }
});

test('writer: a last file without a header is removed, because the numbers go on behind it', () => {
  const disk = newDisk();
  new HeadChunkWriter(disk, FOLDER).write(recordsOf(someChunks(new Prng(1), 2)));
  disk.close(disk.open(`${FOLDER}/000002`, 'create'));
  const { file } = new HeadChunkWriter(disk, FOLDER).write(recordsOf(someChunks(new Prng(2), 2)));
  assert.equal(file, 2);
});

test('files: the oldest go when blocks have all of them, up to the first that is needed or unknown', () => {
  const disk = newDisk();
  disk.makeFolder('data/narthex');
  const fill = (files: HeadChunkFiles, latestMs: number) =>
    files.write(recordsOf(someChunks(new Prng(latestMs), 1)), latestMs).file;
  for (let session = 1; session <= 3; session++)
    fill(new HeadChunkFiles(disk, 'data', new Crc32c(core)), session * 100);
  const files = new HeadChunkFiles(disk, 'data', new Crc32c(core));
  assert.equal(files.dropBefore(1000), 0, 'nobody has read them');
  files.note([1, 2, 3].map((file) => ({ file, latestMs: file * 100, bytes: 100, hasOutOfOrder: file === 2 })));
  assert.equal(fill(files, 400), 4);
  assert.equal(files.dropBefore(100), 0, 'one has a sample of that time');
  disk.makeFolder('data/wbl');
  disk.close(disk.open('data/wbl/00000000', 'create'));
  assert.equal(files.dropBefore(301), 1, 'the second has chunks that a write-behind log names');
  disk.unlink('data/wbl/00000000');
  assert.equal(files.dropBefore(301), 2);
  assert.equal(files.dropBefore(1000), 0, 'one is written to');
  assert.deepEqual(listHeadChunks(disk, FOLDER), [4]);
});

test('reader: chunks of a head that Prometheus wrote', { skip: conformanceMissing() }, () => {
  const folder = conformance('tsdb/killed/data/chunks_head');
  const chunks = allHeadChunks(realDisk, folder, core);
  assert.ok(chunks.length > 0);
  assert.deepEqual(new Set(chunks.map(({ encoding }) => encoding & 0x7f)).has(1), true);
  for (const { minTimeMs, maxTimeMs, ref } of chunks) assert.ok(minTimeMs <= maxTimeMs && ref > 0);
});
