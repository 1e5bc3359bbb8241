// The eval kernel: window functions over decoded columns, over chunks, and folding rows into groups.
// `node dist/bench/kernels/eval.js [filter]`

import { pathToFileURL } from 'node:url';
import {
  CHUNK_BYTES_MAX,
  CHUNK_REF_BYTES,
  CHUNK_REF_DATA,
  CHUNK_REF_LENGTH,
  CHUNK_REF_MAXT,
  CHUNK_REF_MINT,
  CHUNK_SAMPLES_MAX,
  DECODE_SLACK,
  JOB_BYTES,
  JOB_FN,
  JOB_MAXT,
  JOB_ROOM,
  JOB_ROW_PRESENT,
  JOB_ROW_VALUES,
  JOB_SCRATCH,
  JOB_SCRATCH_ROOM,
  JOB_START,
  JOB_STEP,
  JOB_STEPS,
  JOB_TIMES,
  JOB_VALUES,
  JOB_WINDOW,
} from '../../assembly/layout.js';
import type { ChunkBytes } from '../../src/wasm/chunks.js';
import { Core } from '../../src/wasm/core.js';
import { AGGREGATE_OPS, type AggregateName, Eval, WINDOW_FNS } from '../../src/wasm/eval.js';
import { encode, place } from './chunk.js';
import { type Micro, printAll } from './micro.js';
import { SHAPES, type Shape, seriesColumns } from './series.js';

/** Six hours at 15 s. */
const SAMPLES = 12 * CHUNK_SAMPLES_MAX;
/** So many that the branch predictor cannot learn them by heart. */
const SERIES = 64;

interface Query {
  readonly windowMs: number;
  readonly stepMs: number;
}

const DASHBOARD: Query = { windowMs: 300_000, stepMs: 60_000 };
const WIDE: Query = { windowMs: 3_600_000, stepMs: 60_000 };

/** A job over the six hours, with columns of its own. */
function job(core: Core, fn: string, query: Query): { job: number; steps: number } {
  const steps = Math.floor((SAMPLES * 15000) / query.stepMs) + 1;
  const at = core.exports.heap_alloc(JOB_BYTES) >>> 0;
  const view = core.view;
  view.setFloat64(at + JOB_START, seriesColumns('constant', 1).times[0]!, true);
  view.setFloat64(at + JOB_STEP, query.stepMs, true);
  view.setFloat64(at + JOB_WINDOW, query.windowMs, true);
  view.setFloat64(at + JOB_MAXT, Infinity, true);
  view.setUint32(at + JOB_FN, WINDOW_FNS.get(fn)!, true);
  view.setUint32(at + JOB_STEPS, steps, true);
  view.setUint32(at + JOB_TIMES, core.exports.heap_alloc(SAMPLES * 8), true);
  view.setUint32(at + JOB_VALUES, core.exports.heap_alloc(SAMPLES * 8), true);
  view.setUint32(at + JOB_SCRATCH, core.exports.heap_alloc(CHUNK_BYTES_MAX + DECODE_SLACK), true);
  view.setUint32(at + JOB_SCRATCH_ROOM, CHUNK_BYTES_MAX, true);
  view.setUint32(at + JOB_ROOM, SAMPLES, true);
  view.setUint32(at + JOB_ROW_VALUES, core.exports.heap_alloc(steps * 8), true);
  view.setUint32(at + JOB_ROW_PRESENT, core.exports.heap_alloc(steps), true);
  return { job: at, steps };
}

function overColumns(fn: string, shape: Shape, query: Query): Micro {
  return {
    name: `eval ${fn} ${shape}, ${query.windowMs / 60000}m at ${query.stepMs / 1000}s, columns`,
    unit: 'sample',
    prepare: () => {
      const core = new Core();
      const { job: at } = job(core, fn, query);
      const series = Array.from({ length: SERIES }, (_, seed) => {
        const { times, values } = seriesColumns(shape, SAMPLES, seed);
        const columns = core.exports.heap_alloc(SAMPLES * 16);
        core.f64(columns, SAMPLES).set(times);
        core.f64(columns + SAMPLES * 8, SAMPLES).set(values);
        return columns;
      });
      return () => {
        for (const columns of series) {
          core.view.setUint32(at + JOB_TIMES, columns, true);
          core.view.setUint32(at + JOB_VALUES, columns + SAMPLES * 8, true);
          core.exports.eval_columns(at, SAMPLES);
        }
        return SERIES * SAMPLES;
      };
    },
  };
}

function overChunks(fn: string, shape: Shape, query: Query): Micro {
  return {
    name: `eval ${fn} ${shape}, ${query.windowMs / 60000}m at ${query.stepMs / 1000}s, chunks`,
    unit: 'sample',
    prepare: () => {
      const core = new Core();
      const { job: at } = job(core, fn, query);
      const lists = Array.from({ length: SERIES }, (_, seed) => list(core, encode(core, shape, seed)));
      return () => {
        for (const { refs, count } of lists) core.exports.eval_series(at, refs, count);
        return SERIES * SAMPLES;
      };
    },
  };
}

function list(core: Core, chunks: readonly ChunkBytes[]): { refs: number; count: number } {
  const placed = place(core, chunks);
  const refs = core.exports.heap_alloc(chunks.length * CHUNK_REF_BYTES);
  chunks.forEach(({ mint, maxt }, i) => {
    const ref = refs + i * CHUNK_REF_BYTES;
    core.view.setBigInt64(ref + CHUNK_REF_MINT, BigInt(mint), true);
    core.view.setBigInt64(ref + CHUNK_REF_MAXT, BigInt(maxt), true);
    core.view.setUint32(ref + CHUNK_REF_DATA, placed[i]!.data, true);
    core.view.setUint32(ref + CHUNK_REF_LENGTH, placed[i]!.bytes, true);
  });
  return { refs, count: chunks.length };
}

/** Folds one row of 361 cells into a group. `gaps`: one cell in ten has no value. */
function fold(op: AggregateName, gaps: boolean): Micro {
  const steps = 361;
  return {
    name: `eval fold ${op}${gaps ? ', gaps' : ''}`,
    unit: 'cell',
    prepare: () => {
      const core = new Core();
      const { exports } = core;
      const aggregate = AGGREGATE_OPS.get(op)!;
      const groups = new Eval(core).groups(aggregate, 1, steps);
      const values = exports.heap_alloc(steps * 8);
      const present = exports.heap_alloc(steps);
      core.f64(values, steps).set(seriesColumns('float', steps).values);
      core.u8(present, steps).fill(1);
      if (gaps) {
        for (let step = 0; step < steps; step += 10) {
          core.f64(values, steps)[step] = 0;
          core.u8(present, steps)[step] = 0;
        }
      }
      const cells = core.u8(present, steps).reduce((sum, is) => sum + is, 0);
      return () => {
        for (let repeat = 0; repeat < 1000; repeat++) {
          exports.aggregate_fold(groups.address, 0, values, present, cells);
        }
        return 1000 * steps;
      };
    },
  };
}

export const evalMicros: readonly Micro[] = [
  ...SHAPES.map((shape) => overColumns('rate', shape, DASHBOARD)),
  ...SHAPES.map((shape) => overChunks('rate', shape, DASHBOARD)),
  ...SHAPES.map((shape) => overChunks('last', shape, DASHBOARD)),
  overColumns('rate', 'counter', { windowMs: 300_000, stepMs: 15_000 }),
  ...[...WINDOW_FNS.keys()].map((fn) => overColumns(fn, 'float', DASHBOARD)),
  ...['sum_over_time', 'avg_over_time', 'max_over_time', 'min_over_time'].flatMap((fn) => [
    overColumns(fn, 'counter', WIDE),
    overColumns(fn, 'float', WIDE),
  ]),
  ...[...AGGREGATE_OPS.keys()].flatMap((op) => [fold(op, false), fold(op, true)]),
];

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) printAll(evalMicros);
