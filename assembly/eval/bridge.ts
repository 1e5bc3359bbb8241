// The eval kernel as the façade sees it: jobs by address, lists of chunks in memory.

import { CHUNK_REF_BYTES, Status } from '../layout';
import { fold, Groups } from './aggregate';
import { Job } from './job';
import * as series from './series';
import { evaluate } from './window';

/** Evaluates the samples that stand in the job's columns, `count` of them, into its row. Gives the cells with a value. */
export function evalColumns(job: usize, count: u32): u32 {
  const j = changetype<Job>(job);
  series.begin(j);
  j.count = count;
  evaluate(j, j.steps);
  return j.cells;
}

/** A chunk of a series for evalSeries(). */
@unmanaged
class ChunkRef {
  mint: i64;
  maxt: i64;
  data: u32;
  bytes: u32;
}

/**
 * Evaluates one series, given as `count` ChunkRefs in time order, into the job's row.
 * The cells with a value are in the job then.
 */
export function evalSeries(job: usize, refs: usize, count: u32): i32 {
  const j = changetype<Job>(job);
  series.begin(j);
  for (let i: u32 = 0; i < count; i++) {
    const ref = changetype<ChunkRef>(refs + <usize>i * CHUNK_REF_BYTES);
    const status = series.addChunk(j, ref.data, ref.bytes, ref.mint, ref.maxt);
    if (status != Status.Ok) return status;
  }
  series.finish(j);
  return Status.Ok;
}

/** Folds a row into a group of `groups`. */
export function foldRow(groups: usize, group: u32, values: usize, present: usize, cells: u32): void {
  fold(changetype<Groups>(groups), group, values, present, cells);
}
