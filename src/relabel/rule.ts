// One relabelling rule, its defaults, and which rules make sense.

import { isLabelName, type NameScheme } from '../model/names.js';
import { quote } from '../model/quote.js';
import { hasReference, Pattern } from './pattern.js';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;

export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

export interface RelabelRule {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly regex: Pattern;
  readonly modulus: bigint;
  readonly targetLabel: string;
  readonly replacement: string;
}

export const DEFAULT_PATTERN = new Pattern('(.*)');

export const RELABEL_DEFAULTS: RelabelRule = {
  action: 'replace',
  sourceLabels: [],
  separator: ';',
  regex: DEFAULT_PATTERN,
  modulus: 0n,
  targetLabel: '',
  replacement: '$1',
};

/** A rule with the defaults filled in. */
export function relabelRule(given: Partial<Omit<RelabelRule, 'regex'>> & { readonly regex?: string }): RelabelRule {
  const { regex, ...rest } = given;
  return { ...RELABEL_DEFAULTS, ...rest, regex: regex === undefined ? DEFAULT_PATTERN : new Pattern(regex) };
}

/** Why a rule is refused, in Prometheus's words; undefined for a good one. */
export function faultOf(rule: RelabelRule, scheme: NameScheme): string | undefined {
  const { action, targetLabel: target } = rule;
  const badTarget = `${quote(target)} is invalid 'target_label' for ${action} action`;
  if (action === 'hashmod' && rule.modulus === 0n) {
    return 'relabel configuration for hashmod requires non-zero modulus';
  }
  switch (action) {
    case 'replace':
      if (target === '') return missingTarget(action);
      return isTemplateOfName(target, scheme) ? undefined : badTarget;
    case 'hashmod':
      if (target === '') return missingTarget(action);
      return isLabelName(target, scheme) ? undefined : badTarget;
    case 'lowercase':
    case 'uppercase':
    case 'keepequal':
    case 'dropequal':
      if (target === '') return missingTarget(action);
      if (!isLabelName(target, scheme)) return badTarget;
      if (rule.replacement !== RELABEL_DEFAULTS.replacement) return `'replacement' can not be set for ${action} action`;
      if (action === 'lowercase' || action === 'uppercase' || isDefault(rule, 'regex', 'modulus', 'separator')) {
        return undefined;
      }
      return `${action} action requires only 'source_labels' and \`target_label\`, and no other fields`;
    case 'labelmap':
      if (isTemplateOfName(rule.replacement, scheme)) return undefined;
      return `${quote(rule.replacement)} is invalid 'replacement' for ${action} action`;
    case 'labeldrop':
    case 'labelkeep':
      if (rule.sourceLabels.length === 0 && isDefault(rule, 'targetLabel', 'modulus', 'separator', 'replacement')) {
        return undefined;
      }
      return `${action} action requires only 'regex', and no other fields`;
    case 'keep':
    case 'drop':
      return undefined;
  }
}

function missingTarget(action: RelabelAction): string {
  return `relabel configuration for ${action} action requires 'target_label' value`;
}

function isDefault(rule: RelabelRule, ...keys: (keyof RelabelRule)[]): boolean {
  return keys.every((key) => String(rule[key]) === String(RELABEL_DEFAULTS[key]));
}

/** A legacy name in which any part may be a reference to a group. */
const LEGACY_TEMPLATE = /^(?:[a-zA-Z_]|\$(?:\{\w+\}|\w))(?:\w|\$(?:\{\w+\}|\w))*$/;

function isTemplateOfName(template: string, scheme: NameScheme): boolean {
  if (scheme === 'legacy' && hasReference(template)) return LEGACY_TEMPLATE.test(template);
  return isLabelName(template, scheme);
}
