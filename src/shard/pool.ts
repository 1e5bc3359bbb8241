// Starts shards, each in a thread of its own.

import { Thread } from '../base/thread.js';
import { Hurry } from '../wasm/round.js';
import type { ShardPort } from './client.js';
import type { ShardSetup, ShardStarted, Task, TaskReply } from './protocol.js';

/** What runs in the threads of shards and of the log. */
export const workerFile = new URL('./worker.js', import.meta.url).href;

export async function startShard(setup: ShardSetup): Promise<{ port: ShardPort; started: ShardStarted }> {
  const options = { file: workerFile, name: 'shard', setup, isFrugal: true };
  const thread = new Thread<ShardSetup, Task | 'start', TaskReply | ShardStarted>(options);
  const started = (await thread.run('start')) as ShardStarted;
  const hurry = new Hurry(started);
  const port: ShardPort = {
    run: (task, transfer) => thread.run(task, transfer) as Promise<TaskReply>,
    hurry: (isHurried) => hurry.set(isHurried),
    close: () => thread.close(),
  };
  return { port, started };
}
