// A matcher: one condition on one label. A selector is a set of them.

import { RE2JS, RE2JSSyntaxException } from 're2js';
import { groupNames, NAME_TWICE } from './group-names.js';
import { analysePattern } from './pattern.js';
import { isPlainPattern, PATTERN_STEPS_MAX, patternSteps, plainMatchesEmpty } from './pattern-size.js';
import { quote } from './quote.js';

export type MatchOp = '=' | '!=' | '=~' | '!~';

export interface Matcher {
  readonly name: string;
  readonly op: MatchOp;
  /** The text to compare with or, for `=~` and `!~`, an RE2 pattern matched against the whole value. */
  readonly value: string;
}

export type StringTest = (value: string) => boolean;

/** Thrown for a pattern that RE2 refuses; the message is Go's: ``error parsing regexp: missing closing ): `a(` ``. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** The condition as a function of the label's value; a missing label has the empty value. Throws PatternError. */
export function compileMatcher(matcher: Matcher): StringTest {
  const { op, value: wanted } = matcher;
  switch (op) {
    case '=':
      return (value) => value === wanted;
    case '!=':
      return (value) => value !== wanted;
    case '=~':
      return compilePattern(wanted);
    case '!~': {
      const matches = compilePattern(wanted);
      return (value) => !matches(value);
    }
  }
}

/** A test of whole values, in linear time whatever the pattern. Throws PatternError. */
export function compilePattern(pattern: string): StringTest {
  const form = analysePattern(pattern);
  switch (form.kind) {
    case 'literal':
      return (value) => value === form.value;
    case 'set': {
      const values = new Set(form.values);
      return (value) => values.has(value);
    }
    case 'prefix': {
      const shortest = form.value.length + (form.more ? 1 : 0);
      return (value) => value.length >= shortest && value.startsWith(form.value);
    }
    case 'suffix': {
      const shortest = form.value.length + (form.more ? 1 : 0);
      return (value) => value.length >= shortest && value.endsWith(form.value);
    }
    case 'contains':
      return (value) => value.includes(form.value);
    case 'any':
      return () => true;
    case 'nonEmpty':
      return (value) => value !== '';
    case 'regex':
      return compileForm(pattern);
  }
}

/** Of a pattern that the engine has to run; a plain one only once there is a value to test. */
function compileForm(pattern: string): StringTest {
  checkSize(pattern);
  if (!isPlainPattern(pattern)) {
    const regex = compileRegex(pattern);
    return (value) => regex.testExact(value);
  }
  const takesEmpty = plainMatchesEmpty(pattern);
  let regex: RE2JS | undefined;
  return (value) => {
    if (value === '') return takesEmpty;
    regex ??= compileRegex(pattern);
    return regex.testExact(value);
  };
}

/** Steps of the program that compileMatcher() compiles at once; 0 where it does without. */
export function engineSteps({ op, value }: Matcher): number {
  const runs = (op === '=~' || op === '!~') && !isPlainPattern(value) && analysePattern(value).kind === 'regex';
  return runs ? patternSteps(value) : 0;
}

/** Throws PatternError where a pattern is too large to be compiled for a query. */
export function checkSize(pattern: string): void {
  const steps = patternSteps(pattern);
  if (steps <= PATTERN_STEPS_MAX) return;
  const shown = pattern.length > SHOWN_CHARACTERS_MAX ? `${pattern.slice(0, SHOWN_CHARACTERS_MAX)}...` : pattern;
  const limit = `it takes some ${steps} steps, at most ${PATTERN_STEPS_MAX} are allowed`;
  throw new PatternError(`error parsing regexp: expression too large: \`${shown}\`: ${limit}`);
}

/** What an error message shows of a pattern. */
const SHOWN_CHARACTERS_MAX = 100;

/** Compiled patterns, the longest unused first: dashboards and rules ask the same ones again and again. */
const compiled = new Map<string, RE2JS>();
const COMPILED_MAX = 256;
/** Compiling takes milliseconds for long patterns and little memory for short ones; very long ones are not kept. */
const COMPILED_CHARACTERS_MAX = 4096;

function compileRegex(pattern: string): RE2JS {
  let regex = compiled.get(pattern);
  if (regex === undefined) regex = compileAnew(pattern);
  else compiled.delete(pattern);
  if (pattern.length <= COMPILED_CHARACTERS_MAX) compiled.set(pattern, regex);
  if (compiled.size > COMPILED_MAX) compiled.delete(compiled.keys().next().value!);
  return regex;
}

/** `.` matches a newline, and testExact() anchors at both ends: together `^(?s:…)$`. */
function compileAnew(pattern: string): RE2JS {
  try {
    return compileNamed(pattern, RE2JS.DOTALL);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) throw new PatternError(messageOf(error, pattern));
    throw error;
  }
}

/** What the engine makes of a pattern in which several groups may have one name. Throws the engine's errors. */
export function compileNamed(pattern: string, flags = 0): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith(NAME_TWICE))) throw error;
    return RE2JS.compile(groupNames(pattern).pattern, flags);
  }
}

/** The engine puts the DOTALL flag in front of the pattern and shows it; users have not written it. */
function messageOf(error: RE2JSSyntaxException, pattern: string): string {
  const message = error.message.replace(`\`(?s)${pattern}\``, () => `\`${pattern}\``);
  // Go shows what is left of the pattern, which is nothing.
  return message.endsWith('trailing backslash at end of expression') ? `${message}: \`\`` : message;
}

/** `job="node"`, `"a.b"=~"x.*"`: as Prometheus prints a matcher. */
export function formatMatcher(matcher: Matcher): string {
  const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(matcher.name) ? matcher.name : quote(matcher.name);
  return name + matcher.op + quote(matcher.value);
}
