// Checkpoints: what is still needed of old segments, written as a log of its own.
//
//   wal/00000000 … 00000007   ──►   wal/checkpoint.00000005/00000000 …
//                                   wal/00000006, 00000007
//
// `checkpoint.00000005` stands for segments 0 to 5. It is written under a
// temporary name, synced, renamed, and only then may what it covers go.

import type { Disk } from '../../base/disk.js';
import type { Core } from '../../wasm/core.js';
import { Sift } from '../../wasm/sift.js';
import { BytesError, ByteWriter } from '../bytes.js';
import { BATCH_BYTES, RecordBatch, UNSYNCED_BYTES_MAX } from './batch.js';
import { eachMetadata, emptyFilterStats, type FilterStats, filterRecord, type Keep } from './filter.js';
import { drain, type LogDamage, type LogRecord, type LogVisitor, readingSegments } from './reader.js';
import { RecordType } from './record.js';
import { checkpointPath, listCheckpoints, listSegments, listTemporary, segmentPath } from './segments.js';
import { logSources } from './sources.js';
import { closeQuietly, LogWriter } from './writer.js';

export interface CheckpointOptions {
  readonly disk: Disk;
  /** The log's folder. */
  readonly folder: string;
  /** For reading and writing; need not be the log thread's. */
  readonly core: Core;
  /** The last segment to replace. It must not be written to any more. */
  readonly last: number;
  readonly keep: Keep;
  /**
   * Series records that the log has lost: they come first. Where absent nobody knows what it lost, and a filler stays where damage was,
   * or another filler.
   */
  readonly front?: readonly Uint8Array[];
  readonly segmentBytes?: number;
  /** Go on without what cannot be read at all. Otherwise that may be readable tomorrow, so nothing is replaced. */
  readonly acceptUnreadable?: boolean;
}

/** Old segments have spots that the disk does not give back now. */
export class UnreadableLog extends Error {
  override readonly name = 'UnreadableLog';
  constructor(readonly damages: readonly LogDamage[]) {
    super(`${damages.length} places of the log cannot be read now`);
  }
}

export interface CheckpointStats extends FilterStats {
  metadata: number;
  metadataDropped: number;
  /** Segments read, those of the checkpoint before included. */
  segments: number;
  bytesRead: number;
  bytesWritten: number;
  /** What of the old segments could not be read. */
  damages: readonly LogDamage[];
}

/**
 * Writes the checkpoint of all segments up to `last`, out of the newest checkpoint and the segments behind it.
 * Deletes nothing: see dropCovered(). Throws a DiskError, LogStuck or UnreadableLog, and has then left
 * a temporary folder at most. Damage that can be read costs what it costs: waiting would not bring it back, and
 * the log would grow for ever.
 */
export function writeCheckpoint(options: CheckpointOptions): CheckpointStats {
  return drain(checkpointing(options));
}

/** The same in steps of about a MiB. */
export function* checkpointing(options: CheckpointOptions): Generator<void, CheckpointStats, void> {
  const { disk, folder, core, last } = options;
  const { sources, checkpoint } = logSources(disk, folder, core);
  if (last <= checkpoint) throw new RangeError(`a checkpoint of segment ${checkpoint} is there: ${last} is not newer`);
  removeTemporary(disk, folder);
  const target = checkpointPath(folder, last);
  const temporary = `${target}.tmp`;
  disk.makeFolder(temporary);
  const writer = new LogWriter({
    disk,
    folder: temporary,
    core,
    segment: 0,
    segmentBytes: options.segmentBytes,
    stepBytes: 0,
    unsyncedBytesMax: UNSYNCED_BYTES_MAX,
  });
  let closed = false;
  const sieve = new Sieve(options, writer);
  try {
    const stats = sieve.stats;
    for (const source of sources) {
      const to = source.folder === folder ? last : undefined;
      const summary = yield* readingSegments({ disk, core, tornTail: false, ...source, to }, sieve);
      stats.segments += summary.segments;
      stats.bytesRead += summary.bytes;
      stats.damages = [...stats.damages, ...summary.damages];
    }
    const unreadable = stats.damages.filter((damage) => damage.reason === 'read error');
    if (unreadable.length > 0 && !options.acceptUnreadable) throw new UnreadableLog(unreadable);
    sieve.finish();
    closed = true;
    writer.close();
    stats.bytesWritten = writer.stats.bytes;
    disk.syncFolder(temporary);
    // One that is there is damaged, and the segments it stands for are too.
    disk.remove(target);
    disk.rename(temporary, target);
    disk.syncFolder(folder);
    return stats;
  } finally {
    sieve.release();
    if (!closed) closeQuietly(writer);
  }
}

/** Deletes the segments and checkpoints that the newest checkpoint replaces, oldest first so that no gap shows. */
export function dropCovered(disk: Disk, folder: string): { segments: number; checkpoints: number } {
  const checkpoints = listCheckpoints(disk, folder);
  const newest = checkpoints.pop();
  if (newest === undefined) return { segments: 0, checkpoints: 0 };
  const covered = listSegments(disk, folder).filter((segment) => segment <= newest);
  for (const segment of covered) disk.unlink(segmentPath(folder, segment));
  for (const checkpoint of checkpoints) disk.remove(checkpointPath(folder, checkpoint));
  if (covered.length + checkpoints.length > 0) disk.syncFolder(folder);
  return { segments: covered.length, checkpoints: checkpoints.length };
}

/** Removes what unfinished checkpoints left. */
export function removeTemporary(disk: Disk, folder: string): void {
  for (const path of listTemporary(disk, folder)) disk.remove(path);
}

/** Takes the records of the old segments in, and passes on to the writer what is kept. */
class Sieve implements LogVisitor {
  readonly stats: CheckpointStats = {
    ...emptyFilterStats(),
    metadata: 0,
    metadataDropped: 0,
    segments: 0,
    bytesRead: 0,
    bytesWritten: 0,
    damages: [],
  };
  readonly #keep: Keep;
  readonly #batch: RecordBatch;
  readonly #sift: Sift | undefined;
  readonly #marksLosses: boolean;
  /** What was said last of each series, still encoded: all series of a metric share the bytes. */
  readonly #metadata = new Map<number, Uint8Array>();
  readonly #texts = new Map<string, Uint8Array>();

  constructor({ keep, front, core }: CheckpointOptions, writer: LogWriter) {
    this.#keep = keep;
    this.#batch = new RecordBatch(writer);
    this.#sift = keep.times && Sift.open(core, keep.times, keep.mint);
    this.#marksLosses = front === undefined;
    for (const record of front ?? []) this.#batch.put(record);
  }

  release(): void {
    this.#sift?.release();
  }

  record(record: LogRecord): void {
    if (record.type === RecordType.Metadata) {
      this.#takeMetadata(record.bytes);
      return;
    }
    if (record.type === RecordType.Filler) {
      this.#markLoss();
      return;
    }
    if (record.type === RecordType.Samples && this.#takeSamples(record)) return;
    const bytes = record.bytes;
    const kept = filterRecord(bytes, this.#keep, this.stats);
    if (kept !== undefined) this.#batch.put(kept);
  }

  damage(): void {
    this.#markLoss();
  }

  #markLoss(): void {
    if (this.#marksLosses) this.#batch.put(Uint8Array.of(RecordType.Filler));
  }

  /** In the core, where it has room. */
  #takeSamples({ address, length }: LogRecord): boolean {
    const sift = this.#sift;
    const kept = sift?.run(address, length);
    if (sift === undefined || kept === undefined) return false;
    if (kept === 'malformed') this.stats.malformedDropped++;
    else {
      this.stats.samples += sift.samples;
      this.stats.samplesDropped += sift.dropped;
      if (kept.length > 0) this.#batch.put(kept);
    }
    return true;
  }

  /** Writes what is left, and the metadata behind it. */
  finish(): void {
    let out = new ByteWriter();
    let length = 0;
    for (const [ref, said] of this.#metadata) {
      if (length === 0) out.u8(RecordType.Metadata);
      out.uvarint(ref);
      out.raw(said);
      length += said.length;
      if (length < BATCH_BYTES) continue;
      this.#batch.put(out.finish());
      out = new ByteWriter();
      length = 0;
    }
    if (length > 0) this.#batch.put(out.finish());
    this.#batch.flush();
  }

  #takeMetadata(record: Uint8Array): void {
    try {
      eachMetadata(record, (ref, said) => {
        this.stats.metadata++;
        if (this.#metadata.has(ref) || !this.#keep.series(ref)) this.stats.metadataDropped++;
        if (this.#keep.series(ref)) this.#metadata.set(ref, this.#shared(said));
      });
    } catch (error) {
      if (!(error instanceof BytesError)) throw error;
      this.stats.malformedDropped++;
    }
  }

  /** A copy of bytes, the same for the same bytes. */
  #shared(said: Uint8Array): Uint8Array {
    const text = Buffer.from(said).toString('latin1');
    let shared = this.#texts.get(text);
    if (shared === undefined) this.#texts.set(text, (shared = said.slice()));
    return shared;
  }
}
