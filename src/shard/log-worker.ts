// The log's thread: commits of main, gathered there, written here.

import { type Clock, realClock, soon } from '../base/clock.js';
import { type Disk, DiskError, realDisk } from '../base/disk.js';
import { freeBuffer } from '../base/thread.js';
import { type CheckpointPlace, GoneSeries } from '../tsdb/wal/gone-series.js';
import { LiveRefs } from '../tsdb/wal/live-refs.js';
import { type CheckpointSpan, Log, type LogStats, LogUnsynced, type SyncPolicy } from '../tsdb/wal/log.js';
import { type OpenedLog, openLog } from '../tsdb/wal/open.js';
import { SeriesCopy, seriesCopyFolder } from '../tsdb/wal/series-copy.js';
import { LogStuck } from '../tsdb/wal/writer.js';
import { Core } from '../wasm/core.js';
import type { Span } from './protocol.js';

const RESERVE_SHARE = 0.03;
const RESERVE_BYTES_MAX = 256 * 2 ** 20;

export interface LogSetup {
  readonly folder: string;
  readonly ownFolder: string;
  /** The write-behind log: made with the first late sample. */
  readonly late: { readonly folder: string; readonly ownFolder: string };
  readonly sync: SyncPolicy;
  /** Of a segment, and of the zeroes written ahead: the log's own measures where absent. */
  readonly segmentBytes?: number;
  readonly stepBytes?: number;
}

/** A part of a record: in a shard's memory, or given as bytes. */
export type WirePart = { readonly shard: number; readonly span: Span } | Uint8Array;

export interface WireCommit {
  readonly records: readonly (readonly WirePart[])[];
  readonly durable: boolean;
  readonly late: readonly (readonly WirePart[])[];
}

export type LogTask =
  /** `opened` is what a shard found when it read the log; `repair` asks to read it again and mend it first. */
  | {
      readonly op: 'open';
      readonly opened: OpenedLog;
      readonly repair: boolean;
      /** The same of the write-behind log, where there is one. */
      readonly late: OpenedLog | undefined;
      readonly memories: readonly WebAssembly.Memory[];
      /** Series records that the log has lost, and shards have taken from the copy of them: the next checkpoint has them. */
      readonly restored: readonly Uint8Array[];
    }
  | { readonly op: 'commit'; readonly commits: readonly WireCommit[] }
  | { readonly op: 'stats' }
  /** All that was committed is on the disk then. */
  | { readonly op: 'sync' }
  /** The shard has another memory from now on. */
  | { readonly op: 'replace'; readonly shard: number; readonly memory: WebAssembly.Memory }
  /** Begins a new segment. */
  | { readonly op: 'roll' }
  /** Replaces old segments by a checkpoint that keeps these refs, and samples from mint on that are nowhere else. */
  | {
      readonly op: 'checkpoint';
      readonly refs: readonly ArrayBuffer[];
      readonly minTimeMs: number;
      readonly span: CheckpointSpan;
    }
  | { readonly op: 'rollLate' }
  | { readonly op: 'dropLate'; readonly last: number }
  | { readonly op: 'close' };

export type LogReply =
  | { readonly outcome: 'ok'; readonly stats: LogStats }
  /** None of the commits is in the log; or with `onlyLate` all are, but for their late samples. */
  | { readonly outcome: 'stuck'; readonly reason: string; readonly onlyLate?: true }
  /** They are in the log, but perhaps not on the disk. */
  | { readonly outcome: 'unsynced'; readonly reason: string }
  | { readonly outcome: 'rolled'; readonly last: number | undefined }
  | { readonly outcome: 'closed' };

/** What the log stands on, where that is not the world. */
export interface LogParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly soon: typeof soon;
  readonly core: Core;
}

/** Records for one of the logs. */
type Batch = Pick<WireCommit, 'records' | 'durable'>;

type LogFault = Extract<LogReply, { readonly outcome: 'stuck' | 'unsynced' }>;

export class LogHost {
  readonly #setup: LogSetup;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #soon: typeof soon;
  readonly #core: Core;
  #log: Log | undefined;
  #late: Log | undefined;
  readonly #gone = new GoneSeries();
  #copy: SeriesCopy | undefined;
  /** What the next checkpoint begins with. */
  #restored: readonly Uint8Array[] | undefined;
  #memories: WebAssembly.Memory[] = [];

  constructor(setup: LogSetup, parts: Partial<LogParts> = {}) {
    this.#setup = setup;
    this.#disk = parts.disk ?? realDisk;
    this.#clock = parts.clock ?? realClock;
    this.#soon = parts.soon ?? soon;
    this.#core = parts.core ?? new Core();
  }

  async run(task: LogTask): Promise<LogReply> {
    switch (task.op) {
      case 'open':
        this.#log = this.#open(this.#setup, task.opened, task.repair);
        if (task.late !== undefined) this.#late = this.#open(this.#setup.late, task.late, task.repair);
        this.#memories = [...task.memories];
        this.#openCopy(task.restored);
        break;
      case 'replace':
        this.#memories[task.shard] = task.memory;
        break;
      case 'commit':
        return this.#commit(task.commits);
      case 'checkpoint':
        await this.#checkpoint(task.refs, task.minTimeMs, task.span);
        break;
      case 'roll':
        return roll(this.#get());
      case 'rollLate':
        return roll(this.#late);
      case 'dropLate':
        this.#late?.dropSegments(task.last);
        break;
      case 'close':
        // Not open yet where the process ends during the replay.
        try {
          this.#copy?.close();
          this.#late?.close();
        } finally {
          this.#log?.close();
        }
        return { outcome: 'closed' };
      case 'sync':
        return this.#sync();
      case 'stats':
        break;
    }
    return { outcome: 'ok', stats: this.#get().stats };
  }

  #open({ folder, ownFolder }: LogSetup['late'], found: OpenedLog | undefined, repair: boolean): Log {
    const { sync, segmentBytes, stepBytes } = this.#setup;
    const disk = this.#disk;
    const clock = this.#clock;
    const core = this.#core;
    const isKnown = found !== undefined && !repair;
    const opened = isKnown ? found : openLog({ disk, folder, ownFolder, core }, { record() {} });
    return new Log({
      ...{ disk, folder, core, clock, opened },
      ...{ sync, segmentBytes, stepBytes, soon: this.#soon, reserveBytes: reserveOf(disk, folder) },
    });
  }

  /** The copy is of what the log has now. Where that lacks what is in the copy the next checkpoint comes first. */
  #openCopy(restored: readonly Uint8Array[]): void {
    const { folder, ownFolder } = this.#setup;
    this.#copy = new SeriesCopy({
      ...{ disk: this.#disk, clock: this.#clock, core: this.#core, soon: this.#soon },
      ...{ logFolder: folder, folder: seriesCopyFolder(ownFolder) },
    });
    this.#restored = restored;
    if (restored.length > 0) return;
    this.#copy.discard();
    this.#copy.remake();
  }

  async #checkpoint(buffers: readonly ArrayBuffer[], mint: number, span: CheckpointSpan): Promise<void> {
    const live = new LiveRefs(buffers);
    buffers.forEach(freeBuffer);
    await this.#copy?.settled();
    const keepAt = (place: CheckpointPlace) => this.#gone.keeping(live, mint, place);
    const stats = await this.#get().checkpoint(keepAt, span, this.#restored);
    if (stats === undefined) return;
    this.#restored = undefined;
    this.#copy?.follow();
  }

  /** Series first: no late sample may precede the record of its series. */
  #commit(commits: readonly WireCommit[]): LogReply {
    const log = this.#get();
    const written = this.#write(log, commits);
    if (written?.outcome === 'stuck') return written;
    this.#copySeries(commits);
    const late = commits.map((commit) => ({ ...commit, records: commit.late }));
    const hasLate = late.some(({ records }) => records.length > 0);
    const writtenLate = hasLate ? this.#writeLate(late) : undefined;
    if (writtenLate?.outcome === 'stuck') return { ...writtenLate, onlyLate: true };
    return written ?? writtenLate ?? { outcome: 'ok', stats: log.stats };
  }

  #copySeries(commits: readonly WireCommit[]): void {
    for (const { records } of commits)
      this.#copy?.append(records.map((parts) => parts.map((part) => this.#bytes(part))));
  }

  /** What is wrong, if anything is. */
  #write(log: Log, all: readonly Batch[]): LogFault | undefined {
    const commits = all.filter(({ records }) => records.length > 0);
    if (commits.length === 0) return undefined;
    try {
      log.commitNow(
        commits.map(({ records, durable }) => ({
          records: records.map((parts) => parts.map((part) => this.#bytes(part))),
          durable,
        })),
      );
      return undefined;
    } catch (error) {
      if (error instanceof LogUnsynced) return { outcome: 'unsynced', reason: error.message };
      if (error instanceof LogStuck) return { outcome: 'stuck', reason: error.message };
      throw error;
    } finally {
      // When the answer is out: zeroes ahead of need, the next segment. They make syncs cheap that somebody
      // waits for; a log that is synced once a second is better off without writing everything twice.
      if (commits.some(({ durable }) => durable)) this.#soon(() => log.prepare());
    }
  }

  /** The write-behind log may have to be made: on a disk that refuses it is a log that is stuck. */
  #writeLate(commits: readonly Batch[]): LogFault | undefined {
    try {
      this.#late ??= this.#open(this.#setup.late, undefined, false);
    } catch (error) {
      if (error instanceof DiskError) return { outcome: 'stuck', reason: error.message };
      throw error;
    }
    return this.#write(this.#late, commits);
  }

  #sync(): LogReply {
    try {
      this.#get().flush();
      return { outcome: 'ok', stats: this.#get().stats };
    } catch (error) {
      if (error instanceof LogUnsynced) return { outcome: 'unsynced', reason: error.message };
      throw error;
    }
  }

  #bytes(part: WirePart): Uint8Array {
    if (part instanceof Uint8Array) return part;
    return new Uint8Array(this.#memories[part.shard]!.buffer, part.span.address, part.span.bytes);
  }

  #get(): Log {
    if (this.#log === undefined) throw new Error('the log is not open');
    return this.#log;
  }
}

/** Of the disk, what writes leave free for checkpoints, blocks and deletions, so that a full disk can become emptier. */
function reserveOf(disk: Disk, folder: string): number {
  try {
    return Math.min(RESERVE_BYTES_MAX, RESERVE_SHARE * disk.totalBytes(folder));
  } catch (error) {
    if (error instanceof DiskError) return 0;
    throw error;
  }
}

/** Where there is no log nothing is rolled. */
function roll(log: Log | undefined): LogReply {
  try {
    return { outcome: 'rolled', last: log?.roll() };
  } catch (error) {
    if (error instanceof LogStuck) return { outcome: 'stuck', reason: error.message };
    throw error;
  }
}
