// /api/v1/metadata and /api/v1/targets/metadata: what targets say of their metrics.

import { labelsJson } from '../../model/json.js';
import { type Labels, valueOf } from '../../model/labels.js';
import { compileMatcher, type Matcher } from '../../model/matcher.js';
import { parseSelector } from '../../promql/syntax/parse.js';
import type { MetricMetadata } from '../deps.js';
import { badData } from '../errors.js';
import type { Params } from '../params.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData } from './call.js';
import { messageOf, parseInteger } from './time.js';

export const metadataRoutes: readonly ApiRoute[] = [
  { pattern: '/metadata', methods: GET, handler: metadata },
  { pattern: '/targets/metadata', methods: GET, handler: targetMetadata },
];

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

async function targetMetadata(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  const limit = countParameter(params, 'limit');
  const metric = params.get('metric');
  const matches = targetTest(params.get('match_target'));
  const entries: string[] = [];
  for (const { labels, metadata: all } of await deps.targets.metadataByTarget(metric === '' ? undefined : metric)) {
    if (!matches(labels)) continue;
    for (const one of all) {
      if (limit >= 0 && entries.length >= limit) break;
      entries.push(targetEntryJson(labels, one, metric === ''));
    }
  }
  await sendData(call, listJson(entries));
}

function targetTest(selector: string): (labels: Labels) => boolean {
  if (selector === '') return () => true;
  let matchers: readonly Matcher[];
  try {
    matchers = parseSelector(selector);
  } catch (error) {
    throw badData(messageOf(error));
  }
  const tests = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
  return (labels) => tests.every(({ name, test }) => test(valueOf(labels, name)));
}

function targetEntryJson(labels: Labels, { metric, type, help, unit }: MetricMetadata, named: boolean): string {
  const fields: [string, string][] = [
    ['target', labelsJson(labels)],
    ['metric', JSON.stringify(metric)],
    ['type', JSON.stringify(type)],
    ['help', JSON.stringify(help)],
    ['unit', JSON.stringify(unit)],
  ];
  return objectJson(fields.filter(([name]) => named || name !== 'metric'));
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
