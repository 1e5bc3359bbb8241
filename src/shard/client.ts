// Main's end of one shard: typed calls in, batched tasks out.
//
// One task is with the shard at a time. While it works, jobs wait in three lanes; the
// next task takes all waiting ingest jobs (up to a bound) and then those of rules (up to
// another), or else one of ad-hoc queries: of the one that has had the least (fair-lane.ts). So a long query, which is many short jobs, delays an append by one
// morsel at most, and a wake-up is shared by all that waited for it. Steps of storage take turns with what rules and
// queries ask, so that these wait for one step at most.

import { type Clock, realClock, type Timer } from '../base/clock.js';
import { Deadlines } from '../base/deadlines.js';
import type { ExemplarLimits } from './exemplar-book.js';
import { FairLane, type ShardUsage } from './fair-lane.js';
import {
  type Job,
  type JobError,
  LONG_OPS,
  type OpName,
  READING_OPS,
  type Reply,
  type Request,
  type Task,
  type TaskReply,
  type WalParts,
} from './protocol.js';

/** Who goes first: appends, then rules and what tools wait for, then ad-hoc queries. */
export type Lane = 'ingest' | 'rules' | 'adhoc';

/** A shard that takes tasks one after the other: a worker thread, or the very same code in this thread. */
export interface ShardPort {
  run(task: Task, transfer: ArrayBuffer[]): Promise<TaskReply>;
  /** Whether others wait for the shard: then a long query hands over early. Heard in the middle of a task. */
  hurry(isHurried: boolean): void;
  close(): Promise<void>;
}

/** A job came back with an error. */
export class ShardError extends Error {
  override readonly name: string = 'ShardError';
  readonly kind: JobError['kind'];
  /** Of the API's error types: memory that others have now may be free a moment later. */
  readonly type: 'bad_data' | 'execution' | 'unavailable' | 'internal';
  /** What the job had done to the head before: the log needs it nevertheless. */
  readonly wal: WalParts | undefined;

  constructor(error: JobError) {
    super(error.message);
    this.kind = error.kind;
    this.type = error.kind === 'memory' ? 'unavailable' : error.kind;
    this.wal = error.wal;
  }
}

/** The job in which the shard's core trapped: the shard died of it. */
export class ShardTrap extends ShardError {
  override readonly name: string = 'ShardTrap';
}

/** The shard is gone, or being rebuilt from the log: try again in a moment. */
export class ShardUnavailable extends Error {
  override readonly name = 'ShardUnavailable';
  /** Of the API's error types. */
  readonly type = 'unavailable';
}

/** Appends that one task takes at most: a task should not keep a query waiting for more than some milliseconds. */
const INGEST_JOBS_MAX = 16;

/** Queries of rules, likewise: those of a group come together, and most take less than the task around them. */
const RULE_JOBS_MAX = 16;

/**
 * How long a job may wait for company. A task costs main some 100 µs whatever it carries, a scrape's body less than
 * half of that in the shard; at 250 scrapes a second this makes one task of five.
 */
const PATIENCE_MS = 20;

/** A task that takes longer than this never ends: the shard's thread is to be ended. Reading the log may take as long as it takes. */
const STALL_MS = 60_000;
const STALL_STEPS = 4;

const NO_EXEMPLARS: ExemplarLimits = { max: 0, gone: 0 };

export interface CallExtras {
  /** Buffers of the request that move. */
  readonly transfer?: ArrayBuffer[];
  /** Of the query that the job is for. */
  readonly usage?: ShardUsage;
  /** Throws when nobody wants the job any more: an ad-hoc one that waits is not run then, and rejects with that. */
  readonly check?: () => void;
}

interface Waiting {
  readonly job: Job;
  readonly transfer: ArrayBuffer[];
  readonly isPatient: boolean;
  readonly usage: ShardUsage | undefined;
  readonly check: (() => void) | undefined;
  readonly resolve: (reply: never) => void;
  readonly reject: (error: Error) => void;
}

export class ShardClient {
  #port: ShardPort;
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #stalls: Deadlines;
  readonly #ingest: Waiting[] = [];
  readonly #rules: Waiting[] = [];
  readonly #adhoc = new FairLane<Waiting>();
  /** Of any lane: see LONG_OPS. */
  readonly #steps: Waiting[] = [];
  /** The last task had one of them. */
  #hasStepped = false;
  #release: number[] = [];
  #watermark = 0;
  #held = 0;
  #busy = false;
  /** Whether the task under way may change the records of series. */
  #writes = false;
  #seriesVersion = Number.NaN;
  #dead: Error | undefined;
  /** Hears of files of blocks that queries found damaged. */
  onSuspect: ((path: string) => void) | undefined;
  /** What the shard is told of its exemplars with each task. */
  exemplars: () => ExemplarLimits = () => NO_EXEMPLARS;
  /** Called with the reason when the core trapped or the thread died: from then on every call is refused. */
  onDeath: ((reason: Error) => void) | undefined;

  /** Runs out when jobs that can wait have waited long enough. */
  #patience: Timer | undefined;
  /** Jobs waiting that cannot wait. */
  #urgent = 0;

  constructor(port: ShardPort, clock: Clock = realClock, stallMs = STALL_MS) {
    this.#port = port;
    this.#clock = clock;
    this.#stallMs = stallMs;
    this.#stalls = new Deadlines(clock);
  }

  /** Runs a job as soon as its lane allows. */
  call<K extends OpName>(op: K, request: Request<K>, lane: Lane, extras: CallExtras = {}): Promise<Reply<K>> {
    return this.#enqueue(op, request, lane, extras, false);
  }

  /** Runs a job for which nobody waits, a scrape: within PATIENCE_MS, so that others can share its wake-up. */
  callSoon<K extends OpName>(op: K, request: Request<K>, lane: Lane): Promise<Reply<K>> {
    return this.#enqueue(op, request, lane, {}, true);
  }

  #enqueue<K extends OpName>(
    op: K,
    request: Request<K>,
    lane: Lane,
    { transfer = [], usage, check }: CallExtras,
    isPatient: boolean,
  ): Promise<Reply<K>> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    return new Promise<Reply<K>>((resolve, reject) => {
      const job = { op, request } as Job;
      (LONG_OPS.has(op) ? this.#steps : this.#laneOf(lane)).push({
        job,
        transfer,
        usage,
        check,
        isPatient,
        resolve: resolve as (reply: never) => void,
        reject,
      });
      if (!isPatient) this.#urgent++;
      if (!isPatient && this.#busy) this.#port.hurry(true);
      // What rules ask in the same breath goes in the same task.
      if (lane === 'rules') queueMicrotask(() => this.#pump());
      else this.#pump();
    });
  }

  /** The log has the bytes of these WAL parts; told with the next task. */
  release(part: number): void {
    if (part !== 0) this.#release.push(part);
  }

  /** Every append up to here is visible, and none after `held` to a reader still to be opened; told with the next task. */
  setWatermark(watermark: number, held: number): void {
    this.#watermark = watermark;
    this.#held = held;
  }

  #laneOf(lane: Lane): { readonly length: number; push(waiting: Waiting): void } {
    return lane === 'ingest' ? this.#ingest : lane === 'rules' ? this.#rules : this.#adhoc;
  }

  /** Another number after each change of which series the shard has; NaN, which equals nothing, while that is not known. */
  get seriesVersion(): number {
    return this.#seriesVersion;
  }

  /**
   * Whether the records of series stay as they are until the caller returns: the shard has nothing to do, or only reads.
   * What was written to them before, this thread sees.
   */
  get isSteady(): boolean {
    return this.#dead === undefined && !(this.#busy && this.#writes);
  }

  /** Jobs that wait, by lane. */
  waiting(lane: Lane): number {
    return this.#laneOf(lane).length;
  }

  /** Ends what is left of a dead shard. */
  async bury(): Promise<void> {
    await this.#port.close();
  }

  /** A dead shard was made again behind another port. Everything that named parts of the old one has ended. */
  revive(port: ShardPort): void {
    this.#port = port;
    this.#release = [];
    this.#urgent = 0;
    this.#busy = false;
    this.#dead = undefined;
    this.#seriesVersion = Number.NaN;
  }

  async close(): Promise<void> {
    this.onDeath = undefined;
    this.#die(new ShardUnavailable('the shard is closed'));
    await this.#port.close();
  }

  #pump(): void {
    if (this.#busy || this.#dead !== undefined) return;
    if (this.#urgent === 0 && this.#ingest.length < INGEST_JOBS_MAX) this.#waitForMore();
    else this.#send();
  }

  /** Sends what is there when patience runs out. */
  #waitForMore(): void {
    if (this.#patience !== undefined || this.#ingest.length === 0) return;
    this.#patience = this.#clock.after(PATIENCE_MS, () => {
      this.#patience = undefined;
      if (!this.#busy && this.#dead === undefined) this.#send();
    });
  }

  /** A step of storage, where it is its turn: what rules and queries ask waits for one at the most. */
  #nextStep(): Waiting | undefined {
    const isTurn = !this.#hasStepped || (this.#rules.length === 0 && this.#adhoc.length === 0);
    const step = isTurn ? this.#steps.shift() : undefined;
    this.#hasStepped = step !== undefined;
    return step;
  }

  #send(): void {
    for (const { turn, reason } of this.#adhoc.dropUnwanted()) {
      this.#urgent--;
      turn.reject(reason as Error);
    }
    const batch = this.#ingest.splice(0, INGEST_JOBS_MAX);
    const step = this.#nextStep();
    const ruled = step === undefined ? this.#rules.splice(0, RULE_JOBS_MAX) : [step];
    const asked = ruled.length === 0 ? this.#adhoc.shift() : undefined;
    batch.push(...ruled);
    if (asked !== undefined) batch.push(asked);
    if (batch.length === 0) return;
    this.#patience?.cancel();
    this.#patience = undefined;
    for (const { isPatient } of batch) if (!isPatient) this.#urgent--;
    const task: Task = {
      watermark: this.#watermark,
      held: this.#held,
      release: this.#release,
      exemplars: this.exemplars(),
      jobs: batch.map((waiting) => waiting.job),
    };
    this.#release = [];
    this.#busy = true;
    this.#writes = batch.some(({ job }) => !READING_OPS.has(job.op));
    const port = this.#port;
    // What is in the same task waits for its end too.
    port.hurry(batch.length > 1 || this.#urgent > 0);
    const stall = this.#watch(batch);
    const startMs = this.#clock.monotonicMs();
    const settled = (then: () => void) => {
      stall?.cancel();
      if (asked?.usage !== undefined) asked.usage.usedMs += this.#clock.monotonicMs() - startMs;
      // What a shard says that was given up meanwhile is of no interest.
      if (port === this.#port && this.#busy) then();
    };
    const [alone] = batch;
    const transfer = batch.length === 1 ? alone!.transfer : batch.flatMap((waiting) => waiting.transfer);
    port.run(task, transfer).then(
      (reply) => settled(() => this.#finish(batch, reply)),
      (error: unknown) => settled(() => this.#fail(batch, error instanceof Error ? error.message : String(error))),
    );
  }

  /** Gives the shard up when a task does not end. */
  #watch(batch: Waiting[]): Timer | undefined {
    if (batch.some(({ job }) => job.op === 'replay')) return undefined;
    const ops = () => [...new Set(batch.map(({ job }) => job.op))].join(', ');
    let timer: Timer;
    // In steps: of a pause of the whole process only one counts.
    const wait = (steps: number) => {
      timer = this.#stalls.after(this.#stallMs / STALL_STEPS, () => {
        if (steps > 1) wait(steps - 1);
        else this.#fail(batch, `no answer for ${this.#stallMs / 1000} seconds: ${ops()}`);
      });
    };
    wait(STALL_STEPS);
    return { cancel: () => timer.cancel() };
  }

  #finish(batch: Waiting[], reply: TaskReply): void {
    this.#busy = false;
    this.#seriesVersion = reply.seriesVersion;
    for (const path of reply.suspects) this.onSuspect?.(path);
    batch.forEach((waiting, i) => {
      const result = reply.results[i];
      if (result === undefined) waiting.reject(new ShardUnavailable('the shard stopped before this job'));
      else if ('error' in result) waiting.reject(this.#errorOf(result.error, reply, i));
      else waiting.resolve(result.ok as never);
    });
    if (reply.trapped !== undefined) this.#die(new ShardUnavailable(`the core trapped: ${reply.trapped}`));
    else this.#pump();
  }

  #errorOf(error: JobError, { results, trapped }: TaskReply, job: number): ShardError {
    return trapped !== undefined && job === results.length - 1 ? new ShardTrap(error) : new ShardError(error);
  }

  #fail(batch: Waiting[], message: string): void {
    const reason = new ShardUnavailable(`the shard's thread ended: ${message}`);
    this.#busy = false;
    for (const waiting of batch) waiting.reject(reason);
    this.#die(reason);
  }

  #die(reason: ShardUnavailable): void {
    if (this.#dead !== undefined) return;
    this.#dead = reason;
    for (const waiting of [
      ...this.#ingest.splice(0),
      ...this.#rules.splice(0),
      ...this.#steps.splice(0),
      ...this.#adhoc.drain(),
    ])
      waiting.reject(reason);
    this.onDeath?.(reason);
  }
}
