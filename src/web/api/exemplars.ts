// /api/v1/query_exemplars: exemplars of the series that the selectors of a query name.

import { labelsJson, timestampJson, valueJson } from '../../model/json.js';
import { parseExpr } from '../../promql/syntax/parse.js';
import { selectorsIn } from '../../promql/syntax/selectors.js';
import type { ExemplarSeries } from '../deps.js';
import { badData } from '../errors.js';
import { type ApiCall, type ApiRoute, GET_POST, streamData } from './call.js';
import { messageOf, TIME_MAX_MS, TIME_MIN_MS, timeParameter } from './time.js';

export const exemplarRoutes: readonly ApiRoute[] = [
  { pattern: '/query_exemplars', methods: GET_POST, handler: queryExemplars },
];

async function queryExemplars(call: ApiCall): Promise<void> {
  const { params, deps, answer } = call;
  const startMs = timeParameter(params, 'start', TIME_MIN_MS);
  const endMs = timeParameter(params, 'end', TIME_MAX_MS);
  if (endMs < startMs) throw badData('end timestamp must not be before start timestamp');
  const selectors = readSelectors(call);
  // Prometheus has nothing to say then, not even an envelope.
  if (selectors.length === 0) return void (await answer.empty(204));
  const all = await deps.storage.exemplars({ selectors, startMs, endMs, signal: answer.signal });
  await streamData(call, async (writer) => {
    writer.add('[');
    for (const [i, series] of all.entries()) {
      writer.add(`${i > 0 ? ',' : ''}${seriesJson(series)}`);
      if (writer.full && !(await writer.pass())) return {};
    }
    writer.add(']');
    return {};
  });
}

function readSelectors({ params, deps }: ApiCall) {
  try {
    return selectorsIn(parseExpr(params.get('query'), deps.language)).map(({ matchers }) => matchers);
  } catch (error) {
    throw badData(messageOf(error));
  }
}

function seriesJson({ labels, exemplars }: ExemplarSeries): string {
  const list = exemplars.map(({ labels: own, value, timeMs }) => {
    return `{"labels":${labelsJson(own)},"value":${valueJson(value)},"timestamp":${timestampJson(timeMs)}}`;
  });
  return `{"seriesLabels":${labelsJson(labels)},"exemplars":[${list.join(',')}]}`;
}
