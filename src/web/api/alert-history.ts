// /api/v1/alerts/history: alerts of the past, from the series that rules keep of them.

import { labelsJson } from '../../model/json.js';
import { formatMatcher, type Matcher } from '../../model/matcher.js';
import type { RawSeries } from '../../promql/exec/source.js';
import { type PastAlert, pastAlerts } from '../../rules/alert-history.js';
import { badData } from '../errors.js';
import { type ApiCall, type ApiRoute, GET_POST, listJson, objectJson, sendData, timeJson } from './call.js';
import { readSelector } from './selectors.js';
import { limitParameter, messageOf, timeParameter } from './time.js';

/** Where no time is asked for: a day. */
const SPAN_MS = 86_400_000;

export const alertHistoryRoutes: readonly ApiRoute[] = [
  { pattern: '/alerts/history', methods: GET_POST, handler: history },
];

async function history(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  const endMs = timeParameter(params, 'end', deps.clock.nowMs());
  const startMs = timeParameter(params, 'start', endMs - SPAN_MS);
  if (endMs < startMs) throw badData('end timestamp must not be before start timestamp');
  const limit = limitParameter(params);
  const selectors = params.all('match[]').map(matchersOf);
  const wanted = selectors.length === 0 ? [[]] : selectors;
  const found = new Map<string, PastAlert>();
  for (const matchers of wanted) {
    const ask = (metric: string, more: readonly Matcher[]) =>
      samplesOf(call, metric, [...matchers, ...more], startMs, endMs);
    const firing = await ask('ALERTS', [{ name: 'alertstate', op: '=', value: 'firing' }]);
    const states = await ask('ALERTS_FOR_STATE', []);
    for (const alert of pastAlerts(states, firing, endMs)) found.set(alertJson(alert), alert);
  }
  const newestFirst = [...found].sort(([, a], [, b]) => b.activeAtMs - a.activeAtMs).map(([json]) => json);
  const isCut = limit > 0 && newestFirst.length > limit;
  const remarks = isCut ? { warnings: ['results truncated due to limit'] } : {};
  const alerts = isCut ? newestFirst.slice(0, limit) : newestFirst;
  await sendData(call, objectJson([['alerts', listJson(alerts)]]), remarks);
}

function matchersOf(selector: string): readonly Matcher[] {
  try {
    return readSelector(selector);
  } catch (error) {
    throw badData(messageOf(error));
  }
}

/** Both ends included. */
async function samplesOf(
  { deps, answer }: ApiCall,
  metric: string,
  matchers: readonly Matcher[],
  startMs: number,
  endMs: number,
): Promise<readonly RawSeries[]> {
  const query = `${metric}{${matchers.map(formatMatcher).join(',')}}[${endMs - startMs + 1}ms]`;
  const { data } = await deps.query.instant(query, endMs, { signal: answer.signal });
  if (data.kind !== 'raw') throw new Error(`${query} is no range vector`);
  return data.series;
}

function alertJson({ labels, activeAtMs, firingAtMs, lastSeenMs, isOpen }: PastAlert): string {
  return objectJson([
    ['labels', labelsJson(labels)],
    ['state', JSON.stringify(isOpen ? (firingAtMs === undefined ? 'pending' : 'firing') : 'inactive')],
    ['activeAt', timeJson(activeAtMs)],
    ...(firingAtMs === undefined ? [] : [['firingAt', timeJson(firingAtMs)] as const]),
    ['lastSeenAt', timeJson(lastSeenMs)],
  ]);
}
