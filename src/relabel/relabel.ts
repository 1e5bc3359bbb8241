// Relabelling: rules that rewrite a label set one after the other, or drop it.

import { createHash } from 'node:crypto';
import type { Labels } from '../model/labels.js';
import { isLabelName, type NameScheme } from '../model/names.js';
import { LabelsBuilder } from './builder.js';
import { lowerCase, upperCase } from './case.js';
import { expand } from './pattern.js';
import type { RelabelRule } from './rule.js';

export interface RelabelOptions {
  /** Which names `replace` may make; any UTF-8 if not given. */
  readonly scheme?: NameScheme;
}

/** The labels after all rules, or undefined where a rule drops them. */
export function relabel(
  labels: Labels,
  rules: readonly RelabelRule[],
  options: RelabelOptions = {},
): Labels | undefined {
  if (rules.length === 0) return labels;
  const builder = new LabelsBuilder(labels);
  return relabelBuilder(builder, rules, options) ? builder.labels() : undefined;
}

/** As `relabel`, in place; false where a rule drops the labels. */
export function relabelBuilder(
  builder: LabelsBuilder,
  rules: readonly RelabelRule[],
  options: RelabelOptions = {},
): boolean {
  const scheme = options.scheme ?? 'utf8';
  for (const rule of rules) if (!apply(builder, rule, scheme)) return false;
  return true;
}

export interface RelabelStep {
  readonly rule: RelabelRule;
  /** The labels behind this rule; undefined where it dropped them, which ends the trace. */
  readonly output: Labels | undefined;
}

/** What each rule made of the labels, up to the one that drops them. */
export function traceRelabel(
  labels: Labels,
  rules: readonly RelabelRule[],
  options: RelabelOptions = {},
): RelabelStep[] {
  const builder = new LabelsBuilder(labels);
  const steps: RelabelStep[] = [];
  for (const rule of rules) {
    const kept = apply(builder, rule, options.scheme ?? 'utf8');
    steps.push({ rule, output: kept ? builder.labels() : undefined });
    if (!kept) break;
  }
  return steps;
}

/** Applies one rule; false where it drops the labels. */
function apply(builder: LabelsBuilder, rule: RelabelRule, scheme: NameScheme): boolean {
  const source = (): string => rule.sourceLabels.map((name) => builder.get(name)).join(rule.separator);
  switch (rule.action) {
    case 'keep':
      return rule.regex.test(source());
    case 'drop':
      return !rule.regex.test(source());
    case 'keepequal':
      return builder.get(rule.targetLabel) === source();
    case 'dropequal':
      return builder.get(rule.targetLabel) !== source();
    case 'replace':
      replace(builder, rule, source(), scheme);
      return true;
    case 'lowercase':
      builder.set(rule.targetLabel, lowerCase(source()));
      return true;
    case 'uppercase':
      builder.set(rule.targetLabel, upperCase(source()));
      return true;
    case 'hashmod':
      builder.set(rule.targetLabel, String(hashOf(source()) % rule.modulus));
      return true;
    case 'labelmap':
      for (const [name, value] of builder.entries()) {
        const match = rule.regex.match(name);
        const target = match === undefined ? '' : expand(rule.replacement, match);
        if (target !== '') builder.set(target, value);
      }
      return true;
    case 'labeldrop':
      for (const [name] of builder.entries()) if (rule.regex.test(name)) builder.delete(name);
      return true;
    case 'labelkeep':
      for (const [name] of builder.entries()) if (!rule.regex.test(name)) builder.delete(name);
      return true;
  }
}

function replace(builder: LabelsBuilder, rule: RelabelRule, source: string, scheme: NameScheme): void {
  const match = rule.regex.match(source);
  if (match === undefined) return;
  const target = expand(rule.targetLabel, match);
  if (isLabelName(target, scheme)) builder.set(target, expand(rule.replacement, match));
}

/** The last eight bytes of the MD5, big endian: what Prometheus has always used. */
function hashOf(text: string): bigint {
  return createHash('md5').update(text).digest().readBigUInt64BE(8);
}
