// One series through a job: its chunks in, oldest first, a row out.
//
//   begin(job)
//   addChunk(job, …)     for each chunk, sealed ones and then a snapshot of the open one;
//                        those that do not overlap the job's time range are skipped unread
//   finish(job)          the row stands in the job's row columns
//
// The sample columns need room for one window and one chunk only: when a chunk does not fit, the
// steps that need nothing newer are evaluated and the samples that no later step needs are dropped.
// With the function Samples nothing is evaluated, and all samples must fit.

import * as decoder from '../chunk/decode';
import { DECODE_INVALID, Status, WindowFn } from '../layout';
import { endOf, Job, seesStale } from './job';
import { evaluate } from './window';

/** A sample takes two bits at the least. */
const SAMPLES_PER_BYTE_MAX: usize = 4;

export function begin(job: Job): void {
  job.count = 0;
  job.done = 0;
  job.cells = 0;
}

/** Time range of the samples that the job can see, both inclusive. */
export function mintOf(job: Job): i64 {
  return <i64>(job.startMs - job.windowMs) + 1;
}

export function maxtOf(job: Job): i64 {
  return <i64>min(endOf(job, job.steps - 1), job.maxt);
}

/**
 * Adds a chunk's samples with times from `mint` on, all later than those of the chunk before; none is later than `maxt`.
 * NoMemory where a window and this chunk together have no room in the columns, Full where the chunk has none in the
 * scratch, Invalid where its bytes are none.
 */
export function addChunk(job: Job, data: usize, bytes: usize, mint: i64, maxt: i64): Status {
  const jobMint = mintOf(job);
  const jobMaxt = maxtOf(job);
  if (maxt < jobMint || mint > jobMaxt) return Status.Ok;
  const samples = decoder.count(data, bytes);
  if (<usize>samples > bytes * SAMPLES_PER_BYTE_MAX) return Status.Invalid;
  if (bytes > <usize>job.scratchRoom) return Status.Full;
  const room = roomOf(job);
  if (job.count + samples > room) {
    if (job.fn != WindowFn.Samples) drain(job, <f64>mint);
    if (job.count + samples > room) return Status.NoMemory;
  }
  const at: usize = (<usize>job.count) << 3;
  const added = decoder.decode(
    data,
    bytes,
    max(jobMint, mint),
    jobMaxt,
    !seesStale(job.fn),
    <usize>job.times + at,
    <usize>job.values + at,
    job.scratch,
  );
  if (added == DECODE_INVALID) return Status.Invalid;
  job.count += <u32>added;
  job.samples += <f64>added;
  return Status.Ok;
}

/** Samples that the columns may hold; a function that needs room to work in has the other half. */
function roomOf(job: Job): u32 {
  return job.fn == WindowFn.QuantileOverTime ? job.room >>> 1 : job.room;
}

/** Evaluates what is left of the steps. Gives the number of cells with a value. */
export function finish(job: Job): u32 {
  if (job.fn != WindowFn.Samples) evaluate(job, job.steps);
  return job.cells;
}

/** Evaluates the steps before `next`, the time of the next sample, and drops the samples that no other step sees. */
function drain(job: Job, next: f64): void {
  let until = job.done;
  while (until < job.steps && endOf(job, until) < next) until++;
  evaluate(job, until);
  if (until == job.steps) {
    job.count = 0;
    return;
  }
  const begin = endOf(job, until) - job.windowMs;
  const times: usize = job.times;
  const values: usize = job.values;
  const size: usize = (<usize>job.count) << 3;
  let gone: usize = 0;
  while (gone < size && load<f64>(times + gone) <= begin) gone += 8;
  memory.copy(times, times + gone, size - gone);
  memory.copy(values, values + gone, size - gone);
  job.count -= <u32>(gone >> 3);
}
