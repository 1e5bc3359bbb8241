// A second copy of the log's series records. A sample names its series by a ref alone, so damage that takes one such
// record would take all samples of its series with it, wherever they stand.
//
//   wal/              │ series │ samples ......... │ series │ samples ...
//                          │                           │
//   narthex/series/   │ series │ series │ ...                  a log of the same format: checkpoint.N, and segments behind it
//
// What the log gets is written here at once, and synced within a second. The checkpoint is made anew from the log itself,
// at each start, and behind a checkpoint of the log once as much came as there is in it; a copy without one counts for nothing.
//
// Invariants
//   - a copy that counts was written by the life of a server that wrote the log last: refs mean the same in both;
//   - it may have series that the log does not need any more, and lack those of the last second before a power cut;
//   - nothing waits for it: where it cannot be written the log goes on without.

import type { Clock, Timer } from '../../base/clock.js';
import type { Disk } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { RecordBatch, UNSYNCED_BYTES_MAX } from './batch.js';
import { dropCovered, removeTemporary } from './checkpoint.js';
import { type LogRecord, type LogVisitor, readingSegments, readSegments } from './reader.js';
import { RecordType } from './record.js';
import { checkpointPath, listCheckpoints, listSegments } from './segments.js';
import { logSources } from './sources.js';
import { closeQuietly, isRefusal, LogWriter, type RecordParts } from './writer.js';

const SYNC_WITHIN_MS = 1000;
/** Less than this behind its checkpoint is not worth another reading of the log. */
const REMAKE_BYTES = 16 * 1024 * 1024;

export interface SeriesCopyOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly core: Core;
  readonly logFolder: string;
  /** Where the copy is: see seriesCopyFolder(). */
  readonly folder: string;
  /** Runs what comes next when other work had its turn. */
  readonly soon: (action: () => void) => void;
}

/** In a folder of ours. */
export function seriesCopyFolder(ownFolder: string): string {
  return `${ownFolder}/series`;
}

/** Reads a copy as far as it can be read; nothing where there is none that counts. */
export function readSeriesCopy(disk: Disk, folder: string, core: Core, visitor: LogVisitor): void {
  if (disk.stat(folder) === undefined || listCheckpoints(disk, folder).length === 0) return;
  for (const source of logSources(disk, folder, core).sources) readSegments({ disk, core, ...source }, visitor);
}

export class SeriesCopy {
  readonly #options: SeriesCopyOptions;
  #writer: LogWriter | undefined;
  #making: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  /** Bytes of the checkpoint, and of what came behind it. */
  #madeBytes = 0;
  #laterBytes = 0;
  #isMade = false;
  #closed = false;

  constructor(options: SeriesCopyOptions) {
    this.#options = options;
  }

  /** Series records that the log has just been given, of records of any kind: copies. */
  append(records: readonly RecordParts[]): void {
    if (this.#writer === undefined) return;
    const series = records.filter(([head]) => head?.[0] === RecordType.Series);
    if (series.length === 0) return;
    for (const parts of series) for (const part of parts) this.#laterBytes += part.length;
    const { clock } = this.#options;
    this.#attempt(() => this.#writer?.append(series));
    this.#timer ??= clock.after(SYNC_WITHIN_MS, () => {
      this.#timer = undefined;
      this.#attempt(() => this.#writer?.sync());
    });
  }

  /** What another life of the server wrote: refs may mean other series by now. Nothing is copied before remake() is called then. */
  discard(): void {
    const { disk, folder } = this.#options;
    this.#attempt(() => {
      this.#end();
      disk.makeFolder(folder);
      // First what makes it count.
      for (const last of listCheckpoints(disk, folder)) disk.remove(checkpointPath(folder, last));
      disk.syncFolder(folder);
      disk.remove(folder);
    });
  }

  /** Copies what the log has by now, a step at a time, in place of what was there; settled() says when. */
  remake(): void {
    this.#making = this.#making.then(() => this.#remake());
    this.#making.catch(() => {});
  }

  /** The log has been cut short: remakes the copy where that is worth it, or where something of it is missing. */
  follow(): void {
    const isSmall = this.#laterBytes <= Math.max(this.#madeBytes, REMAKE_BYTES);
    if (this.#isMade && this.#writer !== undefined && isSmall) return;
    this.remake();
  }

  /** Resolves when the log is not read any more. Rejects where that ended in a way that is no disk's. */
  settled(): Promise<void> {
    return this.#making;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#attempt(() => this.#end());
  }

  async #remake(): Promise<void> {
    if (this.#closed) return;
    const { disk, folder } = this.#options;
    this.#isMade = false;
    try {
      // What the log gets from now on is copied behind it.
      const last = this.#beginSegment() - 1;
      this.#laterBytes = 0;
      const target = checkpointPath(folder, last);
      removeTemporary(disk, folder);
      const found = await this.#transcribe(`${target}.tmp`);
      // What damage takes from the log now is still in the old copy.
      if (found === undefined || (found === 'damaged' && listCheckpoints(disk, folder).length > 0)) return;
      disk.rename(`${target}.tmp`, target);
      disk.syncFolder(folder);
      dropCovered(disk, folder);
      this.#isMade = true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  /** Writes what the log has to a folder; how the log was, undefined where this broke off. */
  async #transcribe(folder: string): Promise<'whole' | 'damaged' | undefined> {
    const { disk, logFolder, core, soon } = this.#options;
    disk.makeFolder(folder);
    const unsyncedBytesMax = UNSYNCED_BYTES_MAX;
    const transcript = new Transcript(
      new LogWriter({ disk, folder, core, segment: 0, stepBytes: 0, unsyncedBytesMax }),
    );
    try {
      let found: 'whole' | 'damaged' = 'whole';
      for (const source of logSources(disk, logFolder, core).sources) {
        const reading = readingSegments({ disk, core, ...source }, transcript);
        let step = reading.next();
        for (; !step.done; step = reading.next()) {
          await new Promise<void>((resolve) => soon(resolve));
          if (!this.#closed) continue;
          reading.return(undefined as never);
          return undefined;
        }
        // The end of the log is being written.
        if (step.value.damages.some(({ torn }) => !torn)) found = 'damaged';
      }
      transcript.finish();
      this.#madeBytes = transcript.bytes;
      disk.syncFolder(folder);
      return found;
    } finally {
      transcript.close();
    }
  }

  /** Goes on in a new segment: its number. */
  #beginSegment(): number {
    const { disk, folder, core } = this.#options;
    this.#end();
    disk.makeFolder(folder);
    const highest = Math.max(0, listSegments(disk, folder).at(-1) ?? 0, listCheckpoints(disk, folder).at(-1) ?? 0);
    const segment = highest + 1;
    const writer = new LogWriter({ disk, folder, core, segment, keepUnsynced: false });
    if (writer.stuck !== undefined) throw writer.stuck;
    this.#writer = writer;
    return segment;
  }

  #end(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.close();
  }

  /** What the disk refuses leaves the copy as it is, without what comes. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const writer = this.#writer;
      this.#writer = undefined;
      if (writer !== undefined) closeQuietly(writer);
    }
  }
}

/** The series records of a log, written down. */
class Transcript implements LogVisitor {
  readonly #writer: LogWriter;
  readonly #batch: RecordBatch;
  #isFinished = false;
  /** Of all records so far. */
  bytes = 0;

  constructor(writer: LogWriter) {
    this.#writer = writer;
    this.#batch = new RecordBatch(writer);
  }

  record({ type, bytes }: LogRecord): void {
    if (type !== RecordType.Series) return;
    this.#batch.put(bytes);
    this.bytes += bytes.length;
  }

  /** All is on the disk then. Throws LogStuck. */
  finish(): void {
    this.#batch.flush();
    this.#isFinished = true;
    this.#writer.close();
  }

  close(): void {
    if (!this.#isFinished) closeQuietly(this.#writer);
  }
}
