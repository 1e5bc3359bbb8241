// Records of exemplars in the log.
//
//   4 │ base ref u64 │ base time i64 │ Δref varint │ Δtime varint │ value u64 │ n uvarint │ n × (name, value) │ …
//
// Labels of exemplars and series are kept *packed* as well: the bytes that the log has of them, from n on, a character
// each. So a label set is one short string, equal where the sets are.

import type { Exemplar } from '../../model/exemplar.js';
import type { Labels } from '../../model/labels.js';
import { bitsOf, floatOf } from '../../model/stored-histogram.js';
import { ByteReader, BytesError, ByteWriter } from '../bytes.js';
import { RecordType } from './record.js';

export interface ExemplarEntry extends Exemplar {
  readonly ref: number;
}

/** A label set as one string. */
export type PackedLabels = string & { readonly __packed: 'Labels' };

/** One entry, relative to a record's bases. */
export function encodeExemplarEntry(refDelta: number, timeDelta: number, { labels, value }: Exemplar): Uint8Array {
  const to = new ByteWriter();
  to.varint(refDelta);
  to.varint(timeDelta);
  to.bits(bitsOf(value));
  writeLabels(to, labels);
  return to.finish();
}

/** A whole record. */
export function encodeExemplars(entries: readonly ExemplarEntry[]): Uint8Array {
  const to = new ByteWriter();
  to.u8(RecordType.Exemplars);
  const base = entries[0];
  if (base === undefined) return to.finish();
  to.u64(base.ref);
  to.i64(base.timeMs);
  for (const entry of entries) to.raw(encodeExemplarEntry(entry.ref - base.ref, entry.timeMs - base.timeMs, entry));
  return to.finish();
}

/** BytesError where the bytes do not hold what their type says. */
export function decodeExemplars(record: Uint8Array): ExemplarEntry[] {
  const from = new ByteReader(record);
  if (from.u8() !== RecordType.Exemplars) throw new BytesError(0, 'another type where exemplars are expected');
  const entries: ExemplarEntry[] = [];
  if (from.left === 0) return entries;
  const baseRef = from.u64();
  const baseTimeMs = from.i64();
  while (from.left > 0) {
    const ref = baseRef + from.varint();
    if (ref < 0) throw new BytesError(from.at, 'a ref below 0');
    const timeMs = baseTimeMs + from.varint();
    const value = floatOf(from.bits());
    entries.push({ ref, timeMs, value, labels: readLabels(from) });
  }
  return entries;
}

export function packLabels(labels: Labels): PackedLabels {
  const to = new ByteWriter();
  writeLabels(to, labels);
  const bytes = to.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') as PackedLabels;
}

export function unpackLabels(packed: PackedLabels): Labels {
  return readLabels(new ByteReader(Buffer.from(packed, 'latin1')));
}

function writeLabels(to: ByteWriter, labels: Labels): void {
  to.uvarint(labels.length / 2);
  for (const text of labels) to.string(text);
}

function readLabels(from: ByteReader): Labels {
  const labels: string[] = [];
  for (let left = from.uvarint(); left > 0; left--) labels.push(from.string(), from.string());
  return labels;
}
