// The log's scenarios: it is opened, written, rolled, checkpointed, mended, and opened again.

import type { SyncPolicy } from '../../../src/tsdb/wal/log.js';
import { listSegments, segmentPath } from '../../../src/tsdb/wal/segments.js';
import type { SimDisk } from '../sim-disk.js';
import { commit, commitSeries, FOLDER, goOnLogging, judgeLog, LogWorld, openWith, startLog } from './log-world.js';
import type { Scenario } from './scenario.js';

const SERIES = 50;
/** Batches of these many samples: within a page, across two, more than two. */
const SIZES = [3, 1500, 9, 4000, 20];

/** A folder whose name is on the disk, and a log of five batches in it. */
function filled(disk: SimDisk): LogWorld {
  const world = emptyWorld(disk);
  const log = startLog(disk, openWith(disk, world));
  commitSeries(log, SERIES);
  for (const [i, size] of SIZES.entries()) commit(log, world, 100 + i, size);
  log.close();
  return world;
}

function emptyWorld(disk: SimDisk): LogWorld {
  for (const folder of [FOLDER, 'data/narthex']) disk.makeFolder(folder);
  disk.syncFolder('');
  disk.syncFolder('data');
  return new LogWorld();
}

type Steps = Pick<Scenario<LogWorld>, 'name' | 'about' | 'prepare' | 'work'>;

const common = {
  recover: (disk: SimDisk, world: LogWorld) => void openWith(disk, world),
  judge: judgeLog,
  goOn: goOnLogging,
};

/** Appends to a log that is there; with `sync` of never, acknowledgements mean little: for tests of the loops. */
export function appending(sync?: SyncPolicy): Scenario<LogWorld> {
  return scenario({
    name: 'append',
    about: 'a log that is there is opened; batches come, over several segments; it is closed',
    prepare: filled,
    work(disk, world) {
      const log = startLog(disk, openWith(disk, world), sync);
      for (const [i, size] of SIZES.entries()) {
        commit(log, world, 200 + i, size);
        log.tick();
      }
      log.close();
    },
  });
}

/** A log of a few segments, of which the older become a checkpoint. */
export const CHECKPOINTING = scenario({
  name: 'checkpoint',
  about: 'old segments become a checkpoint and go, twice, while batches come',
  prepare: filled,
  async work(disk, world) {
    const log = startLog(disk, openWith(disk, world));
    for (let round = 0; round < 2; round++) {
      commit(log, world, 300 + round, 1000);
      world.mint = 100 + 2 * round;
      const keep = { series: (ref: number) => ref % 2 === 0, mint: world.mint };
      await log.checkpoint(() => keep, { newest: log.roll(), isWhole: true });
    }
    log.close();
  },
});

/** A fragment that says it is longer than what is there of it. */
const TORN = Uint8Array.of(1, 0x40, 0, 1, 2, 3, 4, 5, 6, 7);

/** A log whose end is torn and whose middle is damaged: the work is the mending. */
export const MENDING = scenario({
  name: 'repair',
  about: 'a log with a damaged page and a torn end is opened and mended',
  prepare(disk) {
    const world = filled(disk);
    const [first] = listSegments(disk, FOLDER);
    // Bytes of the second batch, in the page where the fourth begins, and a record that a crash cut short.
    disk.damage(segmentPath(FOLDER, first!), (bytes) => bytes.fill(0xee, 9000, 9004));
    const last = listSegments(disk, FOLDER).at(-1)!;
    disk.damage(segmentPath(FOLDER, last), (bytes) => Buffer.concat([bytes, TORN]));
    for (const batch of [101, 102, 103]) world.spoiled.add(batch);
    return world;
  },
  work: (disk, world) => void openWith(disk, world),
});

export const LOG_SCENARIOS: readonly Scenario<LogWorld>[] = [
  scenario({
    name: 'begin',
    about: 'a log is made where there is none, and takes a batch',
    prepare: emptyWorld,
    work(disk, world) {
      const log = startLog(disk, openWith(disk, world));
      commitSeries(log, SERIES);
      commit(log, world, 1, 10);
      log.close();
    },
  }),
  appending(),
  CHECKPOINTING,
  MENDING,
];

function scenario(steps: Steps): Scenario<LogWorld> {
  return { ...common, ...steps };
}
