// Strings in templates, with Go's escapes.

import { stringValue } from '../../promql/syntax/literals.js';

/** An escape that both strings and characters may have; code points up to U+10FFFF that are no surrogates. */
export const STRING_ESCAPE =
  '\\\\(?:[abfnrtv\\\\]|x[\\da-fA-F]{2}|[0-3][0-7]{2}|u(?![dD][89abAB])[\\da-fA-F]{4}|U(?!0000[dD][89a-fA-F])00(?:0[\\da-fA-F]|10)[\\da-fA-F]{4})';

const STRING = new RegExp(`^"(?:[^"\\\\\\n]|\\\\"|${STRING_ESCAPE})*"$`, 'su');

/** The value of a string with its quotes; undefined where an escape is none. */
export function unquote(text: string): string | undefined {
  if (text.startsWith('`')) return text.slice(1, -1).replaceAll('\r', '');
  return STRING.test(text) ? stringValue(text) : undefined;
}
