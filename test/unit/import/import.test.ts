// Samples of any order and any amount become the blocks that they are, whatever fits into memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNK_SAMPLES_MAX } from '../../../assembly/layout.js';
import { Prng } from '../../../src/base/prng.js';
import { keyOf, type Labels, labelsOf } from '../../../src/model/labels.js';
import type { BlockMeta } from '../../../src/tsdb/block/contract.js';
import { BlockImport } from '../../../src/tsdb/import/import.js';
import { ImportFault, OpenMetricsImport } from '../../../src/tsdb/import/openmetrics-import.js';
import { publishBlocks } from '../../../src/tsdb/import/publish.js';
import type { Conflicts } from '../../../src/tsdb/import/window-chunks.js';
import { readAll, withBlock } from '../../support/block.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testCore } from '../../support/wal.js';
import { floatBits } from '../../support/xor-model.js';

const HOUR = 3_600_000;
const BLOCK_MS = 2 * HOUR;

function begin(disk: SimDisk, bufferSamples?: number): BlockImport {
  return new BlockImport({ disk, core: testCore(), folder: 'data/x', blockMs: BLOCK_MS, nowMs: 1, bufferSamples });
}

function finish(disk: SimDisk, target: BlockImport): BlockMeta[] {
  const steps = target.finish();
  for (;;) {
    const { done, value } = steps.next();
    if (done !== true) continue;
    publishBlocks(disk, 'data/x', 'data', value);
    return value;
  }
}

/** All samples of blocks: series, then time, then bits. */
function contentOf(disk: SimDisk, metas: readonly BlockMeta[]): Map<string, Map<number, bigint>> {
  const content = new Map<string, Map<number, bigint>>();
  for (const { ulid, stats } of metas) {
    withBlock(
      `data/${ulid}`,
      (block) => {
        let samples = 0;
        for (const series of readAll(block)) {
          const times = content.get(keyOf(series.labels)) ?? new Map<number, bigint>();
          for (const { time, bits } of series.samples) times.set(time, bits);
          content.set(keyOf(series.labels), times);
          samples += series.samples.length;
          for (const chunk of series.chunks) {
            assert.equal(Math.floor(chunk.minTimeMs / BLOCK_MS), Math.floor(chunk.maxTimeMs / BLOCK_MS));
          }
        }
        assert.equal(stats.samples, samples);
        const symbols = Array.from({ length: block.index.symbols.count }, (_, i) => block.index.symbols.string(i));
        const used = new Set(readAll(block).flatMap(({ labels }) => labels));
        assert.deepEqual(new Set(symbols), used);
      },
      disk,
    );
  }
  return content;
}

for (const [seed, bufferSamples] of [
  [1, 100_000],
  [2, 37],
  [3, 500],
  [4, 1000],
] as const) {
  test(`import: random samples, ${bufferSamples} in memory, seed ${seed}`, () => {
    const prng = new Prng(seed);
    const disk = new SimDisk();
    const target = begin(disk, bufferSamples);
    const want = new Map<string, Map<number, bigint>>();
    const series: Labels[] = Array.from({ length: 30 }, (_, i) =>
      labelsOf([
        ['__name__', `m${prng.int(3)}`],
        ['id', String(i)],
        ['é', prng.pick(['a', 'ü', '\u{1f600}'])],
      ]),
    );
    for (let i = 0; i < 4000; i++) {
      const labels = prng.pick(series);
      const timeMs = prng.int(20 * HOUR) - 3 * HOUR;
      const times = want.get(keyOf(labels)) ?? new Map<number, bigint>();
      want.set(keyOf(labels), times);
      const bits = times.get(timeMs) ?? floatBits(prng.int(100));
      times.set(timeMs, bits);
      if (target.isFull) target.spill();
      target.add(target.addLabels(labels), timeMs, bits);
    }
    const metas = finish(disk, target);
    assert.deepEqual(contentOf(disk, metas), want);
    for (const [i, { minTimeMs, maxTimeMs }] of metas.entries()) {
      assert.equal(Math.floor(minTimeMs / BLOCK_MS), Math.floor((maxTimeMs - 1) / BLOCK_MS));
      if (i > 0) assert.ok(metas[i - 1]!.maxTimeMs <= minTimeMs);
    }
    assert.deepEqual(disk.list('data').sort(), metas.map(({ ulid }) => ulid).sort());
  });
}

function importText(
  text: string,
  options = {},
  bufferSamples?: number,
): { disk: SimDisk; metas: BlockMeta[]; conflicts: Conflicts } {
  const disk = new SimDisk();
  const target = begin(disk, bufferSamples);
  const lines = new OpenMetricsImport(target, options);
  lines.push(Buffer.from(text));
  lines.end();
  return { disk, metas: finish(disk, target), conflicts: target.conflicts };
}

test('import: samples of one series that come in many parts are in full chunks', () => {
  const lines = Array.from({ length: 480 }, (_, i) => `a ${i} ${i * 15}`).reverse();
  const { disk, metas } = importText(`${lines.join('\n')}\n# EOF\n`, {}, 10);
  assert.deepEqual(
    metas.map(({ stats }) => [stats.chunks, stats.samples]),
    [[Math.ceil(480 / CHUNK_SAMPLES_MAX), 480]],
  );
  assert.equal([...contentOf(disk, metas).values()][0]!.size, 480);
});

test('import: labels of the caller take the place of those of a text', () => {
  const { disk, metas } = importText('a{job="x",b="c"} 1 1\n# EOF\n', {
    labels: labelsOf([
      ['job', 'y'],
      ['z', '1'],
    ]),
  });
  const want = labelsOf([
    ['__name__', 'a'],
    ['b', 'c'],
    ['job', 'y'],
    ['z', '1'],
  ]);
  assert.deepEqual([...contentOf(disk, metas).keys()], [keyOf(want)]);
});

test('import: a text without samples makes no block', () => {
  assert.deepEqual(importText('# TYPE a counter\n# EOF\n').metas, []);
});

const faults: [text: string, error: string][] = [
  ['a 1 1\nb 2\n# EOF\n', 'line 2: expected timestamp for series {__name__="b"}, got none'],
  ['a 1 1\n', 'line 2: data does not end with # EOF'],
  ['a 1 1\n\n# EOF\n', 'line 2: expected a valid start token, got the end of the line while parsing: ""'],
  ['a 1 1e15\n# EOF\n', 'line 1: timestamp 1e+18 is out of range'],
  [
    'a 1 5\n# EOF\n',
    'line 1: the timestamp 5000 is not before 5000, where samples begin that are accepted by other ways',
  ],
];

for (const [text, message] of faults) {
  test(`import: ${JSON.stringify(text)} is refused`, () => {
    assert.throws(
      () => importText(text, { endMs: 5000 }),
      (error) => {
        assert.ok(error instanceof ImportFault, String(error));
        assert.equal(error.message, message);
        return true;
      },
    );
  });
}

test('import: the same sample twice is one; of two values of one time the first is kept, and that is said', () => {
  const same = importText('a 1 1\na 1 1\n# EOF\n');
  assert.equal(same.metas[0]!.stats.samples, 1);
  assert.equal(importText('a 1 1\nb 1 1\na 1 1\n# EOF\n', {}, 2).metas[0]!.stats.samples, 2);
  for (const bufferSamples of [100, 1]) {
    const { disk, metas, conflicts } = importText('a 2 1\na 1 1\na 3 1\nb 1 1\n# EOF\n', {}, bufferSamples);
    assert.deepEqual(contentOf(disk, metas).get(keyOf(['__name__', 'a'])), new Map([[1000, floatBits(2)]]));
    assert.equal(conflicts.count, 2);
    assert.equal(conflicts.example, '{__name__="a"} at 1000 is 2 and 1');
  }
});
