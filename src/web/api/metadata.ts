// /api/v1/metadata: what targets say of their metrics.

import type { MetricMetadata } from '../deps.js';
import { badData } from '../errors.js';
import type { Params } from '../params.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData } from './call.js';
import { parseInteger } from './time.js';

export const metadataRoutes: readonly ApiRoute[] = [{ pattern: '/metadata', methods: GET, handler: metadata }];

async function metadata(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  const limit = countParameter(params, 'limit');
  const perMetric = countParameter(params, 'limit_per_metric');
  const metric = params.get('metric');
  const byMetric = new Map<string, Map<string, string>>();
  for (const entry of await deps.targets.metadata(metric === '' ? undefined : metric)) {
    if (metric !== '' && entry.metric !== metric) continue;
    let entries = byMetric.get(entry.metric);
    if (entries === undefined) byMetric.set(entry.metric, (entries = new Map()));
    const json = entryJson(entry);
    if (perMetric < 0 || entries.size < perMetric) entries.set(json, json);
  }
  const fields = [...byMetric].map(([name, entries]) => [name, listJson(entries.values())] as const);
  await sendData(call, objectJson(limit < 0 ? fields : fields.slice(0, limit)));
}

function entryJson({ type, help, unit }: MetricMetadata): string {
  return objectJson([
    ['type', JSON.stringify(type)],
    ['help', JSON.stringify(help)],
    ['unit', JSON.stringify(unit)],
  ]);
}

/** -1 where it is missing, which means no limit. */
function countParameter(params: Params, name: string): number {
  const text = params.get(name);
  if (text === '') return -1;
  try {
    return parseInteger(text);
  } catch {
    throw badData(`${name} must be a number`);
  }
}
