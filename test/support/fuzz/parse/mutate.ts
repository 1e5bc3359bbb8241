// Query texts that nobody would write: texts of the corpus, cut, spliced, swapped, nested
// and strewn with what does not belong there.

import type { Prng } from '../../../../src/base/prng.js';

/** What is put into texts: each token of the language once, and what looks like one. */
const TOKENS: readonly string[] = [
  ...'()[]{},:=+-*/%^@!<>~#.;$&|?_0159 \t\n\r"\'`\\'.split(''),
  ...['==', '!=', '=~', '!~', '<=', '>=', '</', '>/', '[5m]', '[5m:]', '[1h:1m]', '{}', '()', '""', "''", '``', '"a"'],
  ...['and', 'or', 'unless', 'atan2', 'bool', 'on', 'ignoring', 'group_left', 'group_right', 'by', 'without', 'offset'],
  ...['fill', 'fill_left(1)', 'fill_right', 'anchored', 'smoothed', 'start()', 'end()', 'step()', 'range()', 'min_of('],
  ...[
    'sum',
    'topk(1,',
    'count_values("a",',
    'limitk',
    'limit_ratio',
    'rate(',
    'info(',
    'abs(',
    'label_join(',
    'time()',
  ],
  ...[
    '0',
    '1',
    '08',
    '0x',
    '0x1F',
    '1e',
    '1e9',
    '1e400',
    '.5',
    '5.',
    '1_0',
    'inf',
    'NaN',
    '5m',
    '1h30m',
    '1.5h',
    '0s',
    '1y',
  ],
  ...[
    '\\n',
    '\\x41',
    '\\xff',
    '\\u00e9',
    '\\ud800',
    '\\U0010ffff',
    '\\777',
    '\\q',
    '(?i)',
    '.*',
    'a{1000}',
    '[^a',
    '\\pL',
  ],
];

/** Characters that text handling stumbles over. */
const ODD = [
  ...[
    '\0',
    '\u0001',
    '\u007f',
    '\u0080',
    '\u00a0',
    '\u00df',
    'é',
    '\u0300',
    '\u2028',
    '\u2029',
    '\u200d',
    '\ufeff',
    '日',
  ],
  ...['\ufffd', '\ufffe', '\uffff', '\ud800', '\udc00', '😀', '\u{10ffff}', 'İ', 'ǅ', 'ﬁ'],
];

const OPENERS = [
  '(',
  '-',
  '+',
  'abs(',
  'sum(',
  'sum by (a) (',
  '2^',
  'a or ',
  'a[1',
  '[',
  '{',
  '-(',
  'a offset (',
  'min_of(',
];
const CLOSERS: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['abs(', ')'],
  ['sum(', ')'],
  ['sum by (a) (', ')'],
  ['-(', ')'],
]);

/** Most texts are short, because what goes wrong does so in few tokens, and more of them can be tried. */
const SHORT_MAX = 400;
const LONG_MAX = 140_000;

export class Mutator {
  readonly #corpus: readonly string[];
  readonly #random: Prng;

  constructor(corpus: readonly string[], random: Prng) {
    this.#corpus = corpus;
    this.#random = random;
  }

  text(): string {
    const random = this.#random;
    let text = random.pick(this.#corpus);
    const most = random.int(3) === 0 ? 4 : 1;
    for (let edits = 1 + random.int(most); edits > 0; edits--) text = this.#edit(text);
    if (random.int(20_000) === 0) return this.#long(text);
    return text.length > SHORT_MAX && random.int(20) > 0 ? text.slice(0, SHORT_MAX) : text;
  }

  #edit(text: string): string {
    const random = this.#random;
    const at = random.int(text.length + 1);
    const end = Math.min(text.length, at + 1 + random.int(8));
    switch (random.int(11)) {
      case 0:
        return text.slice(0, at) + flipped(text.charCodeAt(at), random) + text.slice(at + 1);
      case 1:
        return text.slice(0, at) + random.pick(ODD) + text.slice(at);
      case 2:
        return text.slice(0, at) + text.slice(end);
      case 3:
        return text.slice(0, end) + text.slice(at);
      case 4:
      case 5:
      case 6:
        return text.slice(0, at) + random.pick(TOKENS) + text.slice(random.int(2) === 0 ? at : end);
      case 7:
        return this.#splice(text, at);
      case 8:
        return swapped(text, random);
      case 9:
        return this.#nested(text);
      default:
        return text.slice(0, at) + text.slice(at, end).repeat(1 + random.int(5)) + text.slice(end);
    }
  }

  #splice(text: string, at: number): string {
    const other = this.#random.pick(this.#corpus);
    return text.slice(0, at) + other.slice(this.#random.int(other.length + 1));
  }

  /** Mostly a few levels, now and then about as many as are allowed. */
  #nested(text: string): string {
    const random = this.#random;
    const opener = random.pick(OPENERS);
    const levels = random.int(200) === 0 ? 240 + random.int(280) : 1 + random.int(6);
    return opener.repeat(levels) + text + (CLOSERS.get(opener) ?? '').repeat(levels);
  }

  /** As long as a text may be, and a little longer: one part of it over and over. */
  #long(text: string): string {
    const random = this.#random;
    const at = random.int(text.length + 1);
    const part = text.slice(at, at + 1 + random.int(20)) || random.pick(TOKENS);
    const times = Math.floor((LONG_MAX * random.float()) / part.length);
    return text.slice(0, at) + part.repeat(times) + text.slice(at);
  }
}

function flipped(code: number, random: Prng): string {
  return String.fromCharCode((Number.isNaN(code) ? 0 : code) ^ (1 << random.int(random.int(8) === 0 ? 16 : 7)));
}

/** Two tokens, or what passes for them, in each other's place. */
function swapped(text: string, random: Prng): string {
  const tokens = text.match(/\w+|\s+|[^\w\s]/gu) ?? [];
  if (tokens.length < 2) return text;
  const [a, b] = [random.int(tokens.length), random.int(tokens.length)];
  [tokens[a], tokens[b]] = [tokens[b]!, tokens[a]!];
  return tokens.join('');
}
