// Scenarios of several blocks: they are merged, and those that are kept no longer go.

import { openBlocks } from '../../../src/tsdb/block/open-blocks.js';
import { verifyBlock } from '../../../src/tsdb/block/verify.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { Housekeeping } from '../../../src/tsdb/compact/housekeeping.js';
import { removeLeftovers, supersededBlocks } from '../../../src/tsdb/compact/superseded.js';
import { readAll, testCrc } from '../block.js';
import { chunkAt, fill } from '../blocks.js';
import type { SimDisk } from '../sim-disk.js';
import { freshCore } from './log-world.js';
import type { Scenario } from './scenario.js';

const DATA = 'data';
const BLOCK_MS = 7_200_000;
const BLOCKS = 4;
const RANGES = [BLOCK_MS, 3 * BLOCK_MS];
const NAMES = ['x', 'y'];
/** In each block, in seconds. */
const TIMES = [0, 15, 30, 45];

/** Which of the blocks, by number, must be there: from `kept` on; and which may be: from `first` on. */
interface MergeWorld {
  kept: number;
  first: number;
}

function ulidOf(block: number): string {
  return `01M7Y0DXJ9842ERM7HS55F3Y8${block}`;
}

function timesOf(block: number): number[] {
  return TIMES.map((second) => block * BLOCK_MS + second * 1000);
}

function writeBlock(disk: SimDisk, block: number): void {
  const ulid = ulidOf(block);
  const writer = BlockWriter.create(disk, DATA, ulid, { core: freshCore() });
  fill(
    writer,
    NAMES.map((name) => ({ labels: { __name__: name }, chunks: [chunkAt(timesOf(block))] })),
  );
  const minTimeMs = block * BLOCK_MS;
  writer.finish({ minTimeMs, maxTimeMs: minTimeMs + BLOCK_MS, compaction: { level: 1, sources: [ulid] } });
}

function prepare(disk: SimDisk): MergeWorld {
  disk.makeFolder(DATA);
  for (let block = 0; block < BLOCKS; block++) writeBlock(disk, block);
  return { kept: 0, first: 0 };
}

function housekeeping(disk: SimDisk): Housekeeping {
  return new Housekeeping({ disk, core: freshCore(), dataFolder: DATA });
}

function merge(disk: SimDisk): void {
  const keeping = housekeeping(disk);
  for (;;) {
    const step = keeping.compactNext(RANGES, BLOCKS * BLOCK_MS, () => true);
    if (step.state === 'nothing') return;
    if (step.state === 'done') keeping.remove(step.from);
    else throw Object.assign(new Error('merging failed'), { name: 'BlockFault' });
  }
}

/** Keeps the newest blocks only; gives the others, as far as they could be read. */
function expire(disk: SimDisk, blocks: number): readonly string[] {
  const keeping = housekeeping(disk);
  const { superseded, byTime } = keeping.expire({ timeMs: blocks * BLOCK_MS, bytes: 0, percentage: 0 });
  keeping.remove([...superseded, ...byTime]);
  return byTime;
}

function recover(disk: SimDisk): void {
  removeLeftovers(disk, DATA);
  const { superseded } = housekeeping(disk).expired({ timeMs: 0, bytes: 0, percentage: 0 });
  housekeeping(disk).remove(superseded);
}

/** Of each series: its times, of all blocks that count. */
function read(disk: SimDisk): { found: Map<string, number[]>; problems: string[] } {
  const { blocks, bad } = openBlocks(disk, DATA, testCrc());
  const problems = bad.map(({ path, fault }) => `${path}: ${fault.message}`);
  const superseded = supersededBlocks(blocks.map(({ meta }) => meta));
  const found = new Map<string, number[]>();
  for (const block of blocks) {
    if (!superseded.has(block.meta.ulid)) {
      verifyBlock(block);
      for (const { labels, samples } of readAll(block)) {
        found.set(labels[1]!, [...(found.get(labels[1]!) ?? []), ...samples.map(({ time }) => time)]);
      }
    }
    block.close();
  }
  return { found, problems };
}

function judge(disk: SimDisk, world: MergeWorld): string[] {
  const { found, problems } = read(disk);
  for (const name of NAMES) {
    const times = (found.get(name) ?? []).sort((a, b) => a - b);
    for (let block = 0; block < BLOCKS; block++) {
      const there = times.filter((timeMs) => Math.floor(timeMs / BLOCK_MS) === block);
      const isWhole = there.join() === timesOf(block).join();
      if (there.length > 0 && !isWhole) problems.push(`of block ${block}, ${name} has ${there.join(' ')} (I2, I3)`);
      if (block >= world.kept && !isWhole) problems.push(`block ${block} is to be kept (I1)`);
      if (block < world.first && there.length > 0) problems.push(`block ${block} is there again (I4)`);
    }
  }
  for (const name of disk.list(DATA)) if (name.includes('.tmp')) problems.push(`${name} is left over (I9)`);
  return problems;
}

function goOn(disk: SimDisk, world: MergeWorld): string[] {
  merge(disk);
  world.kept = Math.max(world.kept, BLOCKS - 1);
  expire(disk, 1);
  disk.crash();
  recover(disk);
  return judge(disk, world);
}

const common = { prepare, recover, judge, goOn };

export const MERGING: Scenario<MergeWorld> = {
  ...common,
  name: 'merge',
  about: 'three blocks become one, and go',
  work: (disk) => merge(disk),
};

export const RETAINING: Scenario<MergeWorld> = {
  ...common,
  name: 'retention',
  about: 'blocks that are too old are marked, and go',
  work(disk, world) {
    world.kept = 2;
    const gone = expire(disk, 2);
    while (gone.includes(ulidOf(world.first))) world.first++;
  },
};

export const MERGE_SCENARIOS: readonly Scenario<MergeWorld>[] = [MERGING, RETAINING];
