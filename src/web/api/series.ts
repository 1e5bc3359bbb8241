// /api/v1/series, /api/v1/labels and /api/v1/label/<name>/values.

import { keptJson } from '../../base/kept-json.js';
import { isLabelName } from '../../model/names.js';
import { quote } from '../../model/quote.js';
import type { Found, LabelQuery } from '../deps.js';
import { type ApiError, badData, invalidParameter } from '../errors.js';
import { unescapeName } from '../unescape.js';
import { type ApiCall, type ApiRoute, GET, GET_POST, type Remarks, sendData, streamData } from './call.js';
import { readSelector } from './selectors.js';
import { limitParameter, messageOf, TIME_MAX_MS, TIME_MIN_MS, timeParameter } from './time.js';

const TRUNCATED = 'results truncated due to limit';
/** Strings written between two looks at how much is gathered. */
const STRINGS_AT_ONCE = 500;
/** Of shorter lists, which storage mostly has at hand, the text is kept beside them. */
const KEPT_STRINGS_MAX = 2000;

export const seriesRoutes: readonly ApiRoute[] = [
  { pattern: '/series', methods: GET_POST, handler: series },
  { pattern: '/labels', methods: GET_POST, handler: labelNames },
  { pattern: '/label/:name/values', methods: GET, handler: labelValues },
];

async function series(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  if (params.error !== undefined) throw badData(`error parsing form values: ${params.error}`);
  if (params.all('match[]').length === 0) throw badData('no match[] parameter provided');
  const { limit, query } = readQuery(call, (message) => invalidParameter('match[]', message));
  const { rows, warnings } = await deps.storage.series(query);
  const cut = limit > 0 && rows.rowCount > limit;
  await streamData(call, async (writer): Promise<Remarks> => {
    writer.add('[');
    for await (const piece of rows.pieces(limit)) {
      // What comes last stays, so that an answer of one piece leaves whole.
      if (writer.full && !(await writer.pass())) return {};
      writer.add(piece);
    }
    writer.add(']');
    return { warnings: cut ? [...warnings, TRUNCATED] : warnings };
  });
}

async function labelNames(call: ApiCall): Promise<void> {
  const { limit, query } = readQuery(call, badData);
  await sendStrings(call, await call.deps.storage.labelNames(query), limit);
}

async function labelValues(call: ApiCall): Promise<void> {
  const escaped = call.path.get('name')!;
  const name = escaped.startsWith('U__') ? unescapeName(escaped) : escaped;
  if (!isLabelName(name, 'utf8')) throw badData(`invalid label name: ${quote(name)}`);
  const { limit, query } = readQuery(call, badData);
  await sendStrings(call, await call.deps.storage.labelValues(name, query), limit);
}

/** `fault` makes an error of what is wrong with a selector: Prometheus words it differently by endpoint. */
function readQuery(
  { params, answer }: ApiCall,
  fault: (message: string) => ApiError,
): { limit: number; query: LabelQuery } {
  const limit = limitParameter(params);
  const startMs = timeParameter(params, 'start', TIME_MIN_MS);
  const endMs = timeParameter(params, 'end', TIME_MAX_MS);
  const selectors = params.all('match[]').map((text) => {
    try {
      return readSelector(text);
    } catch (error) {
      throw fault(messageOf(error));
    }
  });
  // One more than wanted tells whether there were more.
  return { limit, query: { selectors, startMs, endMs, limit: limit === 0 ? 0 : limit + 1, signal: answer.gone } };
}

async function sendStrings(call: ApiCall, found: Found<readonly string[]>, limit: number): Promise<void> {
  const cut = limit > 0 && found.values.length > limit;
  if (!cut && found.values.length <= KEPT_STRINGS_MAX) return sendData(call, keptJson(found.values), found);
  const values = cut ? found.values.slice(0, limit) : found.values;
  await streamData(call, async (writer): Promise<Remarks> => {
    writer.add('[');
    for (let at = 0; at < values.length; at += STRINGS_AT_ONCE) {
      if (writer.full && !(await writer.pass())) return {};
      const list = JSON.stringify(values.slice(at, at + STRINGS_AT_ONCE));
      writer.add(`${at > 0 ? ',' : ''}${list.slice(1, -1)}`);
    }
    writer.add(']');
    return { warnings: cut ? [...found.warnings, TRUNCATED] : found.warnings };
  });
}
