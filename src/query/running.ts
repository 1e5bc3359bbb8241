// One query's way through the engine: what it was asked, what ends it early, where its time goes.

import type { Bagged } from '../base/bag.js';
import type { Clock, Timer } from '../base/clock.js';
import type { Deadlines } from '../base/deadlines.js';
import type { Ending } from '../base/ending.js';
import { QueryError } from '../promql/errors.js';
import type { Source, Steps } from '../promql/exec/source.js';
import type { EndedQuery } from './ended.js';
import type { Priority } from './gate.js';
import type { QueryMetrics, QuerySlice } from './metrics.js';

/** Least time that a client has for taking a large answer, however short its query's deadline: a cut answer says nothing. */
const STREAMING_MS_MIN = 30_000;

/** What a query asks for beside its text. */
export interface QueryOptions {
  readonly priority?: Priority;
  /** Shorter than the engine's; a longer one does not count. */
  readonly timeoutMs?: number;
  readonly lookbackMs?: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: Ending;
  /** Whether samples are counted, which takes about as long as the query. */
  readonly counted?: boolean;
  /** Whether the answer goes out as JSON: rows may come as its text then. */
  readonly rendered?: boolean;
  /** Gives who asks, as an address, for lists and logs; empty once the client is gone. */
  readonly client?: () => string;
  /** Stands between the query and what it reads from; everything is evaluated in this thread then. */
  readonly observe?: (source: Source) => Source;
  /** Told of the query once it has an answer or an error. */
  readonly onEnd?: (query: EndedQuery) => void;
  /** The end that was asked for, where the last step is before it: what `end()` and `range()` go by. */
  readonly endMs?: number;
}

/** A query with its times. */
export interface QueryRequest {
  readonly text: string;
  readonly steps: Steps;
  readonly ranged: boolean;
  readonly options: QueryOptions;
}

/** A query that waits or runs. */
export interface ActiveQuery {
  readonly id: number;
  readonly text: string;
  readonly priority: Priority;
  /** By the wall clock. */
  readonly startedMs: number;
  readonly phase: Phase;
  /** Empty where nobody outside asked. */
  readonly client: string;
  /** Memory that it holds now. */
  readonly memoryBytes: number;
}

export type Phase = 'query queue' | 'expression evaluation' | 'result streaming';

export class RunningQuery implements ActiveQuery, Bagged {
  place = -1;
  readonly id: number;
  readonly text: string;
  readonly priority: Priority;
  readonly startedMs: number;
  readonly #askClient: (() => string) | undefined;
  #clientAddress: string | undefined;
  phase: Phase = 'query queue';
  /** What it takes, once it runs. */
  samples: { readonly total: number } | undefined;
  memory: { readonly heldBytes: number; stop(): void } | undefined;
  /** The most memory it held: all that it held at its end. */
  endBytes = 0;
  queueSeconds = 0;
  readonly #clock: Clock;
  /** Both by the monotonic clock. */
  readonly #beganMs: number;
  #deadlineMs: number;
  #deadline: Timer;
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;
  readonly #client: Ending | undefined;
  /** Why it is to end. */
  #reason: QueryError | undefined;
  /** Made where somebody asks for the signal: small queries are done before. */
  #abort: AbortController | undefined;
  #onEnd: ((reason: QueryError) => void) | undefined;

  constructor(id: number, { text, options }: QueryRequest, timeoutMs: number, clock: Clock, deadlines: Deadlines) {
    this.id = id;
    this.text = text;
    this.priority = options.priority ?? 'ad-hoc';
    this.#askClient = options.client;
    this.startedMs = clock.nowMs();
    this.#clock = clock;
    this.#beganMs = clock.monotonicMs();
    this.#timeoutMs = timeoutMs;
    this.#deadlines = deadlines;
    this.#deadlineMs = this.#beganMs + timeoutMs;
    this.#deadline = deadlines.after(timeoutMs, () => this.#timeOut());
    this.#client = options.signal;
    this.#client?.addEventListener('abort', this.cancel, { once: true });
    if (this.#client?.aborted) this.cancel();
  }

  /** Asked for once, and only where it is wanted: that takes microseconds, which small queries notice. */
  get client(): string {
    this.noteClient();
    return this.#clientAddress ?? '';
  }

  /** For a query that lasts: who asks may be gone before anybody wants to know. */
  noteClient(): void {
    this.#clientAddress ??= this.#askClient?.();
  }

  get memoryBytes(): number {
    return this.memory?.heldBytes ?? 0;
  }

  /** Since it was asked. */
  get seconds(): number {
    return (this.#clock.monotonicMs() - this.#beganMs) / 1000;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** Throws the reason to end where there is one. Sees the deadline where no timer can fire. */
  check(): void {
    if (this.#clock.monotonicMs() >= this.#deadlineMs) this.#timeOut();
    if (this.#reason !== undefined) throw this.#reason;
  }

  /** What comes of the work, or the reason to end where that comes first: then the work ends by itself a little later. */
  orEnd<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#onEnd = reject;
      work.then(resolve, reject);
    });
  }

  /** The answer is there, and leaves in pieces: the deadline begins anew. */
  beginStreaming(): void {
    this.phase = 'result streaming';
    const timeoutMs = Math.max(this.#timeoutMs, STREAMING_MS_MIN);
    this.#deadline.cancel();
    this.#deadlineMs = this.#clock.monotonicMs() + timeoutMs;
    this.#deadline = this.#deadlines.after(timeoutMs, () => this.#timeOut());
  }

  #timeOut(): void {
    this.#stop(new QueryError('timeout', `query timed out in ${this.phase}`));
  }

  readonly cancel = (): void => {
    this.#stop(new QueryError('canceled', `query was canceled in ${this.phase}`));
  };

  #stop(reason: QueryError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.memory?.stop();
    this.#onEnd?.(reason);
    this.#abort?.abort(reason);
  }

  end(): void {
    this.#deadline.cancel();
    this.#client?.removeEventListener('abort', this.cancel);
  }
}

/** Seconds between one look and the next. */
export class StopWatch {
  readonly #clock: Clock;
  readonly #metrics: QueryMetrics | undefined;
  #lastMs: number;

  constructor(clock: Clock, metrics: QueryMetrics | undefined) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#lastMs = clock.monotonicMs();
  }

  /** `less`: seconds that belong to another slice. */
  lap(slice: QuerySlice, less = 0): number {
    const nowMs = this.#clock.monotonicMs();
    const seconds = (nowMs - this.#lastMs) / 1000 - less;
    this.#lastMs = nowMs;
    this.observe(slice, seconds);
    return seconds;
  }

  observe(slice: QuerySlice, seconds: number): void {
    this.#metrics?.observe(slice, seconds);
  }
}
