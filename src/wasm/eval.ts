// The façade of the eval kernel: functions over windows of one series, and aggregation of rows.
//
// Shards evaluate whole morsels inside the core. This face of it serves whoever has samples
// or rows at hand, and the tests.

import {
  AggregateOp,
  CHUNK_BYTES_MAX,
  CHUNK_REF_BYTES,
  CHUNK_REF_DATA,
  CHUNK_REF_LENGTH,
  CHUNK_REF_MAXT,
  CHUNK_REF_MINT,
  DECODE_SLACK,
  GROUPS_BYTES,
  GROUPS_COUNT,
  GROUPS_OP,
  GROUPS_PRESENT,
  GROUPS_STATE,
  GROUPS_STEPS,
  JOB_ARGUMENT,
  JOB_BYTES,
  JOB_COUNT,
  JOB_FN,
  JOB_MAXT,
  JOB_ROOM,
  JOB_ROW_PRESENT,
  JOB_ROW_VALUES,
  JOB_SAMPLES,
  JOB_SCRATCH,
  JOB_SCRATCH_ROOM,
  JOB_SHIFT,
  JOB_START,
  JOB_STEP,
  JOB_STEPS,
  JOB_TIMES,
  JOB_VALUES,
  JOB_WINDOW,
  Status,
  WindowFn,
} from '../../assembly/layout.js';
import type { ChunkBytes, Samples } from './chunks.js';
import type { Core } from './core.js';

/** PromQL's names of the functions that the kernel has; `last` is an instant selector. */
export const WINDOW_FNS: ReadonlyMap<string, WindowFn> = new Map([
  ['last', WindowFn.Last],
  ['timestamp', WindowFn.Timestamp],
  ['rate', WindowFn.Rate],
  ['increase', WindowFn.Increase],
  ['delta', WindowFn.Delta],
  ['irate', WindowFn.Irate],
  ['idelta', WindowFn.Idelta],
  ['changes', WindowFn.Changes],
  ['resets', WindowFn.Resets],
  ['sum_over_time', WindowFn.SumOverTime],
  ['avg_over_time', WindowFn.AvgOverTime],
  ['min_over_time', WindowFn.MinOverTime],
  ['max_over_time', WindowFn.MaxOverTime],
  ['count_over_time', WindowFn.CountOverTime],
  ['last_over_time', WindowFn.LastOverTime],
  ['first_over_time', WindowFn.FirstOverTime],
  ['present_over_time', WindowFn.PresentOverTime],
  ['stddev_over_time', WindowFn.StddevOverTime],
  ['stdvar_over_time', WindowFn.StdvarOverTime],
  ['deriv', WindowFn.Deriv],
  ['predict_linear', WindowFn.PredictLinear],
  ['quantile_over_time', WindowFn.QuantileOverTime],
]);

/** Aggregations in which each shard has a share. */
export type AggregateName = 'sum' | 'avg' | 'min' | 'max' | 'count' | 'group' | 'stddev' | 'stdvar';

export const AGGREGATE_OPS: ReadonlyMap<AggregateName, AggregateOp> = new Map([
  ['sum', AggregateOp.Sum],
  ['avg', AggregateOp.Avg],
  ['min', AggregateOp.Min],
  ['max', AggregateOp.Max],
  ['count', AggregateOp.Count],
  ['group', AggregateOp.Group],
  ['stddev', AggregateOp.Stddev],
  ['stdvar', AggregateOp.Stdvar],
]);

const SCRATCH_BYTES = CHUNK_BYTES_MAX + DECODE_SLACK;

/** What to evaluate: a function at `steps` times from startMs on, each over (t - windowMs, t]. */
export interface Windows {
  readonly fn: WindowFn;
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly windowMs: number;
  /** Samples later than this are not seen; all are where absent. */
  readonly maxt?: number;
  /** Of the function, as those of a fragment. */
  readonly args?: readonly number[];
}

/** A value per step where `present` is 1, elsewhere 0. */
export interface Row {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

export class Eval {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Evaluates a function over samples in time order, copied from the caller. For range
   * functions stale markers must have been left out. The row is a copy.
   */
  columns(windows: Windows, samples: Samples): Row {
    // Some functions work in the room behind the samples.
    return this.#withJob(windows, samples.times.length * 2, 0, (job, times, values) => {
      this.#core.f64(times, samples.times.length).set(samples.times);
      this.#u64(values, samples.valueBits.length).set(samples.valueBits);
      this.#core.exports.eval_columns(job, samples.times.length);
    });
  }

  /**
   * Evaluates a function over one series' chunks, oldest first, which do not overlap. `samplesMax`
   * is the room for decoded samples: one window and one chunk, at the least. Undefined
   * where the chunks' bytes are invalid; throws a RangeError where the room is too small.
   */
  series(windows: Windows, chunks: readonly ChunkBytes[], samplesMax: number): Row | undefined {
    return this.#overChunks(windows, chunks, samplesMax, () => {});
  }

  /**
   * The samples in (startMs - windowMs, startMs] of one series' chunks, oldest first, without stale markers; copies.
   * Undefined where the chunks' bytes are invalid; throws a RangeError where there are more than `samplesMax`.
   */
  samples(startMs: number, windowMs: number, chunks: readonly ChunkBytes[], samplesMax: number): Samples | undefined {
    const windows = { fn: WindowFn.Samples, startMs, stepMs: 1, steps: 1, windowMs };
    let samples: Samples | undefined;
    this.#overChunks(windows, chunks, samplesMax, (job, times, values) => {
      const count = this.#core.view.getUint32(job + JOB_COUNT, true);
      samples = { times: this.#core.f64(times, count).slice(), valueBits: this.#u64(values, count).slice() };
    });
    return samples;
  }

  /** Empty groups for rows of `steps` cells. The caller closes them. */
  groups(op: AggregateOp, count: number, steps: number): GroupStates {
    return new GroupStates(this.#core, op, count, steps);
  }

  /** Runs a job over chunks; `read` may look at the job and its columns when all went well. */
  #overChunks(
    windows: Windows,
    chunks: readonly ChunkBytes[],
    samplesMax: number,
    read: (job: number, times: number, values: number) => void,
  ): Row | undefined {
    const dataBytes = chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
    const listBytes = chunks.length * CHUNK_REF_BYTES;
    let status = Status.Ok as Status;
    const row = this.#withJob(windows, samplesMax, listBytes + dataBytes, (job, times, values, list) => {
      const view = this.#core.view;
      let data = list + listBytes;
      chunks.forEach(({ mint, maxt, bytes }, i) => {
        const ref = list + i * CHUNK_REF_BYTES;
        view.setBigInt64(ref + CHUNK_REF_MINT, BigInt(mint), true);
        view.setBigInt64(ref + CHUNK_REF_MAXT, BigInt(maxt), true);
        view.setUint32(ref + CHUNK_REF_DATA, data, true);
        view.setUint32(ref + CHUNK_REF_LENGTH, bytes.length, true);
        this.#core.bytes.set(bytes, data);
        data += bytes.length;
      });
      status = this.#core.exports.eval_series(job, list, chunks.length);
      if (status === Status.Ok) read(job, times, values);
    });
    if (status === Status.NoMemory) throw new RangeError(`the samples exceed the room for ${samplesMax}`);
    return status === Status.Ok ? row : undefined;
  }

  #u64(address: number, length: number): BigUint64Array {
    return new BigUint64Array(this.#core.memory.buffer, address, length);
  }

  /** Sets up a job with its columns, runs `act`, and gives a copy of its row. */
  #withJob(
    windows: Windows,
    samplesMax: number,
    extraBytes: number,
    act: (job: number, times: number, values: number, extra: number) => void,
  ): Row {
    const { steps } = windows;
    const columnBytes = samplesMax * 8;
    const bytes = JOB_BYTES + SCRATCH_BYTES + 2 * columnBytes + steps * 8 + align8(steps) + extraBytes;
    const job = alloc(this.#core, bytes);
    const scratch = job + JOB_BYTES;
    const times = scratch + SCRATCH_BYTES;
    const values = times + columnBytes;
    const rowValues = values + columnBytes;
    const rowPresent = rowValues + steps * 8;
    const view = this.#core.view;
    view.setFloat64(job + JOB_START, windows.startMs, true);
    view.setFloat64(job + JOB_STEP, windows.stepMs, true);
    view.setFloat64(job + JOB_WINDOW, windows.windowMs, true);
    view.setFloat64(job + JOB_MAXT, windows.maxt ?? Infinity, true);
    view.setFloat64(job + JOB_SAMPLES, 0, true);
    const [argument = 0, shiftMs = 0] = windows.args ?? [];
    view.setFloat64(job + JOB_ARGUMENT, argument, true);
    view.setFloat64(job + JOB_SHIFT, shiftMs, true);
    view.setUint32(job + JOB_FN, windows.fn, true);
    view.setUint32(job + JOB_STEPS, steps, true);
    view.setUint32(job + JOB_SCRATCH, scratch, true);
    view.setUint32(job + JOB_SCRATCH_ROOM, CHUNK_BYTES_MAX, true);
    view.setUint32(job + JOB_TIMES, times, true);
    view.setUint32(job + JOB_VALUES, values, true);
    view.setUint32(job + JOB_ROOM, samplesMax, true);
    view.setUint32(job + JOB_ROW_VALUES, rowValues, true);
    view.setUint32(job + JOB_ROW_PRESENT, rowPresent, true);
    act(job, times, values, rowPresent + align8(steps));
    const row = {
      values: this.#core.f64(rowValues, steps).slice(),
      present: this.#core.u8(rowPresent, steps).slice(),
    };
    this.#core.exports.heap_free(job, bytes);
    return row;
  }
}

/** The groups of an aggregation, in this core's memory: one share of its answer. */
export class GroupStates {
  readonly #core: Core;
  readonly #count: number;
  readonly #steps: number;
  readonly #columns: number;
  readonly #bytes: number;
  readonly #record: number;

  constructor(core: Core, op: AggregateOp, count: number, steps: number) {
    this.#core = core;
    this.#count = count;
    this.#steps = steps;
    this.#columns = core.exports.aggregate_columns(op);
    const cells = count * steps;
    this.#bytes = align8(GROUPS_BYTES) + cells * (this.#columns * 8 + 1);
    this.#record = alloc(core, this.#bytes);
    core.bytes.fill(0, this.#record, this.#record + this.#bytes);
    const view = core.view;
    view.setUint32(this.#record + GROUPS_OP, op, true);
    view.setUint32(this.#record + GROUPS_STEPS, steps, true);
    view.setUint32(this.#record + GROUPS_COUNT, count, true);
    view.setUint32(this.#record + GROUPS_STATE, this.#state, true);
    view.setUint32(this.#record + GROUPS_PRESENT, this.#state + this.#columns * cells * 8, true);
  }

  /** Where the share is in memory, for kernels that fold many rows. */
  get address(): number {
    return this.#record;
  }

  /** Folds a row into a group; copied. */
  fold(group: number, row: Row): void {
    if (group >= this.#count) throw new RangeError(`no group ${group} of ${this.#count}`);
    const steps = this.#steps;
    const values = alloc(this.#core, steps * 9);
    this.#core.f64(values, steps).set(row.values);
    this.#core.u8(values + steps * 8, steps).set(row.present);
    const cells = row.present.reduce((sum, present) => sum + present, 0);
    this.#core.exports.aggregate_fold(this.#record, group, values, values + steps * 8, cells);
    this.#core.exports.heap_free(values, steps * 9);
  }

  /** Presence and state columns, copies: what assembly/eval/aggregate.ts draws. */
  share(): { present: Uint8Array; state: Float64Array[] } {
    const cells = this.#count * this.#steps;
    return {
      present: this.#core.u8(this.#state + this.#columns * cells * 8, cells).slice(),
      state: Array.from({ length: this.#columns }, (_, i) =>
        this.#core.f64(this.#state + i * cells * 8, cells).slice(),
      ),
    };
  }

  close(): void {
    this.#core.exports.heap_free(this.#record, this.#bytes);
  }

  get #state(): number {
    return this.#record + align8(GROUPS_BYTES);
  }
}

function alloc(core: Core, bytes: number): number {
  const address = core.exports.heap_alloc(bytes) >>> 0;
  if (address === 0) throw new RangeError(`no memory for ${bytes} bytes of scratch`);
  return address;
}

function align8(bytes: number): number {
  return (bytes + 7) & ~7;
}
