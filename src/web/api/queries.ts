// /api/v1/status/active_queries: the queries that wait or run, and ending one of them. Ours;
// Prometheus has no such thing.

import type { ActiveQuery } from '../deps.js';
import { ApiError } from '../errors.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData, timeJson } from './call.js';

export const activeQueryRoutes: readonly ApiRoute[] = [
  { pattern: '/status/active_queries', methods: GET, handler: list },
  { pattern: '/status/active_queries/:id/cancel', methods: ['POST'], handler: cancel, changes: true },
];

async function list(call: ApiCall): Promise<void> {
  const { query, clock } = call.deps;
  const nowMs = clock.nowMs();
  await sendData(call, listJson(query.active().map((one) => activeJson(one, nowMs))));
}

function activeJson({ id, text, priority, phase, startedMs, client, memoryBytes }: ActiveQuery, nowMs: number): string {
  return objectJson([
    ['id', String(id)],
    ['query', JSON.stringify(text)],
    ['state', JSON.stringify(phase)],
    ['priority', JSON.stringify(priority)],
    ['client', JSON.stringify(client)],
    ['started', timeJson(startedMs)],
    ['seconds', String(Math.max(0, nowMs - startedMs) / 1000)],
    ['memoryBytes', String(memoryBytes)],
  ]);
}

async function cancel(call: ApiCall): Promise<void> {
  const id = call.path.get('id')!;
  const known = /^\d{1,15}$/.test(id) && call.deps.query.cancel(Number(id));
  if (!known) throw new ApiError('not_found', `no query ${JSON.stringify(id)} waits or runs`);
  await sendData(call, 'null');
}
