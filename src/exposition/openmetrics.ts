// OpenMetrics 1.0 text, line by line, as strictly as Prometheus reads it.
//
//   # TYPE requests counter           'type'     metric, text
//   # HELP requests How many.         'help'
//   # UNIT disk_bytes bytes           'unit'
//   requests_total{job="a"} 17 1767232620.5 # {trace="x"} 1 1767232620
//   └──────series─────────┘ value  time        exemplar        'sample'
//   # EOF                             'end'
//
// What stands between two words is one space, and nothing else. Lines come from lines.ts: a character is a byte.
// Labels are taken apart only when they are asked for, since whoever reads a file meets the same series again and again.

import { compareStrings, type Labels, METRIC_NAME } from '../model/labels.js';
import { formatGeneral, parseFloatText } from '../model/number.js';
import { quote } from '../model/quote.js';
import { textOf } from './lines.js';

export type OpenMetricsEntry = 'type' | 'help' | 'unit' | 'sample' | 'end';

/** What is wrong with a line. */
export class OpenMetricsError extends Error {
  override readonly name = 'OpenMetricsError';
}

export interface Exemplar {
  /** As in the line: for labelsOfSeries(). */
  readonly labels: string;
  readonly value: number;
  readonly timeMs: number | undefined;
}

const TYPES: ReadonlySet<string> = new Set([
  'counter',
  'gauge',
  'gaugehistogram',
  'histogram',
  'info',
  'stateset',
  'summary',
  'unknown',
]);

const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
/** Behind the last character. */
const END = -1;

const METADATA = /^(HELP|TYPE|UNIT) ("(?:\\.|[^\\"])*"|[a-zA-Z_:][a-zA-Z0-9_:]*)/;
/** What Number() reads as Go does, and nearly every value is. */
const PLAIN_NUMBER = /^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/;
/** Go would read hexadecimal numbers and underscores; Prometheus does not want them. */
const UNWANTED_IN_NUMBER = /[pP_]/;

/** Reads one line after the other: what is in it is of the last one. */
export class OpenMetricsParser {
  /** Of 'type', 'help' and 'unit'. */
  metric = '';
  text = '';
  /** Of 'sample': name and labels as they stand in the line. */
  series = '';
  value = 0;
  /** undefined where the line has none. */
  timeMs: number | undefined;
  exemplar: Exemplar | undefined;
  /** What the last 'type' said: the labels of a series depend on it. */
  type = '';
  #line = '';
  #at = 0;
  #hasEnded = false;

  /** Throws an OpenMetricsError. `isWhole` as Lines says it: only `# EOF` needs no end of its line. */
  parse(line: string, isWhole = true): OpenMetricsEntry {
    if (this.#hasEnded) throw new OpenMetricsError('unexpected data after # EOF');
    this.#line = line;
    this.#at = 0;
    if (line === '# EOF') {
      this.#hasEnded = true;
      return 'end';
    }
    const entry = line.startsWith('# ') ? this.#metadata() : this.#sample();
    if (!isWhole) throw new OpenMetricsError('data does not end with # EOF');
    return entry;
  }

  /** The label set of the last 'sample'. Throws an OpenMetricsError. */
  labels(): Labels {
    return labelsOfSeries(this.series, this.type);
  }

  /** There are no more lines. Throws an OpenMetricsError where # EOF was not among them. */
  end(): void {
    if (!this.#hasEnded) throw new OpenMetricsError('data does not end with # EOF');
  }

  #metadata(): OpenMetricsEntry {
    if (this.#line.startsWith('# EOF')) throw new OpenMetricsError('unexpected data after # EOF');
    const match = METADATA.exec(this.#line.slice(2));
    if (match === null) {
      const word = /^# (HELP|TYPE|UNIT) /.exec(this.#line)?.[1];
      throw this.#unexpected(
        word === undefined ? 'expected a valid start token' : `expected metric name after ${word}`,
      );
    }
    const [head, word, name] = match as unknown as [string, string, string];
    this.#at = 2 + head.length;
    if (this.#next() !== SPACE) throw this.#unexpected(`expected text in ${word}`);
    this.metric = decoded(name.startsWith('"') ? unescape(name.slice(1, -1)) : name, 'metric name');
    const text = this.#line.slice(this.#at + 1);
    if (word === 'TYPE') return this.#type(text);
    this.text = decoded(text, word === 'HELP' ? 'help text' : 'unit');
    if (word === 'HELP') return 'help';
    if (this.text !== '' && !this.metric.endsWith(`_${this.text}`)) {
      throw new OpenMetricsError(`unit ${quote(this.text)} not a suffix of metric ${quote(this.metric)}`);
    }
    return 'unit';
  }

  #type(text: string): OpenMetricsEntry {
    if (!TYPES.has(text)) throw new OpenMetricsError(`invalid metric type ${quote(text)}`);
    this.text = text;
    this.type = text;
    return 'type';
  }

  #sample(): OpenMetricsEntry {
    const line = this.#line;
    const hasName = this.#name(true);
    if (!hasName && this.#next() !== BRACE_OPEN) throw this.#unexpected('expected a valid start token');
    const inBraces = this.#next() === BRACE_OPEN && this.#labelList(!hasName);
    this.series = line.slice(0, this.#at);
    if (!hasName && !inBraces) throw new OpenMetricsError(`metric name not set while parsing: ${quote(line)}`);
    this.value = this.#number('metric');
    this.timeMs = undefined;
    this.exemplar = undefined;
    if (this.#next() === SPACE && line.charCodeAt(this.#at + 1) !== HASH) this.timeMs = this.#time();
    if (this.#next() === SPACE) this.#readExemplar();
    if (this.#next() !== END) throw this.#unexpected('expected next entry after timestamp');
    return 'sample';
  }

  #readExemplar(): void {
    const from = this.#at + 3;
    if (!this.#line.startsWith(' # {', this.#at)) throw this.#unexpected('expected next entry after timestamp');
    this.#at = from;
    this.#labelList(false);
    const labels = this.#line.slice(from, this.#at);
    const value = this.#number('exemplar labels');
    const timeMs = this.#next() === SPACE ? this.#time() : undefined;
    if (this.#next() !== END) throw this.#unexpected('expected next entry after exemplar timestamp');
    this.exemplar = { labels, value, timeMs };
  }

  /** Passes over `{…}`; true where a metric name stood in it, which only then may be one. */
  #labelList(mayName: boolean): boolean {
    let hasName = false;
    this.#at++;
    while (this.#next() !== BRACE_CLOSE) {
      const isQuoted = this.#next() === QUOTE;
      if (isQuoted) this.#string('expected label name');
      else if (!this.#name(false)) throw this.#unexpected('expected label name');
      if (isQuoted && (this.#next() === COMMA || this.#next() === BRACE_CLOSE)) {
        if (!mayName) throw new OpenMetricsError(`metric name already set while parsing: ${quote(this.#line)}`);
        if (hasName) throw new OpenMetricsError(`metric name already set while parsing: ${quote(this.#line)}`);
        hasName = true;
      } else {
        if (this.#next() !== EQUALS) throw this.#unexpected('expected equal');
        this.#at++;
        this.#string('expected label value');
      }
      if (this.#next() === COMMA) this.#at++;
      else if (this.#next() !== BRACE_CLOSE) throw this.#unexpected('expected comma or brace close');
    }
    this.#at++;
    return hasName;
  }

  /** Passes over a string in quotes. */
  #string(expectation: string): void {
    if (this.#next() !== QUOTE) throw this.#unexpected(expectation);
    const line = this.#line;
    for (let at = this.#at + 1; ; at++) {
      const next = line.indexOf('"', at);
      if (next < 0) throw this.#unexpected(expectation);
      at = next;
      let escapes = 0;
      while (line.charCodeAt(next - 1 - escapes) === BACKSLASH) escapes++;
      if (escapes % 2 === 1) continue;
      this.#at = next + 1;
      return;
    }
  }

  /** Passes over a plain name; false where none begins here. */
  #name(mayHaveColons: boolean): boolean {
    const line = this.#line;
    let at = this.#at;
    while (isNameCode(line.charCodeAt(at), mayHaveColons, at > this.#at)) at++;
    const isThere = at > this.#at;
    this.#at = at;
    return isThere;
  }

  /** Reads ` 17`. */
  #number(after: string): number {
    if (this.#next() !== SPACE) throw this.#unexpected(`expected value after ${after}`);
    const text = this.#word();
    if (text === '') throw this.#unexpected(`expected value after ${after}`);
    return this.#parseNumber(text);
  }

  /** Reads ` 1767232620.5`, to milliseconds: any finite number. */
  #time(): number {
    const text = this.#word();
    if (text === '') throw this.#unexpected('expected next entry after timestamp');
    const seconds = this.#parseNumber(text);
    if (!Number.isFinite(seconds)) throw new OpenMetricsError(`invalid timestamp ${text}`);
    return Math.trunc(seconds * 1000);
  }

  #parseNumber(text: string): number {
    if (PLAIN_NUMBER.test(text)) {
      const value = Number(text);
      if (Number.isFinite(value)) return value;
    }
    const where = ` while parsing: ${quote(this.#line.slice(0, this.#at))}`;
    if (UNWANTED_IN_NUMBER.test(text)) throw new OpenMetricsError(`unsupported character in float${where}`);
    const value = parseFloatText(text);
    if (typeof value === 'number') return value;
    const reason = value === 'range' ? 'value out of range' : 'invalid syntax';
    throw new OpenMetricsError(`strconv.ParseFloat: parsing ${quote(text)}: ${reason}${where}`);
  }

  /** The word behind the space that is here. */
  #word(): string {
    const from = this.#at + 1;
    const next = this.#line.indexOf(' ', from);
    this.#at = next < 0 ? this.#line.length : next;
    return this.#line.slice(from, this.#at);
  }

  /** The character at hand; END behind the last. */
  #next(): number {
    return this.#at < this.#line.length ? this.#line.charCodeAt(this.#at) : END;
  }

  #unexpected(expectation: string): OpenMetricsError {
    const got = this.#next() === END ? 'the end of the line' : quote(this.#line[this.#at]!);
    return new OpenMetricsError(
      `${expectation}, got ${got} while parsing: ${quote(this.#line.slice(0, this.#at + 1))}`,
    );
  }
}

/** The label set of a series of some type as it stands in a line, or of an exemplar. Throws an OpenMetricsError. */
export function labelsOfSeries(series: string, type = ''): Labels {
  const numbered = NUMBERED.get(type);
  const brace = series.indexOf('{');
  const pairs: [string, string][] = [];
  if (brace !== 0) pairs.push([METRIC_NAME, brace < 0 ? series : series.slice(0, brace)]);
  if (brace >= 0) {
    for (const [, quotedName, plainName, value] of series.slice(brace + 1, -1).matchAll(PAIR)) {
      const name = quotedName === undefined ? plainName! : unescape(quotedName);
      if (value === undefined) pairs.push([METRIC_NAME, decoded(name, 'metric name')]);
      else {
        const text = decoded(unescape(value), 'label value');
        pairs.push([decoded(name, 'label name'), name === numbered ? withPoint(text) : text]);
      }
    }
  }
  pairs.sort(([a], [b]) => compareStrings(a, b));
  for (let i = 1; i < pairs.length; i++) {
    if (pairs[i]![0] === pairs[i - 1]![0])
      throw new OpenMetricsError(`label name ${quote(pairs[i]![0])} is not unique`);
  }
  return pairs.filter(([, value]) => value !== '').flat();
}

/** Labels whose values are numbers, by type: `1` and `1.0` are one series. */
const NUMBERED: ReadonlyMap<string, string> = new Map([
  ['histogram', 'le'],
  ['summary', 'quantile'],
]);

/** A number as the format wants it: whole ones with `.0`. What is none stays. */
function withPoint(text: string): string {
  const value = parseFloatText(text);
  if (typeof value !== 'number') return text;
  const printed = formatGeneral(value);
  return /[e.]/.test(printed) || !Number.isFinite(value) ? printed : `${printed}.0`;
}

/** A pair of a label list that the parser has passed over, or a metric name in quotes. */
const PAIR = /(?:"((?:\\.|[^\\"])*)"|([a-zA-Z_][a-zA-Z0-9_]*))(?:="((?:\\.|[^\\"])*)")?,?/gs;

function isNameCode(code: number, mayBeColon: boolean, mayBeDigit: boolean): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    code === 0x5f ||
    (mayBeColon && code === 0x3a) ||
    (mayBeDigit && code >= 0x30 && code <= 0x39)
  );
}

/** Of unknown escapes the backslash stays. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function decoded(bytes: string, what: string): string {
  const text = textOf(bytes);
  if (text === undefined) throw new OpenMetricsError(`invalid UTF-8 ${what}: ${quote(bytes)}`);
  return text;
}
