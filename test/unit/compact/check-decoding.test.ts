import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockFault, ChunkEncoding, type StreamedChunk } from '../../../src/tsdb/block/contract.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { checkDecoding } from '../../../src/tsdb/compact/check-decoding.js';
import { withBlock } from '../../support/block.js';
import { chunkAt, fill } from '../../support/blocks.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testCore } from '../../support/wal.js';

const ULID = '01M7Y0DXJ9842ERM7HS55F3Y8P';

/** Checks a block of one chunk, whose checksum is right whatever it holds. */
function check(chunk: StreamedChunk): void {
  const disk = new SimDisk();
  disk.makeFolder('data');
  const writer = BlockWriter.create(disk, 'data', ULID, { core: testCore() });
  fill(writer, [{ labels: { a: 'b' }, chunks: [chunk] }]);
  writer.finish({ minTimeMs: 0, maxTimeMs: 7_200_000, compaction: { level: 1, sources: [ULID] } });
  withBlock(`data/${ULID}`, checkDecoding, disk);
}

const good = chunkAt([1000, 2000, 3500]);

test('decoding: a good chunk is fine', () => check(good));

const cases: [what: string, chunk: StreamedChunk, reason: RegExp][] = [
  ['a chunk that ends too early', { ...good, data: good.data.subarray(0, -4) }, /bit/],
  ['one that begins later than it should', { ...good, minTimeMs: 999 }, /spans 1000 to 3500.*999/],
  ['one that ends earlier', { ...good, maxTimeMs: 3501 }, /spans 1000 to 3500.*3501/],
  ['times that go back', { ...chunkAt([1000, 2000, 1500]), maxTimeMs: 2000 }, /sample 2 is not behind/],
  ['another encoding', { ...good, encoding: ChunkEncoding.Histogram }, /./],
];
for (const [what, chunk, reason] of cases) {
  test(`decoding: ${what} is a fault`, () => {
    assert.throws(
      () => check(chunk),
      (error: unknown) => error instanceof BlockFault && reason.test(error.message),
    );
  });
}
