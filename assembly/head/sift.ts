// What of a record of samples a checkpoint keeps: those that are not elsewhere. See src/tsdb/wal/filter.ts, which does the same
// for all kinds of records; nearly all of a log is samples.
//
//   table   f64 for each ref from `least` on: samples up to this time are on the disk elsewhere; NaN where nothing of the series is needed
//
// Entries that stay are copied as they are, in runs, behind the base that they lean on.

import { readSigned, varintEnd } from '../bytes/varint';

/** The type, then ref and time of the base. */
const HEAD: usize = 17;
/** Refs are numbers in TypeScript. */
const REF_LIMIT: u64 = (<u64>1) << 53;

/** What sift() gives for a record that does not hold samples. */
export const MALFORMED: i32 = -1;

let samples: u32 = 0;
let dropped: u32 = 0;

/** Samples of the last record. */
export function seenSamples(): u32 {
  return samples;
}

export function droppedSamples(): u32 {
  return dropped;
}

/**
 * Copies to `out`, which has room for all of it, what is kept of a record: samples at `mint` or later that the table does not have
 * elsewhere. Gives the bytes copied, 0 where nothing is left.
 */
export function sift(record: usize, bytes: u32, mint: f64, least: f64, times: usize, refs: u32, out: usize): i32 {
  samples = 0;
  dropped = 0;
  if (bytes <= <u32>HEAD) return 0;
  const stop = record + bytes;
  const baseRef = bswap<u64>(load<u64>(record, 1));
  if (baseRef >= REF_LIMIT) return MALFORMED;
  const baseTime = <i64>bswap<u64>(load<u64>(record, 9));
  const first = <i64>baseRef - <i64>least;
  let end = out + HEAD;
  let at = record + HEAD;
  // What is kept and not copied yet begins here.
  let run = at;
  while (at < stop) {
    const begin = at;
    const place = first + readSigned(at, stop);
    if (varintEnd == 0) return MALFORMED;
    const time = baseTime + readSigned(varintEnd, stop);
    if (varintEnd == 0 || varintEnd + 8 > stop) return MALFORMED;
    at = varintEnd + 8;
    samples++;
    // A NaN is never less: what is not in the table goes.
    const isKept = <f64>time >= mint && <u64>place < <u64>refs && load<f64>(times + ((<usize>place) << 3)) < <f64>time;
    if (isKept) continue;
    dropped++;
    memory.copy(end, run, begin - run);
    end += begin - run;
    run = at;
  }
  if (dropped == samples) return 0;
  memory.copy(end, run, stop - run);
  end += stop - run;
  memory.copy(out, record, HEAD);
  return <i32>(end - out);
}
