// Scenarios of blocks: one is written, samples of it are deleted, it is made anew, a snapshot shares its files.

import { listBlocks, openBlocks } from '../../../src/tsdb/block/open-blocks.js';
import { verifyBlock } from '../../../src/tsdb/block/verify.js';
import { BlockWriter } from '../../../src/tsdb/block/writer.js';
import { Housekeeping } from '../../../src/tsdb/compact/housekeeping.js';
import { removeLeftovers, supersededBlocks } from '../../../src/tsdb/compact/superseded.js';
import { beginSnapshot, finishSnapshot, listSnapshots } from '../../../src/tsdb/snapshot.js';
import { readAll, testCrc } from '../block.js';
import { chunkAt, fill, type SeriesOfTest } from '../blocks.js';
import type { SimDisk } from '../sim-disk.js';
import { freshCore } from './log-world.js';
import type { Scenario } from './scenario.js';

const DATA = 'data';
const ULID = '01M7Y0DXJ9842ERM7HS55F3Y8P';
const SNAPSHOT = '20261121T160000Z-0123456789abcdef';
const SECONDS = Array.from({ length: 40 }, (_, i) => i);

/** What must be there: the contents that were there once, in order; of those since the newest promise any. */
class BlockWorld {
  /** Content after each step; `''` is none. */
  readonly states: string[];
  /** The newest of them that was promised. */
  promised = 0;
  snapshots = 0;

  constructor(first: string) {
    this.states = [first];
  }

  /** Runs a step that makes the next state, and promises it. */
  step(state: string, action: () => void): void {
    this.states.push(state);
    action();
    this.promised = this.states.length - 1;
  }
}

/** `x 0-9 20-39; y 0-39` and the like. */
function content(left: Record<string, (second: number) => boolean>): string {
  return Object.entries(left)
    .map(([name, keeps]) => `${name} ${SECONDS.filter(keeps).join()}`)
    .join('; ');
}

const WHOLE = content({ x: () => true, y: () => true });
const DELETED = content({ x: (second) => second < 10 || second > 25, y: () => true });

function writeBlock(disk: SimDisk): void {
  const writer = BlockWriter.create(disk, DATA, ULID, { core: freshCore() });
  const series: SeriesOfTest[] = ['x', 'y'].map((name) => ({
    labels: { __name__: name },
    chunks: [0, 20].map((first) => chunkAt(SECONDS.slice(first, first + 20).map((second) => second * 1000))),
  }));
  try {
    fill(writer, series);
  } catch (error) {
    writer.abort();
    throw error;
  }
  writer.finish({ minTimeMs: 0, maxTimeMs: 7_200_000, compaction: { level: 1, sources: [ULID] } });
}

function housekeeping(disk: SimDisk): Housekeeping {
  return new Housekeeping({ disk, core: freshCore(), dataFolder: DATA });
}

function deleteSome(disk: SimDisk): void {
  const x = [{ name: '__name__', op: '=', value: 'x' } as const];
  housekeeping(disk).deleteSamples([x], { minTimeMs: 10_000, maxTimeMs: 25_000 });
}

/** Makes anew what has deletions, and removes what it was made of. */
function clean(disk: SimDisk): void {
  const keeping = housekeeping(disk);
  for (;;) {
    const step = keeping.cleanNext(1, () => true);
    if (step.state === 'nothing') return;
    if (step.state === 'done') keeping.remove(step.from);
    else throw Object.assign(new Error('cleaning failed'), { name: 'BlockFault' });
  }
}

/** What queries would find in the blocks of a directory, deletions applied; and what is wrong with them. */
function read(disk: SimDisk, folder: string): { found: string; problems: string[] } {
  const { blocks, bad } = openBlocks(disk, folder, testCrc());
  const problems = bad.map(({ path, fault }) => `${path}: ${fault.message}`);
  const superseded = supersededBlocks(blocks.map(({ meta }) => meta));
  const found: string[] = [];
  for (const block of blocks) {
    if (!superseded.has(block.meta.ulid)) {
      verifyBlock(block);
      for (const { labels, samples, ref } of readAll(block)) {
        const deleted = block.tombstones.of(ref);
        const left = samples.filter(
          ({ time }) => !deleted.some((one) => one.minTimeMs <= time && one.maxTimeMs >= time),
        );
        found.push(`${labels[1]} ${left.map(({ time }) => time / 1000).join()}`);
      }
    }
    block.close();
  }
  return { found: found.join('; '), problems };
}

function prepared(disk: SimDisk, hasBlock: boolean): BlockWorld {
  disk.makeFolder(DATA);
  if (hasBlock) writeBlock(disk);
  return new BlockWorld(hasBlock ? WHOLE : '');
}

function recover(disk: SimDisk): void {
  removeLeftovers(disk, DATA);
  const superseded = supersededBlocks(listBlocks(disk, DATA).blocks.map(({ meta }) => meta));
  housekeeping(disk).remove([...superseded]);
}

function judge(disk: SimDisk, world: BlockWorld): string[] {
  const { found, problems } = read(disk, DATA);
  if (!world.states.slice(world.promised).includes(found)) {
    problems.push(`found "${found}", promised "${world.states[world.promised]}" (I1, I2)`);
  }
  for (const name of disk.list(DATA)) if (name.includes('.tmp')) problems.push(`${name} is left over (I9)`);
  const snapshots = listSnapshots(disk, DATA);
  if (snapshots.length < world.snapshots) problems.push('a snapshot that was answered is not there (I1)');
  for (const name of snapshots) {
    const snapshot = read(disk, `${DATA}/snapshots/${name}`);
    problems.push(...snapshot.problems);
    if (!world.states.includes(snapshot.found)) problems.push(`the snapshot has "${snapshot.found}" (I3)`);
  }
  return problems;
}

function goOn(disk: SimDisk, world: BlockWorld): string[] {
  if (read(disk, DATA).found === '') {
    writeBlock(disk);
    world.states.push(WHOLE);
  }
  world.step(DELETED, () => {
    deleteSome(disk);
    clean(disk);
  });
  disk.crash();
  recover(disk);
  return judge(disk, world);
}

type Steps = Pick<Scenario<BlockWorld>, 'name' | 'about' | 'prepare' | 'work'>;

function scenario(steps: Steps): Scenario<BlockWorld> {
  return { recover, judge, goOn, ...steps };
}

export const WRITING_BLOCK = scenario({
  name: 'block',
  about: 'a block is written and read back',
  prepare: (disk) => prepared(disk, false),
  work: (disk, world) => world.step(WHOLE, () => writeBlock(disk)),
});

export const DELETING = scenario({
  name: 'delete',
  about: 'samples of a block are deleted, and it is made anew without them',
  prepare: (disk) => prepared(disk, true),
  work(disk, world) {
    world.step(DELETED, () => deleteSome(disk));
    clean(disk);
  },
});

export const SNAPSHOTTING = scenario({
  name: 'snapshot',
  about: 'a snapshot is made, and of the block that it shares samples are deleted',
  prepare: (disk) => prepared(disk, true),
  work(disk, world) {
    beginSnapshot(disk, DATA, SNAPSHOT);
    finishSnapshot(disk, DATA, SNAPSHOT);
    world.snapshots = 1;
    world.step(DELETED, () => deleteSome(disk));
  },
});

export const BLOCK_SCENARIOS: readonly Scenario<BlockWorld>[] = [WRITING_BLOCK, DELETING, SNAPSHOTTING];
