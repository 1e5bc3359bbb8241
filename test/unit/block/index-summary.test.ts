import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileHandle } from '../../../src/base/disk.js';
import { Block } from '../../../src/tsdb/block/block.js';
import { shareSummary } from '../../../src/tsdb/block/index-summary.js';
import { labelValues } from '../../../src/tsdb/block/select.js';
import { Compactor } from '../../../src/tsdb/compact/compactor.js';
import { inMemory, openBlock, rawSeries, testCrc } from '../../support/block.js';
import type { SimDisk } from '../../support/sim-disk.js';
import { testdata } from '../../support/testdata.js';

const KILLED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB');
const PATH = 'data/block';

const answers = (block: Block) => [
  rawSeries(block),
  block.index.names().map((name) => [name, labelValues(block, name)]),
  Array.from({ length: block.index.symbols.count }, (_, i) => block.index.symbols.find(block.index.symbols.string(i))),
];

test('a block opened with the summary of another reader answers the same', () => {
  const disk = inMemory(KILLED);
  const first = openBlock(PATH, disk);
  const summary = structuredClone(shareSummary(first.index.summary()));
  assert.ok(summary.symbols.offsets.buffer instanceof SharedArrayBuffer);
  assert.ok(summary.names.every(({ values }) => values.buffer === summary.symbols.offsets.buffer));
  const second = Block.open(disk, PATH, testCrc(), summary);
  assert.deepEqual(answers(second), answers(first));
  first.close();
  second.close();
});

test('the compactor summarizes a block; of one that cannot be read there is no summary', () => {
  const disk = inMemory(KILLED);
  const compactor = new Compactor(disk, { dataFolder: 'data' });
  const ask = (path: string) => compactor.run({ op: 'summarizeBlock', request: { path } }).summary;
  const block = Block.open(disk, PATH, testCrc(), ask(PATH));
  assert.deepEqual(ask(PATH), block.index.summary());
  block.close();
  disk.damage(`${PATH}/index`, (bytes) => bytes.fill(0, 100, 200));
  assert.equal(ask(PATH), undefined);
  assert.equal(ask('data/nothing'), undefined);
  assert.equal(disk.openFiles, 0);
});

test('with a summary the index is not read but for its table of contents and lengths', () => {
  const disk = inMemory(KILLED);
  const first = openBlock(PATH, disk);
  const summary = first.index.summary();
  first.close();
  const whole = bytesRead(disk, () => openBlock(PATH, disk).close());
  const known = bytesRead(disk, () => Block.open(disk, PATH, testCrc(), summary).close());
  // The pages that are read anyway hold all of this small index.
  assert.ok(known < whole, `${known} of ${whole} bytes`);
});

test('the summary of another index is not believed', () => {
  const disk = inMemory(KILLED);
  const first = openBlock(PATH, disk);
  const right = answers(first);
  const summary = first.index.summary();
  first.close();
  for (const other of [
    { ...summary, checksum: summary.checksum ^ 1, names: [] },
    { ...summary, sizeBytes: summary.sizeBytes + 16, symbols: { count: 1, offsets: new Uint32Array(2) } },
  ]) {
    const block = Block.open(disk, PATH, testCrc(), other);
    assert.deepEqual(answers(block), right);
    block.close();
  }
});

function bytesRead(disk: SimDisk, action: () => void): number {
  const pread = disk.pread.bind(disk);
  let bytes = 0;
  disk.pread = (file: FileHandle, into: Uint8Array, offset: number) => {
    const count = pread(file, into, offset);
    bytes += count;
    return count;
  };
  action();
  disk.pread = pread;
  return bytes;
}
