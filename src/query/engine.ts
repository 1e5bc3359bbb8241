// The query engine: text → syntax tree → plan → result, within limits.
//
//   parse ─► plan ─► admit (gate, by priority) ─► evaluate (here or in an evaluator) ─► rows, as they are taken
//
// A query ends early at its deadline, when it is cancelled (by id, or because its
// client went away), and when it would hold too many samples or too much memory. Who
// asked hears of it at once; what worked for it stops a little later, and only then
// are its memory and its place given to others.

import { Bag } from '../base/bag.js';
import type { Clock } from '../base/clock.js';
import { Deadlines } from '../base/deadlines.js';
import { QueryError } from '../promql/errors.js';
import type { Reading } from '../promql/exec/readings.js';
import type { Source, Steps } from '../promql/exec/source.js';
import type { PlanContext } from '../promql/plan/lower.js';
import type { Plan } from '../promql/plan/plan.js';
import { explainQuery, planQuery } from '../promql/plan/planner.js';
import { type Expr, typeOf } from '../promql/syntax/ast.js';
import { type ParseOptions, parseExpr } from '../promql/syntax/parse.js';
import { type MemoryLimit, type MemoryShare, QueryMemory, SampleBudget } from './budget.js';
import { type EndedQuery, EndedRun } from './ended.js';
import { type Evaluation, evaluate } from './evaluation.js';
import type { Evaluators } from './evaluator/pool.js';
import { type Explanation, type Extent, explainedReadings, ObservedSource, stretchOf } from './explain.js';
import { Gate, type Place, type Priority } from './gate.js';
import type { QueryMetrics } from './metrics.js';
import { Plans } from './plans.js';
import type { QueryAnswer, StepCounts } from './result.js';
import { type Held, RunContext } from './run-context.js';
import { type ActiveQuery, type QueryOptions, type QueryRequest, RunningQuery, StopWatch } from './running.js';
import { added, countSamples, type SampleCounts } from './sample-counts.js';

export type { ActiveQuery, QueryOptions } from './running.js';

const PLANS_MAX = 1_000;
const RULE_PLANS_MAX = 20_000;

const UNLIMITED: MemoryLimit = { bytes: Number.POSITIVE_INFINITY, name: '' };

export interface EngineOptions {
  /** --query.timeout */
  readonly timeoutMs: number;
  /** --query.max-samples */
  readonly samplesMax: number;
  /** What all running queries may take together; no limit without it. */
  readonly memory?: MemoryLimit;
  /** The same for rules: apart, so that no ad-hoc query takes what they need. */
  readonly ruleMemory?: MemoryLimit;
  /** --query.max-memory */
  readonly memoryOfOne?: MemoryLimit;
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
  /** Whether the source has all series of a group in one place: there is one shard. */
  readonly wholeGroups?: boolean;
  /** Feature promql-per-step-stats. */
  readonly perStepStats?: boolean;
  readonly parse: ParseOptions;
  /** Told of each query once it has an answer or an error. */
  readonly onEnd?: (query: EndedQuery) => void;
}

/** Opens what a query reads from: as of now, for its priority. */
export type OpenSource = (priority: Priority) => Source;

/** What features say of the labels that describe metrics. */
interface Naming {
  readonly delayedNames: boolean;
  readonly typeLabels: boolean;
}

interface Answered {
  readonly answer: QueryAnswer;
  /** Where rows are still to be rendered: resolves when they are, or when nobody wants them. */
  readonly rendered: Promise<void> | undefined;
}

/** Both kinds of queries reject with a QueryError, or with a ParseError where the text is at fault. */
export class QueryEngine {
  readonly options: EngineOptions;
  readonly #open: OpenSource;
  readonly #clock: Clock;
  readonly #gate: Gate;
  /** That of rules: what people ask never keeps them waiting. */
  readonly #ruleGate: Gate;
  readonly #metrics: QueryMetrics | undefined;
  readonly #memory: QueryMemory;
  readonly #ruleMemory: QueryMemory;
  readonly #evaluators: Evaluators | undefined;
  readonly #plans = new Plans(PLANS_MAX);
  /** Those of rules: all of them are asked for again, one after the other. */
  readonly #rulePlans = new Plans(RULE_PLANS_MAX);
  readonly #deadlines: Deadlines;
  readonly #active = new Bag<RunningQuery>();
  readonly #naming: Naming;
  #nextId = 1;

  /** Without evaluators everything is evaluated in this thread. */
  constructor(open: OpenSource, clock: Clock, options: EngineOptions, metrics?: QueryMetrics, evaluators?: Evaluators) {
    this.#open = open;
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock);
    this.options = options;
    this.#metrics = metrics;
    this.#gate = new Gate(options.concurrency, clock, evaluators?.largeMost);
    this.#ruleGate = new Gate(options.concurrency, clock);
    const { memory = UNLIMITED, ruleMemory = UNLIMITED, memoryOfOne = UNLIMITED } = options;
    this.#memory = new QueryMemory(memory, memoryOfOne);
    this.#ruleMemory = new QueryMemory(ruleMemory, memoryOfOne);
    this.#evaluators = evaluators;
    this.#naming = { delayedNames: options.delayedNames, typeLabels: options.typeLabels === true };
  }

  instant(text: string, timeMs: number, options: QueryOptions = {}): Promise<QueryAnswer> {
    return this.#ask({ text, steps: { startMs: timeMs, stepMs: 1, count: 1 }, ranged: false, options });
  }

  range(text: string, steps: Steps, options: QueryOptions = {}): Promise<QueryAnswer> {
    return this.#ask({ text, steps, ranged: true, options });
  }

  /** How a query is executed and what it reads; with `analyze` it is, and what came of it is told too. */
  async explain(
    text: string,
    steps: Steps,
    ranged: boolean,
    options: QueryOptions & { readonly analyze?: boolean } = {},
  ): Promise<Explanation> {
    const request = { text, steps, ranged, options };
    const plan = explainQuery(this.#parse(request), this.#planContext(request));
    const naming = { lookbackMs: this.#lookback(request), ...this.#naming };
    const readings = explainedReadings(this.#plan(request), steps, naming);
    const estimates = await this.#estimates(readings.values());
    const told = (key: string, index: number) => {
      const { text, steps } = readings.get(key)!;
      return { text, steps, estimate: estimates[index] };
    };
    const keys = [...readings.keys()];
    if (options.analyze !== true) return { plan, readings: keys.map(told) };
    const { answers, run } = await this.#analyze(request);
    return { plan, readings: keys.map((key, i) => ({ ...told(key, i), actual: answers.get(key) })), run };
  }

  async #estimates(readings: Iterable<{ readonly reading: Reading }>): Promise<(Extent | undefined)[]> {
    const source = this.#open('ad-hoc');
    try {
      const asked = [...readings].map(({ reading }) => {
        const { matchers, startMs, endMs } = stretchOf(reading);
        return source.estimate?.(matchers, startMs, endMs);
      });
      return await Promise.all(asked);
    } finally {
      source.close?.();
    }
  }

  async #analyze(request: QueryRequest): Promise<{ answers: ObservedSource['answers']; run: Explanation['run'] }> {
    let observed: ObservedSource | undefined;
    let ended: EndedQuery | undefined;
    const observe = (source: Source) => (observed = new ObservedSource(source, () => this.#clock.monotonicMs()));
    const onEnd = (query: EndedQuery) => (ended = query);
    await this.#ask({ ...request, options: { ...request.options, rendered: false, observe, onEnd } });
    const { seconds, series = 0, samples, memoryBytes } = ended!;
    return { answers: observed!.answers, run: { seconds, series, samples, memoryBytes } };
  }

  /** Queries that wait or run, oldest first. */
  active(): ActiveQuery[] {
    const oldestFirst = this.#active.list().sort((a, b) => a.id - b.id);
    return oldestFirst.map(({ id, text, priority, startedMs, phase, client, memoryBytes }) => {
      return { id, text, priority, startedMs, phase, client, memoryBytes };
    });
  }

  /** Memory that queries hold now. */
  get memoryBytes(): number {
    return this.#memory.usedBytes + this.#ruleMemory.usedBytes;
  }

  /** False where there is no such query any more. */
  cancel(id: number): boolean {
    const running = this.#active.list().find((one) => one.id === id);
    running?.cancel();
    return running !== undefined;
  }

  async #ask(request: QueryRequest): Promise<QueryAnswer> {
    const timeoutMs = Math.min(request.options.timeoutMs ?? Infinity, this.options.timeoutMs);
    const running = new RunningQuery(this.#nextId++, request, timeoutMs, this.#clock, this.#deadlines);
    this.#active.add(running);
    this.#metrics?.setActive(this.#active.size);
    const end = () => {
      this.#active.remove(running);
      this.#metrics?.setActive(this.#active.size);
      running.end();
    };
    try {
      const { answer, rendered } = await running.orEnd(this.#run(request, running));
      this.#tell(request, running, answer);
      if (rendered === undefined) end();
      else {
        running.beginStreaming();
        rendered.then(end);
      }
      return answer;
    } catch (error) {
      end();
      this.#tell(request, running, undefined, error);
      throw error;
    }
  }

  /** Says of a query that has its answer, or its error, what became of it. */
  #tell(request: QueryRequest, running: RunningQuery, answer?: QueryAnswer, error?: unknown): void {
    const { options } = request;
    if (this.options.onEnd === undefined && options.onEnd === undefined) return;
    const ended = new EndedRun(request, running, answer?.data, error);
    this.options.onEnd?.(ended);
    options.onEnd?.(ended);
  }

  /** Of the memory of queries, a part for something else that holds what it has read. To be released. */
  openMemory(): MemoryShare {
    return this.#memory.open();
  }

  async #run(request: QueryRequest, running: RunningQuery): Promise<Answered> {
    const watch = new StopWatch(this.#clock, this.#metrics);
    const plan = this.#plan(request);
    const preparation = watch.lap('prepare_time');
    running.check();
    const signalOf = () => running.signal;
    const isRule = running.priority === 'rules';
    const gate = isRule ? this.#ruleGate : this.#gate;
    const place = gate.enterNow(running.priority, signalOf) ?? (await wait(gate, running));
    const queue = watch.lap('queue_time');
    running.queueSeconds = queue;
    running.phase = 'expression evaluation';
    const samples = new SampleBudget(this.options.samplesMax);
    const memory = (isRule ? this.#ruleMemory : this.#memory).open();
    running.samples = samples;
    running.memory = memory;
    let rendered: Promise<void> | undefined;
    try {
      const evaluation = await this.#evaluate(plan, request, running, { samples, memory, place });
      rendered = evaluation.rendered;
      const sort = evaluation.sortSeconds;
      watch.observe('result_sort', sort);
      const inner = watch.lap('inner_eval', sort);
      const { data, warnings, infos } = evaluation;
      const stats = {
        evalTotalSeconds: inner + sort,
        resultSortSeconds: sort,
        preparationSeconds: preparation,
        innerEvalSeconds: inner,
        queueSeconds: queue,
        execTotalSeconds: preparation + queue + inner + sort,
        samplesTotal: samples.total,
        samplesPeak: samples.peak,
        counts: evaluation.counts && this.#told(evaluation.counts, request.steps),
      };
      return { answer: { data, warnings, infos, stats, free: evaluation.free }, rendered };
    } finally {
      running.endBytes = memory.heldBytes;
      // Rows that are still to be rendered are memory, but keep nobody from running.
      if (rendered === undefined) memory.release();
      else rendered.then(() => memory.release());
      this.#metrics?.countSamples(samples.total);
      place.leave();
    }
  }

  async #evaluate(
    plan: Plan,
    request: QueryRequest,
    running: RunningQuery,
    held: Held,
  ): Promise<Evaluation & { readonly counts?: SampleCounts }> {
    const { steps, ranged, text, options } = request;
    const context = new RunContext(running, held);
    const { samples, memory } = held;
    const { delayedNames, typeLabels } = this.#naming;
    const { priority } = running;
    const rendered = options.rendered === true;
    const lookbackMs = this.#lookback(request);
    const asked = { plan, steps, ranged, query: text, lookbackMs, rendered, priority, delayedNames, typeLabels };
    const opened = this.#open(priority);
    const source = options.observe?.(opened) ?? opened;
    try {
      const { samplesMax } = this.options;
      const evaluated = await evaluate(
        asked,
        source,
        this.#evaluators,
        { context, samples, samplesMax, memory, grow: () => context.grow() },
        this.#now,
      );
      const { faults } = context;
      const evaluation =
        faults === undefined ? evaluated : { ...evaluated, warnings: [...faults, ...evaluated.warnings] };
      if (options.counted !== true) return evaluation;
      return { ...evaluation, counts: await countSamples(plan, steps, source, context, asked) };
    } finally {
      source.close?.();
    }
  }

  #told({ total, read }: SampleCounts, steps: Steps): StepCounts {
    const counts = { total: added(total), read: added(read) };
    return this.options.perStepStats === true ? { ...counts, byStep: { steps, total, read } } : counts;
  }

  #plan(request: QueryRequest): Plan {
    const make = (context: PlanContext) => planQuery(this.#parse(request), context);
    const plans = request.options.priority === 'rules' ? this.#rulePlans : this.#plans;
    return plans.get(request.text, request.ranged ? 'range' : 'instant', this.#planContext(request), make);
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
    const { subqueryStepMs, startTimestamps = false, wholeGroups = false } = this.options;
    const { delayedNames, typeLabels } = this.#naming;
    return {
      startMs,
      endMs: request.options.endMs ?? startMs + stepMs * (count - 1),
      stepMs: request.ranged ? stepMs : 0,
      lookbackMs: this.#lookback(request),
      subqueryStepMs,
      delayedNames,
      typeLabels,
      startTimestamps,
      wholeGroups,
    };
  }

  readonly #now = (): number => this.#clock.monotonicMs();

  #lookback({ options: { lookbackMs } }: QueryRequest): number {
    return lookbackMs !== undefined && lookbackMs > 0 ? lookbackMs : this.options.lookbackMs;
  }
}

function wait(gate: Gate, running: RunningQuery): Promise<Place> {
  running.noteClient();
  return gate.enter(running.priority, running.signal);
}
