// Rule files: groups of recording and alerting rules, checked as Prometheus checks them before it runs any.

import { isLabelName, isMetricName } from '../model/names.js';
import { quote } from '../model/quote.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../promql/syntax/parse.js';
import { checkTemplate } from '../template/expand.js';
import { int, list, mapOf, string, type ValueOf } from './codec.js';
import { YamlFile } from './document.js';
import { ConfigError } from './error.js';
import { field, optional, struct } from './struct.js';
import { duration } from './values.js';

const rule = struct('rulefmt.Rule', {
  record: field('record', string, ''),
  alert: field('alert', string, ''),
  expr: field('expr', string, ''),
  forMs: field('for', duration, 0),
  keepFiringForMs: field('keep_firing_for', duration, 0),
  labels: field('labels', mapOf(string), new Map()),
  annotations: field('annotations', mapOf(string), new Map()),
});

const group = struct('rulefmt.RuleGroup', {
  name: field('name', string, ''),
  /** That of the configuration where absent. */
  intervalMs: optional('interval', duration),
  queryOffsetMs: optional('query_offset', duration),
  limit: field('limit', int, 0),
  rules: field('rules', list(rule), []),
  labels: field('labels', mapOf(string), new Map()),
});

const ruleFile = struct('rulefmt.RuleGroups', { groups: field('groups', list(group), []) });

export type Rule = ValueOf<typeof rule>;
export type RuleGroup = ValueOf<typeof group>;

/** Throws a ConfigError with the first thing that is wrong. */
export function parseRuleFile(text: string): readonly RuleGroup[] {
  const file = new YamlFile(text);
  const parsed = file.root === null ? ruleFile.defaults() : ruleFile.decode(file.resolve(file.root), file);
  file.throwFaults();
  const names = new Set<string>();
  for (const { name, rules } of parsed!.groups) {
    if (name === '') throw new ConfigError('Groupname must not be empty');
    if (names.has(name)) throw new ConfigError(`groupname: ${quote(name)} is repeated in the same file`);
    names.add(name);
    for (const [i, one] of rules.entries()) {
      const fault = faultOf(one);
      if (fault === undefined) continue;
      const ruleName = one.record === '' ? one.alert : one.record;
      throw new ConfigError(`group ${quote(name)}, rule ${i + 1}, ${quote(ruleName)}: ${fault}`);
    }
  }
  return parsed!.groups;
}

function faultOf({ record, alert, expr, labels, ...rest }: Rule): string | undefined {
  if (record !== '' && alert !== '') return "only one of 'record' and 'alert' must be set";
  if (record === '' && alert === '') return "one of 'record' or 'alert' must be set";
  if (expr === '') return "field 'expr' must be set in rule";
  const exprFault = faultOfExpr(expr);
  if (exprFault !== undefined) return `could not parse expression: ${exprFault}`;
  if (record !== '') {
    if (rest.annotations.size > 0) return "invalid field 'annotations' in recording rule";
    if (rest.forMs !== 0) return "invalid field 'for' in recording rule";
    if (rest.keepFiringForMs !== 0) return "invalid field 'keep_firing_for' in recording rule";
    if (!isMetricName(record, 'utf8')) return `invalid recording rule name: ${record}`;
  }
  for (const name of labels.keys()) {
    if (!isLabelName(name, 'utf8') || name === '__name__') return `invalid label name: ${name}`;
  }
  return alert === ''
    ? undefined
    : (faultOfTexts('label', labels, alert) ?? faultOfTexts('annotation', rest.annotations, alert));
}

/** Labels and annotations of alerts are templates. */
function faultOfTexts(what: string, texts: ReadonlyMap<string, string>, alert: string): string | undefined {
  for (const [name, text] of texts) {
    const fault = checkTemplate(text, alert);
    if (fault !== undefined) return `${what} ${quote(name)}: ${fault}`;
  }
  return undefined;
}

function faultOfExpr(expr: string): string | undefined {
  try {
    parseExpr(expr, ALL_PARSE_OPTIONS);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
