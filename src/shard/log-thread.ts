// Main's end of the log thread: commits that come while one is being written form the next group.

import type { Clock, Timer } from '../base/clock.js';
import { Thread } from '../base/thread.js';
import type { CheckpointSpan, LogStats } from '../tsdb/wal/log.js';
import type { OpenedLog } from '../tsdb/wal/open.js';
import type { LogPort, LogRecords } from './log-port.js';
import type { LogReply, LogSetup, LogTask, WireCommit } from './log-worker.js';
import { workerFile } from './pool.js';

/** The log's thread, or something that does as it does. */
export interface LogRunner {
  run(task: LogTask, transfer?: ArrayBuffer[]): Promise<LogReply>;
  close(): Promise<void>;
}

export function startLogThread(setup: LogSetup): LogRunner {
  return new Thread<LogSetup, LogTask, LogReply>({
    file: workerFile,
    name: 'log',
    setup,
    hasTimers: true,
    isFrugal: true,
  });
}

/** Written, but perhaps not on the disk: the sender must not be told that all is well. */
export class NotDurable extends Error {
  override readonly name = 'NotDurable';
}

/** How soon a stuck log is tried again. */
const RETRY_MS = 1000;

/** How long a commit that need not be durable may wait for company. */
const PATIENCE_MS = 20;

/** Bytes are not counted; this bounds the records of one group, and so how long the first of them waits. */
const GROUP_MAX = 256;

interface Waiting {
  readonly commit: WireCommit;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class LogThread implements LogPort {
  readonly #thread: LogRunner;
  readonly #clock: Clock;
  #memories: WebAssembly.Memory[] = [];
  #queue: Waiting[] = [];
  #busy = false;
  #stuck: string | undefined;
  #patience: Timer | undefined;
  #stats: LogStats | undefined;
  readonly #listeners = new Set<(reason: string) => void>();

  constructor(thread: LogRunner, clock: Clock) {
    this.#thread = thread;
    this.#clock = clock;
  }

  /** As of the last commit. */
  get stats(): LogStats | undefined {
    return this.#stats;
  }

  get stuck(): string | undefined {
    return this.#stuck;
  }

  whenStuck(listener: (reason: string) => void): () => void {
    if (this.#stuck !== undefined) listener(this.#stuck);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  attach(memories: readonly WebAssembly.Memory[]): void {
    this.#memories = [...memories];
  }

  async replace(shard: number, memory: WebAssembly.Memory): Promise<void> {
    this.#memories[shard] = memory;
    this.#take(await this.#thread.run({ op: 'replace', shard, memory }));
  }

  /** Begins to write behind what a shard found when it read the log; `restored` are series records that it lacks. */
  async open(
    opened: OpenedLog,
    repair: boolean,
    late: OpenedLog | undefined,
    restored: readonly Uint8Array[],
  ): Promise<void> {
    this.#take(await this.#thread.run({ op: 'open', opened, repair, late, restored, memories: this.#memories }));
  }

  /** Begins a new segment; gives the last before it. */
  async roll(): Promise<number> {
    const reply = await this.#thread.run({ op: 'roll' });
    if (reply.outcome !== 'rolled' || reply.last === undefined) {
      throw new Error(reply.outcome === 'stuck' ? reply.reason : 'the log did not begin a new segment');
    }
    return reply.last;
  }

  /** Begins a new segment of the write-behind log; gives the last before it, undefined where there is no such log. */
  async rollLate(): Promise<number | undefined> {
    const reply = await this.#thread.run({ op: 'rollLate' });
    if (reply.outcome === 'stuck') throw new Error(reply.reason);
    return reply.outcome === 'rolled' ? reply.last : undefined;
  }

  /** Blocks have what the write-behind log has up to a segment: it is dropped. */
  async dropLate(last: number): Promise<void> {
    this.#take(await this.#thread.run({ op: 'dropLate', last }));
  }

  commit(records: LogRecords, durable: boolean, late: LogRecords = []): Promise<void> {
    if (records.length === 0 && late.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#queue.push({ commit: { records, durable, late }, resolve, reject });
      if (durable) this.#pump();
      else this.#waitForMore();
    });
  }

  /** Commits go on meanwhile. Resolves early where the log is closed; rejects where old segments cannot be read or new ones not written. */
  async checkpoint(refs: readonly ArrayBuffer[], minTimeMs: number, span: CheckpointSpan): Promise<void> {
    this.#take(await this.#thread.run({ op: 'checkpoint', refs, minTimeMs, span }, [...refs]));
  }

  /** Resolves when all that was committed is on the disk; rejects with NotDurable where that cannot be said. */
  async sync(): Promise<void> {
    const reply = await this.#thread.run({ op: 'sync' });
    this.#take(reply);
    if (reply.outcome === 'unsynced') throw new NotDurable(reply.reason);
  }

  async refreshStats(): Promise<LogStats | undefined> {
    this.#take(await this.#thread.run({ op: 'stats' }));
    return this.#stats;
  }

  async close(): Promise<void> {
    try {
      await this.#thread.run({ op: 'close' });
    } finally {
      await this.#thread.close();
    }
  }

  /** Nobody waits for a commit that need not be durable: it goes with the next one that must be, or when patience runs out. */
  #waitForMore(): void {
    this.#patience ??= this.#clock.after(PATIENCE_MS, () => {
      this.#patience = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#busy || this.#queue.length === 0) return;
    const group = this.#queue.splice(0, GROUP_MAX);
    this.#busy = true;
    this.#thread.run({ op: 'commit', commits: group.map(({ commit }) => commit) }).then(
      (reply) => this.#finish(group, reply),
      (error: unknown) => this.#fail(group, error),
    );
  }

  #finish(group: Waiting[], reply: LogReply): void {
    if (reply.outcome === 'stuck') {
      // What is in the log already is not written again.
      const left = reply.onlyLate ? group.map((one) => ({ ...one, commit: { ...one.commit, records: [] } })) : group;
      this.#wait(left, reply.reason);
      return;
    }
    this.#busy = false;
    this.#stuck = undefined;
    this.#take(reply);
    for (const { commit, resolve, reject } of group) {
      if (reply.outcome === 'unsynced' && commit.durable) reject(new NotDurable(reply.reason));
      else resolve();
    }
    this.#pump();
  }

  /** Keeps the group, tells who waits, and tries again in a while. */
  #wait(group: Waiting[], reason: string): void {
    this.#queue.unshift(...group);
    this.#stuck = reason;
    this.#tellStuck(reason);
    this.#clock.after(RETRY_MS, () => {
      this.#busy = false;
      this.#pump();
    });
  }

  /** The thread itself broke: nothing can be acknowledged any more. */
  #fail(group: Waiting[], error: unknown): void {
    const reason = `the log thread failed: ${error instanceof Error ? error.message : String(error)}`;
    this.#stuck = reason;
    this.#tellStuck(reason);
    for (const { reject } of [...group, ...this.#queue.splice(0)]) reject(new Error(reason));
  }

  #take(reply: LogReply): void {
    if (reply.outcome === 'ok') this.#stats = reply.stats;
  }

  #tellStuck(reason: string): void {
    for (const listener of [...this.#listeners]) listener(reason);
  }
}
