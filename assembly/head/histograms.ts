// What the head knows of samples that are histograms: when the newest of a series was, and who may see it.
//
// The samples themselves are in chunks that TypeScript keeps (src/shard/histogram-store.ts). A series may have both
// kinds, one after the other in time: a histogram seals the open chunk of floats, so that no chunk reaches over
// samples of the other kind, and what comes later than it must be later still, whatever its kind.

import { ChunkState } from '../chunk/state';
import { Status } from '../layout';
import * as append from './append';
import * as journal from './journal';
import * as series from './series';

/** The time of the newest float; i64.MIN_VALUE where there was none. */
export function newestFloat(record: usize): i64 {
  const state = changetype<ChunkState>(series.chunk(record));
  return append.hasSamples(record, state) ? state.time : i64.MIN_VALUE;
}

/**
 * Appends a histogram as far as the head is concerned, under the number `appendNumber`, and counts what came of it.
 * `isSame`: it is what the newest histogram is. Ok, or Full (the very same again), OutOfOrder, Duplicate, TooOld,
 * Invalid (too far), NoMemory, which change nothing; or Late, which is not counted.
 */
export function add(
  number: u32,
  appendNumber: u32,
  time: i64,
  minTime: i64,
  maxTime: i64,
  lateTime: i64,
  isSame: bool,
): Status {
  const record = series.find(number);
  assert(record != 0, 'the series is gone');
  const status = append.orLate(check(record, time, minTime, maxTime, isSame), time, lateTime);
  if (status == Status.Late) return status;
  if (status != Status.Ok) {
    append.refuse(status, 0, record);
    return status;
  }
  if (!journal.reserve(1) || !place(record, time)) {
    append.refuse(Status.NoMemory, 0, record);
    return Status.NoMemory;
  }
  const previous = series.lastAppend(record);
  journal.note(number, appendNumber, previous, time);
  if (journal.isAfter(appendNumber, previous)) series.setLastAppend(record, appendNumber);
  append.accept(time);
  return Status.Ok;
}

function check(record: usize, time: i64, minTime: i64, maxTime: i64, isSame: bool): Status {
  const float = newestFloat(record);
  const histogram = series.newestHistogram(record);
  const newest = max(float, histogram);
  if (newest != i64.MIN_VALUE) {
    if (time < newest) return time < minTime ? Status.TooOld : Status.OutOfOrder;
    if (time == newest) return time == histogram && isSame ? Status.Full : Status.Duplicate;
  }
  if (time < minTime) return Status.TooOld;
  return time > maxTime ? Status.Invalid : Status.Ok;
}

/** Makes a histogram the newest sample of a series; false where it is not later than that, or memory is refused. */
export function place(record: usize, time: i64): bool {
  if (time <= max(newestFloat(record), series.newestHistogram(record))) return false;
  const state = changetype<ChunkState>(series.chunk(record));
  if (state.count != 0 && !append.cut(record, state)) return false;
  series.setNewestHistogram(record, time);
  return true;
}
