// Rule files: groups of recording and alerting rules, checked as Prometheus checks them before it runs any.

import { isLabelName, isMetricName } from '../model/names.js';
import { quote } from '../model/quote.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../promql/syntax/parse.js';
import { checkTemplate } from '../template/expand.js';
import { int, list, mapOf, string, type ValueOf } from './codec.js';
import { YamlFile } from './document.js';
import { ConfigError } from './error.js';
import { placeInRule } from './rule-places.js';
import { field, optional, struct } from './struct.js';
import { duration } from './values.js';

const ruleFields = {
  record: field('record', string, ''),
  alert: field('alert', string, ''),
  expr: field('expr', string, ''),
  forMs: field('for', duration, 0),
  keepFiringForMs: field('keep_firing_for', duration, 0),
  labels: field('labels', mapOf(string), new Map()),
  annotations: field('annotations', mapOf(string), new Map()),
};

const groupFields = {
  name: field('name', string, ''),
  /** That of the configuration where absent. */
  intervalMs: optional('interval', duration),
  queryOffsetMs: optional('query_offset', duration),
  limit: field('limit', int, 0),
  labels: field('labels', mapOf(string), new Map()),
};

export interface RuleFileOptions {
  /** Whether keys that are not known are passed over. */
  readonly ignoreUnknown?: boolean;
}

function codecOf(options: RuleFileOptions) {
  const rule = struct('rulefmt.Rule', ruleFields, (given) => given, options);
  const rules = field('rules', list(rule), []);
  const group = struct('rulefmt.RuleGroup', { ...groupFields, rules }, (given) => given, options);
  const groups = field('groups', list(group), []);
  return struct('rulefmt.RuleGroups', { groups }, (given) => given, options);
}

const STRICT: RuleFileOptions = { ignoreUnknown: false };

export type RuleGroup = ValueOf<ReturnType<typeof codecOf>>['groups'][number];
export type Rule = RuleGroup['rules'][number];

export interface RuleFile {
  readonly groups: readonly RuleGroup[];
  /** What is wrong with them, with places, in their order. */
  readonly faults: readonly string[];
}

/** All that is wrong with rules; the message is the first of it. */
export class RuleFaults extends ConfigError {
  constructor(readonly faults: readonly string[]) {
    super(faults[0]!);
  }
}

/** Throws RuleFaults, and ConfigError where the text is no rule file at all. */
export function parseRuleFile(text: string, options = STRICT): readonly RuleGroup[] {
  const { groups, faults } = readRuleFile(text, options);
  if (faults.length > 0) throw new RuleFaults(faults);
  return groups;
}

/** Throws a ConfigError where the text is no rule file at all. */
export function readRuleFile(text: string, options = STRICT): RuleFile {
  const file = new YamlFile(text);
  const ruleFile = codecOf(options);
  const parsed = file.root === null ? ruleFile.defaults() : ruleFile.decode(file.resolve(file.root), file);
  file.throwFaults();
  const { groups } = parsed!;
  const names = new Set<string>();
  const faults: string[] = [];
  for (const [at, { name, labels, rules }] of groups.entries()) {
    if (name === '') faults.push(`${NOWHERE}: Groupname must not be empty`);
    if (names.has(name)) faults.push(`${NOWHERE}: groupname: ${quote(name)} is repeated in the same file`);
    names.add(name);
    faults.push(...faultsOfLabels(labels));
    for (const [i, one] of rules.entries()) {
      const ruleName = one.alert === '' ? one.record : one.alert;
      const where = `group ${quote(name)}, rule ${i + 1}, ${quote(ruleName)}`;
      for (const { keys = [], message } of faultsOfRule(one)) {
        const places = keys.map((key) => `${placeInRule(file, at, i, key)}: `);
        faults.push(`${places.join('')}${where}: ${message}`);
      }
    }
  }
  return { groups, faults };
}

/** The place of groups, as promtool tells it. */
const NOWHERE = '0:0';

interface RuleFault {
  /** Keys of the rule whose values have to do with it. */
  readonly keys?: readonly string[];
  readonly message: string;
}

function faultsOfRule(one: Rule): RuleFault[] {
  const { record, alert, expr, labels, annotations } = one;
  const faults: RuleFault[] = [];
  const both = { keys: ['record', 'alert'] };
  if (record !== '' && alert !== '') faults.push({ ...both, message: "only one of 'record' and 'alert' must be set" });
  if (record === '' && alert === '') faults.push({ ...both, message: "one of 'record' or 'alert' must be set" });
  const ofExpr = expr === '' ? "field 'expr' must be set in rule" : faultOfExpr(expr);
  if (ofExpr !== undefined) faults.push({ keys: ['expr'], message: ofExpr });
  if (record !== '') faults.push(...faultsOfRecord(one).map((message) => ({ keys: ['record'], message })));
  const texts = faultsOfLabels(labels);
  for (const name of annotations.keys()) if (name === '') texts.push(`invalid annotation name: ${name}`);
  if (alert !== '')
    texts.push(...faultsOfTexts('label', labels, alert), ...faultsOfTexts('annotation', annotations, alert));
  return [...faults, ...texts.map((message) => ({ message }))];
}

function faultsOfRecord({ record, annotations, forMs, keepFiringForMs }: Rule): string[] {
  const faults: string[] = [];
  if (annotations.size > 0) faults.push("invalid field 'annotations' in recording rule");
  if (forMs !== 0) faults.push("invalid field 'for' in recording rule");
  if (keepFiringForMs !== 0) faults.push("invalid field 'keep_firing_for' in recording rule");
  if (!isMetricName(record, 'utf8')) faults.push(`invalid recording rule name: ${record}`);
  // It is a name, but who writes it means a selector.
  if (/[{}]/.test(record)) faults.push(`braces present in the recording rule name; should it be in expr?: ${record}`);
  return faults;
}

function faultsOfLabels(labels: ReadonlyMap<string, string>): string[] {
  const bad = [...labels.keys()].filter((name) => !isLabelName(name, 'utf8') || name === '__name__');
  return bad.map((name) => `invalid label name: ${name}`);
}

/** Labels and annotations of alerts are templates. */
function faultsOfTexts(what: string, texts: ReadonlyMap<string, string>, alert: string): string[] {
  return [...texts].flatMap(([name, text]) => {
    const fault = checkTemplate(text, alert);
    return fault === undefined ? [] : [`${what} ${quote(name)}: ${fault}`];
  });
}

function faultOfExpr(expr: string): string | undefined {
  try {
    parseExpr(expr, ALL_PARSE_OPTIONS);
    return undefined;
  } catch (error) {
    return `could not parse expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}
