// /api/v1/status/recovery: what the last start read, mended and lost. Answers while it goes on.

import type { Loss } from '../deps.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData, timeJson } from './call.js';

export const recoveryRoute: ApiRoute = { pattern: '/status/recovery', methods: GET, handler: recovery };

async function recovery(call: ApiCall): Promise<void> {
  const { status, clock } = call.deps;
  const { startMs, endMs, figures, losses, malformed } = status.recovery();
  const { min, max, current } = status.walReplay();
  const seconds = ((endMs ?? clock.nowMs()) - startMs) / 1000;
  await sendData(
    call,
    objectJson([
      ['state', JSON.stringify(endMs === undefined ? 'running' : 'done')],
      ['startTime', timeJson(startMs)],
      ['seconds', String(seconds)],
      ['segments', objectJson(Object.entries({ min, max, current }).map(([name, value]) => [name, String(value)]))],
      ['read', objectJson(Object.entries(figures).map(([name, value]) => [name, String(value)]))],
      ['lost', listJson(losses.map(lossJson))],
      ['malformed', listJson(malformed.map((fault) => JSON.stringify(fault)))],
    ]),
  );
}

function lossJson({ minTimeMs, maxTimeMs, offset, bytes, what, path, reason, outcome }: Loss): string {
  const fields: [string, string][] = Object.entries({ what, path, reason, outcome }).map(([name, text]) => [
    name,
    JSON.stringify(text),
  ]);
  if (offset !== undefined) fields.push(['offset', String(offset)]);
  if (bytes !== undefined) fields.push(['bytes', String(bytes)]);
  if (minTimeMs !== undefined) fields.push(['minTime', timeJson(minTimeMs)]);
  if (maxTimeMs !== undefined) fields.push(['maxTime', timeJson(maxTimeMs)]);
  return objectJson(fields);
}
