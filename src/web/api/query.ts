// /api/v1/query and /api/v1/query_range.

import type { Labels } from '../../model/labels.js';
import { formatFloat } from '../../model/number.js';
import { ABSENT, type Columns, FLOAT, HISTOGRAM, type RawSeries, type Steps } from '../../promql/exec/source.js';
import { ParseError } from '../../promql/syntax/errors.js';
import type { QueryAnswer, QueryData, QueryOptions, QueryStats } from '../deps.js';
import { apiErrorOf, badData, invalidParameter } from '../errors.js';
import { histogramJson, type JsonWriter, labelsJson, timestampJson, valueJson } from '../json.js';
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
  const { steps, endMs } = readSteps(call);
  const options = { ...readOptions(call), endMs };
  const answer = await asked(() => deps.query.range(params.get('query'), steps, options));
  await send(call, answer, limit);
}

function readSteps({ params }: ApiCall): { steps: Steps; endMs: number } {
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
    const known = apiErrorOf(error);
    if (error instanceof ParseError || known.type === 'bad_data') throw invalidParameter('query', known.message);
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
  const { labels, values, present, histograms } = columns;
  let written = 0;
  writer.add('[');
  for (let row = 0; row < labels.length; row++) {
    if (present[row] === ABSENT) continue;
    if (limit > 0 && written === limit) return closeList(writer, false);
    const cell =
      present[row] === HISTOGRAM
        ? `"histogram":[${time},${histogramJson(histograms!.get(row)!)}]`
        : `"value":[${time},${valueJson(values[row]!)}]`;
    writer.add(`${metricJson(written++, labels[row]!)},${cell}}`);
    if (writer.full && !(await writer.pass())) break;
  }
  return closeList(writer, true);
}

async function writeRange(writer: JsonWriter, steps: Steps, columns: Columns, limit: number): Promise<boolean> {
  const { labels, values, present, histograms } = columns;
  const count = columns.steps;
  // What is the same in all rows is formatted once.
  const openings = Array.from({ length: count }, (_, i) => `[${timestampJson(steps.startMs + i * steps.stepMs)},`);
  let written = 0;
  writer.add('[');
  for (let row = 0; row < labels.length; row++) {
    const base = row * count;
    const cells = present.subarray(base, base + count);
    const hasFloats = cells.includes(FLOAT);
    const hasHistograms = histograms !== undefined && cells.includes(HISTOGRAM);
    if (!hasFloats && !hasHistograms) continue;
    if (limit > 0 && written === limit) return closeList(writer, false);
    writer.add(metricJson(written++, labels[row]!));
    if (hasFloats) {
      // Digits cost more than anything else here, and many series stay the same for long.
      let before = Number.NaN;
      let json = '';
      const pointAt = (step: number) => {
        const value = values[base + step]!;
        if (!Object.is(value, before) || json === '') {
          before = value;
          json = valueJson(value);
        }
        return `${openings[step]}${json}]`;
      };
      if (!(await writeCells(writer, 'values', cells, FLOAT, pointAt))) return true;
    }
    if (hasHistograms) {
      const pointAt = (step: number) => `${openings[step]}${histogramJson(histograms.get(base + step)!)}]`;
      if (!(await writeCells(writer, 'histograms', cells, HISTOGRAM, pointAt))) return true;
    }
    writer.add('}');
  }
  return closeList(writer, true);
}

/** One row's points of one kind; false when the client is gone. */
async function writeCells(
  writer: JsonWriter,
  field: string,
  cells: Uint8Array,
  kind: number,
  pointAt: (step: number) => string,
): Promise<boolean> {
  writer.add(`,"${field}":[`);
  let comma = '';
  for (let from = 0; from < cells.length; from += LOOK_STEPS) {
    const to = Math.min(cells.length, from + LOOK_STEPS);
    let text = '';
    for (let step = from; step < to; step++) {
      if (cells[step] !== kind) continue;
      text += comma + pointAt(step);
      comma = ',';
    }
    writer.add(text);
    if (writer.full && !(await writer.pass())) return false;
  }
  writer.add(']');
  return true;
}

async function writeRaw(writer: JsonWriter, series: readonly RawSeries[], limit: number): Promise<boolean> {
  let written = 0;
  writer.add('[');
  for (const one of series) {
    const { times, values, histogramTimes = NO_TIMES, histograms = [] } = one;
    if (times.length + histogramTimes.length === 0) continue;
    if (limit > 0 && written === limit) return closeList(writer, false);
    writer.add(metricJson(written++, one.labels));
    const floatAt = (i: number) => valueJson(values[i]!);
    if (!(await writeSamples(writer, 'values', times, floatAt))) return true;
    const histogramAt = (i: number) => histogramJson(histograms[i]!);
    if (!(await writeSamples(writer, 'histograms', histogramTimes, histogramAt))) return true;
    writer.add('}');
  }
  return closeList(writer, true);
}

/** Samples at times of their own, nothing where there are none; false when the client is gone. */
async function writeSamples(
  writer: JsonWriter,
  field: string,
  times: Float64Array,
  valueAt: (index: number) => string,
): Promise<boolean> {
  if (times.length === 0) return true;
  writer.add(`,"${field}":[`);
  for (let i = 0; i < times.length; i++) {
    writer.add(`${i > 0 ? ',' : ''}[${timestampJson(times[i]!)},${valueAt(i)}]`);
    if (writer.full && !(await writer.pass())) return false;
  }
  writer.add(']');
  return true;
}

const NO_TIMES = new Float64Array(0);

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
