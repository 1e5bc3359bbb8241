// What runs in an evaluator's thread.

import { realDisk } from '../../base/disk.js';
import { giveWay } from '../../base/machine.js';
import { buffersOf, moving } from '../../base/thread.js';
import { runTask } from './evaluation.js';
import type { EvaluatorReply, EvaluatorTask } from './protocol.js';

// Large queries take what sockets, scrapes and shards leave of the cores.
giveWay(realDisk);

export async function evaluator(task: EvaluatorTask): Promise<EvaluatorReply> {
  const reply = await runTask(task);
  return moving(reply, buffersOf(reply));
}
