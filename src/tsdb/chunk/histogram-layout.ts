// What the histograms of a chunk have in common, in front of its first sample.
//
//   count u16 │ header u8 │ zero threshold │ schema varbit │ positive spans │ negative spans │ [bounds, if schema = -53]
//
//   header           the highest two bits: what is known of a counter reset in front of the first sample, or that it is a gauge
//   zero threshold   0: 0 │ 1 … 254: 2^(n - 244) │ 255, then 64 bits
//   spans            n uvarbit │ n × (length uvarbit, offset varbit)
//   bounds           n uvarbit │ n × bound
//   bound            thousandths + 1 as uvarbit, where they are whole and at most 33,554,430; else the bit 0, then 64 bits

import { CUSTOM_SCHEMA } from '../../model/histogram.js';
import { isKnownSchema, type Span, spanBuckets } from '../../model/stored-histogram.js';
import type { BitReader, BitWriter } from './bit-stream.js';
import { readUvarbit, readVarbit, wordsOf, writeUvarbit, writeVarbit, XorValue } from './varbit.js';
import { COUNT_BYTES } from './xor.js';

export const HEADER_BYTES = COUNT_BYTES + 1;

/** What a chunk says of the counter in front of its first sample. */
export enum ResetHeader {
  Unknown = 0,
  NotReset = 0x40,
  Reset = 0x80,
  Gauge = 0xc0,
}

const RESET_MASK = 0xc0;

export function resetHeaderOf(chunk: Uint8Array): ResetHeader {
  return chunk[COUNT_BYTES]! & RESET_MASK;
}

export function setResetHeader(chunk: Uint8Array, header: ResetHeader): void {
  chunk[COUNT_BYTES] = (chunk[COUNT_BYTES]! & ~RESET_MASK) | header;
}

export interface HistogramLayout {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  readonly bounds: readonly number[];
}

export const EMPTY_LAYOUT: HistogramLayout = {
  schema: 0,
  zeroThreshold: 0,
  positiveSpans: [],
  negativeSpans: [],
  bounds: [],
};

export function writeLayout(to: BitWriter, layout: HistogramLayout): void {
  writeZeroThreshold(to, layout.zeroThreshold);
  writeVarbit(to, layout.schema);
  writeSpans(to, layout.positiveSpans);
  writeSpans(to, layout.negativeSpans);
  if (layout.schema !== CUSTOM_SCHEMA) return;
  writeUvarbit(to, layout.bounds.length);
  for (const bound of layout.bounds) writeBound(to, bound);
}

/** `bucketBits` are what each bucket of the first sample takes at least: damaged spans name no more than there can be. */
export function readLayout(from: BitReader, bucketBits: number): HistogramLayout {
  const zeroThreshold = readZeroThreshold(from);
  const schema = readVarbit(from);
  if (!isKnownSchema(schema)) throw from.fault(`schema ${schema}`);
  const positiveSpans = readSpans(from, bucketBits);
  const negativeSpans = readSpans(from, bucketBits);
  const bounds: number[] = [];
  if (schema === CUSTOM_SCHEMA) {
    for (let left = readCount(from); left > 0; left--) bounds.push(readBound(from));
  }
  return { schema, zeroThreshold, positiveSpans, negativeSpans, bounds };
}

/** What powers of two are stored as: their exponent, and this. */
const EXPONENT_BIAS = 244;
const WHOLE_THRESHOLD = 255;

function writeZeroThreshold(to: BitWriter, threshold: number): void {
  const code = thresholdCode(threshold);
  to.bits(code, 8);
  if (code === WHOLE_THRESHOLD) writeFloat(to, threshold);
}

function thresholdCode(threshold: number): number {
  if (threshold === 0) return 0;
  const { high, low } = wordsOf(threshold);
  const exponent = (high >>> 20) - 1023;
  const isPower = low === 0 && (high & 0xfffff) === 0 && high >>> 31 === 0;
  const code = exponent + EXPONENT_BIAS;
  return isPower && code > 0 && code < WHOLE_THRESHOLD ? code : WHOLE_THRESHOLD;
}

function readZeroThreshold(from: BitReader): number {
  const code = from.bits(8);
  if (code === 0) return 0;
  return code === WHOLE_THRESHOLD ? readFloat(from) : 2 ** (code - EXPONENT_BIAS);
}

function writeSpans(to: BitWriter, spans: readonly Span[]): void {
  writeUvarbit(to, spans.length);
  for (const { offset, length } of spans) {
    writeUvarbit(to, length);
    writeVarbit(to, offset);
  }
}

function readSpans(from: BitReader, bucketBits: number): Span[] {
  const spans: Span[] = [];
  for (let left = readCount(from); left > 0; left--) {
    const length = readUvarbit(from);
    const offset = readVarbit(from);
    spans.push({ offset, length });
  }
  if (spanBuckets(spans) * bucketBits > from.left) throw from.fault('more buckets than there is room for');
  return spans;
}

/** How many of something follow, of which each takes a bit at least. */
function readCount(from: BitReader): number {
  const count = readUvarbit(from);
  if (count > from.left) throw from.fault(`${count} entries in ${from.left} bits`);
  return count;
}

/** Bounds are whole thousandths mostly. */
const BOUND_SCALE = 1000;
const BOUND_MAX = 33_554_430;

function writeBound(to: BitWriter, bound: number): void {
  const scaled = bound * BOUND_SCALE;
  const whole = Math.round(scaled);
  if (!(scaled >= 0 && scaled <= BOUND_MAX) || whole / BOUND_SCALE !== bound) {
    to.bits(0, 1);
    writeFloat(to, bound);
    return;
  }
  writeUvarbit(to, whole + 1);
}

function readBound(from: BitReader): number {
  const code = readUvarbit(from);
  return code === 0 ? readFloat(from) : (code - 1) / BOUND_SCALE;
}

function writeFloat(to: BitWriter, value: number): void {
  const { high, low } = wordsOf(value);
  to.bits(high, 32);
  to.bits(low, 32);
}

function readFloat(from: BitReader): number {
  const value = new XorValue();
  value.readWhole(from);
  return value.number;
}
