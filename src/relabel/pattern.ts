// Patterns of relabelling rules: RE2, matched against the whole text, `.` matching newlines too.
//
// Matching is linear in the text whatever the pattern. Forms that need no engine,
// which most rules have, are those of matchers: see model/pattern.ts.

import type { RE2JS } from 're2js';
import { type GroupNames, groupNames } from '../model/group-names.js';
import { compileNamed, compilePattern, PatternError, type StringTest } from '../model/matcher.js';
import { analysePattern } from '../model/pattern.js';

/** What a pattern found: the text of its groups, the whole first; undefined for one that took no part. */
export interface Match {
  readonly groups: readonly (string | undefined)[];
  readonly names: GroupNames['names'];
}

const NO_NAMES: GroupNames['names'] = new Map();

export class Pattern {
  /** As written in the file. */
  readonly source: string;
  /** Whether all of a text matches. */
  readonly test: StringTest;
  readonly #engine: RE2JS;
  readonly #names: GroupNames['names'];

  /** Throws PatternError. */
  constructor(source: string) {
    this.source = source;
    const engine = compile(`^(?s:${source})$`);
    this.#engine = engine;
    this.#names = groupNames(source).names;
    this.test = analysePattern(source).kind === 'regex' ? (text) => engine.test(text) : compilePattern(source);
  }

  match(text: string): Match | undefined {
    if (!this.test(text)) return undefined;
    if (this.source === '(.*)') return { groups: [text, text], names: NO_NAMES };
    if (!this.source.includes('(')) return { groups: [text], names: NO_NAMES };
    const matcher = this.#engine.matcher(text);
    matcher.find();
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, index) => matcher.group(index) ?? undefined);
    return { groups, names: this.#names };
  }

  toString(): string {
    return this.source;
  }
}

function compile(anchored: string): RE2JS {
  try {
    return compileNamed(anchored);
  } catch (error) {
    throw new PatternError(error instanceof Error ? error.message : String(error));
  }
}

/** A reference inside a template: `$$`, `${name}` or `$name`, where a name is as long as it can be. */
const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

/**
 * `$1`, `${1}` and `${name}` replaced by the groups of a match, as Go's Regexp.Expand; a `$` before anything else stays.
 * Of several groups of one name it is the first that took part.
 */
export function expand(template: string, match: Match): string {
  if (!template.includes('$')) return template;
  return template.replace(REFERENCE, (whole, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare;
    if (name === undefined) return whole.slice(1);
    const numbers = /^[0-9]+$/.test(name) ? [Number(name)] : (match.names.get(name) ?? []);
    return numbers.map((number) => match.groups[number]).find((text) => text !== undefined) ?? '';
  });
}

export function hasReference(template: string): boolean {
  return template.includes('$');
}
