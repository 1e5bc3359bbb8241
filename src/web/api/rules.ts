// /api/v1/rules and /api/v1/alerts.

import { createHash } from 'node:crypto';
import { labelsJson } from '../../model/json.js';
import { type Labels, valueOf } from '../../model/labels.js';
import { compileMatcher, type Matcher } from '../../model/matcher.js';
import { formatScientific } from '../../model/number.js';
import { quote } from '../../model/quote.js';
import type { AlertStatus, RuleGroupStatus, RuleStatus } from '../deps.js';
import { badData, invalidParameter } from '../errors.js';
import type { Params } from '../params.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData, timeJson } from './call.js';
import { readSelector } from './selectors.js';
import { messageOf } from './time.js';

/** Go's zero time: never evaluated. */
const NEVER = '"0001-01-01T00:00:00Z"';

export const ruleRoutes: readonly ApiRoute[] = [
  { pattern: '/rules', methods: GET, handler: rules },
  { pattern: '/alerts', methods: GET, handler: alerts },
];

async function alerts(call: ApiCall): Promise<void> {
  const all = call.deps.rules.groups().flatMap((group) => group.rules.flatMap((rule) => rule.alerting?.alerts() ?? []));
  await sendData(call, objectJson([['alerts', listJson(all.map(alertJson))]]));
}

async function rules(call: ApiCall): Promise<void> {
  const { params, deps } = call;
  const isWanted = ruleFilter(params);
  const withAlerts = !booleanParameter(params, 'exclude_alerts');
  const page = pageOf(params);
  const isGroupWanted = groupFilter(params);
  const groups: string[] = [];
  let next: RuleGroupStatus | undefined;
  for (const group of fromToken(deps.rules.groups(), page)) {
    const wanted = isGroupWanted(group) ? group.rules.filter(isWanted) : [];
    if (wanted.length === 0) continue;
    if (page !== undefined && groups.length === page.limit) {
      next = group;
      break;
    }
    groups.push(groupJson(group, wanted, withAlerts));
  }
  const token = next === undefined ? [] : [['groupNextToken', JSON.stringify(tokenOf(next))] as const];
  await sendData(call, objectJson([['groups', listJson(groups)], ...token]));
}

type Fields = readonly (readonly [name: string, valueJson: string])[];

function groupFilter(params: Params): (group: RuleGroupStatus) => boolean {
  const names = new Set(params.all('rule_group[]'));
  const files = new Set(params.all('file[]'));
  return ({ name, file }) => (names.size === 0 || names.has(name)) && (files.size === 0 || files.has(file));
}

function ruleFilter(params: Params): (rule: RuleStatus) => boolean {
  const type = params.get('type').toLowerCase();
  if (type !== '' && type !== 'alert' && type !== 'record') {
    throw invalidParameter('type', `not supported value ${quote(type)}`);
  }
  const names = new Set(params.all('rule_name[]'));
  const selectors = params.all('match[]').map(labelTest);
  return ({ name, labels, alerting }) =>
    (type === '' || (type === 'alert') === (alerting !== undefined)) &&
    (names.size === 0 || names.has(name)) &&
    (selectors.length === 0 || selectors.some((matches) => matches(labels)));
}

function labelTest(selector: string): (labels: Labels) => boolean {
  const tests = matchersOf(selector).map((matcher) => [matcher.name, compileMatcher(matcher)] as const);
  return (labels) => tests.every(([name, test]) => test(valueOf(labels, name)));
}

function matchersOf(selector: string): readonly Matcher[] {
  try {
    return readSelector(selector);
  } catch (error) {
    throw badData(messageOf(error));
  }
}

/** As Go's strconv.ParseBool, in whatever case. */
function booleanParameter(params: Params, name: string): boolean {
  const text = params.get(name).toLowerCase();
  if (['1', 't', 'true'].includes(text)) return true;
  if (['', '0', 'f', 'false'].includes(text)) return false;
  const reason = `strconv.ParseBool: parsing ${quote(text)}: invalid syntax`;
  throw invalidParameter(name, `error converting ${name}: ${reason}`);
}

interface Page {
  readonly limit: number;
  /** Of its first group; empty for the first page. */
  readonly token: string;
}

/** undefined where all groups are wanted. */
function pageOf(params: Params): Page | undefined {
  const token = params.get('group_next_token');
  const text = params.get('group_limit');
  if (text === '') {
    if (token === '') return undefined;
    throw invalidParameter('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
  }
  try {
    const limit = parseLimit(text);
    if (limit > 0) return { limit, token };
  } catch (error) {
    throw invalidParameter('group_limit', `group_limit needs to be a valid number: ${messageOf(error)}`);
  }
  throw invalidParameter('group_limit', 'group_limit needs to be greater than 0');
}

/** As Go's strconv.ParseInt of 32 bits, whose words the errors have. */
function parseLimit(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
  const value = Number(text);
  if (value !== (value | 0)) throw new Error(`strconv.ParseInt: parsing ${quote(text)}: value out of range`);
  return value;
}

function fromToken(groups: readonly RuleGroupStatus[], page: Page | undefined): readonly RuleGroupStatus[] {
  if (page === undefined || page.token === '') return groups;
  const first = groups.findIndex((group) => tokenOf(group) === page.token);
  if (first >= 0) return groups.slice(first);
  const message = `invalid group_next_token '${page.token}'. were rule groups changed?`;
  throw invalidParameter('group_next_token', message);
}

function tokenOf({ file, name }: RuleGroupStatus): string {
  return createHash('sha256').update(`${file};${name}`).digest('hex');
}

function groupJson(group: RuleGroupStatus, wanted: readonly RuleStatus[], withAlerts: boolean): string {
  return objectJson([
    ['name', JSON.stringify(group.name)],
    ['file', JSON.stringify(group.file)],
    ['rules', listJson(wanted.map((rule) => ruleJson(rule, withAlerts)))],
    ['interval', String(group.intervalMs / 1000)],
    ['limit', String(group.limit)],
    ['evaluationTime', String(group.seconds)],
    ['lastEvaluation', evaluatedJson(group.evaluatedMs)],
  ]);
}

function ruleJson(rule: RuleStatus, withAlerts: boolean): string {
  const { alerting } = rule;
  const common: Fields = [
    ['health', JSON.stringify(rule.health)],
    ...(rule.lastError === '' ? [] : [['lastError', JSON.stringify(rule.lastError)] as const]),
    ['evaluationTime', String(rule.seconds)],
    ['lastEvaluation', evaluatedJson(rule.evaluatedMs)],
  ];
  const name = ['name', JSON.stringify(rule.name)] as const;
  const query = ['query', JSON.stringify(rule.expr)] as const;
  const labels = ['labels', labelsJson(rule.labels)] as const;
  if (alerting === undefined) {
    const some: Fields = rule.labels.length === 0 ? [] : [labels];
    return objectJson([name, query, ...some, ...common, ['type', '"recording"']]);
  }
  return objectJson([
    ['state', JSON.stringify(alerting.state)],
    name,
    query,
    ['duration', String(alerting.holdMs / 1000)],
    ['keepFiringFor', String(alerting.keepFiringMs / 1000)],
    labels,
    ['annotations', labelsJson(alerting.annotations)],
    ['alerts', withAlerts ? listJson(alerting.alerts().map(alertJson)) : 'null'],
    ...common,
    ['type', '"alerting"'],
  ]);
}

function alertJson({ labels, annotations, state, activeAtMs, keepFiringSinceMs, value }: AlertStatus): string {
  const kept = keepFiringSinceMs === undefined ? [] : [['keepFiringSince', timeJson(keepFiringSinceMs)] as const];
  return objectJson([
    ['labels', labelsJson(labels)],
    ['annotations', labelsJson(annotations)],
    ['state', JSON.stringify(state)],
    ['activeAt', timeJson(activeAtMs)],
    ...kept,
    ['value', JSON.stringify(formatScientific(value))],
  ]);
}

function evaluatedJson(timeMs: number | undefined): string {
  return timeMs === undefined ? NEVER : timeJson(timeMs);
}
