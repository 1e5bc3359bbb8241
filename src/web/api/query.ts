// /api/v1/query and /api/v1/query_range.

import type { Steps } from '../../promql/exec/source.js';
import { ParseError } from '../../promql/syntax/errors.js';
import { limited, resultJson, resultTypeOf } from '../../query/render.js';
import { freeBuffers } from '../../query/spent.js';
import type { QueryAnswer, QueryOptions } from '../deps.js';
import { apiErrorOf, badData, invalidParameter } from '../errors.js';
import type { JsonWriter } from '../json.js';
import { type ApiCall, type ApiRoute, GET_POST, type Remarks, streamData } from './call.js';
import { statsJson, statsWarning } from './stats.js';
import { limitParameter, messageOf, neededTimeParameter, parseSpan, spanParameter, timeParameter } from './time.js';

/** Most steps between the points of a range query: a week at a minute, a year at an hour. */
const STEPS_MAX = 11_000;
const TRUNCATED = 'results truncated due to limit';

export const queryRoutes: readonly ApiRoute[] = [
  { pattern: '/query', methods: GET_POST, handler: instant },
  { pattern: '/query_range', methods: GET_POST, handler: range },
];

async function instant(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  const limit = limitParameter(params);
  const timeMs = timeParameter(params, 'time', deps.clock.nowMs());
  const options = readOptions(call);
  const answer = await asked(() => deps.query.instant(params.get('query'), timeMs, options));
  await send(call, answer, limit);
}

async function range(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  const limit = limitParameter(params);
  const { steps, endMs } = readSteps(call);
  const options = { ...readOptions(call), endMs };
  const answer = await asked(() => deps.query.range(params.get('query'), steps, options));
  await send(call, answer, limit);
}

export function readSteps({ params }: ApiCall): { steps: Steps; endMs: number } {
  const startMs = neededTimeParameter(params, 'start');
  const endMs = neededTimeParameter(params, 'end');
  if (endMs < startMs) throw invalidParameter('end', 'end timestamp must not be before start time');
  const stepMs = Math.trunc(spanParameter(params, 'step'));
  // Not a number is no step either.
  if (!(stepMs > 0)) {
    const words = 'zero or negative query resolution step widths are not accepted. Try a positive integer';
    throw invalidParameter('step', words);
  }
  const count = Math.floor((endMs - startMs) / stepMs);
  if (count > STEPS_MAX) {
    const words = 'exceeded maximum resolution of 11,000 points per timeseries.';
    throw badData(`${words} Try decreasing the query resolution (?step=XX)`);
  }
  return { steps: { startMs, stepMs, count: count + 1 }, endMs };
}

export function readOptions({ params, answer }: ApiCall): QueryOptions {
  const timeoutMs = params.get('timeout') === '' ? undefined : spanParameter(params, 'timeout');
  const lookbackMs = readLookback(params.get('lookback_delta'));
  return {
    timeoutMs,
    lookbackMs,
    rendered: true,
    signal: answer.gone,
    client: () => answer.client,
    counted: params.get('stats') !== '',
  };
}

function readLookback(text: string): number | undefined {
  if (text === '') return undefined;
  try {
    return parseSpan(text);
  } catch (error) {
    throw badData(`error parsing lookback delta duration: ${messageOf(error)}`);
  }
}

/** Errors of the text name the parameter that it came in. */
export async function asked<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    const known = apiErrorOf(error);
    if (error instanceof ParseError || known.type === 'bad_data') throw invalidParameter('query', known.message);
    throw error;
  }
}

/** Adds pieces, and tells of them; nobody reads the rest once the client is gone. */
async function writeAll(
  pieces: Iterable<string | Uint8Array>,
  writer: JsonWriter,
  note: (piece: string | Uint8Array) => void,
): Promise<void> {
  for (const piece of pieces) {
    note(piece);
    // What comes last stays, so that an answer of one piece leaves whole.
    if (writer.full && !(await writer.pass())) return;
    writer.add(piece);
  }
}

/** The same for pieces that are made as they are taken. */
async function writeEach(pieces: AsyncIterable<string | Uint8Array>, writer: JsonWriter): Promise<void> {
  for await (const piece of pieces) {
    writer.add(piece);
    if (writer.full && !(await writer.pass())) return;
  }
}

function send(call: ApiCall, { data, warnings, infos, stats, free }: QueryAnswer, limit: number): Promise<void> {
  const printed: ArrayBufferLike[] = [];
  const note = (piece: string | Uint8Array) => {
    if (data.kind === 'range' && typeof piece !== 'string') printed.push(piece.buffer);
  };
  const write = async (writer: JsonWriter): Promise<Remarks> => {
    const { kept, isWhole } = limited(data, limit);
    writer.add(`{"resultType":"${resultTypeOf(data)}","result":`);
    if (kept.kind === 'rendered') kept.rows.signal?.addEventListener('abort', () => writer.fail(), { once: true });
    const pieces = resultJson(kept);
    if (Symbol.iterator in pieces) await writeAll(pieces, writer, note);
    else await writeEach(pieces, writer);
    if (call.params.get('stats') !== '' && stats !== undefined)
      writer.add(`,"stats":${statsJson(stats, call.params.get('stats') === 'all')}`);
    writer.add('}');
    return {
      warnings: [...warnings, ...(isWhole ? [] : [TRUNCATED]), ...statsWarning(call.params.get('stats'))],
      infos,
    };
  };
  return streamData(call, write, () => {
    if (data.kind === 'rendered') data.rows.free?.();
    free?.();
    freeBuffers(printed);
  });
}
