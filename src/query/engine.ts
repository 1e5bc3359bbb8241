// The query engine: text → syntax tree → plan → columns, within limits.
//
//   admit (gate, by priority) ─► parse ─► plan ─► execute on the source ─► sort
//
// A query ends early at its deadline, when it is cancelled (by id, or because its
// client went away), and when it would hold too many samples.

import type { Clock } from '../base/clock.js';
import { QueryError } from '../promql/errors.js';
import { execute } from '../promql/exec/execute.js';
import type { Source, Steps } from '../promql/exec/source.js';
import type { PlanContext } from '../promql/plan/lower.js';
import { explainQuery, planQuery } from '../promql/plan/planner.js';
import { type Expr, typeOf } from '../promql/syntax/ast.js';
import { ParseError } from '../promql/syntax/errors.js';
import { type ParseOptions, parseExpr } from '../promql/syntax/parse.js';
import { SampleBudget } from './budget.js';
import { Gate, type Priority } from './gate.js';
import { instantResult, type QueryResult, type QueryValue, rangeResult } from './result.js';

export interface EngineOptions {
  /** --query.timeout */
  readonly timeoutMs: number;
  /** --query.max-samples */
  readonly samplesMax: number;
  /** --query.max-concurrency */
  readonly concurrency: number;
  /** --query.lookback-delta */
  readonly lookbackMs: number;
  /** The step of subqueries that name none: the global evaluation interval. */
  readonly subqueryStepMs: number;
  /** Feature promql-delayed-name-removal. */
  readonly delayedNames: boolean;
  readonly parse: ParseOptions;
}

export interface QueryRequest {
  readonly query: string;
  readonly startMs: number;
  /** Equal to startMs for an instant query. */
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
  readonly priority?: Priority;
  /** Shorter than the engine's; a longer one does not count. */
  readonly timeoutMs?: number;
  readonly lookbackMs?: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** A query that waits or runs. */
export interface ActiveQuery {
  readonly id: number;
  readonly query: string;
  readonly priority: Priority;
  /** By the wall clock. */
  readonly startedMs: number;
  readonly running: boolean;
}

type Phase = 'query queue' | 'expression evaluation';

export class QueryEngine {
  readonly options: EngineOptions;
  readonly #source: (priority: Priority) => Source;
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #active = new Map<number, RunningQuery>();
  #nextId = 1;

  /** Each query gets a source of its own when it begins to run: what it reads is fixed then. */
  constructor(source: Source | ((priority: Priority) => Source), clock: Clock, options: EngineOptions) {
    this.#source = typeof source === 'function' ? source : () => source;
    this.#clock = clock;
    this.options = options;
    this.#gate = new Gate(options.concurrency);
  }

  /** At one time. Throws QueryError; parse errors have the type bad_data and their position in the text. */
  instant(
    request: Omit<QueryRequest, 'startMs' | 'endMs' | 'stepMs'> & { readonly timeMs: number },
  ): Promise<QueryResult> {
    const { timeMs } = request;
    return this.query({ ...request, startMs: timeMs, endMs: timeMs, stepMs: 0 });
  }

  /** At startMs, startMs + stepMs, … up to endMs. */
  async query(request: QueryRequest): Promise<QueryResult> {
    const running = this.#begin(request);
    try {
      return await this.#run(request, running);
    } finally {
      this.#active.delete(running.id);
      running.end();
    }
  }

  /** The plan of a query, pass by pass, as text. */
  explain(request: QueryRequest): string {
    return explainQuery(this.#parse(request), this.#planContext(request));
  }

  /** Queries that wait or run, oldest first. */
  active(): ActiveQuery[] {
    return [...this.#active.values()].map(({ id, query, priority, startedMs, phase }) => {
      return { id, query, priority, startedMs, running: phase !== 'query queue' };
    });
  }

  /** False where there is no such query any more. */
  cancel(id: number): boolean {
    const running = this.#active.get(id);
    running?.cancel();
    return running !== undefined;
  }

  #begin(request: QueryRequest): RunningQuery {
    const timeoutMs = Math.min(request.timeoutMs ?? Infinity, this.options.timeoutMs);
    const running = new RunningQuery(this.#nextId++, request, timeoutMs, this.#clock);
    this.#active.set(running.id, running);
    return running;
  }

  async #run(request: QueryRequest, running: RunningQuery): Promise<QueryResult> {
    const queuedMs = this.#clock.monotonicMs();
    const expr = this.#parse(request);
    const plan = planQuery(expr, this.#planContext(request));
    const preparedMs = this.#clock.monotonicMs();
    const leave = await this.#gate.enter(running.priority, running.signal);
    const admittedMs = this.#clock.monotonicMs();
    running.phase = 'expression evaluation';
    try {
      const steps = stepsOf(request);
      const budget = new SampleBudget(this.options.samplesMax);
      const context = { signal: running.signal, charge: (samples: number) => budget.charge(samples) };
      const options = {
        lookbackMs: this.#lookback(request),
        delayedNames: this.options.delayedNames,
        query: request.query,
      };
      const executed = await execute(plan, steps, this.#source(running.priority), context, options);
      const value: QueryValue =
        request.stepMs === 0 ? instantResult(executed.value, request.startMs) : rangeResult(executed.value, steps);
      const endedMs = this.#clock.monotonicMs();
      return {
        value,
        ...executed.annotations.list(request.query),
        stats: {
          queueMs: admittedMs - preparedMs,
          prepareMs: preparedMs - queuedMs,
          evalMs: endedMs - admittedMs,
          totalMs: endedMs - queuedMs,
          totalSamples: budget.total,
          peakSamples: budget.peak,
        },
      };
    } finally {
      leave();
    }
  }

  #parse({ query, stepMs }: QueryRequest): Expr {
    let expr: Expr;
    try {
      expr = parseExpr(query, this.options.parse);
    } catch (error) {
      if (error instanceof ParseError) throw new QueryError('bad_data', error.message);
      throw error;
    }
    const type = typeOf(expr);
    if (stepMs > 0 && (type === 'matrix' || type === 'string')) {
      const documented = type === 'matrix' ? 'range vector' : type;
      throw new QueryError(
        'bad_data',
        `invalid expression type "${documented}" for range query, must be Scalar or instant Vector`,
      );
    }
    return expr;
  }

  #planContext(request: QueryRequest): PlanContext {
    const { startMs, endMs, stepMs } = request;
    const { subqueryStepMs, delayedNames } = this.options;
    return { startMs, endMs, stepMs, lookbackMs: this.#lookback(request), subqueryStepMs, delayedNames };
  }

  #lookback({ lookbackMs }: QueryRequest): number {
    return lookbackMs !== undefined && lookbackMs > 0 ? lookbackMs : this.options.lookbackMs;
  }
}

function stepsOf({ startMs, endMs, stepMs }: QueryRequest): Steps {
  if (stepMs === 0) return { startMs, stepMs: 1, count: 1 };
  return { startMs, stepMs, count: Math.max(0, Math.floor((endMs - startMs) / stepMs) + 1) };
}

/** One query's way through the engine, and what ends it early. */
class RunningQuery implements Omit<ActiveQuery, 'running'> {
  readonly id: number;
  readonly query: string;
  readonly priority: Priority;
  readonly startedMs: number;
  phase: Phase = 'query queue';
  readonly #abort = new AbortController();
  readonly #timer: { cancel(): void };
  readonly #client: AbortSignal | undefined;

  constructor(id: number, request: QueryRequest, timeoutMs: number, clock: Clock) {
    this.id = id;
    this.query = request.query;
    this.priority = request.priority ?? 'ad-hoc';
    this.startedMs = clock.nowMs();
    this.#timer = clock.after(timeoutMs, () => {
      this.#abort.abort(new QueryError('timeout', `query timed out in ${this.phase}`));
    });
    this.#client = request.signal;
    this.#client?.addEventListener('abort', this.cancel, { once: true });
    if (this.#client?.aborted) this.cancel();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  readonly cancel = (): void => {
    this.#abort.abort(new QueryError('canceled', `query was canceled in ${this.phase}`));
  };

  end(): void {
    this.#timer.cancel();
    this.#client?.removeEventListener('abort', this.cancel);
  }
}
