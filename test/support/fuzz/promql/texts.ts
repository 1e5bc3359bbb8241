// Queries as text: /api/v1/parse_query and /api/v1/format_query of a real Prometheus,
// and our trees, our printed texts, our words for what is wrong.

import { isNewer } from '../../promql-generator.js';
import { firstDifference, type Reading, readingOf } from '../../promql-reading.js';
import type { Answerer } from './question.js';
import { errorInCommon } from './words.js';

/** What differs, in words; undefined where nothing does, `newer` where 3.5 and newer versions read it otherwise. */
export async function compareTexts(peer: Answerer, text: string): Promise<string | undefined> {
  const [theirs, ours] = [await readThere(peer, text), readingOf(text)];
  const problem = compareReadings(text, theirs, ours);
  // 3.5 lets long durations overflow.
  if ('error' in ours && /duration (is )?out of range/.test(ours.error)) return problem && 'newer';
  return problem !== undefined && isExplained(text, theirs) ? 'newer' : problem;
}

function isExplained(text: string, theirs: Reading): boolean {
  // The parser of 3.5 panics at some texts that are wrong.
  const panics = 'error' in theirs && theirs.error === 'unexpected error';
  // What 3.5 takes for a colon that should not be there is another character.
  const colon = 'error' in theirs && theirs.error.includes('unexpected colon');
  return panics || colon || isNewer(text) || hasWordInBrackets(text) || NEWER.some((pattern) => pattern.test(text));
}

/** docs/differences/promql-syntax.md, and what only newer versions read as we do. */
const NEWER = [
  // Labels with a colon need quotes, and are printed so.
  /(on|ignoring|group_left|group_right|by|without)\s*\([^)]*:/i,
  // An empty ignoring() is printed where group_left or group_right follows.
  /ignoring\s*\(\s*\)\s*group_/i,
  // Operators that trim histograms.
  /[<>]\//,
  // A sign behind a parenthesis in a duration is looked at later.
  /offset\s*\(\s*[-+]|\[[^\]]*\(\s*[-+]/i,
  // An offset that is no number is refused.
  /offset\s*[-+(\s]*nan/i,
  // Beyond 2^23 s, Prometheus's floats have no nanoseconds, of which it cuts milliseconds.
  /(?:offset|[[:])[-+(\s]*\d{7,}\.\d/i,
];

/** What stands in brackets besides durations and arithmetic: newer versions read its characters otherwise. */
function hasWordInBrackets(text: string): boolean {
  const inside = [...text.matchAll(/\[([^\]]*)/g)].map(([, words]) => words!);
  return inside.some((words) => /[^-+*/%^():\s]/.test(words.replace(/(?<!\w)\d[\w.]*/g, '')));
}

function compareReadings(query: string, theirs: Reading, ours: Reading): string | undefined {
  if ('error' in theirs || 'error' in ours) {
    const [a, b] = [theirs, ours].map((one) => ('error' in one ? errorInCommon(one.error, query) : one.text));
    return a === b ? undefined : `text: theirs ${a}\n      ours   ${b}`;
  }
  const where = firstDifference(theirs.tree, ours.tree);
  if (where !== undefined) return `tree: differs at ${where}`;
  // Where 3.5 prints more or less, lines may break elsewhere.
  const open = OPEN_OFFSET.test(query);
  const loose = open || /offset \+\(|Inf\s+\^/.test(ours.text) || ours.text !== withoutQuotes(ours.text);
  const [a, b] = [theirs, ours].map(({ text }) => {
    const common = textInCommon(text, loose);
    return open ? common.replaceAll(/[()]/g, '') : common;
  });
  return a === b ? undefined : `text: theirs ${a}\n      ours   ${b}`;
}

/**
 * An offset that begins with two signs goes on over operators: `m offset --5 * 2` is m offset (5 * 2), which only we
 * print with these parentheses. The trees are the same.
 */
const OPEN_OFFSET = /offset(\s|#[^\n]*)*[-+](\s|#[^\n]*)*[-+]/i;

/**
 * Prometheus prints `+Inf ^ 2`, which is another expression: +(Inf ^ 2); and `m offset (1m) + 1`, which is
 * m offset (1m + 1). We leave one sign out and print the other. `loose` texts are compared without spaces.
 */
function textInCommon(text: string, loose: boolean): string {
  const common = withoutQuotes(text.replaceAll(/\++Inf(\s+\^)/g, 'Inf$1').replaceAll('offset +(', 'offset ('));
  return loose ? common.replaceAll(/\s+/g, '') : common;
}

/** 3.5 does not quote the labels that vectors are matched by. */
function withoutQuotes(text: string): string {
  return text.replaceAll(/\b(?:on|ignoring|group_left|group_right) \([^)]*\)/g, (list) => list.replaceAll('"', ''));
}

async function readThere(peer: Answerer, text: string): Promise<Reading> {
  const params = new URLSearchParams({ query: text });
  const { body } = await peer.ask('parse_query', params);
  if (body.status === 'error') return { error: body.error!.replace('invalid parameter "query": ', '') };
  const printed = await peer.ask('format_query', params);
  return { tree: body.data, text: printed.body.data as unknown as string };
}
