// The late samples of one append in one shard: kept beside the head, and encoded for the write-behind log.

import type { StoredHistogram } from '../../model/stored-histogram.js';
import { STALE_HIGH, STALE_LOW } from '../../model/value.js';
import { ByteWriter } from '../../tsdb/bytes.js';
import { encodeHistogramEntry, histogramRecordType } from '../../tsdb/wal/histogram-record.js';
import { RecordType } from '../../tsdb/wal/record.js';
import type { Head, LateFate, PartRef, SeriesIndex } from '../../wasm/head.js';
import type { AppendHeader } from '../protocol.js';
import type { LateStore } from './late-store.js';

const STALE_BITS = (BigInt(STALE_HIGH) << 32n) | BigInt(STALE_LOW);
/** Two varints of refs below 2^40 and times, and a value. */
const FLOAT_BYTES_MAX = 28;

export interface LateAppendOptions {
  readonly head: Head;
  readonly store: LateStore;
  readonly header: AppendHeader;
  /** undefined where there is no memory for one. */
  readonly openPart: () => PartRef | undefined;
  /** Whether there is memory for more beside the head. */
  readonly hasRoom: () => boolean;
}

export class LateAppend {
  readonly #options: LateAppendOptions;
  readonly #parts = new Map<RecordType, PartRef>();
  readonly #entry = new ByteWriter(FLOAT_BYTES_MAX);

  constructor(options: LateAppendOptions) {
    this.#options = options;
  }

  /** By type of record. */
  get parts(): ReadonlyMap<RecordType, PartRef> {
    return this.#parts;
  }

  /** Takes those of the rows at an address that the head has just found late. */
  rows(address: number): void {
    const { head } = this.#options;
    for (const row of head.lateRows().slice()) {
      const { series, timeMs, bits } = head.row(address, row);
      head.settleLate(series, this.#float(series, timeMs, bits));
    }
  }

  /** Takes a histogram that the head has just found late; whether it is there now. */
  histogram(series: SeriesIndex, timeMs: number, histogram: StoredHistogram): boolean {
    const { head, header } = this.#options;
    const entry = () => encodeHistogramEntry(head.ref(series) - header.baseRef, timeMs - header.baseTimeMs, histogram);
    const fate = this.#keep(series, timeMs, histogram, histogramRecordType(histogram), entry);
    head.settleLate(series, fate);
    return fate !== 'no memory';
  }

  #float(series: SeriesIndex, timeMs: number, bits: bigint): LateFate {
    const { head, header } = this.#options;
    if (bits === STALE_BITS && header.discardsLateMarkers) return 'out of order';
    return this.#keep(series, timeMs, bits, RecordType.Samples, () => {
      this.#entry.clear();
      this.#entry.varint(head.ref(series) - header.baseRef);
      this.#entry.varint(timeMs - header.baseTimeMs);
      this.#entry.bits(bits);
      return this.#entry.finish();
    });
  }

  #keep(
    series: SeriesIndex,
    timeMs: number,
    value: bigint | StoredHistogram,
    type: RecordType,
    encode: () => Uint8Array,
  ): LateFate {
    const { head, store, header, hasRoom } = this.#options;
    const entry = encode();
    const part = hasRoom() ? this.#part(type) : undefined;
    if (part === undefined || !head.roomInPart(part, entry.length)) return 'no memory';
    const fate = store.add(series, timeMs, value, header.append);
    if (fate === 'kept') head.writePart(part, entry);
    return fate;
  }

  #part(type: RecordType): PartRef | undefined {
    const part = this.#parts.get(type) ?? this.#options.openPart();
    if (part !== undefined) this.#parts.set(type, part);
    return part;
  }
}
