// /api/v1/targets/relabel_steps: what each rule of a pool makes of a target's labels.

import { labelsJson } from '../../model/json.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { traceRelabel } from '../../relabel/relabel.js';
import type { RelabelRule } from '../../relabel/rule.js';
import type { PoolConfig } from '../deps.js';
import { badData } from '../errors.js';
import type { Params } from '../params.js';
import { type ApiCall, type ApiRoute, GET, listJson, objectJson, sendData } from './call.js';

export const relabelRoutes: readonly ApiRoute[] = [
  { pattern: '/targets/relabel_steps', methods: GET, handler: relabelSteps },
];

async function relabelSteps(call: ApiCall): Promise<void> {
  const pool = poolParameter(call.params);
  const labels = labelsParameter(call.params);
  const { relabelRules, nameScheme } = configOfPool(call, pool);
  const steps = traceRelabel(labels, relabelRules, { scheme: nameScheme });
  const items = relabelRules.map((rule, i) => stepJson(rule, steps[i]?.output));
  await sendData(call, objectJson([['steps', listJson(items)]]));
}

export function poolParameter(params: Params): string {
  const pool = params.get('scrapePool');
  if (pool === '') throw badData('no scrapePool parameter provided');
  return pool;
}

export function configOfPool({ deps }: ApiCall, pool: string): PoolConfig {
  const config = deps.targets.configOf(pool);
  if (config !== undefined) return config;
  throw badData(`error retrieving scrape config: scrape pool ${JSON.stringify(pool)} not found`);
}

/** A JSON object of texts. */
function labelsParameter(params: Params): Labels {
  const text = params.get('labels');
  if (text === '') throw badData('no labels parameter provided');
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw badData(`error parsing labels: ${(error as Error).message}`);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw badData('error parsing labels: want an object');
  }
  const pairs = Object.entries(given);
  const wrong = pairs.find(([, value]) => typeof value !== 'string');
  if (wrong !== undefined) throw badData(`error parsing labels: the value of ${JSON.stringify(wrong[0])} is no text`);
  return labelsOf(pairs as [string, string][]);
}

/** From the rule that drops them on, the labels are gone. */
function stepJson(rule: RelabelRule, output: Labels | undefined): string {
  return objectJson([
    ['rule', ruleJson(rule)],
    ['output', output === undefined ? '{}' : labelsJson(output)],
    ['keep', String(output !== undefined)],
  ]);
}

function ruleJson(rule: RelabelRule): string {
  const fields: [name: string, json: string, isShown: boolean][] = [
    ['source_labels', JSON.stringify(rule.sourceLabels), rule.sourceLabels.length > 0],
    ['separator', JSON.stringify(rule.separator), true],
    ['regex', JSON.stringify(rule.regex.source), true],
    ['modulus', String(rule.modulus), rule.modulus !== 0n],
    ['target_label', JSON.stringify(rule.targetLabel), rule.targetLabel !== ''],
    ['replacement', JSON.stringify(rule.replacement), true],
    ['action', JSON.stringify(rule.action), true],
  ];
  return objectJson(fields.filter(([, , isShown]) => isShown).map(([name, json]) => [name, json]));
}
