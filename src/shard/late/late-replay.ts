// Late samples while the logs are read back into a shard: every shard reads all of both and keeps what it owns.
//
//   log                 samples earlier than what their series have: appends of several shards may get there in another
//                       order than to their series. Deletions take what came before them.
//   write-behind log    read behind it; its samples name series by refs of the log. Markers of chunks that a Prometheus
//                       has put to the disk are passed over: their samples are in this log, too, until blocks have them.

import { BytesError } from '../../tsdb/bytes.js';
import { decodeHistogramRecord, isHistogramRecord } from '../../tsdb/wal/histogram-record.js';
import type { LogRecord, LogVisitor } from '../../tsdb/wal/reader.js';
import { decodeSamples, decodeTombstones, RecordType, type TombstoneEntry } from '../../tsdb/wal/record.js';
import { decodeStartedHistograms, decodeStartedSamples } from '../../tsdb/wal/started-record.js';
import { type Head, NO_SERIES } from '../../wasm/head.js';
import type { LateValue } from './late-samples.js';
import type { LateStore } from './late-store.js';

export class LateReplay implements LogVisitor {
  /** Samples taken. */
  applied = 0;
  /** Records of the write-behind log that are not what their type says: where, and why. */
  readonly malformed: string[] = [];
  readonly #head: Head;
  readonly #store: LateStore;
  readonly #deletions: TombstoneEntry[] = [];

  constructor(head: Head, store: LateStore) {
    this.#head = head;
    this.#store = store;
  }

  /** Takes what of the log's last record is not later than what its series have. */
  takeEarlier(): void {
    for (const { series, timeMs, bits } of this.#head.replayLate()) {
      if (this.#store.replay(series, timeMs, bits)) this.applied++;
    }
  }

  /** Takes a record of tombstones of the log. Throws BytesError. */
  delete(record: Uint8Array): void {
    for (const deletion of decodeTombstones(record)) {
      this.#deletions.push(deletion);
      this.#delete(deletion);
    }
  }

  /** A record of the write-behind log. */
  record({ type, bytes, segment, offset }: LogRecord): void {
    try {
      if (type === RecordType.Samples) {
        for (const { ref, timeMs, bits } of decodeSamples(bytes)) this.#add(ref, timeMs, bits);
      } else if (type === RecordType.SamplesV2) {
        for (const { ref, timeMs, bits } of decodeStartedSamples(bytes)) this.#add(ref, timeMs, bits);
      } else if (isHistogramRecord(type)) {
        for (const { ref, timeMs, histogram } of decodeHistogramRecord(bytes)) this.#add(ref, timeMs, histogram);
      } else if (type === RecordType.HistogramSamplesV2 || type === RecordType.FloatHistogramSamplesV2) {
        for (const { ref, timeMs, histogram } of decodeStartedHistograms(bytes)) this.#add(ref, timeMs, histogram);
      }
    } catch (error) {
      if (!(error instanceof BytesError)) throw error;
      this.malformed.push(`wbl, segment ${segment}, byte ${offset}: ${error.message}`);
    }
  }

  /**
   * Both logs are read, and a Prometheus wrote the second last: its deletions are of whatever it has in their times. Ours
   * are not, as late samples are in blocks before anything is deleted. Gives how many series lost any.
   */
  deleteAsPrometheus(): number {
    return this.#deletions.filter((deletion) => this.#delete(deletion)).length;
  }

  #delete({ ref, mint, maxt }: TombstoneEntry): boolean {
    if (this.#store.isEmpty) return false;
    const series = this.#head.replayFind(ref);
    return series !== NO_SERIES && this.#store.deleteReplayed(series, mint, maxt);
  }

  #add(ref: number, timeMs: number, value: LateValue): void {
    const series = this.#head.replayFind(ref);
    if (series !== NO_SERIES && this.#store.replay(series, timeMs, value)) this.applied++;
  }
}
