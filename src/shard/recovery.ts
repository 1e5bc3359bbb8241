// Reading what a shard had back: the chunks that files have, then the log. Every shard reads all of it and keeps what it owns.
//
//   chunks_head ──► log, record by record ──► newest samples of series that the log has none of
//                     │      ▲
//                     └ short of memory: to main, which has chunks spilled, and asks again

import type { Disk } from '../base/disk.js';
import {
  believedFiles,
  headChunksManifestPath,
  type NotedFile,
  readHeadChunksManifest,
} from '../tsdb/head-chunks/manifest.js';
import { isLogOurs, openingLog } from '../tsdb/wal/open.js';
import { Attach } from '../wasm/attach.js';
import { Crc32c } from '../wasm/crc32c.js';
import type { ReplayTotals } from '../wasm/head.js';
import { type HeadChunksReport, readingHeadChunks } from './head-chunks.js';
import { HistogramAttach } from './histogram-attach.js';
import { LateReplay } from './late/late-replay.js';
import { LogReplay, type RecoveryParts } from './log-replay.js';
import type { ReplayReport, Reply, Request } from './protocol.js';

/** Beyond this share of the memory chunks are to be spilled; and again when so much more is in use than after the last time. */
const CROWDED_SHARE = 0.8;
const CROWDED_STEP_SHARE = 0.02;

const NO_FILES: HeadChunksReport = { files: [], chunks: 0, overlapping: 0, damages: [], missing: [] };

export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #disk: Disk;
  #running: Generator<void, ReplayReport, void> | undefined;
  /** Memory in use beyond which chunks are to be spilled. */
  #crowdedBytes: number;

  constructor(disk: Disk, parts: RecoveryParts) {
    this.#parts = parts;
    this.#disk = disk;
    this.#crowdedBytes = CROWDED_SHARE * parts.memoryBytes;
  }

  /** Goes on until all is read, or until memory is short: then there is no report yet. */
  run(request: Request<'replay'>): Reply<'replay'> {
    const { core, head, memoryBytes } = this.#parts;
    if (this.#running === undefined) this.#running = this.#all(request);
    else this.#crowdedBytes = Math.max(this.#crowdedBytes, core.heldBytes + CROWDED_STEP_SHARE * memoryBytes);
    for (;;) {
      const { done, value } = this.#running.next();
      if (done) {
        this.#running = undefined;
        return { report: value as ReplayReport };
      }
      // Chunks of a series that lacks what was refused are not to be in files: these stand for all that the log has of it.
      if (core.heldBytes > this.#crowdedBytes && head.replayRefusals === 0) return { report: undefined };
    }
  }

  *#all(request: Request<'replay'>): Generator<void, ReplayReport, void> {
    const { core, head, place, dataFolder, spilled } = this.#parts;
    const { folder, ownFolder, repair, minTimeMs } = request;
    const disk = this.#disk;
    head.beginReplay(place.index, place.count);
    const filed = new HistogramAttach();
    const noted = this.#notedFiles(request);
    const headChunks =
      dataFolder === undefined
        ? NO_FILES
        : yield* readingHeadChunks({ core, disk, dataFolder, minTimeMs, noted }, filed);
    const late = new LateReplay(head, this.#parts.late);
    const log = new LogReplay(disk, this.#parts, request, late, filed);
    const opened = yield* openingLog({ disk, folder, ownFolder, core, repair }, log);
    log.finish();
    const isLateInLog = !this.#parts.late.isEmpty;
    const openedLate = request.late && (yield* openingLog({ disk, core, repair, ...request.late }, late));
    const lateDeleted = openedLate?.isForeign ? late.deleteAsPrometheus() : 0;
    const restored = head.restoredSeries();
    const refusalsBefore = head.replayRefusals;
    const totals = withFiles(head.endReplay(), new Attach(core, 0), filed);
    spilled.reviveAll(log.faults);
    return {
      ...{
        opened,
        openedLate,
        lateApplied: late.applied,
        lateDeleted,
        isLateInLog,
        totals,
        headChunks,
        restored,
        imageSegment: log.imageSegment,
        series: head.seriesCount,
      },
      ...log.end(head.replayRefusals - refusalsBefore),
    };
  }

  /** What chunks_head must have, where we were the last to write here. */
  #notedFiles({ folder, ownFolder }: Request<'replay'>): ReadonlyMap<number, NotedFile> {
    const { core, dataFolder } = this.#parts;
    const disk = this.#disk;
    if (dataFolder === undefined || !isLogOurs({ disk, folder, ownFolder, core })) return new Map();
    const found = readHeadChunksManifest(disk, headChunksManifestPath(dataFolder), new Crc32c(core));
    return believedFiles(found, disk, dataFolder);
  }
}

/** What files have counts as applied before. */
function withFiles(totals: ReplayTotals, files: Attach, filed: HistogramAttach): ReplayTotals {
  const newest = [totals.newestMs, files.newestMs, filed.newestMs].filter((time) => time !== undefined);
  return {
    ...totals,
    highestRef: Math.max(totals.highestRef, files.highestRef),
    newestMs: newest.length === 0 ? undefined : Math.max(...newest),
  };
}
