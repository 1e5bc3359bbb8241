// What the scenarios of the log promise, and how it is looked for afterwards.
//
// A batch is one record of samples at one time, its number; each value tells its batch and its series, so that
// nothing can be taken for something else.

import { type Commit, Log, LogUnsynced, type SyncPolicy } from '../../../src/tsdb/wal/log.js';
import { type OpenedLog, openLog } from '../../../src/tsdb/wal/open.js';
import { PAGE_BYTES } from '../../../src/tsdb/wal/page.js';
import { decodeSamples, decodeSeries, encodeSamples, encodeSeries, RecordType } from '../../../src/tsdb/wal/record.js';
import { listTemporary } from '../../../src/tsdb/wal/segments.js';
import { LogStuck } from '../../../src/tsdb/wal/writer.js';
import { Core } from '../../../src/wasm/core.js';
import { FakeClock } from '../clock.js';
import type { SimDisk } from '../sim-disk.js';

export const FOLDER = 'data/wal';
export const OWN_FOLDER = 'data/narthex';

/** Writers that lost their power never give back their memory, so a core serves only so many. */
const CORE_USES = 300;

let core = new Core();
let uses = 0;

export function freshCore(): Core {
  if (++uses % CORE_USES === 0) core = new Core();
  return core;
}

/** Batches by what was answered. */
export class LogWorld {
  readonly acked = new Set<number>();
  /** No answer came, or one that says it is not known. */
  readonly maybe = new Set<number>();
  /** "None of it is in the log", and the log went on: it may never show. */
  readonly refused = new Set<number>();
  /** Batches before this one may be gone: a checkpoint let them go. */
  mint = 0;
  /** How many samples the batch has. */
  readonly sizes = new Map<number, number>();
  /** What damage that the scenario itself has done may cost; it must be told. */
  readonly spoiled = new Set<number>();
  /** Damages that openings have told of. */
  reported = 0;
}

export function openWith(disk: SimDisk, world: LogWorld): OpenedLog {
  const visitor = { record() {}, damage: () => void world.reported++ };
  return openLog({ disk, folder: FOLDER, ownFolder: OWN_FOLDER, core: freshCore() }, visitor);
}

export function startLog(disk: SimDisk, opened: OpenedLog, sync?: SyncPolicy): Log {
  return new Log({
    disk,
    folder: FOLDER,
    core: freshCore(),
    clock: new FakeClock(),
    opened,
    sync,
    segmentBytes: 3 * PAGE_BYTES,
    stepBytes: PAGE_BYTES,
    soon: (action) => action(),
  });
}

const valueOf = (batch: number, ref: number) => BigInt(batch * 1_000_000 + ref);

function commitOf(batch: number, samples: number): Commit {
  const rows = Array.from({ length: samples }, (_, ref) => ({ ref, timeMs: batch, bits: valueOf(batch, ref) }));
  return { records: [[encodeSamples(rows)]], durable: true };
}

/** One batch, and what came of it in the ledger. A log that is stuck is tried again, as its thread does each second. */
export function commit(log: Log, world: LogWorld, batch: number, samples: number): void {
  world.sizes.set(batch, samples);
  world.maybe.add(batch);
  try {
    log.commitNow([commitOf(batch, samples)]);
    world.maybe.delete(batch);
    world.acked.add(batch);
  } catch (error) {
    if (!(error instanceof LogUnsynced) && !(error instanceof LogStuck)) throw error;
    log.tick();
    // Only a log that goes again has taken back what it refused.
    if (log.stuck === undefined && error instanceof LogStuck) {
      world.maybe.delete(batch);
      world.refused.add(batch);
    }
  }
  log.prepare();
}

export function commitSeries(log: Log, count: number): void {
  const series = Array.from({ length: count }, (_, ref) => ({ ref, labels: ['n', `${ref}`] }));
  log.commitNow([{ records: [[encodeSeries(series)]], durable: true }]);
}

interface Found {
  readonly batches: Map<number, number>;
  readonly series: Set<number>;
  readonly problems: string[];
  readonly opened: OpenedLog;
}

function read(disk: SimDisk): Found {
  const batches = new Map<number, number>();
  const series = new Set<number>();
  const problems: string[] = [];
  const opened = openLog(
    { disk, folder: FOLDER, ownFolder: OWN_FOLDER, core: freshCore(), repair: false },
    {
      record({ type, bytes }) {
        if (type === RecordType.Series) for (const { ref } of decodeSeries(bytes)) series.add(ref);
        if (type !== RecordType.Samples) return;
        const samples = decodeSamples(bytes);
        const batch = samples[0]!.timeMs;
        if (batches.has(batch)) problems.push(`batch ${batch} is there twice`);
        batches.set(batch, samples.length);
        const isRight = samples.every(({ ref, timeMs, bits }) => timeMs === batch && bits === valueOf(batch, ref));
        if (!isRight) problems.push(`batch ${batch} has other samples than were written (I2)`);
      },
    },
  );
  return { batches, series, problems, opened };
}

/** After a recovery without faults: the promises of the ledger, and a log that is whole again. */
export function judgeLog(disk: SimDisk, world: LogWorld): string[] {
  const { batches, problems, opened } = read(disk);
  for (const batch of world.acked) {
    if (batch < world.mint || batches.has(batch)) continue;
    if (!world.spoiled.has(batch)) problems.push(`batch ${batch} was acknowledged and is lost (I1)`);
    else if (world.reported === 0) problems.push(`batch ${batch} is lost to damage that nobody was told of (I6)`);
  }
  for (const [batch, count] of batches) {
    if (world.refused.has(batch)) problems.push(`batch ${batch} was refused and is there (I2)`);
    else if (!world.acked.has(batch) && !world.maybe.has(batch)) problems.push(`batch ${batch} was never sent (I2)`);
    if (count !== world.sizes.get(batch)) problems.push(`batch ${batch} is there in part (I3)`);
  }
  for (const { segment, offset, reason } of opened.damages) {
    // Bytes that a failed sync lost behind our back: missed each time until the log writes its manifest anew.
    if (reason === 'segment shortened') continue;
    problems.push(`segment ${segment} is damaged at ${offset} after the repair: ${reason}`);
  }
  for (const path of listTemporary(disk, FOLDER)) problems.push(`${path} is left over (I9)`);
  return problems;
}

/** I7: on a disk that is well again a batch is taken, and found by the next start. */
export function goOnLogging(disk: SimDisk, world: LogWorld): string[] {
  const later = 1_000_000;
  const log = startLog(disk, openWith(disk, world));
  commit(log, world, later, 10);
  const problems = world.acked.has(later) ? [] : ['a batch is refused although nothing fails (I7)'];
  log.close();
  disk.crash();
  openWith(disk, world);
  return [...problems, ...judgeLog(disk, world)];
}
