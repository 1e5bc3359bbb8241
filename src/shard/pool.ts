// The door to worker threads: each shard, and the log, is a Piscina pool of one thread.

import { Piscina } from 'piscina';
import type { ShardPort } from './client.js';
import type { ShardSetup, ShardStarted, Task, TaskReply } from './protocol.js';

const workerFile = new URL('./worker.js', import.meta.url).href;

/** Tasks that one event loop has at a time: a checkpoint, a commit, a question about statistics, the end. */
const WAITING_TASKS_MAX = 8;

/** A thread of its own that runs one kind of task. */
export class Thread<Setup, Request, Reply> {
  readonly #pool: Piscina<Request, Reply>;
  readonly #name: string;

  /**
   * `name` is the export of worker.ts that runs the tasks; the setup is its workerData. Between tasks a thread
   * sleeps, unless it `hasTimers` of its own: then its event loop runs, at a little more time per task, and a
   * task that waits for something lets others in.
   */
  constructor(name: string, setup: Setup, hasTimers = false) {
    this.#name = name;
    this.#pool = new Piscina<Request, Reply>({
      filename: workerFile,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: hasTimers ? WAITING_TASKS_MAX : 1,
      recordTiming: false,
      workerData: setup,
      atomics: hasTimers ? 'disabled' : 'sync',
    });
  }

  run(request: Request, transfer: ArrayBuffer[] = []): Promise<Reply> {
    return this.#pool.run(request, { name: this.#name, transferList: transfer });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

export async function startShard(setup: ShardSetup): Promise<{ port: ShardPort; started: ShardStarted }> {
  const thread = new Thread<ShardSetup, Task | 'start', TaskReply | ShardStarted>('shard', setup);
  const started = (await thread.run('start')) as ShardStarted;
  const port: ShardPort = {
    run: (task, transfer) => thread.run(task, transfer) as Promise<TaskReply>,
    close: () => thread.close(),
  };
  return { port, started };
}
