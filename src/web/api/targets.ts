// /api/v1/targets, /api/v1/scrape_pools and /api/v1/scrape_pools/config.

import { formatDuration } from '../../model/duration.js';
import { labelsJson } from '../../model/json.js';
import type { ActiveTarget, DroppedTarget } from '../deps.js';
import {
  type ApiCall,
  type ApiRoute,
  GET,
  listJson,
  objectJson,
  type Remarks,
  sendData,
  streamData,
  timeJson,
} from './call.js';
import { configOfPool, poolParameter } from './relabel-steps.js';

/** Go's zero time: never scraped. */
const NEVER = '"0001-01-01T00:00:00Z"';

export const targetRoutes: readonly ApiRoute[] = [
  { pattern: '/targets', methods: GET, handler: targets },
  { pattern: '/scrape_pools', methods: GET, handler: pools },
  { pattern: '/scrape_pools/config', methods: GET, handler: poolConfig },
];

async function targets(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  const state = params.get('state').toLowerCase();
  const pool = params.get('scrapePool');
  const isWanted = (target: { pool: string }) => pool === '' || target.pool === pool;
  const isAny = state === '' || state === 'any';
  const withActive = isAny || state === 'active';
  const withDropped = isAny || state === 'dropped';
  await streamData(call, async (writer): Promise<Remarks> => {
    let written = 0;
    writer.add('{"activeTargets":[');
    for (const target of withActive ? deps.targets.active() : []) {
      if (!isWanted(target)) continue;
      writer.add(`${written++ > 0 ? ',' : ''}${activeJson(target)}`);
      if (writer.full && !(await writer.pass())) return {};
    }
    written = 0;
    writer.add('],"droppedTargets":[');
    for (const target of withDropped ? deps.targets.dropped() : []) {
      if (!isWanted(target)) continue;
      writer.add(`${written++ > 0 ? ',' : ''}${droppedJson(target)}`);
      if (writer.full && !(await writer.pass())) return {};
    }
    writer.add(`],"droppedTargetCounts":${withDropped ? countsJson(deps.targets.droppedCounts()) : 'null'}}`);
    return {};
  });
}

function activeJson(target: ActiveTarget): string {
  return objectJson([
    ['discoveredLabels', labelsJson(target.discovered)],
    ['labels', labelsJson(target.labels)],
    ['scrapePool', JSON.stringify(target.pool)],
    ['scrapeUrl', JSON.stringify(target.url)],
    ['globalUrl', JSON.stringify(target.globalUrl)],
    ['lastError', JSON.stringify(target.lastError)],
    ['lastScrape', target.lastScrapeMs === undefined ? NEVER : timeJson(target.lastScrapeMs)],
    ['lastScrapeDuration', String(target.lastScrapeSeconds)],
    ['health', JSON.stringify(target.health)],
    ['scrapeInterval', JSON.stringify(formatDuration(target.intervalMs))],
    ['scrapeTimeout', JSON.stringify(formatDuration(target.timeoutMs))],
  ]);
}

function droppedJson(target: DroppedTarget): string {
  return objectJson([
    ['discoveredLabels', labelsJson(target.discovered)],
    ['scrapePool', JSON.stringify(target.pool)],
  ]);
}

function countsJson(counts: ReadonlyMap<string, number>): string {
  return objectJson([...counts].map(([pool, count]) => [pool, String(count)]));
}

async function poolConfig(call: ApiCall): Promise<void> {
  const { yaml } = configOfPool(call, poolParameter(call.params));
  await sendData(call, objectJson([['yaml', JSON.stringify(yaml)]]));
}

async function pools(call: ApiCall): Promise<void> {
  const names = [...call.deps.targets.pools()].sort();
  await sendData(call, objectJson([['scrapePools', listJson(names.map((name) => JSON.stringify(name)))]]));
}
