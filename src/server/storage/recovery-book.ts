// What the last start found, mended and lost: for /api/v1/status/recovery.

import type { HeadChunkDamage } from '../../shard/head-chunks.js';
import type { LossSpan, ReplayReport } from '../../shard/protocol.js';
import { headChunksFolder, headChunksPath } from '../../tsdb/head-chunks/layout.js';
import type { LogDamage } from '../../tsdb/wal/reader.js';
import { segmentPath } from '../../tsdb/wal/segments.js';

/** Something that could not be read. */
export interface Loss {
  readonly what: 'log' | 'write-behind log' | 'chunks_head' | 'block';
  readonly path: string;
  readonly offset?: number;
  readonly bytes?: number;
  readonly reason: string;
  /**
   * `torn`: the end of a write that nobody was answered for, cut off. `mended`: overwritten, so that nobody stumbles over it; a copy is in
   * `narthex/lost`. `left`: the disk may give it back another time. `put aside`: renamed to `.bad`.
   * `revived`: its deletions are gone, so that what was deleted is served again. `gone`: it is not there any more.
   */
  readonly outcome: 'torn' | 'mended' | 'left' | 'put aside' | 'not served' | 'revived' | 'gone';
  /** Times of what is written around it. */
  readonly minTimeMs?: number;
  readonly maxTimeMs?: number;
}

export interface RecoveryFigures {
  readonly logRecords: number;
  readonly logBytes: number;
  readonly headChunks: number;
  readonly series: number;
  readonly samples: number;
  /** Of the samples those that came from an image of the head, and not one by one from the log. */
  readonly imagedSamples: number;
  readonly lateSamples: number;
  /** Series whose records the log has lost, taken from their copy. */
  readonly restoredSeries: number;
}

export interface RecoveryReport {
  readonly startMs: number;
  /** Absent while it goes on. */
  readonly endMs?: number;
  readonly figures: RecoveryFigures;
  readonly losses: readonly Loss[];
  /** Records that are whole, but not what they say they are: passed over. */
  readonly malformed: readonly string[];
}

/** Of each kind so many are listed; all are logged. */
const LOSSES_MAX = 1000;

const NOTHING: RecoveryFigures = {
  ...{ logRecords: 0, logBytes: 0, headChunks: 0, series: 0, samples: 0, imagedSamples: 0, lateSamples: 0 },
  restoredSeries: 0,
};

export class RecoveryBook {
  readonly #startMs: number;
  readonly #headChunks: string;
  readonly #losses: Loss[] = [];
  #malformed: readonly string[] = [];
  #figures = NOTHING;
  #endMs: number | undefined;

  constructor(startMs: number, dataFolder: string) {
    this.#startMs = startMs;
    this.#headChunks = headChunksFolder(dataFolder);
  }

  get report(): RecoveryReport {
    const ended = this.#endMs === undefined ? {} : { endMs: this.#endMs };
    return {
      ...{ startMs: this.#startMs, ...ended, figures: this.#figures },
      ...{ losses: this.#losses, malformed: this.#malformed },
    };
  }

  /** Every shard has read everything: each knows of all damage, and of its own series and samples. */
  noteReplay(reports: readonly ReplayReport[]): void {
    const { opened, openedLate, headChunks, lossSpans } = reports[0]!;
    for (const [i, damage] of opened.damages.entries()) this.noteLoss(logLoss('log', damage, lossSpans[i]));
    for (const damage of openedLate?.damages ?? []) this.noteLoss(logLoss('write-behind log', damage));
    const noteChunks = ({ file, offset, bytes, reason }: HeadChunkDamage, outcome: Loss['outcome']) =>
      this.noteLoss({
        ...{ what: 'chunks_head', path: headChunksPath(this.#headChunks, file) },
        ...{ offset, bytes, reason, outcome },
      });
    for (const damage of headChunks.damages) noteChunks(damage, 'left');
    for (const damage of headChunks.missing) noteChunks(damage, 'gone');
    this.#malformed = reports.flatMap(({ malformed }) => malformed);
    const sum = (of: (report: ReplayReport) => number) => reports.reduce((total, report) => total + of(report), 0);
    this.#figures = {
      logRecords: opened.records,
      logBytes: opened.bytes,
      headChunks: sum((report) => report.headChunks.chunks),
      series: sum(({ series }) => series),
      samples: sum(({ totals }) => totals.applied),
      imagedSamples: sum(({ totals }) => totals.imaged),
      lateSamples: sum(({ lateApplied }) => lateApplied),
      restoredSeries: sum(({ totals }) => totals.restored),
    };
  }

  /** What is found later, of blocks, is noted as well. */
  noteLoss(loss: Loss): void {
    if (this.#losses.length < LOSSES_MAX) this.#losses.push(loss);
  }

  end(endMs: number): void {
    this.#endMs = endMs;
  }
}

function logLoss(
  what: Loss['what'],
  { folder, segment, offset, bytes, reason, torn }: LogDamage,
  span?: LossSpan,
): Loss {
  const outcome = torn ? 'torn' : reason === 'read error' ? 'left' : 'mended';
  return { what, path: segmentPath(folder, segment), offset, bytes, reason, outcome, ...span };
}
