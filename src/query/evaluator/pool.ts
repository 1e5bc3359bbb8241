// Main's end of the evaluators: threads that finish large queries.
//
// Tasks are short or long. Long ones never take the last thread, so `workers` threads
// work on long tasks and one more serves what is short: rendering of blocks, and
// evaluations of some milliseconds. Beyond these there is one for rules, so that what
// people ask never keeps an alert waiting. Threads start when they are first needed.
//
// Who waits is served by priority, then by the time at which it would be done, were
// it alone from its arrival on: a small query passes large ones that came a little
// earlier, and no large one waits for ever.
//
// A task that does not end within GRACE_MS of being cancelled loses its thread.

import type { Clock } from '../../base/clock.js';
import { isOutOfHeap, type MessagePort, Thread } from '../../base/thread.js';
import { QueryError } from '../../promql/errors.js';
import type { MemoryLimit } from '../budget.js';
import { PRIORITIES, type Priority } from '../gate.js';
import type { EvaluatorReply, EvaluatorTask } from './protocol.js';

/** An evaluator as main sees it: a thread, or the very same code in this one. */
export interface EvaluatorPort {
  run(task: EvaluatorTask, transfer: (ArrayBuffer | MessagePort)[]): Promise<EvaluatorReply>;
  close(): Promise<void>;
}

export interface EvaluatorOptions {
  /** Long tasks at a time, at least 1. */
  readonly workers: number;
  /** Of the JavaScript objects of one thread: labels, maps, text. */
  readonly heap: MemoryLimit;
  /** Queries of less are main's, in cells; for tests. */
  readonly hereCostMax?: number;
  readonly start?: (heap: MemoryLimit) => EvaluatorPort;
}

export interface TaskOrder {
  readonly priority: Priority;
  /** In cells, see promql/exec/cost.ts. */
  readonly cost: number;
  readonly signal: AbortSignal;
  /** Called when the task is to end by itself. */
  readonly stop?: () => void;
}

/** Main's share: two or three milliseconds. Handing a query over costs some 0.5 ms, and an evaluator may be busy. */
const HERE_COST_MAX = 2 ** 18;
/** Tasks above are long: some 15 ms. */
export const LONG_COST = 2 ** 20;
/** What an evaluator does in a millisecond, roughly. */
const COST_PER_MS = 2 ** 16;
/** Threads for rules, beside those that they share. */
const RULE_WORKERS = 1;
/**
 * Operators look far more often whether they should stop; a sort, a garbage collection or a busy machine may take a
 * while. Who asked has heard of the end already: a thread that is ended costs 50 ms to start again.
 */
const GRACE_MS = 100;

interface Waiting {
  readonly task: EvaluatorTask;
  readonly transfer: (ArrayBuffer | MessagePort)[];
  readonly order: TaskOrder;
  readonly isLong: boolean;
  /** By the monotonic clock: its arrival and its cost. */
  readonly dueMs: number;
  readonly resolve: (reply: EvaluatorReply) => void;
  readonly reject: (error: unknown) => void;
}

interface Evaluator {
  readonly port: EvaluatorPort;
  running: Waiting | undefined;
}

const workerFile = new URL('./worker.js', import.meta.url).href;

function startThread(heap: MemoryLimit): EvaluatorPort {
  return new Thread<undefined, EvaluatorTask, EvaluatorReply>({
    isReplaceable: true,
    file: workerFile,
    name: 'evaluator',
    setup: undefined,
    heapBytes: heap.bytes,
  });
}

export class Evaluators {
  readonly #options: EvaluatorOptions;
  readonly #clock: Clock;
  readonly #evaluators = new Set<Evaluator>();
  readonly #waiting: Record<Priority, Waiting[]> = { ingest: [], rules: [], 'ad-hoc': [] };

  constructor(options: EvaluatorOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Below, a query is not worth handing over. */
  get hereCostMax(): number {
    return this.#options.hereCostMax ?? HERE_COST_MAX;
  }

  /** Large queries that are of use at a time: while the threads work on some, one gathers what it reads. Each is in memory. */
  get largeMost(): number {
    return this.#options.workers + 1;
  }

  /** Threads there are now. */
  get threads(): number {
    return this.#evaluators.size;
  }

  /**
   * Settles when no thread works on the task any more: with its reply, the signal's reason, or an error of the query
   * where it used up its thread's heap.
   */
  run(task: EvaluatorTask, transfer: (ArrayBuffer | MessagePort)[], order: TaskOrder): Promise<EvaluatorReply> {
    order.signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        task,
        transfer,
        order,
        isLong: order.cost > LONG_COST,
        dueMs: this.#clock.monotonicMs() + order.cost / COST_PER_MS,
        resolve,
        reject,
      };
      insert(this.#waiting[order.priority], waiting);
      order.signal.addEventListener('abort', () => this.#giveUp(waiting), { once: true });
      this.#pump();
    });
  }

  async close(): Promise<void> {
    const evaluators = [...this.#evaluators];
    this.#evaluators.clear();
    for (const waiting of Object.values(this.#waiting).flatMap((lane) => lane.splice(0))) {
      waiting.reject(new QueryError('canceled', 'the server is shutting down'));
    }
    await Promise.all(evaluators.map(({ port }) => port.close()));
  }

  #pump(): void {
    for (;;) {
      const next = this.#next();
      const evaluator = next && this.#idle();
      if (next === undefined || evaluator === undefined) return;
      remove(this.#waiting[next.order.priority], next);
      this.#start(evaluator, next);
    }
  }

  /** The best that waits and may run. */
  #next(): Waiting | undefined {
    const { workers } = this.#options;
    let asked = 0;
    let long = 0;
    for (const { running } of this.#evaluators) {
      if (running === undefined || running.order.priority === 'rules') continue;
      asked++;
      if (running.isLong) long++;
    }
    for (const priority of PRIORITIES) {
      const [first] = this.#waiting[priority];
      if (priority === 'rules' && first !== undefined) return first;
      if (asked > workers) continue;
      const next = this.#waiting[priority].find(({ isLong }) => long < workers || !isLong);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  #idle(): Evaluator | undefined {
    for (const evaluator of this.#evaluators) if (evaluator.running === undefined) return evaluator;
    if (this.#evaluators.size > this.#options.workers + RULE_WORKERS) return undefined;
    const evaluator = { port: (this.#options.start ?? startThread)(this.#options.heap), running: undefined };
    this.#evaluators.add(evaluator);
    return evaluator;
  }

  #start(evaluator: Evaluator, waiting: Waiting): void {
    evaluator.running = waiting;
    evaluator.port.run(waiting.task, waiting.transfer).then(
      (reply) => {
        evaluator.running = undefined;
        const { signal } = waiting.order;
        if (signal.aborted) waiting.reject(signal.reason);
        else waiting.resolve(reply);
        this.#pump();
      },
      (error: unknown) => {
        const { signal } = waiting.order;
        waiting.reject(signal.aborted ? signal.reason : isOutOfHeap(error) ? this.#outOfHeap() : error);
        this.#end(evaluator);
      },
    );
  }

  #outOfHeap(): QueryError {
    const { name } = this.#options.heap;
    return new QueryError('execution', `query took more memory for its labels than an evaluator has: ${name}`);
  }

  /** Its signal aborted: it goes now, or soon. */
  #giveUp(waiting: Waiting): void {
    if (remove(this.#waiting[waiting.order.priority], waiting)) {
      waiting.reject(waiting.order.signal.reason);
      return;
    }
    const evaluator = [...this.#evaluators].find(({ running }) => running === waiting);
    if (evaluator === undefined) return;
    waiting.order.stop?.();
    this.#clock.after(GRACE_MS, () => {
      if (evaluator.running === waiting) this.#end(evaluator);
    });
  }

  /** Ends a thread; a new one starts when it is needed. */
  #end(evaluator: Evaluator): void {
    if (!this.#evaluators.delete(evaluator)) return;
    evaluator.port.close().catch(() => {});
    this.#pump();
  }
}

function insert(lane: Waiting[], waiting: Waiting): void {
  const at = lane.findIndex(({ dueMs }) => dueMs > waiting.dueMs);
  lane.splice(at < 0 ? lane.length : at, 0, waiting);
}

function remove(lane: Waiting[], waiting: Waiting): boolean {
  const at = lane.indexOf(waiting);
  if (at >= 0) lane.splice(at, 1);
  return at >= 0;
}
