// How well a name fits what somebody has typed: a number from 0, not at all, to 1, exactly or from its beginning.
//
// Three measures
//   - substring: the earlier it stands, the better;
//   - subsequence: the letters in their order, with others between them; runs count by their square, gaps against them;
//   - Jaro-Winkler: letters that are near their place, a common beginning more.
// The numbers are those of Prometheus's search API, which orders and cuts by them.

/** 0 where it does not fit. */
export type Score = (value: string) => number;

export type FuzzyMeasure = 'subsequence' | 'jarowinkler';

/** Scores by the best of the terms; what is below the threshold fits only as a whole substring, if at all. */
export function scorer(
  terms: readonly string[],
  measure: FuzzyMeasure,
  threshold: number,
  caseSensitive: boolean,
): Score {
  const fold = (text: string) => (caseSensitive ? text : text.toLowerCase());
  const scores = terms.map((term) =>
    measure === 'subsequence' ? subsequence(fold(term), threshold) : substringOrSimilar(fold(term), threshold),
  );
  return (value) => {
    const folded = fold(value);
    return scores.reduce((best, score) => Math.max(best, score(folded)), 0);
  };
}

/** What a match at the very end of a long value still scores. */
const SUBSTRING_MIN = 0.1;

function substringScore(value: string, term: string): number {
  const at = value.indexOf(term);
  if (at <= 0) return at < 0 ? 0 : 1;
  const position = lengthOf(value.slice(0, at));
  return 1 - ((1 - SUBSTRING_MIN) * position) / (lengthOf(value) - lengthOf(term));
}

function substringOrSimilar(term: string, threshold: number): Score {
  return (value) => {
    const whole = substringScore(value, term);
    if (threshold === 0) return whole;
    const similar = jaroWinkler(term, value);
    return Math.max(whole, similar >= threshold ? similar : 0);
  };
}

function subsequence(term: string, threshold: number): Score {
  const letters = [...term];
  return (value) => {
    if (value.startsWith(term)) return 1;
    const score = subsequenceScore(letters, [...value]);
    return score >= threshold ? score : 0;
  };
}

/**
 * From each place where the first letter stands, every next letter is taken at its first place behind:
 * the sum of (length of a run)², less a share for letters left out, by the most that could be had.
 */
function subsequenceScore(term: readonly string[], value: readonly string[]): number {
  let best = 0;
  for (let start = 0; start <= value.length - term.length; start++) {
    if (value[start] !== term[0]) continue;
    const score = scoreFrom(term, value, start);
    // Where the letters do not suffice from here, they do not from any later place.
    if (score === undefined) break;
    best = Math.max(best, score);
  }
  return best / term.length ** 2;
}

/** Letters behind the last match count half as much as those between. */
const TRAILING_SHARE = 0.5;

function scoreFrom(term: readonly string[], value: readonly string[], start: number): number | undefined {
  let squares = 0;
  let at = start;
  for (let matched = 0; matched < term.length; ) {
    while (at < value.length && value[at] !== term[matched]) at++;
    if (at === value.length) return undefined;
    const from = at;
    while (matched < term.length && value[at] === term[matched]) {
      at++;
      matched++;
    }
    squares += (at - from) ** 2;
  }
  const gaps = at - term.length + (value.length - at) * TRAILING_SHARE;
  return squares - gaps / value.length;
}

/** The share of a common beginning, for up to this many letters, that is made good of what lacks. */
const PREFIX = { letters: 4, weight: 0.1 } as const;

export function jaroWinkler(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  const jaro = jaroOf(left, right);
  let common = 0;
  while (common < PREFIX.letters && common < left.length && left[common] === right[common]) common++;
  return jaro + common * PREFIX.weight * (1 - jaro);
}

function jaroOf(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 1 : 0;
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const taken = new Uint8Array(b.length);
  const matchedA: string[] = [];
  for (const [i, letter] of a.entries()) {
    for (let j = Math.max(0, i - reach); j < Math.min(b.length, i + reach + 1); j++) {
      if (taken[j] === 1 || b[j] !== letter) continue;
      taken[j] = 1;
      matchedA.push(letter);
      break;
    }
  }
  const matches = matchedA.length;
  if (matches === 0) return 0;
  const matchedB = b.filter((_, j) => taken[j] === 1);
  const moved = matchedA.filter((letter, i) => letter !== matchedB[i]).length;
  return (matches / a.length + matches / b.length + (matches - moved / 2) / matches) / 3;
}

/** In characters, not in halves of them. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
