// Rule groups as their files have them, ready to run: expressions parsed and in their one form, labels of groups and rules
// joined, intervals filled in. Plain data: two of them are the same where their JSON is.

import type { Disk } from '../base/disk.js';
import { DiskError } from '../base/disk.js';
import { ConfigError } from '../config/error.js';
import { expandGlob } from '../config/load.js';
import { parseRuleFile, type Rule, RuleFaults, type RuleFileOptions, type RuleGroup } from '../config/rule-file.js';
import { compareStrings, type Labels } from '../model/labels.js';
import { quote } from '../model/quote.js';
import { format } from '../promql/syntax/format.js';
import { type ParseOptions, parseExpr } from '../promql/syntax/parse.js';

export interface RuleSpec {
  readonly kind: 'recording' | 'alerting';
  /** Of the metric that it records, or of its alerts. */
  readonly name: string;
  readonly expr: string;
  /** By name. Values may be empty, which takes a label away; those of alerts are templates. */
  readonly labels: Labels;
  /** Templates, likewise. */
  readonly annotations: Labels;
  readonly holdMs: number;
  readonly keepFiringMs: number;
}

export interface GroupSpec {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  /** Most series of a recording rule, most alerts of an alerting one; 0 is no limit. */
  readonly limit: number;
  /** How far back rules look; that of the configuration where undefined. */
  readonly queryOffsetMs: number | undefined;
  readonly rules: readonly RuleSpec[];
}

export interface SpecOptions extends RuleFileOptions {
  /** Of groups that name none. */
  readonly intervalMs: number;
  readonly language: ParseOptions;
}

/** A group by file and name: also what metrics call it. */
export function groupKey({ file, name }: { readonly file: string; readonly name: string }): string {
  return `${file};${name}`;
}

/** All groups of the files that globs stand for, by file and name. Throws ConfigError. */
export function loadRuleGroups(disk: Disk, globs: readonly string[], options: SpecOptions): readonly GroupSpec[] {
  const groups = new Map<string, GroupSpec>();
  for (const file of globs.flatMap((glob) => expandGlob(disk, glob))) {
    for (const group of readRuleFile(disk, file, options)) groups.set(groupKey(group), group);
  }
  return [...groups.values()].sort((a, b) => compareStrings(a.file, b.file) || compareStrings(a.name, b.name));
}

export function readRuleFile(disk: Disk, file: string, options: SpecOptions): GroupSpec[] {
  try {
    const groups = parseRuleFile(new TextDecoder().decode(disk.readFile(file)), options);
    return groups.map((group) => groupSpec(file, group, options));
  } catch (error) {
    if (error instanceof RuleFaults) throw new RuleFaults(error.faults.map((fault) => `${file}: ${fault}`));
    if (error instanceof ConfigError) throw new ConfigError(`${file}: ${error.message}`);
    if (error instanceof DiskError) throw new ConfigError(error.message);
    throw error;
  }
}

export function groupSpec(file: string, group: RuleGroup, { intervalMs, language }: SpecOptions): GroupSpec {
  return {
    file,
    name: group.name,
    intervalMs: group.intervalMs || intervalMs,
    limit: group.limit,
    queryOffsetMs: group.queryOffsetMs,
    rules: group.rules.map((rule, i) => {
      const name = rule.record === '' ? rule.alert : rule.record;
      return ruleSpec(
        rule,
        name,
        group.labels,
        () => `group ${quote(group.name)}, rule ${i + 1}, ${quote(name)}`,
        language,
      );
    }),
  };
}

function ruleSpec(
  rule: Rule,
  name: string,
  groupLabels: ReadonlyMap<string, string>,
  place: () => string,
  language: ParseOptions,
): RuleSpec {
  return {
    kind: rule.record === '' ? 'alerting' : 'recording',
    name,
    expr: canonical(rule.expr, place, language),
    labels: pairsByName(new Map([...groupLabels, ...rule.labels])),
    annotations: pairsByName(rule.annotations),
    holdMs: rule.forMs,
    keepFiringMs: rule.keepFiringForMs,
  };
}

/** The expression in the form that pages and links show. */
function canonical(expr: string, place: () => string, language: ParseOptions): string {
  try {
    return format(parseExpr(expr, language));
  } catch (error) {
    throw new ConfigError(`${place()}: could not parse expression: ${(error as Error).message}`);
  }
}

function pairsByName(map: ReadonlyMap<string, string>): Labels {
  return [...map].sort(([a], [b]) => compareStrings(a, b)).flat();
}
