// A shard in this thread, for tests and simulations. Tasks run in a later turn, as they would elsewhere, and messages are cloned.

import { type Disk, realDisk } from '../base/disk.js';
import { buffersOf } from '../base/thread.js';
import type { ShardPort } from './client.js';
import type { ShardSetup } from './protocol.js';
import type { BootedShard } from './readers.js';
import { Shard } from './shard.js';

export async function startShardHere(setup: ShardSetup, disk: Disk = realDisk): Promise<BootedShard> {
  const shard = new Shard(setup, disk);
  const port: ShardPort = {
    run: async (task, transfer) => {
      const received = structuredClone(task, { transfer });
      await undefined;
      const reply = shard.run(received);
      return structuredClone(reply, { transfer: buffersOf(reply.results) });
    },
    // Nobody can come to wait meanwhile.
    hurry: () => {},
    close: async () => {},
  };
  return { port, started: shard.started };
}
