// Protobuf's wire format, as far as a write request needs it, never believing a length.
//
//   field   tag uvarint = number << 3 | wire type, then
//           0 varint │ 1 eight bytes │ 2 length uvarint, that many bytes │ 5 four bytes
//
// Groups (3 and 4) are refused, as proto3 has none.

import { readVarint, varintEnd } from '../bytes/varint';
import { WireFault } from '../layout';

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

/** Tags, for comparing whole: number << 3 | wire type. */
export const TAG_1_BYTES: u32 = 0x0a;
export const TAG_2_BYTES: u32 = 0x12;
export const TAG_3_BYTES: u32 = 0x1a;
export const TAG_4_BYTES: u32 = 0x22;
export const TAG_1_VARINT: u32 = 0x08;
export const TAG_1_FIXED64: u32 = 0x09;
export const TAG_2_FIXED64: u32 = 0x11;
export const TAG_2_VARINT: u32 = 0x10;

const FIELD_MAX: u64 = 0x1fffffff;

/** What was wrong, and where. */
export let fault: WireFault = WireFault.None;
export let faultAt: usize = 0;

/** The field read last: its tag, and where its content lies. A varint's content is its value. */
export let tag: u32 = 0;
export let contentAt: usize = 0;
export let contentEnd: usize = 0;
export let varint: u64 = 0;

export function reset(): void {
  fault = WireFault.None;
  faultAt = 0;
}

export function refuse(reason: WireFault, at: usize): usize {
  fault = reason;
  faultAt = at;
  return 0;
}

let varintAt: usize = 0;

/** Reads a varint that is mostly one byte long; varintAt is then behind it, or 0. */
function shortVarint(at: usize, end: usize): u64 {
  const first = load<u8>(at);
  if (first < 0x80 && at < end) {
    varintAt = at + 1;
    return first;
  }
  const value = readVarint(at, end);
  varintAt = varintEnd;
  return value;
}

/** Reads the field at `at`, which must end before `end`. Gives where the next one starts; 0 where it is malformed. */
export function readField(at: usize, end: usize): usize {
  const start = at;
  const key = shortVarint(at, end);
  if (varintAt == 0) return refuse(WireFault.Varint, start);
  at = varintAt;
  const field: u64 = key >> 3;
  if (field == 0 || field > FIELD_MAX) return refuse(WireFault.Field, start);
  tag = <u32>key;
  contentAt = at;
  switch (tag & 7) {
    case VARINT:
      varint = readVarint(at, end);
      if (varintEnd == 0) return refuse(WireFault.Varint, at);
      contentEnd = varintEnd;
      return contentEnd;
    case FIXED64:
      if (end - at < 8) return refuse(WireFault.Truncated, start);
      contentEnd = at + 8;
      return contentEnd;
    case FIXED32:
      if (end - at < 4) return refuse(WireFault.Truncated, start);
      contentEnd = at + 4;
      return contentEnd;
    case BYTES: {
      const length = shortVarint(at, end);
      if (varintAt == 0) return refuse(WireFault.Varint, at);
      contentAt = varintAt;
      if (length > <u64>(end - contentAt)) return refuse(WireFault.Truncated, start);
      contentEnd = contentAt + <usize>length;
      return contentEnd;
    }
    default:
      return refuse(WireFault.WireType, start);
  }
}
