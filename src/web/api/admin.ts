// /api/v1/admin/tsdb/…: what changes the storage itself, where the command line allows it.

import type { Matcher } from '../../model/matcher.js';
import { quote } from '../../model/quote.js';
import { parseSelector } from '../../promql/syntax/parse.js';
import type { Admin } from '../deps.js';
import { ApiError, badData, invalidParameter } from '../errors.js';
import { type ApiCall, type ApiRoute, GET, objectJson, sendData } from './call.js';
import { messageOf, neededTimeParameter, TIME_MAX_MS, TIME_MIN_MS, timeParameter } from './time.js';

const POST_PUT = ['POST', 'PUT'] as const;
const DELETE = ['DELETE'] as const;

/** As Go reads a bool. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
]);

export const adminRoutes: readonly ApiRoute[] = [
  { pattern: '/admin/tsdb/delete_series', methods: POST_PUT, handler: deleteSeries, changes: true },
  { pattern: '/admin/tsdb/snapshot', methods: POST_PUT, handler: snapshot, changes: true },
  { pattern: '/admin/tsdb/snapshots', methods: GET, handler: listSnapshots },
  { pattern: '/admin/tsdb/snapshots/:name', methods: DELETE, handler: removeSnapshot, changes: true },
  { pattern: '/admin/tsdb/clean_tombstones', methods: POST_PUT, handler: cleanTombstones, changes: true },
  { pattern: '/admin/rules/backfill', methods: POST_PUT, handler: backfillRules, changes: true },
];

async function deleteSeries(call: ApiCall): Promise<void> {
  const admin = enabled(call);
  const { params } = call;
  if (params.error !== undefined) throw badData(`error parsing form values: ${params.error}`);
  const texts = params.all('match[]');
  if (texts.length === 0) throw badData('no match[] parameter provided');
  const startMs = timeParameter(params, 'start', TIME_MIN_MS);
  const endMs = timeParameter(params, 'end', TIME_MAX_MS);
  await admin.deleteSeries(texts.map(readSelector), startMs, endMs);
  call.answer.empty(204);
}

async function backfillRules(call: ApiCall): Promise<void> {
  const admin = enabled(call);
  const startMs = neededTimeParameter(call.params, 'start');
  const endMs = neededTimeParameter(call.params, 'end');
  if (endMs < startMs) throw badData('end timestamp must not be before start timestamp');
  const { samples, histograms, failures } = await admin.backfillRules(startMs, endMs, call.answer.signal);
  const left = histograms === 0 ? [] : [`${histograms} native histograms were left out`];
  const failed = failures === 0 ? [] : [`${failures} evaluations of rules failed`];
  await sendData(call, objectJson([['samples', String(samples)]]), { warnings: [...left, ...failed] });
}

async function snapshot(call: ApiCall): Promise<void> {
  const admin = enabled(call);
  const text = call.params.get('skip_head');
  const skipHead = text === '' ? false : BOOLEANS.get(text);
  if (skipHead === undefined) {
    const reason = `strconv.ParseBool: parsing ${quote(text)}: invalid syntax`;
    throw invalidParameter('skip_head', `unable to parse boolean: ${reason}`);
  }
  await sendData(call, objectJson([['name', JSON.stringify(await admin.snapshot(skipHead))]]));
}

async function listSnapshots(call: ApiCall): Promise<void> {
  await sendData(call, JSON.stringify(await enabled(call).snapshots()));
}

async function removeSnapshot(call: ApiCall): Promise<void> {
  const name = call.path.get('name')!;
  if (!(await enabled(call).removeSnapshot(name))) throw new ApiError('not_found', `no snapshot is called ${name}`);
  call.answer.empty(204);
}

async function cleanTombstones(call: ApiCall): Promise<void> {
  await enabled(call).cleanTombstones();
  call.answer.empty(204);
}

/** Unlike those of queries, a selector here may take everything. */
function readSelector(text: string): readonly Matcher[] {
  try {
    return parseSelector(text);
  } catch (error) {
    throw invalidParameter('match[]', messageOf(error));
  }
}

function enabled({ deps }: ApiCall): Admin {
  if (deps.admin === undefined) {
    // Coming again is of no use, and 500 is what Prometheus says.
    throw new ApiError('unavailable', 'admin APIs disabled', 500);
  }
  return deps.admin;
}
