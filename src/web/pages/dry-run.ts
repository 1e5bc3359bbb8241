// POST /api/v1/rules/dry_run: what rules would have done. The body is a rule file.

import { ConfigError } from '../../config/error.js';
import { labelsJson } from '../../model/json.js';
import { formatScientific } from '../../model/number.js';
import { listJson, objectJson, timeJson } from '../api/call.js';
import { timeParameter } from '../api/time.js';
import type { DryRunAlert, DryRunGroup, DryRunRule } from '../deps.js';
import { type ApiError, apiErrorOf, badData, ApiError as Refusal, sendError } from '../errors.js';
import { JSON_TYPE } from '../json.js';
import type { PageCall, PageRoute } from '../page.js';
import { Params } from '../params.js';

const BODY_BYTES_MAX = 2 ** 20;
/** Where no time is asked for. */
const SPAN_MS = 3_600_000;

export const dryRunRoute: PageRoute = {
  pattern: '/api/v1/rules/dry_run',
  methods: ['POST'],
  handler: dryRun,
  needsReady: true,
};

async function dryRun({ deps, request, answer }: PageCall): Promise<void> {
  const refuse = (error: ApiError) => sendError(answer, error);
  const body = await request.readBody({ reserve: (bytes) => new Uint8Array(bytes) }, BODY_BYTES_MAX);
  if (body.kind === 'too-large') return refuse(new Refusal('bad_data', 'request body too large', 413));
  if (body.kind !== 'whole') return;
  try {
    const params = new Params();
    params.add(request.query);
    const endMs = timeParameter(params, 'end', deps.clock.nowMs());
    const startMs = timeParameter(params, 'start', endMs - SPAN_MS);
    if (endMs < startMs) throw badData('end timestamp must not be before start timestamp');
    const text = new TextDecoder().decode(body.bytes);
    const file = params.get('file');
    const groups = await deps.rules.dryRun({ text, file, startMs, endMs, signal: answer.signal });
    const data = objectJson([['groups', listJson(groups.map(groupJson))]]);
    return answer.whole(200, JSON_TYPE, `{"status":"success","data":${data}}`);
  } catch (error) {
    return refuse(error instanceof ConfigError ? badData(error.message) : apiErrorOf(error));
  }
}

function groupJson({ name, intervalMs, evaluations, rules }: DryRunGroup): string {
  return objectJson([
    ['name', JSON.stringify(name)],
    ['interval', String(intervalMs / 1000)],
    ['evaluations', String(evaluations)],
    ['rules', listJson(rules.map(ruleJson))],
  ]);
}

function ruleJson({ name, expr, type, samples, failures, error, alerts }: DryRunRule): string {
  return objectJson([
    ['name', JSON.stringify(name)],
    ['query', JSON.stringify(expr)],
    ['type', JSON.stringify(type)],
    ['samples', String(samples)],
    ['failures', String(failures)],
    ...(error === '' ? [] : [['lastError', JSON.stringify(error)] as const]),
    ...(type === 'alerting' ? [['alerts', listJson(alerts.map(alertJson))] as const] : []),
  ]);
}

function alertJson({ labels, annotations, value, activeAtMs, firedAtMs, endedAtMs }: DryRunAlert): string {
  const state = endedAtMs !== undefined ? 'inactive' : firedAtMs === undefined ? 'pending' : 'firing';
  return objectJson([
    ['labels', labelsJson(labels)],
    ['annotations', labelsJson(annotations)],
    ['state', JSON.stringify(state)],
    ['activeAt', timeJson(activeAtMs)],
    ...(firedAtMs === undefined ? [] : [['firingAt', timeJson(firedAtMs)] as const]),
    ...(endedAtMs === undefined ? [] : [['endedAt', timeJson(endedAtMs)] as const]),
    ['value', JSON.stringify(formatScientific(value))],
  ]);
}
