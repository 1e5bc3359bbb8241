// The sample statistics of a query, as Prometheus counts them: at each step, the samples
// that its selectors and windows hold then.
//
//   total  each window's samples anew, however much windows overlap
//   read   those that the window of the step before did not hold
//
// Queries are evaluated where nobody counts, so their selections are asked for once more,
// folded to one row of counts. Only who asks for statistics pays for that. A native
// histogram counts as one sample, which Prometheus counts by its size.

import { type ExecuteOptions, execute } from '../promql/exec/execute.js';
import { windowEnds } from '../promql/exec/ranges.js';
import { gridOf } from '../promql/exec/readings.js';
import { type Columns, FLOAT, type QueryContext, type Source, type Steps } from '../promql/exec/source.js';
import { inputsOf, type Plan, type Selection, type SubqueryRange } from '../promql/plan/plan.js';

export interface SampleCounts {
  /** By step. */
  readonly total: Float64Array;
  readonly read: Float64Array;
}

export function countSamples(
  plan: Plan,
  steps: Steps,
  source: Source,
  context: QueryContext,
  options: ExecuteOptions,
): Promise<SampleCounts> {
  // What is counted here was counted against the query's limits when it was evaluated.
  return new SampleCounter(source, new Uncharged(context), options).count(plan, steps);
}

class Uncharged implements QueryContext {
  constructor(readonly context: QueryContext) {}

  get signal(): AbortSignal {
    return this.context.signal;
  }

  get words(): SharedArrayBuffer | undefined {
    return this.context.words;
  }

  charge(): void {}

  warn(text: string): void {
    this.context.warn?.(text);
  }

  check(): void {
    this.context.check();
  }

  reserve(bytes: number): void {
    this.context.reserve(bytes);
  }

  turn(): Promise<void> | undefined {
    return this.context.turn?.();
  }
}

class SampleCounter {
  constructor(
    readonly source: Source,
    readonly context: QueryContext,
    readonly options: ExecuteOptions,
  ) {}

  async count(plan: Plan, steps: Steps): Promise<SampleCounts> {
    const { lookbackMs } = this.options;
    switch (plan.kind) {
      case 'fragment':
        return INSTANT.has(plan.fn)
          ? this.#instant(plan.selection, plan.windowMs, steps)
          : this.#windows(plan.selection, plan.windowMs, steps);
      case 'smoothed':
        return this.#instant(plan.selection, lookbackMs, steps);
      case 'window':
      case 'matrix': {
        const { range } = plan;
        const own =
          range.kind === 'raw'
            ? this.#windows(range.selection, range.windowMs, steps)
            : this.#subquery(plan, range, steps);
        const args = plan.kind === 'window' ? plan.args : [];
        return sum(steps.count, [own, ...args.map((arg) => this.count(arg, steps))]);
      }
      case 'once': {
        // Evaluated at one step, and told at each; read at the first only.
        const { total, read } = await this.count(plan.input, { ...steps, count: 1 });
        const counts = { total: new Float64Array(steps.count).fill(total[0]!), read: new Float64Array(steps.count) };
        counts.read[0] = read[0]!;
        return counts;
      }
      default:
        return sum(
          steps.count,
          inputsOf(plan).map((input) => this.count(input, steps)),
        );
    }
  }

  async #instant(selection: Selection, windowMs: number, steps: Steps): Promise<SampleCounts> {
    const total = await this.#select(selection, 'last', windowMs, steps);
    return { total, read: total };
  }

  async #windows(selection: Selection, windowMs: number, steps: Steps): Promise<SampleCounts> {
    const total = await this.#select(selection, 'count_over_time', windowMs, steps);
    const overlap = steps.count > 1 && selection.atMs === undefined && steps.stepMs < windowMs;
    if (!overlap) return { total, read: total };
    const read = await this.#select(selection, 'count_over_time', steps.stepMs, steps);
    read[0] = total[0]!;
    return { total, read };
  }

  async #select(
    { matchers, offsetMs, atMs }: Selection,
    fn: 'last' | 'count_over_time',
    windowMs: number,
    steps: Steps,
  ): Promise<Float64Array> {
    const op = fn === 'last' ? 'count' : 'sum';
    const aggregate = { op, grouping: 'by', labels: [] } as const;
    const ends = windowEnds(steps, offsetMs, atMs);
    const columns = await this.source.select(
      { matchers, steps: ends, windowMs, fn, args: [], dropName: false, aggregate },
      this.context,
    );
    return rowOf(columns, steps.count);
  }

  /** What its windows hold of the points that its input gives. As a result of its own, what the input held. */
  async #subquery(
    plan: Plan & { kind: 'window' | 'matrix' },
    range: SubqueryRange,
    steps: Steps,
  ): Promise<SampleCounts> {
    const counts = { total: new Float64Array(steps.count), read: new Float64Array(steps.count) };
    const grid = gridOf(plan, steps);
    if (grid === undefined || grid.count === 0) return counts;
    const inner = await this.count(range.input, grid);
    // Which step of the query read what is not told.
    counts.read[0] = added(inner.read);
    if (plan.kind === 'matrix') counts.total[0] = added(inner.total);
    else counts.total.set(await this.#points(range, steps));
    return counts;
  }

  async #points(range: SubqueryRange, steps: Steps): Promise<Float64Array> {
    const { pos } = range;
    const window = {
      kind: 'window',
      fn: 'count_over_time',
      range,
      args: [],
      keepsName: true,
      notePos: pos,
      pos,
    } as const;
    const plan: Plan = { kind: 'aggregate', op: 'sum', input: window, inputPos: pos, grouping: 'by', labels: [], pos };
    const { value } = await execute(plan, steps, this.source, this.context, this.options);
    return value.kind === 'vector' ? rowOf(value.columns, steps.count) : new Float64Array(steps.count);
  }
}

/** Fragments that look at the newest sample only. */
const INSTANT: ReadonlySet<string> = new Set(['last', 'timestamp', 'start_timestamp']);

/** The only row there can be. */
function rowOf({ labels, values, present }: Columns, steps: number): Float64Array {
  const row = new Float64Array(steps);
  if (labels.length > 0)
    for (let step = 0; step < steps; step++) if (present[step] === FLOAT) row[step] = values[step]!;
  return row;
}

async function sum(steps: number, parts: readonly Promise<SampleCounts>[]): Promise<SampleCounts> {
  const counts = { total: new Float64Array(steps), read: new Float64Array(steps) };
  for (const { total, read } of await Promise.all(parts)) {
    for (let step = 0; step < steps; step++) {
      counts.total[step]! += total[step]!;
      counts.read[step]! += read[step]!;
    }
  }
  return counts;
}

export function added(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
