// Policies: the file, what is due when, and blocks that are made anew by them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../../src/config/error.js';
import { parsePolicyFile } from '../../../src/config/policy-file.js';
import { BlockFault } from '../../../src/tsdb/block/contract.js';
import { listBlocks } from '../../../src/tsdb/block/open-blocks.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { Housekeeping } from '../../../src/tsdb/compact/housekeeping.js';
import { Scrub } from '../../../src/tsdb/compact/scrub.js';
import { AggregatesReader } from '../../../src/tsdb/downsample/aggregates-file.js';
import { dueMark, treatmentAt } from '../../../src/tsdb/downsample/policies.js';
import { type PolicyPreview, previewing } from '../../../src/tsdb/downsample/preview.js';
import { policiesOf } from '../../../src/tsdb/downsample/read-policies.js';
import type { RewriteSettings } from '../../../src/tsdb/downsample/series-rewriter.js';
import { readAll, testCrc, withBlock } from '../../support/block.js';
import { chunkAt, fill, type SeriesOfTest } from '../../support/blocks.js';
import { SimDisk } from '../../support/sim-disk.js';
import { testCore } from '../../support/wal.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const faults: [text: string, error: string | RegExp][] = [
  ['policies: [{retention: 1d}]', "policy 1: 'match' must have a selector"],
  ['policies: [{match: "{a=~\\"(\\"}", retention: 1d}]', /^policy 1: .*error parsing regexp/],
  ['policies: [{match: "{a="}]', /^policy 1: /],
  ['policies: [{match: "{a=\\"b\\"}"}]', "policy 1: neither 'retention' nor 'downsample' is set"],
  ['policies: [{match: up, downsample: [{after: 1d, resolution: 30s}]}]', 'policy 1: a resolution must be 1m at least'],
  [
    'policies: [{match: up, downsample: [{after: 2d, resolution: 5m}, {after: 1d, resolution: 1h}]}]',
    "policy 1: stages must have rising 'after', above 0",
  ],
  [
    'policies: [{match: up, downsample: [{after: 1d, resolution: 5m}, {after: 2d, resolution: 7m}]}]',
    'policy 1: each resolution must be a multiple of the one before',
  ],
  [
    'policies: [{match: up, retention: 1d, downsample: [{after: 1d, resolution: 5m}]}]',
    "policy 1: a stage begins after the 'retention'",
  ],
  ['policies: [{match: up, keep: 1d}]', /line 1: field keep not found/],
  ['rules: []', /line 1: field rules not found/],
];

for (const [text, error] of faults) {
  test(`policies: ${text} is refused`, () => {
    assert.throws(
      () => parsePolicyFile(text),
      (thrown) => {
        assert.ok(thrown instanceof ConfigError);
        if (typeof error === 'string') assert.equal(thrown.message, error);
        else assert.match(thrown.message, error);
        return true;
      },
    );
  });
}

const FILE = `
policies:
- match: '{__name__=~"debug_.*"}'
  retention: 2d
- match: ['{job="a"}', '{job="b"}']
  downsample: [{after: 1d, resolution: 5m}, {after: 3d, resolution: 1h}]
  retention: 30d
`;

test('policies: what becomes of a series with its age', () => {
  const policies = policiesOf(FILE, 'x.yml');
  const kinds = [0, 1, 2, 3, 30].map((days) => policies.list.map((one) => treatmentAt(one, days * DAY)));
  const lower = (resolutionMs: number) => ({ kind: 'downsample', resolutionMs });
  assert.deepEqual(kinds, [
    [{ kind: 'keep' }, { kind: 'keep' }],
    [{ kind: 'keep' }, lower(300_000)],
    [{ kind: 'drop' }, lower(300_000)],
    [{ kind: 'drop' }, lower(3_600_000)],
    [{ kind: 'drop' }, { kind: 'drop' }],
  ]);
  assert.equal(dueMark(policies, DAY - 1), '');
  assert.match(dueMark(policies, 2 * DAY), /^[0-9a-f]{16} drop 300000$/);
  assert.notEqual(policiesOf(FILE.replace('30d', '31d'), 'x.yml').fingerprint, policies.fingerprint);
});

const ULIDS = ['01HQP00000000000000000000A', '01HQP00000000000000000000B'];

/** A block of two hours from a time on, and a newer one, so that it has an age. */
function blocks(disk: SimDisk, series: readonly SeriesOfTest[], ageMs: number): void {
  disk.makeFolder('data');
  const write = (ulid: string, minTimeMs: number, all: readonly SeriesOfTest[]) => {
    const writer = BlockWriter.create(disk, 'data', ulid);
    fill(writer, all);
    writer.finish({ minTimeMs, maxTimeMs: minTimeMs + 2 * HOUR, compaction: { level: 1, sources: [ulid] } });
  };
  write(ULIDS[0]!, 0, series);
  write(ULIDS[1]!, ageMs, [{ labels: { __name__: 'new' }, chunks: [chunkAt([ageMs + 1])] }]);
}

function chunks(valueOf: (time: number) => number): SeriesOfTest['chunks'] {
  const times = Array.from({ length: 480 }, (_, i) => i * 15_000);
  return [0, 120, 240, 360].map((from) => chunkAt(times.slice(from, from + 120), valueOf));
}

const SERIES: SeriesOfTest[] = [
  { labels: { __name__: 'debug_x', job: 'a' }, chunks: chunks((time) => time) },
  { labels: { __name__: 'gauge', job: 'a' }, chunks: chunks((time) => Math.sin(time)) },
  { labels: { __name__: 'gauge', job: 'b' }, chunks: chunks((time) => time % 7) },
  { labels: { __name__: 'x_total', job: 'b' }, chunks: chunks((time) => time % 3_000_000) },
  { labels: { __name__: 'other' }, chunks: chunks((time) => time) },
];

/** Everything that is due. */
function run(disk: SimDisk, settings: RewriteSettings): string[] {
  const keeping = new Housekeeping({ disk, core: testCore(), dataFolder: 'data' });
  const made: string[] = [];
  for (let nowMs = 1000; ; nowMs++) {
    const step = keeping.compactNext([2 * HOUR, 6 * HOUR], nowMs, () => true, settings);
    if (step.state === 'nothing') return made;
    assert.equal(step.state, 'done', JSON.stringify(step));
    if (step.state !== 'done') continue;
    made.push(step.made?.ulid ?? 'nothing');
    keeping.remove(step.from);
  }
}

function contents(disk: SimDisk, ulid: string): Record<string, number> {
  const all = withBlock(`data/${ulid}`, (block) => readAll(block), disk);
  return Object.fromEntries(all.map(({ labels, count }) => [labels.join(' '), count]));
}

test('policies: a block is made anew, once, and again when more is due', () => {
  const disk = new SimDisk();
  blocks(disk, SERIES, 2 * DAY);
  const settings: RewriteSettings = { policies: policiesOf(FILE, 'x.yml'), floats: 'same' };
  const [first, ...none] = run(disk, settings);
  assert.deepEqual(none, []);
  assert.deepEqual(contents(disk, first!), {
    '__name__ gauge job a': 1 + 24,
    '__name__ gauge job b': 1 + 24,
    '__name__ other': 480,
    // Two resets, with a window that begins behind each.
    '__name__ x_total job b': 1 + 24 + 2,
  });
  assert.deepEqual(run(disk, settings), [], 'its mark says that it is done');
  const later = { ...settings, policies: policiesOf(FILE.replace('after: 3d', 'after: 36h'), 'x.yml') };
  const [second] = run(disk, later);
  assert.equal(contents(disk, second!)['__name__ gauge job a'], 1 + 2);
  withBlock(
    `data/${second}`,
    (block) => {
      const reader = AggregatesReader.open(disk, block.path, testCrc())!;
      assert.equal(reader.refs.length, 3);
      for (const ref of reader.refs) {
        const [group] = reader.of(ref);
        assert.equal(group!.resolutionMs, HOUR);
        assert.deepEqual([...group!.counts], [240, 240]);
      }
      reader.close();
    },
    disk,
  );
});

test('policies: a block of which nothing is left goes', () => {
  const disk = new SimDisk();
  blocks(disk, SERIES.slice(0, 1), 2 * DAY);
  assert.deepEqual(run(disk, { policies: policiesOf(FILE, 'x.yml'), floats: 'same' }), ['nothing']);
  assert.deepEqual(disk.list('data'), [ULIDS[1]]);
});

test('policies: floats are written as XOR2 where that is asked for, and back', () => {
  const disk = new SimDisk();
  blocks(disk, SERIES, 2 * DAY);
  const policies = policiesOf(FILE, 'x.yml');
  const encodingsOf = (ulid: string) =>
    withBlock(
      `data/${ulid}`,
      (block) => new Set(readAll(block).flatMap((one) => one.chunks.map(({ encoding }) => encoding))),
      disk,
    );
  const [first] = run(disk, { policies, floats: 'xor2' });
  assert.deepEqual(encodingsOf(first!), new Set([4]));
  const other = policiesOf(FILE.replace('retention: 30d', 'retention: 31d'), 'x.yml');
  const [second] = run(disk, { policies: other, floats: 'xor' });
  assert.deepEqual(encodingsOf(second!), new Set([1]));
});

test('aggregates: damage is a fault at every byte', () => {
  const disk = new SimDisk();
  blocks(disk, SERIES, 2 * DAY);
  const [ulid] = run(disk, { policies: policiesOf(FILE, 'x.yml'), floats: 'same' });
  const path = `data/${ulid}/aggregates`;
  const size = disk.stat(path)!.size;
  const readThrough = () => {
    const reader = AggregatesReader.open(disk, `data/${ulid}`, testCrc())!;
    try {
      for (const ref of reader.refs) reader.of(ref);
    } finally {
      reader.close();
    }
  };
  readThrough();
  for (let at = 0; at < size; at++) {
    // The zeroes behind the version are nobody's.
    if (at >= 5 && at < 8) continue;
    const flip = (bytes: Uint8Array) => bytes.map((byte, i) => (i === at ? byte ^ 0x41 : byte));
    disk.damage(path, flip);
    assert.throws(readThrough, BlockFault, `byte ${at}`);
    disk.damage(path, flip);
  }
  const scrub = () => {
    const job = new Scrub(disk, testCore());
    for (;;) {
      const step = job.step(`data/${ulid}`, () => true);
      if (step.state !== 'more') return step.state;
    }
  };
  readThrough();
  assert.equal(scrub(), 'sound');
  disk.damage(path, (bytes) => bytes.subarray(0, size - 20));
  assert.equal(scrub(), 'damaged');
  assert.throws(readThrough, BlockFault);
});

test('policies: a preview says what then happens, to the byte of chunks and aggregates', () => {
  const disk = new SimDisk();
  blocks(disk, SERIES, 2 * DAY);
  const settings: RewriteSettings = { policies: policiesOf(FILE, 'x.yml'), floats: 'same' };
  const preview = (): PolicyPreview[] => {
    const steps = previewing(disk, testCore(), listBlocks(disk, 'data').blocks, settings);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  };
  const before = disk.stat(`data/${ULIDS[0]}/chunks/000001`)!.size;
  const [debug, rest] = preview();
  assert.deepEqual(
    [debug!.blocks, debug!.series, debug!.samples, debug!.samplesLeft, debug!.bytesLeft],
    [1, 1, 480, 0, 0],
  );
  assert.deepEqual([rest!.series, rest!.samples, rest!.samplesLeft], [3, 1440, 25 + 25 + 27]);
  const [made] = run(disk, settings);
  const after = disk.stat(`data/${made}/chunks/000001`)!.size;
  const own = disk.stat(`data/${made}/aggregates`)!.size;
  // Aggregates have a head, a count and a foot.
  const freed = debug!.bytes + rest!.bytes - rest!.bytesLeft;
  assert.equal(before - after - (own - 8 - 4 - 12), freed);
  assert.deepEqual(
    preview().map(({ series }) => series),
    [0, 0],
    'nothing is due any more',
  );
});
