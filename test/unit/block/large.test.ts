// Blocks larger than what is read at once: sections of many pieces, strings and chunks longer than a page or a guess.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { compareStrings } from '../../../src/model/labels.js';
import type { Block } from '../../../src/tsdb/block/block.js';
import { ChunkEncoding, type StreamedChunk } from '../../../src/tsdb/block/contract.js';
import { labelNames, labelValues, selectSeries } from '../../../src/tsdb/block/select.js';
import { verifyBlock } from '../../../src/tsdb/block/verify.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { openBlock } from '../../support/block.js';
import { fill, type SeriesOfTest } from '../../support/blocks.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testCore } from '../../support/wal.js';

const ULID = '01M7Y0DXJ9842ERM7HS55F3Y8P';
const SERIES = 6000;

/** Of this length, with its own number in it; only its count of samples means anything. */
function chunkOf(number: number, length: number): StreamedChunk {
  const data = new Uint8Array(length).fill(number & 0xff);
  new DataView(data.buffer).setUint16(0, number % 100);
  return { minTimeMs: number, maxTimeMs: number, encoding: ChunkEncoding.Histogram, data };
}

function generate(): SeriesOfTest[] {
  const prng = new Prng(21);
  const lengths = [8, 100, 100, 100, 2290, 2304, 2320, 20_000];
  return Array.from({ length: SERIES }, (_, i) => ({
    labels: {
      __name__: `m${i % 3}`,
      id: `${String(i).padStart(5, '0')}-${'x'.repeat(prng.int(120))}`,
      ...(i === 77 && { huge: 'y'.repeat(700_000), larger: 'z'.repeat(17_000) }),
      [`name-${i % 1500}`]: 'here',
    },
    chunks: Array.from({ length: 1 + prng.int(2) }, (_, part) => chunkOf(i * 2 + part, prng.pick(lengths))),
  }));
}

function written(series: readonly SeriesOfTest[]): { disk: SimDisk; block: Block } {
  const disk = new SimDisk();
  disk.makeFolder('data');
  const writer = BlockWriter.create(disk, 'data', ULID, { core: testCore(), segmentBytes: 1_000_000 });
  fill(writer, series);
  writer.finish({ minTimeMs: 0, maxTimeMs: SERIES * 2, compaction: { level: 1, sources: [ULID] } });
  return { disk, block: openBlock(`data/${ULID}`, disk) };
}

test('large blocks: labels, lists and chunks are what was written', () => {
  const series = generate();
  const { disk, block } = written(series);
  const { index, chunks } = block;
  assert.ok(index.sizeBytes > 2_500_000, `${index.sizeBytes} bytes`);
  assert.ok(chunks.segmentCount > 5, `${chunks.segmentCount} segments`);
  const { stats } = block.meta;
  assert.deepEqual(verifyBlock(block), { series: stats.series, chunks: stats.chunks, samples: stats.samples });

  const byId = new Map(series.map((one) => [one.labels.id, one]));
  const refs = Array.from(index.allSeries());
  assert.equal(refs.length, SERIES);
  const question: { ref: number; want: StreamedChunk }[] = [];
  for (const ref of refs) {
    const entry = index.series(ref);
    const flat = index.labelsOf(entry);
    const want = byId.get(flat[flat.indexOf('id') + 1])!;
    const pairs = Object.entries(want.labels).sort(([a], [b]) => compareStrings(a, b));
    assert.deepEqual(flat, pairs.flat());
    assert.deepEqual([...index.postings('id', want.labels.id!)], [ref]);
    entry.chunks().forEach((chunk, i) => {
      question.push({ ref: chunk.ref, want: want.chunks[i]! });
    });
  }

  const prng = new Prng(4);
  for (let round = 0; round < 60; round++) {
    const share = prng.float() ** 3;
    const asked = question.filter(() => prng.float() < share);
    const read = chunks.read(asked.map(({ ref }) => ref));
    for (const [i, { want }] of asked.entries()) {
      const data = read.bytes.subarray(read.starts[i]!, read.starts[i]! + read.lengths[i]!);
      assert.ok(Buffer.compare(data, want.data) === 0, `round ${round}, chunk ${i}`);
    }
  }

  assert.equal(labelNames(block).length, 1500 + 4);
  assert.equal(labelValues(block, 'huge')[0]!.length, 700_000);
  assert.equal(labelValues(block, 'id').length, SERIES);
  assert.deepEqual(labelValues(block, '__name__', [{ name: 'name-7', op: '=', value: 'here' }]), ['m1']);
  const wanted = series.filter(({ labels }) => /^0[13].*x{50}$/.test(labels.id!)).length;
  assert.equal(selectSeries(block, [{ name: 'id', op: '=~', value: '0[13].*x{50}' }]).length, wanted);
  block.close();
  assert.equal(disk.openFiles, 0);
});

test('large blocks: symbols and values at the edges of what is remembered', () => {
  const { block } = written(generate());
  const { symbols } = block.index;
  for (let number = 0; number < symbols.count; number += number % 32 === 1 ? 29 : 1) {
    assert.equal(symbols.find(symbols.bytes(number)), number);
  }
  for (const absent of ['', '\0', '00000', '00000-z', 'm3', 'zzzz']) {
    const found = symbols.find(absent);
    if (found !== undefined) assert.equal(symbols.string(found), absent);
    assert.equal(block.index.postings('id', absent).length, 0);
  }
  block.close();
});
