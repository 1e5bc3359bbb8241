// An evaluator's side of a task: shares become columns, operators run, rows become text.

import { realClock } from '../../base/clock.js';
import { buffersOf, type MessagePort } from '../../base/thread.js';
import { QueryError } from '../../promql/errors.js';
import { execute } from '../../promql/exec/execute.js';
import type { QueryContext } from '../../promql/exec/source.js';
import { type AskMore, GatheredSource } from '../../shard/gathered.js';
import { MemoryShare, SampleBudget } from '../budget.js';
import { limited, type RowData, seriesText } from '../render.js';
import { type QueryData, resultOf } from '../result.js';
import { freeBuffers, resultBuffers } from '../spent.js';
import { bytesOf, cutBlocks, decodeBlock } from './blocks.js';
import type { Ask, Asked, Evaluated, EvaluateTask, EvaluatorReply, EvaluatorTask, WireResult } from './protocol.js';

/** Bytes of JSON that a cell becomes, about. */
const CELL_TEXT_BYTES = 36;

export async function runTask(task: EvaluatorTask): Promise<EvaluatorReply> {
  try {
    return task.kind === 'evaluate'
      ? await evaluate(task)
      : { kind: 'text', text: seriesText(decodeBlock(task.block)).buffer };
  } catch (error) {
    if (error instanceof QueryError) return { kind: 'failed', type: error.type, message: error.message };
    throw error;
  } finally {
    if (task.kind === 'evaluate') task.port.close();
  }
}

async function evaluate(task: EvaluateTask): Promise<Evaluated> {
  const { plan, steps, ranged, gathered, query } = task;
  const memory = new MemoryShare(task.memory);
  const samples = new SampleBudget(task.samplesMax, task.samplesHeld);
  const context = contextOf(memory, samples);
  const read = buffersOf([...gathered.values()]);
  const source = new GatheredSource(gathered, askOver(task.port));
  const executed = await execute(plan, steps, source, context, task);
  context.check();
  const startMs = realClock.monotonicMs();
  const data = resultOf(executed.value, steps, ranged);
  const sortSeconds = (realClock.monotonicMs() - startMs) / 1000;
  const evaluated: Evaluated = {
    kind: 'evaluated',
    result: wireResult(data, task.rendered, context),
    ...executed.annotations.list(query),
    sortSeconds,
    samplesTotal: samples.total,
    samplesPeak: samples.peak,
  };
  const moved = new Set<ArrayBufferLike>(buffersOf(evaluated));
  freeBuffers([...read, ...resultBuffers(data)].filter((buffer) => !moved.has(buffer)));
  return evaluated;
}

function contextOf(memory: MemoryShare, samples: SampleBudget): QueryContext {
  return {
    // Main aborts nothing here: it sets the flag that check() looks at.
    signal: new AbortController().signal,
    charge: (count) => samples.charge(count),
    reserve: memory.reserve,
    check: () => {
      if (memory.isStopped) throw new QueryError('canceled', 'query was canceled in expression evaluation');
    },
  };
}

function wireResult(data: QueryData, rendered: boolean, context: QueryContext): WireResult {
  if (data.kind === 'scalar' || data.kind === 'string') return { kind: 'value', data };
  if (data.kind === 'rendered') throw new Error('operators give no text');
  const form = data.kind === 'vector' ? 'vector' : 'matrix';
  const rowCount = data.kind === 'raw' ? data.series.length : data.columns.labels.length;
  context.reserve(bytesOf(data));
  const blocks = cutBlocks(data, rendered ? undefined : Number.POSITIVE_INFINITY);
  context.check();
  const first = blocks[0]!;
  if (!rendered) return { kind: 'rows', form, rowCount, blocks };
  context.reserve(CELL_TEXT_BYTES * first.cells);
  const rows = limited(data, first.rowCount).kept as RowData;
  return { kind: 'rows', form, rowCount, blocks, firstText: seriesText(rows).buffer };
}

/** Asks main, one reading at a time. */
function askOver(port: MessagePort): AskMore {
  return (reading) =>
    new Promise((resolve, reject) => {
      port.once('message', (asked: Asked) => {
        if ('shares' in asked) resolve(asked.shares);
        else reject(new QueryError(asked.error.type, asked.error.message));
      });
      port.postMessage({ reading } satisfies Ask);
    });
}
