// The executor: a plan over its steps, node by node, from a source's columns to the
// query's value. Nodes wait for their inputs; inputs of one node run side by side.

import { executionError } from '../errors.js';
import {
  type AggregatePlan,
  type BinaryPlan,
  type CallPlan,
  type FragmentPlan,
  inputsOf,
  type Plan,
  type RangePlan,
  type WindowPlan,
} from '../plan/plan.js';
import { exactName } from '../plan/pushdown.js';
import { isSetOp, type Span } from '../syntax/ast.js';
import { aggregateRows } from './aggregate.js';
import { Annotations } from './annotations.js';
import { combineSets } from './binary/set.js';
import { combineScalars, combineWithScalar, negate } from './binary/with-scalar.js';
import { combineVectors } from './binary/with-vector.js';
import { CELL_BYTES, joinSameRows, presentCount, repeatStep } from './columns.js';
import { countValues } from './count-values.js';
import { fragmentOf, noteArguments } from './fragment.js';
import { checkLiterals, evaluateCall } from './functions/call.js';
import { isLabelName } from './functions/labels.js';
import { type Grouping, groupRows } from './grouping.js';
import { addInfo } from './info.js';
import { NEWEST_FNS } from './newest.js';
import { holding, type OperatorContext, Pace, type Reserve } from './operator.js';
import type { PartialOp } from './partial.js';
import { quantileRows } from './quantile-rows.js';
import {
  applyWindows,
  busySteps,
  columnsToSeries,
  coverage,
  type RangeValue,
  subqueryGrid,
  windowEnds,
} from './ranges.js';
import { extremesOf, type RankOp, rank } from './rank.js';
import { readingKey, type SamplesReading } from './readings.js';
import { smooth } from './smoothed.js';
import {
  type Columns,
  FLOAT,
  type Fragment,
  type QueryContext,
  type RawSeries,
  type Source,
  type Steps,
} from './source.js';
import { Names, type ScalarValue, type Value, type VectorValue, vector } from './value.js';
import { counterNote, needsCounterName, type WindowCall } from './window/evaluate.js';

export interface ExecuteOptions {
  readonly lookbackMs: number;
  readonly delayedNames: boolean;
  readonly typeLabels?: boolean;
  /** The query's text, for messages that quote it. */
  readonly query: string;
}

export interface Executed {
  readonly value: Value;
  readonly annotations: Annotations;
}

/** Runs a plan. Throws QueryError for errors of the query, and what the source or the signal throw. */
export async function execute(
  plan: Plan,
  steps: Steps,
  source: Source,
  context: QueryContext,
  options: ExecuteOptions,
): Promise<Executed> {
  const executor = new Executor(plan, source, context, options);
  let value = await executor.run(plan, steps);
  if (value.kind === 'vector') value = executor.names.settle(value);
  return { value, annotations: executor.annotations };
}

class Executor {
  readonly names: Names;
  readonly annotations = new Annotations();
  /** The place of each node in Prometheus's order of evaluation. */
  readonly #orders = new Map<Plan, number>();
  readonly #source: Source;
  readonly #context: QueryContext;
  readonly #options: ExecuteOptions;
  readonly #pace: Pace;
  readonly #reserve: Reserve;
  /** What several places of the plan may ask for: readings by their keys, values of nodes by number and steps. */
  readonly #made = new Map<string, Promise<Columns | RawSeries[] | Value>>();

  constructor(plan: Plan, source: Source, context: QueryContext, options: ExecuteOptions) {
    this.#number(plan);
    this.#source = source;
    this.#context = context;
    this.#options = options;
    this.#pace = new Pace(() => context.check());
    this.#reserve = (bytes) => context.reserve(bytes);
    this.names = new Names(options.delayedNames);
  }

  /** Inputs before what they go into, left before right. */
  #number(plan: Plan): void {
    for (const input of inputsOf(plan)) this.#number(input);
    if (plan.kind === 'fragment' && plan.otherwise !== undefined) this.#number(plan.otherwise);
    this.#orders.set(plan, this.#orders.size + 1);
  }

  /** Annotations of one node: inputs run side by side, but whose words count must not depend on it. */
  #notesOf(plan: Plan): Annotations {
    return this.annotations.at(this.#orders.get(plan) ?? 0);
  }

  #operator(plan: Plan, steps: Steps): OperatorContext {
    return { names: this.names, annotations: this.#notesOf(plan), steps, pace: this.#pace, reserve: this.#reserve };
  }

  run(plan: Plan, steps: Steps): Promise<Value> {
    // Of fragments only the reading is shared: each place makes its remarks.
    if (plan.kind === 'fragment' || !('shared' in plan)) return this.#run(plan, steps);
    const key = `#${plan.shared} ${steps.startMs} ${steps.stepMs} ${steps.count}`;
    return this.#once(key, () => this.#run(plan, steps));
  }

  /** Rows of a fragment, read where they are asked for first. */
  #select(fragment: Fragment): Promise<Columns> {
    return this.#once(readingKey({ kind: 'fragment', fragment }), () => this.#source.select(fragment, this.#context));
  }

  /** The same for raw samples. */
  #samples(samples: SamplesReading): Promise<RawSeries[]> {
    const { matchers, windowMs, endMs } = samples;
    const read = () => this.#source.samples(matchers, windowMs, endMs, this.#context);
    return this.#once(readingKey({ kind: 'samples', samples }), read);
  }

  #once<T extends Columns | RawSeries[] | Value>(key: string, work: () => Promise<T>): Promise<T> {
    let result = this.#made.get(key) as Promise<T> | undefined;
    if (result === undefined) {
      result = work();
      this.#made.set(key, result);
    }
    return result;
  }

  async #run(plan: Plan, steps: Steps): Promise<Value> {
    const value = await this.#evaluate(plan, steps);
    // Sources reserve what they give; they know before it is there.
    if (value.kind === 'vector' && plan.kind !== 'fragment') {
      this.#context.reserve(value.columns.values.byteLength + value.columns.present.byteLength);
    }
    return value;
  }

  async #evaluate(plan: Plan, steps: Steps): Promise<Value> {
    this.#context.check();
    switch (plan.kind) {
      case 'number':
        return { kind: 'scalar', values: new Float64Array(steps.count).fill(plan.value) };
      case 'string':
        return { kind: 'string', value: plan.value };
      case 'fragment':
        return this.#fragment(plan, steps);
      case 'window':
        return this.#window(plan, steps);
      case 'smoothed': {
        const { lookbackMs } = this.#options;
        const at = windowEnds(steps, plan.selection.offsetMs, plan.selection.atMs);
        const raw = { kind: 'raw', selection: plan.selection, windowMs: 0, pos: plan.pos } as const;
        const { series } = await this.#range(raw, steps);
        const columns = smooth(series, at, lookbackMs);
        this.#notesOf(plan).notes(columns.notes, plan.pos);
        return this.#marked(columns);
      }
      case 'matrix': {
        const range = await this.#range(plan.range, steps);
        return { kind: 'matrix', series: this.#settleSeries(range) };
      }
      case 'call':
        return this.#call(plan, steps);
      case 'aggregate':
        return this.#aggregate(plan, steps);
      case 'binary':
        return this.#binary(plan, steps);
      case 'negate': {
        const operand = await this.run(plan.input, steps);
        if (operand.kind === 'vector') return negate(operand, this.#operator(plan, steps));
        return { kind: 'scalar', values: (operand as ScalarValue).values.map((value) => -value) };
      }
      case 'once':
        return this.#invariant(plan.input, steps);
    }
  }

  /** A vector of rows whose names stay. */
  #marked(columns: Columns): VectorValue {
    return this.names.delayed ? vector(columns, new Uint8Array(columns.labels.length)) : vector(columns);
  }

  async #invariant(input: Plan, steps: Steps): Promise<Value> {
    const value = await this.run(input, { ...steps, count: 1 });
    switch (value.kind) {
      case 'vector':
        return vector(repeatStep(value.columns, steps.count), value.drops);
      case 'scalar':
        return { kind: 'scalar', values: new Float64Array(steps.count).fill(value.values[0]!) };
      default:
        return value;
    }
  }

  async #fragment(plan: FragmentPlan, steps: Steps): Promise<VectorValue> {
    const { selection, fn, keepsName, aggregate, notePos } = plan;
    const drops = !keepsName;
    const typed = this.#options.typeLabels === true && needsCounterName(fn);
    const fragment = fragmentOf(plan, steps, this.names.delayed || typed);
    let columns = await this.#select(fragment);
    if (columns.declined) return this.#vector(plan.otherwise!, steps);
    if (typed) columns = withTypeNotes(columns);
    this.#notesOf(plan).notes(columns.notes, notePos, aggregate && { op: aggregate.op, pos: plan.inputPos });
    if (columns.labels.length > 0) noteArguments(this.#notesOf(plan), plan);
    if (this.names.delayed) {
      return vector(columns, new Uint8Array(columns.labels.length).fill(drops ? 1 : 0));
    }
    if (typed) return this.names.drop(columns, true);
    if (drops && aggregate === undefined && exactName(selection.matchers) === undefined) {
      columns = joinSameRows(columns, !NEWEST_FNS.has(fn));
    }
    return vector(columns);
  }

  async #window(plan: WindowPlan, steps: Steps): Promise<VectorValue> {
    const { range, keepsName, notePos, fn } = plan;
    const [samples, ...args] = await inOrder([
      this.#range(range, steps),
      ...plan.args.map((arg) => this.#scalar(arg, steps)),
    ]);
    const numbers = args.map(({ values }) => values);
    const { offsetMs, atMs } = range.kind === 'raw' ? range.selection : range;
    const ends = windowEnds(steps, offsetMs, atMs);
    if (fn === 'predict_linear') numbers.push(shiftsOf(steps, ends));
    const extend = range.kind === 'raw' ? range.selection.extend : undefined;
    const call: WindowCall = {
      fn,
      windowMs: range.windowMs,
      steps: ends,
      args: numbers,
      ...(extend && { extend: { mode: extend, lookbackMs: this.#options.lookbackMs } }),
      typeLabels: this.#options.typeLabels === true,
    };
    const { columns, rows } = applyWindows(plan, samples, call, this.#pace);
    this.#context.charge(presentCount(columns));
    // The samples are not needed any more, and were charged for when they were read.
    if (range.kind === 'raw') this.#context.charge(-sampleCount(samples));
    this.#notesOf(plan).notes(columns.notes, notePos);
    if (fn === 'quantile_over_time') this.#checkQuantiles(numbers[0]!, columns, plan);
    if (!keepsName) return this.names.drop(columns, true);
    const inherited = samples.drops;
    const drops = Uint8Array.from(rows, (row) => inherited?.[row] ?? 0);
    return this.names.delayed ? vector(columns, drops) : vector(joinSameRows(columns, true));
  }

  #checkQuantiles(phis: Float64Array, columns: Columns, plan: WindowPlan): void {
    const busy = busySteps(columns);
    const annotations = this.#notesOf(plan);
    phis.forEach((phi, step) => {
      if (busy[step] === 1 && !(phi >= 0 && phi <= 1)) annotations.quantileOutOfRange(phi, plan.notePos);
    });
  }

  async #range(range: RangePlan, steps: Steps): Promise<RangeValue> {
    if (range.kind === 'raw') {
      const { matchers, offsetMs, atMs } = range.selection;
      const ends = windowEnds(steps, offsetMs, atMs);
      return { series: await this.#samples({ matchers, ...coverage(range, ends, this.#options.lookbackMs) }) };
    }
    const ends = windowEnds(steps, range.offsetMs, range.atMs);
    const grid = subqueryGrid(ends, range.windowMs, range.stepMs);
    if (grid.count === 0) return { series: [] };
    // One row of it, before anything of that length is made.
    this.#context.reserve(grid.count * CELL_BYTES);
    const value = await this.run(range.input, grid);
    if (value.kind === 'scalar') {
      return { series: [{ labels: [], times: gridTimes(grid), values: value.values }] };
    }
    const { columns, drops } = value as VectorValue;
    return { series: columnsToSeries(columns, grid), ...(drops && { drops }) };
  }

  /** The series of a range vector that is the query's result. */
  #settleSeries({ series, drops }: RangeValue): RangeValue['series'] {
    const filled = series.map((one, i) => ({ one, drop: drops?.[i] === 1 }));
    const kept = filled.filter(({ one }) => one.times.length + (one.histogramTimes?.length ?? 0) > 0);
    return kept.map(({ one, drop }) => (drop ? { ...one, labels: this.names.strip(one.labels) } : one));
  }

  async #scalar(plan: Plan, steps: Steps): Promise<ScalarValue> {
    return (await this.run(plan, steps)) as ScalarValue;
  }

  async #vector(plan: Plan, steps: Steps): Promise<VectorValue> {
    return (await this.run(plan, steps)) as VectorValue;
  }

  async #call(plan: CallPlan, steps: Steps): Promise<Value> {
    checkLiterals(plan);
    const args = await inOrder(plan.args.map((arg) => this.run(arg, steps)));
    if (plan.info !== undefined) {
      const select = (fragment: Fragment) => this.#select(fragment);
      return addInfo(args[0] as VectorValue, plan.info, steps, this.#options.lookbackMs, select);
    }
    const value = evaluateCall(plan, args, this.#operator(plan, steps));
    return value.kind === 'vector' && value.drops === undefined ? this.#marked(value.columns) : value;
  }

  async #aggregate(plan: AggregatePlan, steps: Steps): Promise<VectorValue> {
    const { op, param, pos } = plan;
    const grouping: Grouping = { grouping: plan.grouping, labels: plan.labels };
    if (op === 'count_values') {
      const label = (param as Plan & { kind: 'string' }).value;
      this.#checkLabelName(label, plan.paramPos!);
      const operand = await this.#vector(plan.input, steps);
      return holding(this.#reserve, (hold) => this.#marked(countValues(operand, label, grouping, hold, this.#pace)));
    }
    const [number, operand] = await inOrder([
      param === undefined ? undefined : this.#scalar(param, steps),
      this.#vector(plan.input, steps),
    ]);
    switch (op) {
      case 'topk':
      case 'bottomk':
      case 'limitk':
      case 'limit_ratio': {
        const instant = steps.count === 1;
        const ranking = { op: op as RankOp, grouping, param: number!, instant, paramPos: plan.paramPos!, pos };
        return rank(ranking, operand, this.#operator(plan, steps));
      }
      default:
        return this.#fold(plan, operand, number, grouping);
    }
  }

  #fold(plan: AggregatePlan, operand: VectorValue, phi: ScalarValue | undefined, grouping: Grouping): VectorValue {
    const { op, inputPos } = plan;
    const { columns } = operand;
    const groups = groupRows(columns.labels, grouping);
    const annotations = this.#notesOf(plan);
    if (op === 'quantile') {
      // Not every value: any NaN, the largest and the least.
      const { most, least, hasNaN } = extremesOf(phi!.values);
      const pos = plan.paramPos!;
      if (hasNaN) annotations.quantileOutOfRange(Number.NaN, pos);
      if (most > 1) annotations.quantileOutOfRange(most, pos);
      if (least < 0) annotations.quantileOutOfRange(least, pos);
    }
    const folded =
      op === 'quantile'
        ? quantileRows(columns, groups, phi!.values, this.#pace)
        : aggregateRows(columns, op as PartialOp, groups, this.#pace);
    annotations.notes(folded.notes, inputPos, { op, pos: inputPos });
    if (!this.names.delayed) return vector(folded);
    // A group loses its name if any of its rows does.
    const drops = new Uint8Array(folded.labels.length);
    groups.ofRow.forEach((group, row) => {
      if (operand.drops?.[row] === 1) drops[group] = 1;
    });
    return vector(folded, drops);
  }

  #checkLabelName(label: string, pos: Span): void {
    if (isLabelName(label)) return;
    // Bytes that are no UTF-8 are only in the query's text.
    const name = label === '' ? '""' : this.#options.query.slice(pos.start, pos.end);
    throw executionError(`invalid label name ${name}`);
  }

  async #binary(plan: BinaryPlan, steps: Steps): Promise<Value> {
    const { op, bool, matching, pos } = plan;
    const [left, right] = await inOrder([this.run(plan.left, steps), this.run(plan.right, steps)]);
    if (left.kind === 'scalar' && right.kind === 'scalar') return combineScalars(op, left, right);
    const context = this.#operator(plan, steps);
    if (left.kind === 'vector' && right.kind === 'scalar') {
      return combineWithScalar({ op, bool, scalarFirst: false, pos }, left, right, context);
    }
    if (left.kind === 'scalar' && right.kind === 'vector') {
      return combineWithScalar({ op, bool, scalarFirst: true, pos }, right, left, context);
    }
    if (isSetOp(op)) return combineSets(op, left as VectorValue, right as VectorValue, matching!, context);
    const operation = { op, bool, matching: matching!, pos };
    return combineVectors(operation, left as VectorValue, right as VectorValue, context);
  }
}

function sampleCount({ series }: RangeValue): number {
  return series.reduce((sum, { times, histogramTimes }) => sum + times.length + (histogramTimes?.length ?? 0), 0);
}

/** Waits for all; where several fail it is the first of them that counts, whichever failed earlier. */
async function inOrder<T extends readonly unknown[]>(work: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const settled = await Promise.allSettled(work);
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }) as { -readonly [K in keyof T]: Awaited<T[K]> };
}

/** Of rows that still have their type labels: what is to be said of their types, in place of their names. */
function withTypeNotes(columns: Columns): Columns {
  const others = (columns.notes ?? []).filter(({ kind }) => kind !== 'no-counter-name');
  const { labels, present, steps } = columns;
  const hasFloats = (row: number) => present.subarray(row * steps, (row + 1) * steps).includes(FLOAT);
  const notes = labels.flatMap((row, index) => {
    const note = counterNote(row, true);
    return note !== undefined && hasFloats(index) ? [note] : [];
  });
  return { ...columns, notes: [...others, ...notes] };
}

/** How much later than its window's end each step is. */
function shiftsOf(steps: Steps, ends: Steps): Float64Array {
  const shifts = new Float64Array(steps.count);
  for (let step = 0; step < steps.count; step++) {
    shifts[step] = steps.startMs + step * steps.stepMs - (ends.startMs + step * ends.stepMs);
  }
  return shifts;
}

function gridTimes({ startMs, stepMs, count }: Steps): Float64Array {
  return Float64Array.from({ length: count }, (_, step) => startMs + step * stepMs);
}
