// /api/v1/status/…: what runs here, and how.

import type { BuildInfo, NamedCount } from '../deps.js';
import { badData } from '../errors.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData, timeJson } from './call.js';
import { parseInteger } from './time.js';

const TOP_DEFAULT = 10;
/** Longer lists than this would be a dump of the index. */
const TOP_MAX = 10_000;
/** What Prometheus's head shows for the ends of its time while it is empty: int64's own ends. */
const EMPTY_MIN_TIME = '9223372036854775807';
const EMPTY_MAX_TIME = '-9223372036854775808';

export const statusRoutes: readonly ApiRoute[] = [
  {
    pattern: '/status/buildinfo',
    methods: GET,
    handler: (call) => sendData(call, buildInfoJson(call.deps.status.build)),
  },
  { pattern: '/status/runtimeinfo', methods: GET, handler: runtimeInfo },
  { pattern: '/status/tsdb', methods: GET, handler: tsdb },
  { pattern: '/status/tsdb/blocks', methods: GET, handler: blocks },
  { pattern: '/status/flags', methods: GET, handler: flags },
  { pattern: '/status/config', methods: GET, handler: config },
];

/** Answers while the log is replayed, which is when it is of interest. */
export const replayRoute: ApiRoute = { pattern: '/status/walreplay', methods: GET, handler: walReplay };

/** Also the body of /version. */
export function buildInfoJson(build: BuildInfo): string {
  return objectJson([
    ['version', JSON.stringify(build.version)],
    ['revision', JSON.stringify(build.revision)],
    ['branch', JSON.stringify(build.branch)],
    ['buildUser', JSON.stringify(build.buildUser)],
    ['buildDate', JSON.stringify(build.buildDate)],
    ['goVersion', JSON.stringify(build.goVersion)],
  ]);
}

async function runtimeInfo(call: ApiCall): Promise<void> {
  const info = call.deps.status.runtime();
  const fields: [string, string][] = [
    ['startTime', timeJson(info.startTimeMs)],
    ['CWD', JSON.stringify(info.workingFolder)],
    ['hostname', JSON.stringify(info.hostname)],
    ['serverTime', timeJson(call.deps.clock.nowMs())],
    ['reloadConfigSuccess', String(info.reloadConfigSuccess)],
    ['lastConfigTime', timeJson(info.lastConfigTimeMs)],
    ['corruptionCount', String(info.corruptionCount)],
    ['goroutineCount', String(info.threads)],
    ['GOMAXPROCS', String(info.processors)],
    ['GOMEMLIMIT', String(info.memoryLimitBytes)],
    // Knobs of Go's runtime: clients read them as text.
    ['GOGC', '""'],
    ['GODEBUG', '""'],
    ['storageRetention', JSON.stringify(info.storageRetention)],
  ];
  await sendData(call, objectJson(fields));
}

async function tsdb(call: ApiCall): Promise<void> {
  const text = call.params.get('limit');
  const stats = await call.deps.storage.stats(text === '' ? TOP_DEFAULT : topParameter(text));
  const headStats = objectJson([
    ['numSeries', String(stats.series)],
    ['numLabelPairs', String(stats.labelPairs)],
    ['chunkCount', String(stats.chunks)],
    ['minTime', stats.minTimeMs === undefined ? EMPTY_MIN_TIME : String(stats.minTimeMs)],
    ['maxTime', stats.maxTimeMs === undefined ? EMPTY_MAX_TIME : String(stats.maxTimeMs)],
  ]);
  const fields: [string, string][] = [
    ['headStats', headStats],
    ['seriesCountByMetricName', countsJson(stats.seriesByMetricName)],
    ['labelValueCountByLabelName', countsJson(stats.valuesByLabelName)],
    ['memoryInBytesByLabelName', countsJson(stats.bytesByLabelName)],
    ['seriesCountByLabelValuePair', countsJson(stats.seriesByLabelPair)],
  ];
  await sendData(call, objectJson(fields));
}

async function blocks(call: ApiCall): Promise<void> {
  await sendData(call, objectJson([['blocks', listJson(call.deps.storage.blocks())]]));
}

function topParameter(text: string): number {
  let limit = 0;
  try {
    limit = parseInteger(text);
  } catch {
    // No number is no positive number either.
  }
  if (limit < 1) throw badData('limit must be a positive number');
  return Math.min(limit, TOP_MAX);
}

function countsJson(counts: readonly NamedCount[]): string {
  const entry = ({ name, value }: NamedCount) =>
    objectJson([
      ['name', JSON.stringify(name)],
      ['value', String(value)],
    ]);
  return listJson(counts.map(entry));
}

async function flags(call: ApiCall): Promise<void> {
  const sorted = [...call.deps.status.flags()].sort(([a], [b]) => (a < b ? -1 : 1));
  await sendData(call, objectJson(sorted.map(([name, value]) => [name, JSON.stringify(value)])));
}

async function config(call: ApiCall): Promise<void> {
  await sendData(call, objectJson([['yaml', JSON.stringify(call.deps.status.configYaml())]]));
}

async function walReplay(call: ApiCall): Promise<void> {
  const { min, max, current } = call.deps.status.walReplay();
  const fields: [string, string][] = [
    ['min', String(min)],
    ['max', String(max)],
    ['current', String(current)],
  ];
  await sendData(call, objectJson(fields));
}
