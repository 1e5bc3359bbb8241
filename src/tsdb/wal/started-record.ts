// The records of newer servers, whose samples may have a start timestamp: types 11 to 13. Read, never written.
//
//   first   type │ ref varint │ time varint │ start varint │ value
//   others       │ Δref varint, to the one before │ Δtime varint, to the first │ marker u8 │ [Δstart varint, to the first] │ value
//
//   marker  0 no start │ 1 that of the one before │ 2 its own
//   value   u64 of a float (11), an integer histogram (12), a float histogram (13): as in records of types 2, 7 and 8
//
// What has bounds of its own is among the others here.

import { ByteReader, BytesError } from '../bytes.js';
import { type HistogramEntry, readHistogram } from './histogram-record.js';
import { RecordType, type SampleEntry } from './record.js';

const OWN_START = 2;

/** Floats; their start timestamps are passed over. Throws BytesError. */
export function decodeStartedSamples(record: Uint8Array): SampleEntry[] {
  return entriesOf(record, (from, ref, timeMs) => ({ ref, timeMs, bits: from.bits() }));
}

/** The same of histograms. */
export function decodeStartedHistograms(record: Uint8Array): HistogramEntry[] {
  const isFloat = record[0] === RecordType.FloatHistogramSamplesV2;
  return entriesOf(record, (from, ref, timeMs) => ({ ref, timeMs, histogram: readHistogram(from, isFloat) }));
}

function entriesOf<T>(record: Uint8Array, value: (from: ByteReader, ref: number, timeMs: number) => T): T[] {
  const from = new ByteReader(record, 1);
  const entries: T[] = [];
  let ref = 0;
  let firstMs = 0;
  while (from.left > 0) {
    const isFirst = entries.length === 0;
    ref += from.varint();
    if (ref < 0) throw new BytesError(from.at, 'a ref below 0');
    const timeMs = firstMs + from.varint();
    if (isFirst) firstMs = timeMs;
    if (isFirst || from.u8() >= OWN_START) from.varint();
    entries.push(value(from, ref, timeMs));
  }
  return entries;
}
