// Prometheus's functions of texts.

import { type RE2JS, RE2JSSyntaxException } from 're2js';
import { isIpAddress } from '../../base/http/address.js';
import { checkSize, compileNamed, PatternError } from '../../model/matcher.js';
import { patternSteps } from '../../model/pattern-size.js';
import type { Budget } from '../budget.js';
import { Html, type Value } from '../value.js';
import { escapeQuery } from './escape.js';
import { CallFault, type Surroundings, type TemplateFunction } from './function.js';

function ofText(compute: (text: string) => Value): TemplateFunction {
  return { parameters: ['string'], call: ([text], { budget }) => compute(budget.text(text as string)) };
}

// ---- Regular expressions

/** Steps of a pattern over one character of the text, as many as one unit of work pays for. */
const STEPS_A_UNIT = 64;

/** Throws CallFault. `name` is what the message is of where Go panics. */
function compile(pattern: string, text: string, budget: Budget): RE2JS {
  try {
    checkSize(pattern);
    const steps = patternSteps(pattern);
    budget.spend(steps + (steps * text.length) / STEPS_A_UNIT);
    return compileNamed(pattern);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException || error instanceof PatternError) throw new CallFault(error.message);
    throw error;
  }
}

function match([pattern, text]: readonly Value[], { budget }: Surroundings): Value {
  return compile(pattern as string, text as string, budget)
    .matcher(text as string)
    .find();
}

function replaceAll([pattern, replacement, text]: readonly Value[], { budget }: Surroundings): Value {
  const regex = compileOrPanic(pattern as string, text as string, budget);
  return budget.text(replaceMatches(regex, replacement as string, text as string, budget));
}

/** Go's reReplaceAll panics for a bad pattern, which shows in the message. */
function compileOrPanic(pattern: string, text: string, budget: Budget): RE2JS {
  try {
    return compile(pattern, text, budget);
  } catch (error) {
    if (!(error instanceof CallFault)) throw error;
    const shown = pattern.includes('`') ? JSON.stringify(pattern) : `\`${pattern}\``;
    throw new CallFault(`regexp: Compile(${shown}): ${error.message}`);
  }
}

const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

function replaceMatches(regex: RE2JS, replacement: string, text: string, budget: Budget): string {
  const matcher = regex.matcher(text);
  const names = new Map(Object.entries(regex.namedGroups()));
  let replaced = '';
  let at = 0;
  while (matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    // An empty match right behind another one is none.
    if (start === end && start === at && at > 0) continue;
    const group = (name: string): string => {
      const number = /^[0-9]+$/.test(name) ? Number(name) : names.get(name);
      if (number === undefined || number > matcher.groupCount()) return '';
      return matcher.group(number) ?? '';
    };
    const piece = replacement.replace(REFERENCE, (whole, braced: string | undefined, bare: string | undefined) => {
      const name = braced ?? bare;
      return name === undefined ? whole.slice(1) : group(name);
    });
    replaced += text.slice(at, start) + budget.text(piece);
    at = end;
  }
  return replaced + text.slice(at);
}

// ---- Hosts

/** Host and port of `host:port` or `[host]:port`; undefined for other texts. */
function splitHostPort(text: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text);
  return match === null ? undefined : { host: match[1] ?? match[2]!, port: match[3]! };
}

function stripDomain(text: string): string {
  const split = splitHostPort(text);
  const host = split?.host ?? text;
  if (isIpAddress(host)) return text;
  const name = host.split('.', 1)[0]!;
  if (split === undefined || split.port === '') return name;
  return `${name.includes(':') ? `[${name}]` : name}:${split.port}`;
}

// ---- Case

const WORDS = new Intl.Segmenter('en', { granularity: 'word' });

const MIDDLE = /^[.:'’·]$/;

/**
 * The first letter of every word in upper case. A word that has a letter goes on behind a point or an apostrophe: for
 * Unicode after a letter, for Go after a digit and `_`, too.
 */
function title(text: string): string {
  let before = '';
  let hasLetter = false;
  let titled = '';
  for (const { segment } of WORDS.segment(text)) {
    const goesOn = hasLetter && MIDDLE.test(before.slice(-1)) && /[\p{N}_].$/u.test(before);
    if (!goesOn && !MIDDLE.test(segment)) hasLetter = false;
    titled += goesOn ? segment : segment.replace(/\p{L}/u, titleCase);
    hasLetter ||= /\p{L}/u.test(segment);
    before = (before + segment).slice(-3);
  }
  return titled;
}

/** Letters that are two have a form of their own. */
const DIGRAPHS: ReadonlyMap<string, string> = new Map([
  ['Ǆ', 'ǅ'],
  ['Ǉ', 'ǈ'],
  ['Ǌ', 'ǋ'],
  ['Ǳ', 'ǲ'],
]);

function titleCase(letter: string): string {
  const upper = letter.toUpperCase();
  return upper.length > letter.length ? upper[0]! + upper.slice(1).toLowerCase() : (DIGRAPHS.get(upper) ?? upper);
}

/** Character by character, each of which stays one: ß has no upper case of its own. */
function toUpper(text: string): string {
  return mapCharacters(text, (character) => {
    const upper = character.toUpperCase();
    return upper.length === character.length ? upper : character;
  });
}

function toLower(text: string): string {
  return mapCharacters(text, (character) => character.toLowerCase().slice(0, character.length));
}

function mapCharacters(text: string, map: (character: string) => string): string {
  return text.replace(/[^\x00-\x7f]|[A-Za-z]+/gu, map);
}

export const STRING_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  match: { parameters: ['string', 'string'], call: match },
  reReplaceAll: { parameters: ['string', 'string', 'string'], call: replaceAll },
  title: ofText(title),
  toUpper: ofText(toUpper),
  toLower: ofText(toLower),
  stripPort: ofText((text) => splitHostPort(text)?.host ?? text),
  stripDomain: ofText(stripDomain),
  urlQueryEscape: ofText(escapeQuery),
  safeHtml: ofText((text) => new Html(text)),
  graphLink: ofText((expr) => `/graph?g0.expr=${escapeQuery(expr)}&g0.tab=0`),
  tableLink: ofText((expr) => `/graph?g0.expr=${escapeQuery(expr)}&g0.tab=1`),
};
