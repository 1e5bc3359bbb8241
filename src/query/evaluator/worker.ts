// What runs in an evaluator's thread.

import { buffersOf, moving } from '../../base/thread.js';
import { runTask } from './evaluation.js';
import type { EvaluatorReply, EvaluatorTask } from './protocol.js';

export async function evaluator(task: EvaluatorTask): Promise<EvaluatorReply> {
  const reply = await runTask(task);
  return moving(reply, buffersOf(reply));
}
