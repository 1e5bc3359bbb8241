// What a body leaves, whatever it is written in: rows, misses (walk.ts), metadata, exemplars, native histograms.
//
//   metadata   (16 bytes)  │ name offset   │ name bytes   │ text offset     │ kind << 28 | text bytes            │
//   exemplar   (16 bytes)  │ series offset │ series bytes │ exemplar offset │ float label << 28 | exemplar bytes │
//   histogram  (16 bytes)  │ series offset │ series bytes │ metric offset   │ what << 28 | metric bytes          │
//
// What a histogram is: bit 0 of gauges, bit 1 only its classic buckets count.
//
// Offsets of metadata and metrics count from the body's start; those of series and exemplars too, but of protobuf
// from that of what was spelled (protobuf.ts).

import { MetadataKind, ParseOption } from '../layout';
import * as batch from './batch';
import { DROPPED, FLAGS, OWNER, REF, SID, TRACKED, TRACKED_BEFORE, UNRESOLVED } from './cache';
import * as list from './list';
import * as starts from './starts';
import * as walk from './walk';

export const metadata: usize = memory.data(16, 8);
export const exemplars: usize = memory.data(16, 8);
export const histograms: usize = memory.data(16, 8);

/** Float samples in the last body. */
export let scraped: u32 = 0;

/** ParseOptions of the body, and the time of samples that have none. */
export let options: u32 = 0;
export let scrapeTime: i64 = 0;

/** Starts a body; the walk has started. */
export function start(how: u32, time: i64): void {
  list.clear(metadata);
  list.clear(exemplars);
  list.clear(histograms);
  starts.begin(how, time);
  options = how;
  scrapeTime = time;
  if ((how & ParseOption.Retry) != 0) return;
  scraped = 0;
  walk.forgetDropped();
}

/** Takes back all but the metadata. */
export function undo(): void {
  walk.undo();
  list.clear(exemplars);
  list.clear(histograms);
}

/** Gives the row of one sample, by what its entry says; false where the memory limit says no. */
export function emit(
  entry: usize,
  index: u32,
  flags: u32,
  time: i64,
  ownTime: bool,
  bits: u64,
  at: usize,
  length: usize,
  float: u32,
): bool {
  const firstTime = walk.touch(entry);
  const retry = (options & ParseOption.Retry) != 0;
  if (!retry) scraped++;
  const tracked = !ownTime || (options & ParseOption.TrackTimestampsStaleness) != 0;
  if ((flags & (TRACKED | TRACKED_BEFORE)) != (tracked ? TRACKED | TRACKED_BEFORE : 0)) {
    flags = walk.track(entry, flags, tracked ? TRACKED : 0, firstTime);
  }
  if ((flags & (DROPPED | UNRESOLVED)) == 0) {
    return retry || batch.addRow(load<u8>(entry, OWNER), load<u32>(entry, SID), load<u32>(entry, REF), time, bits);
  }
  if ((flags & DROPPED) == 0) return walk.addMiss(index, at, length, float) && walk.addWaiting(time, bits);
  if (!retry) walk.countDropped();
  return true;
}

/** Whether the exemplar of a sample is to be listed. */
export function wantsExemplar(flags: u32): bool {
  return (flags & DROPPED) == 0 && (options & (ParseOption.Exemplars | ParseOption.Retry)) == ParseOption.Exemplars;
}

export function addExemplar(series: u32, seriesBytes: usize, at: u32, bytes: usize, float: u32): bool {
  return list.add(exemplars, series, <u32>seriesBytes, at, (float << 28) | <u32>bytes);
}

export function addMetadata(kind: MetadataKind, name: u32, nameBytes: usize, text: u32, textBytes: usize): bool {
  return list.add(metadata, name, <u32>nameBytes, text, ((<u32>kind) << 28) | <u32>textBytes);
}

export function addHistogram(series: u32, seriesBytes: usize, metric: u32, metricBytes: usize, what: u32): bool {
  return list.add(histograms, series, <u32>seriesBytes, metric, (what << 28) | <u32>metricBytes);
}
