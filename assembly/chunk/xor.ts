// XOR chunks: Prometheus's float encoding, bit for bit, after the Gorilla paper (section 4.1).
//
//   ┌───────┬──────────────┬──────────┬────────────────┬─────────┬──────────────────┬─────────┬─ ─
//   │ count │ time_0       │ value_0  │ time_1 - time_0│ value_1 │ delta of delta_2 │ value_2 │ ...
//   │ u16 BE│ varint       │ 64 bits  │ uvarint        │ code    │ code             │ code    │
//   └───────┴──────────────┴──────────┴────────────────┴─────────┴──────────────────┴─────────┴─ ─
//
//   delta of delta   0 → 0     14 bits → 10…     17 bits → 110…     20 bits → 1110…     64 bits → 1111…
//   value xor last   0 → 0     in the window of the last code → 10…     new window → 11 leading:5 size:6 …
//
// Everything that matters here is about the open chunk: its encoder lives in a ChunkState.
// Samples come in any order that the caller allows; order is the head's business.
// Decoding is in decode.ts, sealed chunks in sealed.ts, the bytes in docs/formats/chunk.md.

import { CHUNK_SAMPLES_MAX, Status } from '../layout';
import { ChunkState, WINDOW_NONE } from './state';
import { put, reserve } from './stream';

/** The count in front of the stream; filled in when the bytes are copied out. */
const COUNT_BITS: u8 = 16;

/** Codes have five bits for the number of leading zeros. */
const LEADING_MAX: u8 = 31;

/**
 * Appends one sample. Full at CHUNK_SAMPLES_MAX samples and where the step back or
 * over 49.7 days has no room in the state: seal, then append again. NoMemory changes nothing.
 */
export function append(state: ChunkState, time: i64, value: u64): Status {
  const count = state.count;
  if (count < 2) return count == 0 ? appendFirst(state, time, value) : appendSecond(state, time, value);
  if (<i32>count >= CHUNK_SAMPLES_MAX) return Status.Full;
  const delta: u64 = time - state.time;
  const deltaOfDelta: i64 = delta - <u64>state.delta;
  const change = value ^ state.value;
  if ((<u64>deltaOfDelta | change) == 0) {
    // Same step, same value: two zero bits, which the tail holds already.
    const bits = state.tailBits + 2;
    if (bits < 64) {
      state.tailBits = bits;
      state.time = time;
      state.count = count + 1;
      return Status.Ok;
    }
  }
  if (delta > <u64>u32.MAX_VALUE) return Status.Full;
  return appendCoded(state, deltaOfDelta, time, value);
}

function appendFirst(state: ChunkState, time: i64, value: u64): Status {
  assert(state.cursor == 0 && state.tailBits == 0, 'an empty chunk has no stream');
  const zigzag: u64 = ((<u64>time) << 1) ^ <u64>(time >> 63);
  if (!reserve(state, <u32>COUNT_BITS + varintBits(zigzag) + 64)) return Status.NoMemory;
  state.tailBits = COUNT_BITS;
  putVarint(state, zigzag);
  put(state, value, 64);
  state.time = time;
  state.value = value;
  state.delta = 0;
  state.leading = 0;
  state.trailing = WINDOW_NONE;
  state.count = 1;
  return Status.Ok;
}

function appendSecond(state: ChunkState, time: i64, value: u64): Status {
  const delta: u64 = time - state.time;
  if (delta > <u64>u32.MAX_VALUE) return Status.Full;
  const change = value ^ state.value;
  if (!reserve(state, varintBits(delta) + valueBits(state, change))) return Status.NoMemory;
  putVarint(state, delta);
  putValue(state, change, 0, 0);
  state.time = time;
  state.value = value;
  state.delta = <u32>delta;
  state.count = 2;
  return Status.Ok;
}

function appendCoded(state: ChunkState, deltaOfDelta: i64, time: i64, value: u64): Status {
  const change = value ^ state.value;
  // The time's code goes out together with the first bits of the value's.
  let code: u64 = 0;
  let bits: u32 = 1;
  let wide = false;
  if (deltaOfDelta != 0) {
    if (fits(deltaOfDelta, 14)) {
      code = (0b10 << 14) | (<u64>deltaOfDelta & 0x3fff);
      bits = 16;
    } else if (fits(deltaOfDelta, 17)) {
      code = (0b110 << 17) | (<u64>deltaOfDelta & 0x1ffff);
      bits = 20;
    } else if (fits(deltaOfDelta, 20)) {
      code = (0b1110 << 20) | (<u64>deltaOfDelta & 0xfffff);
      bits = 24;
    } else {
      wide = true;
      bits = 0;
    }
  }
  if (!reserve(state, bits + (wide ? 68 : 0) + valueBits(state, change))) return Status.NoMemory;
  if (wide) {
    put(state, 0b1111, 4);
    put(state, deltaOfDelta, 64);
  }
  putValue(state, change, code, bits);
  state.delta = <u32>(<i64>state.delta + deltaOfDelta);
  state.time = time;
  state.value = value;
  state.count += 1;
  return Status.Ok;
}

/** The asymmetric ranges of Prometheus: -(2^(n-1) - 1) to 2^(n-1). */
function fits(deltaOfDelta: i64, bits: i64): bool {
  const top: i64 = (<i64>1) << (bits - 1);
  return deltaOfDelta >= 1 - top && deltaOfDelta <= top;
}

/** Whether the last window holds all bits of the change. */
function inWindow(state: ChunkState, leading: u8, trailing: u8): bool {
  return state.trailing != WINDOW_NONE && leading >= state.leading && trailing >= state.trailing;
}

function leadingOf(change: u64): u8 {
  const zeros = <u8>clz<u64>(change);
  return zeros > LEADING_MAX ? LEADING_MAX : zeros;
}

/** Bits of the value's code, as putValue() will write it. */
function valueBits(state: ChunkState, change: u64): u32 {
  if (change == 0) return 1;
  const leading = leadingOf(change);
  const trailing = <u8>ctz<u64>(change);
  if (inWindow(state, leading, trailing)) return 2 + 64 - <u32>state.leading - <u32>state.trailing;
  return 13 + 64 - <u32>leading - <u32>trailing;
}

/** Writes the value's code behind the `bits` bits of `code`, the time's. */
function putValue(state: ChunkState, change: u64, code: u64, bits: u32): void {
  if (change == 0) {
    put(state, code << 1, bits + 1);
    return;
  }
  let leading = leadingOf(change);
  let trailing = <u8>ctz<u64>(change);
  if (inWindow(state, leading, trailing)) {
    leading = state.leading;
    trailing = state.trailing;
    code = (code << 2) | 0b10;
    bits += 2;
  } else {
    state.leading = leading;
    state.trailing = trailing;
    // 64 significant bits are written as 0, which no code needs otherwise.
    const size: u64 = (64 - <u64>leading - <u64>trailing) & 63;
    code = (code << 13) | ((<u64>0b11) << 11) | ((<u64>leading) << 6) | size;
    bits += 13;
  }
  const size: u32 = 64 - <u32>leading - <u32>trailing;
  const significant = change >> <u64>trailing;
  if (bits + size <= 64) {
    put(state, (code << (<u64>size)) | significant, bits + size);
  } else {
    put(state, code, bits);
    put(state, significant, size);
  }
}

function varintBits(value: u64): u32 {
  const significant: u32 = 64 - <u32>clz<u64>(value | 1);
  return ((significant + 6) / 7) * 8;
}

function putVarint(state: ChunkState, value: u64): void {
  while (value >= 0x80) {
    put(state, (value & 0x7f) | 0x80, 8);
    value >>= 7;
  }
  put(state, value, 8);
}
