// What runs in the compactor's thread.

import { realDisk } from '../../base/disk.js';
import { giveWay } from '../../base/machine.js';
import { buffersOf, moving, threadSetup } from '../../base/thread.js';
import { Compactor } from './compactor.js';
import type { CompactorReply, CompactorSetup, CompactorTask } from './protocol.js';

// A cut or a merge of blocks may take longer; what waits for a core beside it may not.
giveWay(realDisk);

let current: Compactor | undefined;

export function compactor(task: CompactorTask): CompactorReply<CompactorTask['op']> {
  current ??= new Compactor(realDisk, threadSetup<CompactorSetup>());
  const reply = current.run(task);
  return moving(reply, buffersOf(reply));
}
