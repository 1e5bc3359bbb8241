// Relabelling rules in the file. Whether a rule makes sense depends on the naming scheme of its
// section, so that is checked by the section: see checkRules.

import type { NameScheme } from '../model/names.js';
import { quote } from '../model/quote.js';
import { faultOf, RELABEL_ACTIONS, RELABEL_DEFAULTS, type RelabelAction, type RelabelRule } from '../relabel/rule.js';
import { type Codec, list, string, text, uint64 } from './codec.js';
import { ConfigError } from './error.js';
import { field, struct } from './struct.js';
import { pattern } from './values.js';

const action: Codec<RelabelAction | ''> = {
  ...text((given) => {
    const known = RELABEL_ACTIONS.find((candidate) => candidate === given.toLowerCase());
    if (known === undefined && given !== '') throw new ConfigError(`unknown relabel action ${quote(given)}`);
    return known ?? '';
  }),
  zero: '',
};

const keys = struct('relabel.plain', {
  sourceLabels: field('source_labels', list(string), RELABEL_DEFAULTS.sourceLabels),
  separator: field('separator', string, RELABEL_DEFAULTS.separator),
  regex: field('regex', pattern, RELABEL_DEFAULTS.regex),
  modulus: field('modulus', uint64, RELABEL_DEFAULTS.modulus),
  targetLabel: field('target_label', string, RELABEL_DEFAULTS.targetLabel),
  replacement: field('replacement', string, RELABEL_DEFAULTS.replacement),
  action: field('action', action, RELABEL_DEFAULTS.action),
});

const rule: Codec<RelabelRule> = {
  type: keys.type,
  decode(node, file) {
    const given = keys.decode(node, file);
    if (given === undefined) return undefined;
    if (given.action === '') throw new ConfigError('relabel action cannot be empty');
    return { ...given, action: given.action };
  },
  encode(value) {
    const printed = keys.encode(value) as Map<string, unknown>;
    if (value.regex === RELABEL_DEFAULTS.regex) printed.delete('regex');
    return printed;
  },
};

/** A list of rules; `nullItem` is what to say of one without a value. */
export function relabelRules(nullItem: string): Codec<readonly RelabelRule[]> {
  return list(rule, { nullItem });
}

export function checkRules(rules: readonly RelabelRule[], scheme: NameScheme): void {
  for (const given of rules) {
    const fault = faultOf(given, scheme);
    if (fault !== undefined) throw new ConfigError(fault);
  }
}
