// Appending a batch of rows to the series they name.
//
//   row (24 bytes)
//   ┌────────┬────────┬────────────┬────────────┐
//   │ series │ ref lo │ time i64   │ value u64  │    series SID_HOLE: nothing here
//   └────────┴────────┴────────────┴────────────┘    SID_START beside it: a 0 if that is new, and else nothing
//
// Rows come from a parser of this shard or, packed, from another shard's. They are
// taken in groups: first all records of a group are touched, so that the processor
// fetches them side by side (WASM has no prefetch), then the samples are appended.
// What was accepted goes to the WAL part and to the journal in the same pass. Rows that came late, out of the order
// of their series, are listed where a window takes them: they are kept beside the head (src/shard/late).
//
// Outcome (docs/formats/head-memory.md): counts by what happened, the first refused
// row and why, the time range accepted, and a list of rows whose series is gone.

import { Sealed } from '../chunk/read';
import * as sealedChunks from '../chunk/sealed';
import { ChunkState } from '../chunk/state';
import * as xor from '../chunk/xor';
import {
  CHUNK_SAMPLES_MAX,
  CHUNK_WINDOW_MS,
  OUTCOME_ACCEPTED,
  OUTCOME_BYTES,
  OUTCOME_DUPLICATE,
  OUTCOME_FIRST_RECORD,
  OUTCOME_FIRST_ROW,
  OUTCOME_FIRST_STATUS,
  OUTCOME_MAX_TIME,
  OUTCOME_MIN_TIME,
  OUTCOME_NO_MEMORY,
  OUTCOME_OUT_OF_ORDER,
  OUTCOME_REPEATED,
  OUTCOME_TOO_FAR,
  OUTCOME_TOO_OLD,
  OUTCOME_UNKNOWN,
  ROW_BYTES,
  SID_HOLE,
  SID_START,
  Status,
} from '../layout';
import * as buffer from '../memory/buffer';
import * as journal from './journal';
import * as series from './series';
import * as spilled from './spilled';
import * as wal from './wal';

const ROW: usize = ROW_BYTES;
const HOLE: u32 = <u32>SID_HOLE;
const START: u32 = <u32>SID_START;
const SERIES: usize = 0;
const REF: usize = 4;
const TIME: usize = 8;
const VALUE: usize = 16;

/** Rows whose records are touched before they are worked on: enough to hide a miss, few enough to stay in L1. */
const GROUP: u32 = 64;
/**
 * Chunks begin anew with each window, and a window of two hours at 15 s is four chunks of 120 samples. So that series do not all seal at
 * the same time, each has a place of its own where its first chunk of a window ends. All end with the window, when a server has the most
 * in open chunks: so their last is shorter, the others longer.
 *
 *   window   │ 46 … 183 samples │ 140 │ 140 │ the rest: 17 … 154 │
 *
 * There are as many chunks as if all were of 120, and open ones are half full on average, instead of all full at once. A window of two
 * chunks has 60 … 179 samples in the first.
 */
const CHUNK_SAMPLES: u32 = 120;
/** Places in the window are counted in so many samples more or less, so that steps that differ by little make the same ends. */
const GRAIN_SAMPLES: u32 = 8;
/** Whether a chunk is due is looked at each time it has so many samples more. */
const LOOK_SAMPLES: u32 = 8;
/** An end that is seen a look later is still in front of that of the room. */
const FIRST_SAMPLES_MAX: u32 = CHUNK_SAMPLES_MAX - LOOK_SAMPLES;
/** Of two chunks the second has more than so many. */
const SECOND_SAMPLES_MIN: u32 = 68;
/** No chunk is ended sooner, but by the window. */
const SAMPLES_MIN: u32 = 40;
const WINDOW: i64 = CHUNK_WINDOW_MS;

/** In place of the time from which on late samples are taken. */
export const NO_LATE: i64 = i64.MAX_VALUE;

const records: usize = memory.data(<i32>(GROUP * 4), 16);
const outcome: usize = memory.data(OUTCOME_BYTES, 16);
/** Indexes of rows whose series is gone (u32 each), for the sender to resolve again. */
const unknown: usize = memory.data(16, 8);
/** Indexes of rows that came late (u32 each), since the last batch began. */
const late: usize = memory.data(16, 8);

let samplesAppended: f64 = 0;
let chunksSealed: f64 = 0;
/** Kept for the touch pass, so that its loads are not optimised away. */
let touched: u32 = 0;
/** The chunk window that the last sample fell in: chunks do not cross into the next one. */
let windowStart: i64 = 0;
let windowEnd: i64 = 0;

export function outcomeAddress(): usize {
  return outcome;
}

export function unknownAddress(): usize {
  return buffer.address(unknown);
}

export function lateAddress(): usize {
  return buffer.address(late);
}

/** Rows of the last batch that came late: neither appended nor refused yet. */
export function lateCount(): u32 {
  return buffer.length(late) >>> 2;
}

export function appendedTotal(): f64 {
  return samplesAppended;
}

export function sealedTotal(): f64 {
  return chunksSealed;
}

/** Starts the outcome of one append, which may consist of several batches. */
export function begin(): void {
  memory.fill(outcome, 0, OUTCOME_BYTES);
  store<i64>(outcome, i64.MAX_VALUE, OUTCOME_MIN_TIME);
  store<i64>(outcome, i64.MIN_VALUE, OUTCOME_MAX_TIME);
  buffer.truncate(unknown, 0);
}

/**
 * Appends `count` rows under the number `append`. Accepted samples are encoded to the buffer `out`
 * relative to the bases. Samples before `minTime` are too old, after `maxTime` too far in the future. What is not in
 * order, or too old, but not before `lateTime`, is listed as late; NO_LATE where none is taken.
 * Refused rows are counted in the outcome; NoMemory (nothing done) where the bookkeeping has no room.
 */
export function rows(
  from: usize,
  count: u32,
  append: u32,
  baseRef: u64,
  baseTime: i64,
  minTime: i64,
  maxTime: i64,
  lateTime: i64,
  out: usize,
): Status {
  buffer.truncate(late, 0);
  let at = buffer.reserve(out, count * wal.SAMPLE_BYTES_MAX);
  if (at == 0 || !journal.reserve(count)) return Status.NoMemory;
  const start = at;
  for (let group: u32 = 0; group < count; group += GROUP) {
    const size = min(GROUP, count - group);
    const first = from + <usize>group * ROW;
    touch(first, size);
    for (let i: u32 = 0; i < size; i++) {
      const row = first + <usize>i * ROW;
      const number = load<u32>(row, SERIES);
      if (number == HOLE) continue;
      const record = <usize>load<u32>(records + ((<usize>i) << 2));
      if (record == 0 || series.refLow(record) != load<u32>(row, REF)) {
        // Of a start, the sample behind it says so.
        if ((number & START) == 0) noteUnknown(group + i);
        continue;
      }
      const time = load<i64>(row, TIME);
      const value = load<u64>(row, VALUE);
      const status = orLate(sample(record, time, value, minTime, maxTime), time, lateTime);
      if (status != Status.Ok) {
        if ((number & START) != 0) continue;
        if (status != Status.Late || !noteLate(group + i)) refuse(status, group + i, record);
        continue;
      }
      const previous = series.lastAppend(record);
      journal.note(number & ~START, append, previous, time);
      // Appends that several shards take part in may reach a series out of their order.
      if (journal.isAfter(append, previous)) series.setLastAppend(record, append);
      at = wal.writeSample(at, series.ref(record) - baseRef, time - baseTime, value);
      if ((number & START) != 0) uncount();
    }
  }
  buffer.advance(out, <u32>(at - start));
  return Status.Ok;
}

/** Fetches the records of a group of rows; 0 for series that are gone. */
function touch(first: usize, size: u32): void {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < size; i++) {
    const number = load<u32>(first + <usize>i * ROW, SERIES);
    const record: usize = number == HOLE ? 0 : series.find(number & ~START);
    store<u32>(records + ((<usize>i) << 2), <u32>record);
    if (record != 0) sum += load<u32>(record);
  }
  touched += sum;
}

/** Appends one sample in order. Ok also accounts for it; Full (the very same sample again), OutOfOrder, Duplicate, TooOld, Invalid (too far), NoMemory change nothing. */
function sample(record: usize, time: i64, value: u64, minTime: i64, maxTime: i64): Status {
  const state = changetype<ChunkState>(series.chunk(record));
  const histogram = series.newestHistogram(record);
  if (histogram != i64.MIN_VALUE && time <= histogram) {
    if (time == histogram) return Status.Duplicate;
    return time < minTime ? Status.TooOld : Status.OutOfOrder;
  }
  if (hasSamples(record, state)) {
    if (time <= state.time) {
      if (time < state.time) return time < minTime ? Status.TooOld : Status.OutOfOrder;
      // The very same sample again is what a retry sends: accepted, and nothing to do.
      return value == state.value ? Status.Full : Status.Duplicate;
    }
  }
  if (time < minTime) return Status.TooOld;
  if (time > maxTime) return Status.Invalid;
  const status = put(record, state, time, value);
  if (status != Status.Ok) return status;
  accept(time);
  return Status.Ok;
}

/** What becomes of a sample that is not in order: late within the window, where there is one, and too old before it. */
export function orLate(status: Status, time: i64, lateTime: i64): Status {
  if (lateTime == NO_LATE || (status != Status.OutOfOrder && status != Status.TooOld)) return status;
  return time >= lateTime ? Status.Late : Status.TooOld;
}

/** Takes the sample that was accounted for last off the count: nobody sent it. */
function uncount(): void {
  store<u32>(outcome, load<u32>(outcome, OUTCOME_ACCEPTED) - 1, OUTCOME_ACCEPTED);
}

/** Accounts for a sample that was appended. */
export function accept(time: i64): void {
  store<u32>(outcome, load<u32>(outcome, OUTCOME_ACCEPTED) + 1, OUTCOME_ACCEPTED);
  if (time < load<i64>(outcome, OUTCOME_MIN_TIME)) store<i64>(outcome, time, OUTCOME_MIN_TIME);
  if (time > load<i64>(outcome, OUTCOME_MAX_TIME)) store<i64>(outcome, time, OUTCOME_MAX_TIME);
  samplesAppended += 1;
}

/** Counts a sample that is kept beside the head. */
export function acceptLate(): void {
  store<u32>(outcome, load<u32>(outcome, OUTCOME_ACCEPTED) + 1, OUTCOME_ACCEPTED);
  samplesAppended += 1;
}

/** Appends to the open chunk, cutting it first where it is due. Order is the caller's business. */
export function put(record: usize, state: ChunkState, time: i64, value: u64): Status {
  if (state.count != 0) {
    if (time >= windowEnd || time < windowStart) {
      windowStart = time - euclid(time);
      windowEnd = windowStart + WINDOW;
    }
    const isTurn = <u32>state.count >= SAMPLES_MIN && <u32>state.count % LOOK_SAMPLES == 0;
    const due = state.time < windowStart || (isTurn && isDue(record, state));
    if (due && !cut(record, state)) return Status.NoMemory;
  }
  let status = xor.append(state, time, value);
  if (status == Status.Full) {
    if (!cut(record, state)) return Status.NoMemory;
    status = xor.append(state, time, value);
  }
  return status;
}

/** Seals the open chunk and links it to the series; false where the memory limit says no. */
export function cut(record: usize, state: ChunkState): bool {
  const block = sealedChunks.seal(state);
  if (block == 0) return false;
  changetype<Sealed>(block).next = <u32>series.sealed(record);
  series.setSealed(record, block);
  chunksSealed += 1;
  return true;
}

/** Whether the series has floats: the state's time and value mean something. */
export function hasSamples(record: usize, state: ChunkState): bool {
  return state.count != 0 || hasChunks(record);
}

/** Whether the series has chunks besides the open one, in memory or in files. */
function hasChunks(record: usize): bool {
  return series.sealed(record) != 0 || spilled.count(series.spilled(record)) != 0;
}

/** Whether an end of chunks of the series lies in its open chunk, and enough of the window is left for another. */
function isDue(record: usize, state: ChunkState): bool {
  const step = <i64>state.delta;
  if (step == 0) return false;
  const inWindow = samplesInWindow(step);
  const chunks = (inWindow + CHUNK_SAMPLES / 2) / CHUNK_SAMPLES;
  const place = <u32>((state.time - windowStart) / step);
  const begin = place - min(place, <u32>state.count);
  if (chunks <= 2) {
    const first = CHUNK_SAMPLES / 2 + ((placeOf(record) * CHUNK_SAMPLES) >>> 16);
    return begin < first && place >= first && <u32>((windowEnd - state.time) / step) > SECOND_SAMPLES_MIN;
  }
  // The last chunk is 3/7 of the others on average, and the first has a third of one at least.
  const length = (7 * inWindow) / (7 * chunks - 4);
  const least = length / 3;
  const first = least + ((placeOf(record) * min(length, FIRST_SAMPLES_MAX - least)) >>> 16);
  return min(endsBefore(place, first, length), chunks - 1) > endsBefore(begin, first, length);
}

/** How many samples of a step a window has, about. */
function samplesInWindow(step: i64): u32 {
  const exact = <u32>(WINDOW / step);
  return exact < CHUNK_SAMPLES ? exact : (exact + GRAIN_SAMPLES / 2) & ~(GRAIN_SAMPLES - 1);
}

/** How many ends of chunks are at or before a place in the window, both counted in samples. */
function endsBefore(place: u32, first: u32, length: u32): u32 {
  return place < first ? 0 : 1 + (place - first) / length;
}

/** Where among others a series has its ends, of 65,536. */
function placeOf(record: usize): u32 {
  return (series.refLow(record) * 0x9e3779b1) >>> 16;
}

/** Counts chunks that were sealed elsewhere: by another life of this shard, or made of one that was. */
export function noteSealed(chunks: u32): void {
  chunksSealed += <f64>chunks;
}

/** How far a time is into its chunk window, also before 1970. */
function euclid(time: i64): i64 {
  const rest = time % WINDOW;
  return rest < 0 ? rest + WINDOW : rest;
}

/** Counts a sample that was not appended; `row` is its place in the batch. */
export function refuse(status: Status, row: u32, record: usize): void {
  let counter: usize = OUTCOME_OUT_OF_ORDER;
  switch (status) {
    case Status.Full:
      store<u32>(outcome, load<u32>(outcome, OUTCOME_REPEATED) + 1, OUTCOME_REPEATED);
      return;
    case Status.Duplicate:
      counter = OUTCOME_DUPLICATE;
      break;
    case Status.TooOld:
      counter = OUTCOME_TOO_OLD;
      break;
    case Status.Invalid:
      counter = OUTCOME_TOO_FAR;
      break;
    case Status.NoMemory:
    case Status.Late:
      counter = OUTCOME_NO_MEMORY;
      break;
    default:
  }
  store<u32>(outcome + counter, load<u32>(outcome + counter) + 1);
  if (load<u32>(outcome, OUTCOME_FIRST_STATUS) == 0) {
    store<u32>(outcome, status == Status.Late ? Status.NoMemory : status, OUTCOME_FIRST_STATUS);
    store<u32>(outcome, row, OUTCOME_FIRST_ROW);
    store<u32>(outcome, <u32>record, OUTCOME_FIRST_RECORD);
  }
}

/** False where the memory limit says no. */
function noteLate(row: u32): bool {
  const at = buffer.reserve(late, 4);
  if (at == 0) return false;
  store<u32>(at, row);
  buffer.advance(late, 4);
  return true;
}

function noteUnknown(row: u32): void {
  const at = buffer.reserve(unknown, 4);
  if (at == 0) {
    refuse(Status.NoMemory, row, 0);
    return;
  }
  store<u32>(at, row);
  buffer.advance(unknown, 4);
  store<u32>(outcome, load<u32>(outcome, OUTCOME_UNKNOWN) + 1, OUTCOME_UNKNOWN);
}
