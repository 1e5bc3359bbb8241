// The threads that storage runs on. Simulations have others: the same code in one thread, on a disk in memory.

import { type LogRunner, startLogThread } from '../../shard/log-thread.js';
import type { LogSetup } from '../../shard/log-worker.js';
import { startShard } from '../../shard/pool.js';
import type { ShardSetup } from '../../shard/protocol.js';
import type { BootedShard } from '../../shard/readers.js';
import type { CompactorPort, CompactorSetup } from '../../tsdb/compact/protocol.js';
import { CompactorThread } from '../../tsdb/compact/thread.js';

export interface StorageThreads {
  shard(setup: ShardSetup): Promise<BootedShard>;
  log(setup: LogSetup): LogRunner;
  compactor(setup: CompactorSetup): CompactorPort;
}

export const realThreads: StorageThreads = {
  shard: startShard,
  log: startLogThread,
  compactor: (setup) => new CompactorThread(setup),
};
