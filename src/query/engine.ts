// The query engine: text → syntax tree → plan → columns, within limits.
//
//   parse ─► plan ─► admit (gate, by priority) ─► execute on the source ─► sort
//
// A query ends early at its deadline, when it is cancelled (by id, or because its
// client went away), and when it would hold too many samples.

import type { Clock } from '../base/clock.js';
import { QueryError } from '../promql/errors.js';
import type { Annotations } from '../promql/exec/annotations.js';
import { execute } from '../promql/exec/execute.js';
import { render } from '../promql/exec/rendered.js';
import type { QueryContext, Source, Steps } from '../promql/exec/source.js';
import type { PlanContext } from '../promql/plan/lower.js';
import type { Plan } from '../promql/plan/plan.js';
import { explainQuery, planQuery } from '../promql/plan/planner.js';
import { type Expr, typeOf } from '../promql/syntax/ast.js';
import { type ParseOptions, parseExpr } from '../promql/syntax/parse.js';
import { ColumnMemory, SampleBudget } from './budget.js';
import { Gate, type Priority } from './gate.js';
import type { QueryMetrics, QuerySlice } from './metrics.js';
import { instantResult, type QueryAnswer, type QueryData, rangeResult } from './result.js';

/** Room for a hundred million cells: a range query over some hundred thousand series. */
const MEMORY_BYTES = 2 ** 30;

export interface EngineOptions {
  /** --query.timeout */
  readonly timeoutMs: number;
  /** --query.max-samples */
  readonly samplesMax: number;
  /** Memory that the columns of all running queries may take together. */
  readonly memoryBytes?: number;
  /** --query.max-concurrency */
  readonly concurrency: number;
  /** --query.lookback-delta */
  readonly lookbackMs: number;
  /** The step of subqueries that name none: the global evaluation interval. */
  readonly subqueryStepMs: number;
  /** Feature promql-delayed-name-removal. */
  readonly delayedNames: boolean;
  /** Feature type-and-unit-labels. */
  readonly typeLabels?: boolean;
  /** Feature use-start-timestamps. */
  readonly startTimestamps?: boolean;
  /** Feature promql-per-step-stats. */
  readonly perStepStats?: boolean;
  readonly parse: ParseOptions;
}

/** What a query asks for beside its text. */
export interface QueryOptions {
  readonly priority?: Priority;
  /** Shorter than the engine's; a longer one does not count. */
  readonly timeoutMs?: number;
  readonly lookbackMs?: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  /** Whether the answer goes out as JSON: rows may come as its text then. */
  readonly rendered?: boolean;
  /** The end that was asked for, where the last step is before it: what `end()` and `range()` go by. */
  readonly endMs?: number;
}

/** A query with its times. */
interface QueryRequest {
  readonly text: string;
  readonly steps: Steps;
  readonly ranged: boolean;
  readonly options: QueryOptions;
}

/** What an execution gives: the data is put in order when it is asked for. */
interface Done {
  readonly annotations: Annotations;
  readonly data: () => QueryData;
}

/** Opens what a query reads from: as of now, for its priority. */
export type OpenSource = (priority: Priority) => Source;

/** A query that waits or runs. */
export interface ActiveQuery {
  readonly id: number;
  readonly text: string;
  readonly priority: Priority;
  /** By the wall clock. */
  readonly startedMs: number;
  readonly running: boolean;
}

type Phase = 'query queue' | 'expression evaluation';

/** Both kinds of queries reject with a QueryError, or with a ParseError where the text is at fault. */
export class QueryEngine {
  readonly options: EngineOptions;
  readonly #open: OpenSource;
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #metrics: QueryMetrics | undefined;
  readonly #memory: ColumnMemory;
  readonly #active = new Map<number, RunningQuery>();
  #nextId = 1;

  constructor(open: OpenSource, clock: Clock, options: EngineOptions, metrics?: QueryMetrics) {
    this.#open = open;
    this.#clock = clock;
    this.options = options;
    this.#metrics = metrics;
    this.#gate = new Gate(options.concurrency);
    this.#memory = new ColumnMemory(options.memoryBytes ?? MEMORY_BYTES);
  }

  instant(text: string, timeMs: number, options: QueryOptions = {}): Promise<QueryAnswer> {
    return this.#ask({ text, steps: { startMs: timeMs, stepMs: 1, count: 1 }, ranged: false, options });
  }

  range(text: string, steps: Steps, options: QueryOptions = {}): Promise<QueryAnswer> {
    return this.#ask({ text, steps, ranged: true, options });
  }

  /** The plan of a query, pass by pass, as text. */
  explain(text: string, steps: Steps, ranged: boolean, options: QueryOptions = {}): string {
    const request = { text, steps, ranged, options };
    return explainQuery(this.#parse(request), this.#planContext(request));
  }

  /** Queries that wait or run, oldest first. */
  active(): ActiveQuery[] {
    return [...this.#active.values()].map(({ id, text, priority, startedMs, phase }) => {
      return { id, text, priority, startedMs, running: phase !== 'query queue' };
    });
  }

  /** False where there is no such query any more. */
  cancel(id: number): boolean {
    const running = this.#active.get(id);
    running?.cancel();
    return running !== undefined;
  }

  async #ask(request: QueryRequest): Promise<QueryAnswer> {
    const timeoutMs = Math.min(request.options.timeoutMs ?? Infinity, this.options.timeoutMs);
    const running = new RunningQuery(this.#nextId++, request, timeoutMs, this.#clock);
    this.#active.set(running.id, running);
    this.#metrics?.setActive(this.#active.size);
    try {
      return await this.#run(request, running);
    } finally {
      this.#active.delete(running.id);
      this.#metrics?.setActive(this.#active.size);
      running.end();
    }
  }

  async #run(request: QueryRequest, running: RunningQuery): Promise<QueryAnswer> {
    const watch = new StopWatch(this.#clock, this.#metrics);
    const plan = planQuery(this.#parse(request), this.#planContext(request));
    const preparation = watch.lap('prepare_time');
    const leave = await this.#gate.enter(running.priority, running.signal);
    const queue = watch.lap('queue_time');
    running.phase = 'expression evaluation';
    const budget = new SampleBudget(this.options.samplesMax);
    const memory = this.#memory.open();
    let source: Source | undefined;
    try {
      source = this.#open(running.priority);
      const context: QueryContext = {
        signal: running.signal,
        charge: (samples) => budget.charge(samples),
        check: () => running.check(),
        reserve: memory.reserve,
      };
      const executed = await this.#execute(plan, request, source, context);
      const inner = watch.lap('inner_eval');
      const data = executed.data();
      const sort = watch.lap('result_sort');
      return {
        data,
        ...executed.annotations.list(request.text),
        stats: {
          evalTotalSeconds: inner + sort,
          resultSortSeconds: sort,
          preparationSeconds: preparation,
          innerEvalSeconds: inner,
          queueSeconds: queue,
          execTotalSeconds: preparation + queue + inner + sort,
          samplesTotal: budget.total,
          samplesPeak: budget.peak,
        },
      };
    } finally {
      source?.close?.();
      memory.release();
      this.#metrics?.countSamples(budget.total);
      leave();
    }
  }

  /** As text where that is wanted and can be, else as columns. */
  async #execute(plan: Plan, request: QueryRequest, source: Source, context: QueryContext): Promise<Done> {
    const { text, steps, ranged } = request;
    if (request.options.rendered) {
      const form = ranged ? 'matrix' : 'vector';
      const rendered = await render(plan, { form, steps }, source, context, this.#naming);
      if (rendered !== undefined) {
        const { rows, annotations } = rendered;
        return { annotations, data: () => ({ kind: 'rendered', form, rows, limit: 0 }) };
      }
    }
    const options = { ...this.#naming, lookbackMs: this.#lookback(request), query: text };
    const { value, annotations } = await execute(plan, steps, source, context, options);
    return { annotations, data: () => (ranged ? rangeResult(value, steps) : instantResult(value, steps.startMs)) };
  }

  #parse({ text, ranged }: QueryRequest): Expr {
    const expr = parseExpr(text, this.options.parse);
    const type = typeOf(expr);
    if (ranged && (type === 'matrix' || type === 'string')) {
      const documented = type === 'matrix' ? 'range vector' : type;
      throw new QueryError(
        'bad_data',
        `invalid expression type "${documented}" for range query, must be Scalar or instant Vector`,
      );
    }
    return expr;
  }

  #planContext(request: QueryRequest): PlanContext {
    const { startMs, stepMs, count } = request.steps;
    const { subqueryStepMs, startTimestamps = false } = this.options;
    return {
      startMs,
      endMs: request.options.endMs ?? startMs + stepMs * (count - 1),
      stepMs: request.ranged ? stepMs : 0,
      lookbackMs: this.#lookback(request),
      subqueryStepMs,
      ...this.#naming,
      startTimestamps,
    };
  }

  /** What features say of the labels that describe metrics. */
  get #naming(): { delayedNames: boolean; typeLabels: boolean } {
    return { delayedNames: this.options.delayedNames, typeLabels: this.options.typeLabels === true };
  }

  #lookback({ options: { lookbackMs } }: QueryRequest): number {
    return lookbackMs !== undefined && lookbackMs > 0 ? lookbackMs : this.options.lookbackMs;
  }
}

/** Seconds between one look and the next. */
class StopWatch {
  readonly #clock: Clock;
  readonly #metrics: QueryMetrics | undefined;
  #lastMs: number;

  constructor(clock: Clock, metrics: QueryMetrics | undefined) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#lastMs = clock.monotonicMs();
  }

  lap(slice: QuerySlice): number {
    const nowMs = this.#clock.monotonicMs();
    const seconds = (nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    this.#metrics?.observe(slice, seconds);
    return seconds;
  }
}

/** One query's way through the engine, and what ends it early. */
class RunningQuery implements Omit<ActiveQuery, 'running'> {
  readonly id: number;
  readonly text: string;
  readonly priority: Priority;
  readonly startedMs: number;
  phase: Phase = 'query queue';
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  /** By the monotonic clock. */
  readonly #deadlineMs: number;
  readonly #timer: { cancel(): void };
  readonly #client: AbortSignal | undefined;

  constructor(id: number, request: QueryRequest, timeoutMs: number, clock: Clock) {
    this.id = id;
    this.text = request.text;
    this.priority = request.options.priority ?? 'ad-hoc';
    this.startedMs = clock.nowMs();
    this.#clock = clock;
    this.#deadlineMs = clock.monotonicMs() + timeoutMs;
    this.#timer = clock.after(timeoutMs, this.#timeOut);
    this.#client = request.options.signal;
    this.#client?.addEventListener('abort', this.cancel, { once: true });
    if (this.#client?.aborted) this.cancel();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Throws the reason to end where there is one. Sees the deadline where no timer can fire. */
  check(): void {
    if (this.#clock.monotonicMs() >= this.#deadlineMs) this.#timeOut();
    this.#abort.signal.throwIfAborted();
  }

  readonly #timeOut = (): void => {
    this.#abort.abort(new QueryError('timeout', `query timed out in ${this.phase}`));
  };

  readonly cancel = (): void => {
    this.#abort.abort(new QueryError('canceled', `query was canceled in ${this.phase}`));
  };

  end(): void {
    this.#timer.cancel();
    this.#client?.removeEventListener('abort', this.cancel);
  }
}
