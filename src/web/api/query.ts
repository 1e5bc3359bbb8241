// /api/v1/query and /api/v1/query_range.

import type { Labels } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import type { Columns, RawSeries, Steps } from '../../promql/exec/source.js';
import type { QueryAnswer, QueryData, QueryOptions, QueryStats } from '../deps.js';
import { apiErrorOf, badData, invalidParameter } from '../errors.js';
import { type JsonWriter, labelsJson, timestampJson, valueJson } from '../json.js';
import { type ApiCall, type ApiRoute, GET_POST, objectJson, type Remarks, streamData } from './call.js';
import { limitParameter, messageOf, neededTimeParameter, parseSpan, spanParameter, timeParameter } from './time.js';

/** Most steps between the points of a range query: a week at a minute, a year at an hour. */
const STEPS_MAX = 11_000;
/** Steps of one row between looks at how much is gathered. */
const LOOK_STEPS = 1024;
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
  const steps = readSteps(call);
  const options = readOptions(call);
  const answer = await asked(() => deps.query.range(params.get('query'), steps, options));
  await send(call, answer, limit);
}

function readSteps({ params }: ApiCall): Steps {
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
  return { startMs, stepMs, count: count + 1 };
}

function readOptions({ params, answer }: ApiCall): QueryOptions {
  const timeoutMs = params.get('timeout') === '' ? undefined : spanParameter(params, 'timeout');
  return { timeoutMs, lookbackMs: readLookback(params.get('lookback_delta')), signal: answer.signal };
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
async function asked(query: () => Promise<QueryAnswer>): Promise<QueryAnswer> {
  try {
    return await query();
  } catch (error) {
    const isText = error instanceof Error && error.name === 'ParseError';
    const known = apiErrorOf(error);
    if (isText || known.type === 'bad_data') throw invalidParameter('query', known.message);
    throw error;
  }
}

function send(call: ApiCall, { data, warnings, infos, stats }: QueryAnswer, limit: number): Promise<void> {
  return streamData(call, async (writer): Promise<Remarks> => {
    writer.add(`{"resultType":"${RESULT_TYPES[data.kind]}","result":`);
    const whole = await writeData(writer, data, limit);
    if (call.params.get('stats') !== '' && stats !== undefined) writer.add(`,"stats":${statsJson(stats)}`);
    writer.add('}');
    return { warnings: whole ? warnings : [...warnings, TRUNCATED], infos };
  });
}

const RESULT_TYPES: Record<QueryData['kind'], string> = {
  scalar: 'scalar',
  string: 'string',
  vector: 'vector',
  range: 'matrix',
  raw: 'matrix',
};

/** Writes the result; false where the limit left some of it out. */
async function writeData(writer: JsonWriter, data: QueryData, limit: number): Promise<boolean> {
  switch (data.kind) {
    case 'scalar':
      writer.add(`[${data.timeMs / 1000},"${formatFloat(data.value)}"]`);
      return true;
    case 'string':
      writer.add(`[${data.timeMs / 1000},${JSON.stringify(data.text)}]`);
      return true;
    case 'vector':
      return writeVector(writer, data.timeMs, data.columns, limit);
    case 'range':
      return writeRange(writer, data.steps, data.columns, limit);
    case 'raw':
      return writeRaw(writer, data.series, limit);
  }
}

async function writeVector(writer: JsonWriter, timeMs: number, columns: Columns, limit: number): Promise<boolean> {
  const time = timestampJson(timeMs);
  const { labels, values, present } = columns;
  let written = 0;
  writer.add('[');
  for (let row = 0; row < labels.length; row++) {
    if (present[row] === 0) continue;
    if (limit > 0 && written === limit) return closeList(writer, false);
    writer.add(`${metricJson(written++, labels[row]!)},"value":[${time},${valueJson(values[row]!)}]}`);
    if (writer.full && !(await writer.pass())) break;
  }
  return closeList(writer, true);
}

async function writeRange(writer: JsonWriter, steps: Steps, columns: Columns, limit: number): Promise<boolean> {
  const { labels, values, present } = columns;
  const count = columns.steps;
  // What is the same in all rows is formatted once.
  const openings = Array.from({ length: count }, (_, i) => `[${timestampJson(steps.startMs + i * steps.stepMs)},`);
  let written = 0;
  writer.add('[');
  for (let row = 0; row < labels.length; row++) {
    const base = row * count;
    const first = present.subarray(base, base + count).findIndex((cell) => cell !== 0);
    if (first < 0) continue;
    if (limit > 0 && written === limit) return closeList(writer, false);
    writer.add(`${metricJson(written++, labels[row]!)},"values":[`);
    let comma = '';
    for (let from = first; from < count; from += LOOK_STEPS) {
      const to = Math.min(count, from + LOOK_STEPS);
      let text = '';
      for (let step = from; step < to; step++) {
        if (present[base + step] === 0) continue;
        text += `${comma}${openings[step]}${valueJson(values[base + step]!)}]`;
        comma = ',';
      }
      writer.add(text);
      if (writer.full && !(await writer.pass())) return true;
    }
    writer.add(']}');
  }
  return closeList(writer, true);
}

async function writeRaw(writer: JsonWriter, series: readonly RawSeries[], limit: number): Promise<boolean> {
  let written = 0;
  writer.add('[');
  for (const { labels, times, values } of series) {
    if (times.length === 0) continue;
    if (limit > 0 && written === limit) return closeList(writer, false);
    writer.add(`${metricJson(written++, labels)},"values":[`);
    for (let i = 0; i < times.length; i++) {
      writer.add(`${i > 0 ? ',' : ''}[${timestampJson(times[i]!)},${valueJson(values[i]!)}]`);
      if (writer.full && !(await writer.pass())) return true;
    }
    writer.add(']}');
  }
  return closeList(writer, true);
}

/** The beginning of one series of a result, behind the one before. */
function metricJson(index: number, labels: Labels): string {
  return `${index > 0 ? ',' : ''}{"metric":${labelsJson(labels)}`;
}

function closeList(writer: JsonWriter, whole: boolean): boolean {
  writer.add(']');
  return whole;
}

function statsJson(stats: QueryStats): string {
  const timings = objectJson([
    ['evalTotalTime', String(stats.evalTotalSeconds)],
    ['resultSortTime', String(stats.resultSortSeconds)],
    ['queryPreparationTime', String(stats.preparationSeconds)],
    ['innerEvalTime', String(stats.innerEvalSeconds)],
    ['execQueueTime', String(stats.queueSeconds)],
    ['execTotalTime', String(stats.execTotalSeconds)],
  ]);
  const samples = objectJson([
    ['totalQueryableSamples', String(stats.samplesTotal)],
    ['peakSamples', String(stats.samplesPeak)],
  ]);
  return objectJson([
    ['timings', timings],
    ['samples', samples],
  ]);
}
