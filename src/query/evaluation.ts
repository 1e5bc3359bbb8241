// Where a plan's operators run: here where what is above the readings is little work, in an
// evaluator where it is much.
//
//   readings ─► gathered from all shards, not joined ─► cost ─┬─► small: joined and run here
//                                                             └─► large: moved to an evaluator

import { buffersOf, MessageChannel, type MessagePort } from '../base/thread.js';
import { QueryError } from '../promql/errors.js';
import { CELL_BYTES } from '../promql/exec/columns.js';
import { costOf } from '../promql/exec/cost.js';
import { execute } from '../promql/exec/execute.js';
import { asksMore, mostSteps, type Reading, readingKey, readingsOf } from '../promql/exec/readings.js';
import { render } from '../promql/exec/rendered.js';
import type { QueryContext, RenderedRows, Source } from '../promql/exec/source.js';
import { type Gathered, GatheredSource, sizeOf } from '../shard/gathered.js';
import { areDeclined, type Share } from '../shard/shares.js';
import type { MemoryShare, SampleBudget } from './budget.js';
import { decodeBlock } from './evaluator/blocks.js';
import { type Evaluators, LONG_COST } from './evaluator/pool.js';
import type { Ask, Asked, Evaluated, EvaluationInput, WireResult } from './evaluator/protocol.js';
import { BlockRows } from './evaluator/rows.js';
import type { Priority } from './gate.js';
import { HeldRows } from './held-rows.js';
import { type QueryData, resultOf } from './result.js';
import { freeBuffers, resultBuffers } from './spent.js';

/** Text up to this leaves at once: sockets hold it. */
const UNHELD_BYTES_MAX = 256 * 1024;

/** A source whose answers can be gathered before operators run. */
export interface GatheringSource extends Source {
  /** With `isAll` nothing else will be read. */
  gather(readings: ReadonlyMap<string, Reading>, isAll: boolean, context: QueryContext): Promise<Gathered>;
  read(reading: Reading, context: QueryContext): Promise<readonly Share[]>;
}

export interface EvaluationRequest extends EvaluationInput {
  readonly priority: Priority;
}

/** What bounds an evaluation. */
export interface EvaluationLimits {
  readonly context: QueryContext;
  readonly samples: SampleBudget;
  readonly samplesMax: number;
  readonly memory: MemoryShare;
  /** The query turned out large; waits where too many are. */
  grow(): Promise<void>;
}

export interface Evaluation {
  readonly data: QueryData;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  /** Of the whole, what putting rows in order took. */
  readonly sortSeconds: number;
  /** Where rows are still to be rendered: resolves when they are, or when nobody wants them. */
  readonly rendered?: Promise<void>;
  /** Gives back what was read and made, once nobody looks at the data any more. */
  readonly free?: () => void;
}

/** Evaluates a plan. `now` gives monotonic milliseconds. */
export async function evaluate(
  request: EvaluationRequest,
  source: Source,
  evaluators: Evaluators | undefined,
  limits: EvaluationLimits,
  now: () => number,
): Promise<Evaluation> {
  const { plan, steps } = request;
  if (request.rendered && plan.kind === 'fragment') {
    const rows = await renderThere(request, source, limits.context);
    if (rows !== undefined) return rows;
  }
  if (!isGathering(source)) return evaluateHere(request, source, limits.context, now);
  // What cannot end well need not begin: one row of the longest subquery.
  limits.memory.check(mostSteps(plan, steps) * CELL_BYTES);
  const gathered = await gatherAll(request, source, limits.context);
  const sharesOf = (reading: Reading) => gathered.get(readingKey(reading))!;
  const cost = costOf(
    plan,
    steps,
    request,
    (reading) => sizeOf(sharesOf(reading)),
    (reading) => areDeclined(sharesOf(reading)),
  );
  if (evaluators !== undefined && cost > evaluators.hereCostMax) {
    return evaluateThere(request, gathered, cost, source, evaluators, limits);
  }
  const read = buffersOf([...gathered.values()]);
  const ready = new GatheredSource(gathered, (reading, context) => source.read(reading, context));
  const evaluation = await evaluateHere(request, ready, limits.context, now);
  return { ...evaluation, free: () => freeBuffers([...read, ...resultBuffers(evaluation.data)]) };
}

/** All that a plan reads: where a reading is declined, also what is read in its place. */
async function gatherAll(
  request: EvaluationRequest,
  source: GatheringSource,
  context: QueryContext,
): Promise<Gathered> {
  const { plan, steps } = request;
  const gathered: Gathered = new Map();
  const isDeclined = (reading: Reading) => areDeclined(gathered.get(readingKey(reading)) ?? []);
  for (;;) {
    const readings = readingsOf(plan, steps, request, isDeclined);
    for (const key of gathered.keys()) readings.delete(key);
    if (readings.size === 0) return gathered;
    const isAll = gathered.size === 0 && !asksMore(plan);
    let hasDeclined = false;
    for (const [key, shares] of await source.gather(readings, isAll, context)) {
      gathered.set(key, shares);
      hasDeclined ||= areDeclined(shares);
    }
    if (!hasDeclined) return gathered;
  }
}

function isGathering(source: Source): source is GatheringSource {
  return 'gather' in source;
}

/** A plan of one fragment: its rows may come from the shards as text. */
async function renderThere(
  request: EvaluationRequest,
  source: Source,
  context: QueryContext,
): Promise<Evaluation | undefined> {
  const { plan, steps, ranged, query } = request;
  const form = ranged ? 'matrix' : 'vector';
  const rendered = await render(plan, { form, steps }, source, context, request);
  if (rendered === undefined) return undefined;
  const { rows, annotations } = rendered;
  const { warnings, infos } = annotations.list(query);
  const isHeld = (rows.bytes ?? 0) > UNHELD_BYTES_MAX;
  if (isHeld) return { ...held(rows, form, context), warnings, infos, sortSeconds: 0 };
  return { data: { kind: 'rendered', form, rows, limit: 0 }, warnings, infos, sortSeconds: 0 };
}

async function evaluateHere(
  request: EvaluationRequest,
  source: Source,
  context: QueryContext,
  now: () => number,
): Promise<Evaluation> {
  const { plan, steps, ranged, query } = request;
  const { value, annotations } = await execute(plan, steps, source, context, request);
  const startMs = now();
  const data = resultOf(value, steps, ranged);
  const { warnings, infos } = annotations.list(query);
  return { data, warnings, infos, sortSeconds: (now() - startMs) / 1000 };
}

async function evaluateThere(
  request: EvaluationRequest,
  gathered: Gathered,
  cost: number,
  source: GatheringSource,
  evaluators: Evaluators,
  { context, samples, samplesMax, memory, grow }: EvaluationLimits,
): Promise<Evaluation> {
  if (cost > LONG_COST) await grow();
  const { port1: own, port2: port } = new MessageChannel();
  answerOver(own, source, context);
  const task = {
    ...request,
    kind: 'evaluate' as const,
    gathered,
    memory: memory.shared,
    samplesMax,
    samplesHeld: samples.held,
    port,
  };
  const order = { priority: request.priority, cost, signal: context.signal, stop: () => memory.stop() };
  try {
    const reply = await evaluators.run(task, [...buffersOf([...gathered.values()]), port], order);
    if (reply.kind === 'failed') throw new QueryError(reply.type, reply.message);
    const { result, warnings, infos, sortSeconds, samplesTotal, samplesPeak } = reply as Evaluated;
    samples.absorb({ total: samplesTotal, peak: samplesPeak });
    return { ...dataOf(result, request, evaluators, context), warnings, infos, sortSeconds };
  } finally {
    own.close();
  }
}

/** Reads for an evaluation that asks. */
function answerOver(port: MessagePort, source: GatheringSource, context: QueryContext): void {
  port.on('message', async ({ reading }: Ask) => {
    const answer = await source.read(reading, context).then(
      (shares): Asked => ({ shares }),
      (error: unknown): Asked => {
        const { type = 'internal', message } = error as Partial<QueryError> & Error;
        return { error: { type, message } };
      },
    );
    port.postMessage(answer, buffersOf(answer));
  });
}

function dataOf(
  result: WireResult,
  { priority, rendered }: EvaluationRequest,
  evaluators: Evaluators,
  context: QueryContext,
): Pick<Evaluation, 'data' | 'rendered'> {
  if (result.kind === 'value') return { data: result.data };
  if (!rendered) return { data: decodeBlock(result.blocks[0]!) };
  return held(new BlockRows(result, evaluators, priority, context.signal), result.form, context);
}

function held(
  all: RenderedRows,
  form: 'vector' | 'matrix',
  { signal }: QueryContext,
): Pick<Evaluation, 'data' | 'rendered'> {
  const rows = new HeldRows(all, signal);
  return { data: { kind: 'rendered', form, rows, limit: 0 }, rendered: rows.done };
}
