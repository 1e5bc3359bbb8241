// A remote write request with old samples on its way into blocks. The message is read here, in TypeScript: bulk imports are rare.
//
//   WriteRequest  1 timeseries:  1 label (1 name, 2 value)   2 sample (1 value f64, 2 time varint)   4 histogram

import { SnappyError, snappyDecode, snappyHeader } from '../../base/snappy.js';
import { compareStrings, formatLabelSet, type Labels } from '../../model/labels.js';
import { ByteReader, BytesError } from '../bytes.js';
import type { BlockImport } from './import.js';
import { ImportFault, type TextOptions } from './openmetrics-import.js';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Adds all samples of a request, compressed as it was sent. In steps. Throws ImportFault, where a line is a series; DiskError. */
export function* importWriteRequest(
  target: BlockImport,
  body: Uint8Array,
  { endMs = Number.POSITIVE_INFINITY }: TextOptions,
): Generator<void> {
  let count = 0;
  try {
    const message = new Uint8Array(snappyHeader(body).length);
    snappyDecode(body, message);
    for (const series of fieldsOf(message)) {
      if (series.number !== 1 || series.bytes === undefined) continue;
      count++;
      addSeries(target, series.bytes, endMs);
      yield;
    }
  } catch (error) {
    const isOurs = error instanceof BytesError || error instanceof SnappyError || error instanceof TypeError;
    throw isOurs ? new ImportFault(count, error.message, 'series') : error;
  }
}

function addSeries(target: BlockImport, bytes: Uint8Array, endMs: number): void {
  const pairs: [string, string][] = [];
  const samples: Uint8Array[] = [];
  for (const { number, bytes: content } of fieldsOf(bytes)) {
    if (number === 1 && content !== undefined) pairs.push(labelOf(content));
    if (number === 2 && content !== undefined) samples.push(content);
    if (number === 4) throw new BytesError(0, 'native histograms cannot be imported');
  }
  const labels = labelsOf(pairs);
  if (target.isFull) target.spill();
  let series = target.addLabels(labels);
  for (const sample of samples) {
    const { timeMs, bits } = sampleOf(sample);
    if (timeMs >= endMs) {
      throw new BytesError(0, `${formatLabelSet(labels)} has a sample at ${timeMs}, which is not before ${endMs}`);
    }
    if (target.isFull) {
      target.spill();
      series = target.addLabels(labels);
    }
    target.add(series, timeMs, bits);
  }
}

function labelsOf(pairs: [string, string][]): Labels {
  pairs.sort(([a], [b]) => compareStrings(a, b));
  for (let i = 1; i < pairs.length; i++) {
    if (pairs[i]![0] === pairs[i - 1]![0])
      throw new BytesError(0, `label name ${JSON.stringify(pairs[i]![0])} is not unique`);
  }
  return pairs.filter(([, value]) => value !== '').flat();
}

function labelOf(bytes: Uint8Array): [string, string] {
  let name = '';
  let value = '';
  for (const { number, bytes: content } of fieldsOf(bytes)) {
    if (content === undefined) continue;
    if (number === 1) name = utf8.decode(content);
    if (number === 2) value = utf8.decode(content);
  }
  return [name, value];
}

function sampleOf(bytes: Uint8Array): { timeMs: number; bits: bigint } {
  let timeMs = 0;
  let bits = 0n;
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1 && field.fixed !== undefined) bits = field.fixed;
    if (field.number === 2 && field.varint !== undefined) timeMs = field.varint;
  }
  return { timeMs, bits };
}

interface Field {
  readonly number: number;
  /** Signed, as int64. */
  readonly varint?: number;
  readonly fixed?: bigint;
  readonly bytes?: Uint8Array;
}

function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = new ByteReader(message);
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  while (reader.left > 0) {
    const key = reader.uvarint();
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case VARINT:
        yield { number, varint: reader.wrapped() };
        break;
      case FIXED64:
        reader.skip(8);
        yield { number, fixed: view.getBigUint64(reader.at - 8, true) };
        break;
      case BYTES:
        yield { number, bytes: reader.bytes(reader.uvarint()) };
        break;
      case FIXED32:
        reader.skip(4);
        break;
      default:
        throw new BytesError(reader.at, `a field of wire type ${key % 8}`);
    }
  }
}
