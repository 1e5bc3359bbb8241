// /api/v1/admin/tsdb/…: what changes the storage itself, where the command line allows it.

import type { Matcher } from '../../model/matcher.js';
import { parseSelector } from '../../promql/syntax/parse.js';
import type { Admin } from '../deps.js';
import { ApiError, badData, invalidParameter } from '../errors.js';
import type { ApiCall, ApiRoute } from './call.js';
import { messageOf, TIME_MAX_MS, TIME_MIN_MS, timeParameter } from './time.js';

const POST_PUT = ['POST', 'PUT'] as const;

export const adminRoutes: readonly ApiRoute[] = [
  { pattern: '/admin/tsdb/delete_series', methods: POST_PUT, handler: deleteSeries, changes: true },
  { pattern: '/admin/tsdb/clean_tombstones', methods: POST_PUT, handler: cleanTombstones, changes: true },
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
