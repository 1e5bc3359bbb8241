// Evaluators in this thread, behind the same messages as elsewhere.

import { realClock } from '../../src/base/clock.js';
import { buffersOf } from '../../src/base/thread.js';
import { runTask } from '../../src/query/evaluator/evaluation.js';
import { Evaluators } from '../../src/query/evaluator/pool.js';

/** Everything goes to them, whatever it costs, unless told: all a query's shares and its result cross as messages. */
export function eagerEvaluators(hereCostMax: number | undefined = -1): Evaluators {
  const start = () => ({
    run: async (task: Parameters<typeof runTask>[0], transfer: unknown[]) => {
      // A port cannot be cloned alone; it is used as it is.
      const { port, ...rest } = task as typeof task & { port?: unknown };
      const buffers = transfer.filter((item): item is ArrayBuffer => item instanceof ArrayBuffer);
      const received = structuredClone(rest, { transfer: buffers });
      const reply = await runTask({ ...received, ...(port !== undefined && { port }) } as typeof task);
      return structuredClone(reply, { transfer: buffersOf(reply) });
    },
    close: async () => {},
  });
  const heap = { bytes: Number.POSITIVE_INFINITY, name: '' };
  return new Evaluators({ workers: 1, heap, hereCostMax, start }, realClock);
}
