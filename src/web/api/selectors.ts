// The selectors of `match[]`: dashboards ask of the same ones again and again.

import { compileMatcher, type Matcher } from '../../model/matcher.js';
import { parseSelector } from '../../promql/syntax/parse.js';

/** Selectors that are kept, and characters of one: longer ones are rare, and made by programs. */
const KEPT_MAX = 500;
const CHARACTERS_MAX = 1000;

/** By their texts, the longest unused first. */
const kept = new Map<string, readonly Matcher[]>();

/**
 * The matchers of one `match[]`, mostly those that it had before: nobody changes them. Throws ParseError and PatternError,
 * and where no matcher rules anything out.
 */
export function readSelector(text: string): readonly Matcher[] {
  const known = kept.get(text);
  if (known !== undefined) kept.delete(text);
  const matchers = known ?? parse(text);
  if (text.length <= CHARACTERS_MAX) kept.set(text, matchers);
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!);
  return matchers;
}

function parse(text: string): readonly Matcher[] {
  const matchers = parseSelector(text);
  if (matchers.every((matcher) => compileMatcher(matcher)(''))) {
    throw new Error('match[] must contain at least one non-empty matcher');
  }
  return matchers;
}
