// A job: what to compute over each of many series, and where its columns are.
//
// The caller fills the upper part once and reuses it for all series of a fragment; the
// kernel keeps its progress within one series in the lower part. Offsets are in
// layout.ts, because the façade writes them.
//
//   samples of one series                             the row that comes out
//   times  ┌────┬────┬────┬─ ─┬────┬ ─ ─ ─ ┐          rowValues  ┌────┬────┬─ ─┬────┐ f64
//          └────┴────┴────┴─ ─┴────┴ ─ ─ ─ ┘ room     rowPresent ├─┬─┬─ ─┬─┐└─ ─┴────┘ u8: 1 where there is a value
//   values ┌────┬────┬────┬─ ─┬────┬ ─ ─ ─ ┐                     └─┴─┴─ ─┴─┘
//          └────┴────┴────┴─ ─┴────┴ ─ ─ ─ ┘                     step 0 … steps - 1
//                             count
//
// Chunks are swapped into the job's scratch before they are decoded.
//
// A window is left-open and right-closed: for the step at t, the samples in (t - windowMs, t].
// A row's cell without a value has presence 0 and the value 0.

import { JOB_WAITING, WindowFn } from '../layout';

@unmanaged
export class Job {
  startMs: f64;
  stepMs: f64;
  windowMs: f64;
  maxt: f64;
  samples: f64;
  fn: u32;
  steps: u32;
  times: u32;
  values: u32;
  room: u32;
  rowValues: u32;
  rowPresent: u32;
  count: u32;
  done: u32;
  cells: u32;
  /** Of the windows that wait, see waitingOf(). */
  waiting0: u64;
  waiting1: u64;
  waiting2: u64;
  waiting3: u64;
  argument: f64;
  shiftMs: f64;
  scratch: u32;
  scratchRoom: u32;
  floorMs: f64;
}

/** Where quads.ts and regression.ts keep the windows they collect. */
export function waitingOf(job: Job): usize {
  return changetype<usize>(job) + <usize>JOB_WAITING;
}

/** When the window of a step ends. */
export function endOf(job: Job, step: u32): f64 {
  return job.startMs + <f64>step * job.stepMs;
}

/** Whether the function sees stale markers: they hide older samples of an instant selector, and do not exist in a range. */
export function seesStale(fn: u32): bool {
  return fn == WindowFn.Last || fn == WindowFn.Timestamp;
}

/** The range in seconds, rounded as Go's Duration.Seconds does: whole seconds plus nanoseconds / 1e9. */
export function rangeSeconds(job: Job): f64 {
  const seconds = Math.floor(job.windowMs / 1000);
  return seconds + ((job.windowMs - seconds * 1000) * 1e6) / 1e9;
}
