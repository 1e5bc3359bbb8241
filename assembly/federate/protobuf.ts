// A series of /federate as protobuf: the field of io.prometheus.client.MetricFamily that is one metric.
//
//   0x22 length │ label … │ external label … │ 0x2a 9 0x09 value, 8 bytes │ 0x30 time, varint
//                 label   0x0a length │ 0x0a length name │ 0x12 length value
//
// All lengths are known before the first byte is written. What the family is called and of what type it is
// stands in front of its metrics; whoever puts families together writes it, since their length comes first.

import * as series from '../head/series';
import * as schemas from '../labels/schemas';
import * as symbols from '../labels/symbols';
import { isLegacyName, underscoredBytes, writeUnderscored } from './escape';

const METRIC: u8 = 0x22;
const LABEL: u8 = 0x0a;
const NAME: u8 = 0x0a;
const VALUE: u8 = 0x12;
const UNTYPED: u8 = 0x2a;
const UNTYPED_BYTES: u32 = 11;
const TIMESTAMP: u8 = 0x30;

/** Bytes of the metric's labels, of the series alone. */
export function labelsBytes(set: usize, metricName: u32, utf8: bool): u32 {
  const schema = series.schemaOf(set);
  const names = schemas.names(schema);
  const values = series.values(set);
  const count = <usize>schemas.count(schema);
  let bytes: u32 = 0;
  for (let i: usize = 0; i < count; i++) {
    const name = load<u32>(names + (i << 2));
    if (name != metricName) bytes += fieldBytes(pairBytes(name, load<u32>(values + (i << 2)), utf8));
  }
  return bytes;
}

/** Bytes of the message behind its length: labels of the series and external ones, value and time. */
export function messageBytes(labels: u32, externals: u32, time: i64): u32 {
  return labels + externals + UNTYPED_BYTES + 1 + varintBytes(<u64>time);
}

/** Bytes of a field with a length. */
export function fieldBytes(content: u32): u32 {
  return 1 + varintBytes(content) + content;
}

/** Writes the field up to its external labels; gives the address behind. */
export function writeHead(at: usize, message: u32, set: usize, metricName: u32, utf8: bool): usize {
  store<u8>(at, METRIC);
  at = writeVarint(at + 1, message);
  const schema = series.schemaOf(set);
  const names = schemas.names(schema);
  const values = series.values(set);
  const count = <usize>schemas.count(schema);
  for (let i: usize = 0; i < count; i++) {
    const name = load<u32>(names + (i << 2));
    if (name != metricName) at = writeLabel(at, name, load<u32>(values + (i << 2)), utf8);
  }
  return at;
}

/** Writes what is behind the labels. */
export function writeTail(at: usize, value: u64, time: i64): usize {
  store<u8>(at, UNTYPED);
  store<u8>(at, 9, 1);
  store<u8>(at, 0x09, 2);
  store<u64>(at, value, 3);
  store<u8>(at, TIMESTAMP, UNTYPED_BYTES);
  return writeVarint(at + UNTYPED_BYTES + 1, <u64>time);
}

function writeLabel(at: usize, name: u32, value: u32, utf8: bool): usize {
  store<u8>(at, LABEL);
  at = writeVarint(at + 1, pairBytes(name, value, utf8));
  store<u8>(at, NAME);
  at = writeVarint(at + 1, nameBytes(name, utf8));
  const from = symbols.address(name);
  const length = symbols.length(name);
  if (isWritten(name, utf8)) {
    memory.copy(at, from, length);
    at += length;
  } else at = writeUnderscored(at, from, length, true);
  store<u8>(at, VALUE);
  at = writeVarint(at + 1, symbols.length(value));
  memory.copy(at, symbols.address(value), symbols.length(value));
  return at + symbols.length(value);
}

function pairBytes(name: u32, value: u32, utf8: bool): u32 {
  return fieldBytes(nameBytes(name, utf8)) + fieldBytes(symbols.length(value));
}

function nameBytes(name: u32, utf8: bool): u32 {
  return isWritten(name, utf8) ? symbols.length(name) : underscoredBytes(symbols.address(name), symbols.length(name));
}

/** Whether a name is written as it is. Colons stay in protobuf, in names of labels too. */
function isWritten(name: u32, utf8: bool): bool {
  return utf8 || isLegacyName(symbols.address(name), symbols.length(name), true);
}

function varintBytes(value: u64): u32 {
  return value == 0 ? 1 : <u32>((70 - clz(value)) / 7);
}

function writeVarint(at: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(at++, <u8>value | 0x80);
    value >>= 7;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}
