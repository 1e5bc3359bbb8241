// The text format read whole, as families: what checks and pushes of a page work with. Scrapes do not come here, the core
// reads theirs.
//
//   # HELP rpc_seconds How long calls take.       ► a family with its help and type,
//   # TYPE rpc_seconds summary
//   rpc_seconds{quantile="0.5"} 4773              ► one metric of it, of these three lines
//   rpc_seconds_sum 1.7e7
//   rpc_seconds_count 2693
//
// Strict where scrapes are not: `parse()` throws at the first thing that is wrong, in the words of Prometheus's Go parser.

import { isLabelName, isMetricName } from '../model/names.js';
import { parseFloatText } from '../model/number.js';
import { quote, quoteCharacter } from '../model/quote.js';

export type TextType = 'counter' | 'gauge' | 'summary' | 'untyped' | 'histogram' | 'gauge_histogram';

/** A part of a summary or a histogram: a quantile with its value, a bucket with its count. */
export interface TextPart {
  /** The quantile, or the upper bound. */
  readonly bound: number;
  readonly value: number;
}

export interface TextMetric {
  /** In written order, without those of parts. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Undefined where the text has none: the time of the newest line that has. */
  timeMs: number | undefined;
  /** Of summaries and histograms 0: they have the fields below. */
  value: number;
  readonly parts: TextPart[];
  sum: number;
  count: number;
}

export interface TextFamily {
  readonly name: string;
  type: TextType | undefined;
  help: string | undefined;
  readonly metrics: TextMetric[];
}

export class TextFormatError extends Error {
  override readonly name = 'TextFormatError';

  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super(`text format parsing error in line ${line}: ${reason}`);
  }
}

/** Families with samples, in the order in which they begin. Throws TextFormatError. */
export function parseFamilies(text: string): readonly TextFamily[] {
  return new FamilyParser(text).parse();
}

const TYPES: ReadonlyMap<string, TextType> = new Map([
  ...(['counter', 'gauge', 'summary', 'untyped', 'histogram', 'gauge_histogram'] as const).map(
    (type) => [type, type] as const,
  ),
  ['gaugehistogram', 'gauge_histogram'],
]);

/** The label of parts. */
const PART_LABELS: ReadonlyMap<TextType | undefined, string> = new Map([
  ['summary', 'quantile'],
  ['histogram', 'le'],
  ['gauge_histogram', 'le'],
]);

/** What a line is of its family. */
type Role = 'sum' | 'count' | 'other';

const END = '';

class FamilyParser {
  readonly #text: string;
  #at = 0;
  #line = 1;
  readonly #families = new Map<string, TextFamily>();
  /** Metrics of several lines, by name and labels. */
  readonly #gathered = new Map<string, TextMetric>();

  constructor(text: string) {
    this.#text = text;
  }

  parse(): readonly TextFamily[] {
    for (;;) {
      this.#skipBlanks();
      const first = this.#peek();
      if (first === END) break;
      if (first === '#') this.#comment();
      else if (first !== '\n') this.#sample();
      this.#endOfLine();
    }
    return [...this.#families.values()].filter(({ metrics }) => metrics.length > 0);
  }

  // ---- Lines

  #comment(): void {
    this.#at++;
    this.#skipBlanks();
    const keyword = this.#word();
    const isKnown = keyword === 'HELP' || keyword === 'TYPE';
    if (!isKnown || this.#needPeek() === '\n') {
      this.#skipLine();
      return;
    }
    this.#skipBlanks();
    const name = this.#name('metric');
    if (this.#needPeek() === '\n') return;
    if (!isBlank(this.#peek())) throw this.#error('invalid metric name in comment');
    const { family } = this.#familyOf(name);
    this.#skipBlanks();
    if (this.#needPeek() === '\n') return;
    if (keyword === 'HELP') this.#help(family);
    else this.#type(family);
  }

  #help(family: TextFamily): void {
    if (family.help !== undefined) throw this.#error(`second HELP line for metric name ${quote(family.name)}`);
    family.help = this.#lineText(true);
  }

  #type(family: TextFamily): void {
    if (family.type !== undefined) {
      throw this.#error(`second TYPE line for metric name ${quote(family.name)}, or TYPE reported after samples`);
    }
    const text = this.#lineText(false);
    family.type = TYPES.get(text.toLowerCase());
    if (family.type === undefined) throw this.#error(`unknown metric type ${quote(text)}`);
  }

  #sample(): void {
    const isInBraces = this.#peek() === '{';
    let found = isInBraces ? undefined : this.#sampleFamily(this.#nameOfSample());
    const labels: [name: string, value: string][] = [];
    if (!isInBraces) this.#skipBlanks();
    if (this.#needPeek() === '{') found = this.#labels(found, labels);
    if (found === undefined) throw this.#error('invalid metric name');
    this.#skipBlanks();
    this.#value(found.family, found.role, labels);
  }

  #nameOfSample(): string {
    const name = this.#name('metric');
    if (name === '') throw this.#error('invalid metric name');
    return name;
  }

  /** From the brace on; a name may stand among the labels. */
  #labels(given: Found | undefined, labels: [string, string][]): Found | undefined {
    let found = given;
    this.#at++;
    for (;;) {
      this.#skipBlanks();
      if (this.#needPeek() === '}') break;
      const name = this.#name('label');
      if (name === '') throw this.#error(`invalid label name for metric ${quote(found?.family.name ?? '')}`);
      this.#skipBlanks();
      if (this.#needPeek() === '=') {
        labels.push([name, this.#labelValue(name)]);
      } else {
        this.#checkQuotedName(given, found);
        found = this.#sampleFamily(name);
      }
      if (this.#needPeek() === '}') break;
      this.#at++;
    }
    this.#at++;
    return found;
  }

  #checkQuotedName(given: Found | undefined, found: Found | undefined): void {
    const next = this.#peek();
    if (given !== undefined) throw this.#error(`expected '=' after label name, found ${quoteCharacter(next)}`);
    if (found !== undefined) throw this.#error(`multiple metric names for metric ${quote(found.family.name)}`);
    if (next !== ',' && next !== '}') throw this.#error(`unexpected end of metric name ${quoteCharacter(next)}`);
  }

  #labelValue(name: string): string {
    if (name === '__name__') throw this.#error('label name "__name__" is reserved');
    if (!isLabelName(name, 'utf8')) throw this.#error(`invalid label name ${quote(name)}`);
    this.#at++;
    this.#skipBlanks();
    if (this.#needPeek() !== '"') {
      throw this.#error(`expected '"' at start of label value, found ${quoteCharacter(this.#peek())}`);
    }
    const value = this.#quoted('label value');
    this.#skipBlanks();
    const next = this.#needPeek();
    if (next !== ',' && next !== '}') throw this.#error(`unexpected end of label value ${quote(value)}`);
    return value;
  }

  #value(family: TextFamily, role: Role, written: readonly (readonly [string, string])[]): void {
    const partLabel = PART_LABELS.get(family.type);
    const bound = this.#boundOf(partLabel, written);
    const labels = partLabel === undefined ? written : written.filter(([name]) => name !== partLabel);
    const metric = this.#metricOf(family, labels, partLabel !== undefined);
    const text = this.#word();
    this.#needPeek();
    const value = parseFloatText(text);
    if (typeof value !== 'number' || /[pP_]/.test(text)) {
      throw this.#error(`expected float as value, got ${quote(text)}`);
    }
    if (partLabel === undefined) metric.value = value;
    else this.#addPart(family, metric, role, { bound, value });
    if (this.#peek() !== '\n') metric.timeMs = this.#timestamp();
  }

  #addPart(family: TextFamily, metric: TextMetric, role: Role, part: TextPart): void {
    const isHistogram = family.type !== 'summary';
    const refuse = (what: string) => {
      if (isHistogram && part.value < 0) throw this.#error(`negative ${what} for histogram ${quote(family.name)}`);
    };
    if (role === 'count') {
      refuse('count');
      metric.count = isHistogram ? part.value : Math.trunc(part.value);
    } else if (role === 'sum') {
      metric.sum = part.value;
    } else if (!Number.isNaN(part.bound)) {
      refuse('bucket population');
      metric.parts.push(part);
    }
  }

  /** NaN where there is none. */
  #boundOf(label: string | undefined, labels: readonly (readonly [string, string])[]): number {
    const text = labels.findLast(([name]) => name === label)?.[1];
    if (text === undefined) return Number.NaN;
    const bound = parseFloatText(text);
    if (typeof bound === 'number') return bound;
    throw this.#error(`expected float as value for '${label}' label, got ${quote(text)}`);
  }

  #timestamp(): number {
    this.#skipBlanks();
    const text = this.#word();
    this.#needPeek();
    if (!/^[-+]?\d+$/.test(text)) throw this.#error(`expected integer as timestamp, got ${quote(text)}`);
    const rest = this.#lineText(false);
    if (rest !== '') throw this.#error(`spurious string after timestamp: ${quote(rest)}`);
    return Number(text);
  }

  // ---- Families

  /** A sample's: one without a type is untyped from here on. */
  #sampleFamily(name: string): Found {
    const found = this.#familyOf(name);
    found.family.type ??= 'untyped';
    return found;
  }

  /** Of its own name; or a summary or histogram whose sum, count or bucket it is. */
  #familyOf(name: string): Found {
    if (!isMetricName(name, 'utf8')) throw this.#error(`invalid metric name ${quote(name)}`);
    const own = this.#families.get(name);
    if (own !== undefined) return { family: own, role: 'other' };
    for (const [suffix, role] of SUFFIXES) {
      if (!name.endsWith(suffix) || name.length === suffix.length) continue;
      const family = this.#families.get(name.slice(0, -suffix.length));
      const isOfIt = family !== undefined && PART_LABELS.has(family.type);
      if (isOfIt && (family.type !== 'summary' || suffix !== '_bucket')) return { family, role };
    }
    const family: TextFamily = { name, type: undefined, help: undefined, metrics: [] };
    this.#families.set(name, family);
    return { family, role: 'other' };
  }

  #metricOf(family: TextFamily, labels: readonly (readonly [string, string])[], isGathered: boolean): TextMetric {
    const key = isGathered ? JSON.stringify([family.name, [...new Map(labels)].sort()]) : '';
    const known = this.#gathered.get(key);
    if (known !== undefined) return known;
    const metric: TextMetric = { labels, timeMs: undefined, value: 0, parts: [], sum: 0, count: 0 };
    if (isGathered) this.#gathered.set(key, metric);
    family.metrics.push(metric);
    return metric;
  }

  // ---- Words

  #peek(): string {
    return this.#text[this.#at] ?? END;
  }

  /** Throws where the text has ended, which is only right at the start of a line. */
  #needPeek(): string {
    const next = this.#peek();
    if (next === END) throw this.#error('unexpected end of input stream');
    return next;
  }

  #skipBlanks(): void {
    while (isBlank(this.#peek())) this.#at++;
  }

  #endOfLine(): void {
    this.#needPeek();
    this.#at++;
    this.#line++;
  }

  #skipLine(): void {
    while (this.#needPeek() !== '\n') this.#at++;
  }

  /** Up to a blank or the line's end. */
  #word(): string {
    const from = this.#at;
    for (let next = this.#peek(); next !== END && next !== '\n' && !isBlank(next); next = this.#peek()) this.#at++;
    return this.#text.slice(from, this.#at);
  }

  /** The rest of the line. */
  #lineText(hasEscapes: boolean): string {
    let text = '';
    for (let next = this.#needPeek(); next !== '\n'; next = this.#needPeek()) {
      this.#at++;
      if (next !== '\\') text += next;
      else if (hasEscapes) text += this.#escape();
    }
    return text;
  }

  /** Plain or in quotes; empty where none begins here. */
  #name(what: 'metric' | 'label'): string {
    if (this.#peek() === '"') return this.#quoted(`${what} name`);
    const pattern = what === 'metric' ? METRIC_NAME : LABEL_NAME;
    pattern.lastIndex = this.#at;
    const name = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += name.length;
    return name;
  }

  #quoted(what: string): string {
    let text = '';
    this.#at++;
    for (let next = this.#needPeek(); next !== '"'; next = this.#needPeek()) {
      if (next === '\n') throw this.#error(`${what} ${quote(text)} contains unescaped new-line`);
      this.#at++;
      text += next === '\\' ? this.#escape() : next;
    }
    this.#at++;
    return text;
  }

  /** What follows a backslash. */
  #escape(): string {
    const next = this.#needPeek();
    this.#at++;
    const meant = ESCAPES.get(next);
    if (meant === undefined) throw this.#error(`invalid escape sequence '\\${next}'`);
    return meant;
  }

  #error(reason: string): TextFormatError {
    return new TextFormatError(this.#line, reason);
  }
}

interface Found {
  readonly family: TextFamily;
  readonly role: Role;
}

const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\'],
  ['n', '\n'],
  ['"', '"'],
]);

const SUFFIXES = [
  ['_count', 'count'],
  ['_sum', 'sum'],
  ['_bucket', 'other'],
] as const;

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t';
}
