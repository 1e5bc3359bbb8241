// Finding a block's series by matchers, and its names and values of labels.
//
// A matcher that refuses the empty value selects the series of the values that it accepts; one that accepts it takes
// away the series of the values that it refuses. The smallest selection is read first. Each other condition is then
// applied in the cheaper of two ways: its postings are read and merged, or the labels of each series still in question
// are looked at.

import { compileMatcher, type Matcher, type StringTest } from '../../model/matcher.js';
import { analysePattern } from '../../model/pattern.js';
import type { Block } from './block.js';
import type { IndexReader } from './index-reader.js';
import { SeriesEntry } from './series-entry.js';
import { EMPTY_SET, intersect, meets, subtract, union } from './sets.js';

/** Reading a series and testing its label costs about as much as reading this many postings (3 µs against 3 ns). */
const LOOK_COST = 1000;
/** Lists of a condition that are counted to tell how large it is; with more it is large. */
const COUNTED_MAX = 1000;
/** Characters of values that a test is run over between two looks whether to go on: a millisecond or so. */
const CHECK_CHARACTERS = 2 ** 14;

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A matcher, reduced to the lists of postings that it selects, or takes away. */
interface Condition {
  readonly name: string;
  readonly test: StringTest;
  /** The series of the lists go, the others stay. */
  readonly inverted: boolean;
  /** Places of the lists. */
  readonly lists: readonly number[];
  /** Series in all the lists. */
  readonly total: number;
}

/**
 * Refs of the series that match all matchers, rising; of all series where there is none. `check` is called now and then
 * and throws where nobody wants them any more. Throws PatternError, BlockFault, DiskError.
 */
export function selectSeries({ index }: Block, matchers: readonly Matcher[], check?: () => void): Uint32Array {
  const conditions = matchers.map((matcher) => conditionOf(index, matcher, check));
  if (conditions.some(({ inverted, lists }) => !inverted && lists.length === 0)) return EMPTY_SET;
  const [first, ...others] = conditions.sort(byCost);
  let series = first === undefined || first.inverted ? index.allSeries() : listsOf(index, first, check);
  for (const condition of first?.inverted ? conditions : others) {
    if (series.length === 0) break;
    check?.();
    series = narrow(index, series, condition, check);
  }
  return series;
}

/** Names of the labels of the series that match, in byte order. */
export function labelNames(block: Block, matchers: readonly Matcher[] = [], check?: () => void): string[] {
  const { index } = block;
  if (matchers.length === 0) return index.names();
  const names = new Set<number>();
  forEachSeries(index, selectSeries(block, matchers, check), check, (entry) => {
    const { labels } = entry;
    for (let i = 0; i < labels.length; i += 2) names.add(labels[i]!);
  });
  return inOrder(index, names);
}

/** Values of a label of the series that match, in byte order. */
export function labelValues(
  block: Block,
  name: string,
  matchers: readonly Matcher[] = [],
  check?: () => void,
): string[] {
  const { index } = block;
  if (matchers.length === 0) return Array.from(index.values(name), ({ value }) => utf8.decode(value));
  const series = selectSeries(block, matchers, check);
  if (series.length === 0) return [];
  if (series.length * LOOK_COST < index.allSeries().length) return valuesBySeries(index, name, series, check);
  const values: string[] = [];
  for (const { value, offset } of index.values(name)) {
    check?.();
    if (meets(index.postingsAt(offset), series)) values.push(utf8.decode(value));
  }
  return values;
}

function conditionOf(index: IndexReader, matcher: Matcher, check?: () => void): Condition {
  const test = compileMatcher(matcher);
  const inverted = test('');
  const lists =
    literalLists(index, matcher, inverted) ??
    listsWhere(index, matcher.name, (value) => test(value) !== inverted, check);
  const isSmall = lists.length <= COUNTED_MAX;
  const total = isSmall ? lists.reduce((sum, at) => sum + index.countAt(at), 0) : Number.POSITIVE_INFINITY;
  return { name: matcher.name, test, inverted, lists, total };
}

/** The lists of a matcher that names the values it is about; undefined where values have to be tested. */
function literalLists(index: IndexReader, { name, op, value }: Matcher, inverted: boolean): number[] | undefined {
  const isPositive = op === '=' || op === '=~';
  // `=""` and `=~"a|"` are about all values but those they name, and so is `!~"a|"`.
  if (isPositive === inverted) return undefined;
  const values = op === '=' || op === '!=' ? [value] : literalsOf(value);
  return values?.flatMap((literal) => index.findPostings(name, literal) ?? []);
}

function literalsOf(pattern: string): readonly string[] | undefined {
  const form = analysePattern(pattern);
  if (form.kind === 'literal') return [form.value];
  return form.kind === 'set' ? form.values : undefined;
}

function listsWhere(
  index: IndexReader,
  name: string,
  isWanted: (value: string) => boolean,
  check?: () => void,
): number[] {
  const lists: number[] = [];
  let characters = 0;
  for (const { value, offset } of index.values(name)) {
    const text = utf8.decode(value);
    if (isWanted(text)) lists.push(offset);
    characters += text.length;
    if (characters > CHECK_CHARACTERS) {
      check?.();
      characters = 0;
    }
  }
  return lists;
}

/** Selections before what takes away, small ones first. */
function byCost(a: Condition, b: Condition): number {
  if (a.inverted !== b.inverted) return a.inverted ? 1 : -1;
  return a.total === b.total ? 0 : a.total - b.total;
}

function listsOf(index: IndexReader, { lists }: Condition, check?: () => void): Uint32Array {
  return union(
    lists.map((at) => {
      check?.();
      return index.postingsAt(at);
    }),
  );
}

function narrow(index: IndexReader, series: Uint32Array, condition: Condition, check?: () => void): Uint32Array {
  if (condition.lists.length === 0) return series;
  if (series.length * LOOK_COST < condition.total) return looked(index, series, condition, check);
  const others = listsOf(index, condition, check);
  return condition.inverted ? subtract(series, others) : intersect(series, others);
}

/** The series whose label passes the test. */
function looked(index: IndexReader, series: Uint32Array, { name, test }: Condition, check?: () => void): Uint32Array {
  const symbol = index.symbols.find(name);
  const kept: number[] = [];
  forEachSeries(index, series, check, (entry, ref) => {
    const value = symbolOf(entry, symbol);
    if (test(value === undefined ? '' : index.symbols.string(value))) kept.push(ref);
  });
  return Uint32Array.from(kept);
}

function valuesBySeries(index: IndexReader, name: string, series: Uint32Array, check?: () => void): string[] {
  const symbol = index.symbols.find(name);
  const values = new Set<number>();
  forEachSeries(index, series, check, (entry) => {
    const value = symbolOf(entry, symbol);
    if (value !== undefined) values.add(value);
  });
  return inOrder(index, values);
}

function forEachSeries(
  index: IndexReader,
  series: Uint32Array,
  check: (() => void) | undefined,
  action: (entry: SeriesEntry, ref: number) => void,
): void {
  const entry = new SeriesEntry();
  for (const [i, ref] of series.entries()) {
    if (i % LOOK_COST === 0) check?.();
    action(index.series(ref, entry), ref);
  }
}

/** The value of a label of a series, both as symbols. */
function symbolOf({ labels }: SeriesEntry, name: number | undefined): number | undefined {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === name) return labels[i + 1];
  return undefined;
}

/** Symbols as text, in byte order, which is that of their numbers. */
function inOrder(index: IndexReader, symbols: ReadonlySet<number>): string[] {
  return [...symbols].sort((a, b) => a - b).map((symbol) => index.symbols.string(symbol));
}
