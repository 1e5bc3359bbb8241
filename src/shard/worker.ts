// What runs in the threads of shards and of the log: one export for each kind of thread.

import { buffersOf, moving, threadSetup } from '../base/thread.js';
import { Reader, type ReaderSetup } from '../wasm/reader.js';
import { LogHost, type LogReply, type LogSetup, type LogTask } from './log-worker.js';
import type { ShardSetup, ShardStarted, Task, TaskReply } from './protocol.js';
import { Shard } from './shard.js';

let current: Shard | undefined;

/** A shard's thread. The first task starts it. */
export function shard(task: Task | 'start'): TaskReply | ShardStarted {
  if (task === 'start') {
    current = new Shard(threadSetup<ShardSetup>());
    return current.started;
  }
  const reply = current!.run(task);
  return moving(reply, buffersOf(reply.results));
}

/** A reader's thread: one task, that never ends. */
export function reader(): never {
  return new Reader(threadSetup<ReaderSetup>()).run();
}

let logHost: LogHost | undefined;

/** The log's thread. */
export function log(task: LogTask): Promise<LogReply> {
  logHost ??= new LogHost(threadSetup<LogSetup>());
  return logHost.run(task);
}
