// Finding the head's series by matchers, and listing names and values.
//
// As in Prometheus's head a matcher that refuses the empty value selects the series of
// the values it accepts; one that accepts the empty value takes away the series of the
// values it refuses. The smallest selection is decoded first. Every other condition is
// then applied in the cheaper of two ways: decode its postings and merge, or look at the
// label of each series still in question.

import { MATCH_ALL, MATCH_CONTAINS, MATCH_EQUALS, MATCH_PREFIX, MATCH_SUFFIX } from '../../assembly/layout.js';
import { compareStrings } from '../model/labels.js';
import { compileMatcher, type Matcher } from '../model/matcher.js';
import { analysePattern } from '../model/pattern.js';
import type { Core } from './core.js';
import type { SeriesIndex } from './head.js';
import { KeptSelections } from './kept-selections.js';
import { OutOfMemory } from './out-of-memory.js';
import { withString } from './strings.js';

/** Ascending series indexes in the core's heap. Whoever has one releases it. */
export interface SeriesList {
  readonly address: number;
  readonly count: number;
  /** Bytes of the heap block. */
  readonly bytes: number;
}

/** One matcher, reduced to the pairs of its name that it accepts (or refuses, when `inverted`). */
interface Condition {
  readonly name: string;
  /** A heap block with u32 pair numbers. */
  readonly pairs: number;
  readonly pairCount: number;
  /** Series in all their lists. */
  readonly total: number;
  /** Take these series away rather than select them. */
  readonly inverted: boolean;
  /** It names one value: no other pair ever meets it. */
  readonly isExact: boolean;
}

type Accepted = Omit<Condition, 'isExact'>;

/** A look at each candidate costs about as much as decoding and merging this many postings (two cache misses against ~2 ns). */
const LOOK_COST = 16;

/** Characters of values that a pattern is run over between two looks whether to go on: a millisecond or so. */
const CHECK_CHARACTERS = 2 ** 14;

/** A value may begin with what would otherwise be taken for a byte order mark. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class Select {
  readonly #core: Core;
  readonly #kept: KeptSelections;

  constructor(core: Core) {
    this.#core = core;
    this.#kept = new KeptSelections(core);
  }

  /** The series that match all matchers. The caller releases the list. `check` throws where nobody wants them any more. */
  series(matchers: readonly Matcher[], check?: () => void): SeriesList {
    const key = JSON.stringify(matchers);
    const known = this.#kept.find(key);
    if (known !== undefined) return this.#listOf(known);
    const conditions: Condition[] = [];
    try {
      for (const matcher of matchers) {
        const condition = this.#condition(matcher, check);
        if (condition !== undefined) conditions.push(condition);
      }
      const list = this.#combine(conditions);
      const pair = this.#pairOfAll(conditions);
      if (pair !== undefined && this.#kept.isWanted(list.count)) {
        this.#kept.keep(key, this.indexes(list).slice(), pair);
      }
      return list;
    } finally {
      for (const condition of conditions) this.#free(condition.pairs, condition.pairCount * 4);
    }
  }

  /** Of pairs that all series of a selection have, now and later, the one with the fewest series. */
  #pairOfAll(conditions: readonly Condition[]): number | undefined {
    const exact = conditions.filter(({ isExact, pairCount }) => isExact && pairCount === 1);
    const [least] = exact.sort((a, b) => a.total - b.total);
    return least && this.#core.view.getUint32(least.pairs, true);
  }

  /** A list of series that were alive. */
  #listOf(series: Uint32Array): SeriesList {
    const bytes = Math.max(series.length, 1) * 4;
    const address = this.#alloc(bytes);
    this.#core.u32(address, series.length).set(series);
    const count = this.#core.exports.select_drop_dead(address, series.length) >>> 0;
    return { address, count, bytes };
  }

  /** The series that match any of the selectors; all series where there is none. The caller releases the list. */
  anyOf(selectors: readonly (readonly Matcher[])[]): SeriesList {
    if (selectors.length === 0) return this.#all();
    let union = this.series(selectors[0]!);
    for (const selector of selectors.slice(1)) {
      const last = union;
      union = this.#releasing(last, () => {
        const next = this.series(selector);
        return this.#releasing(next, () => this.#union(last, next));
      });
    }
    return union;
  }

  #union(a: SeriesList, b: SeriesList): SeriesList {
    const bytes = Math.max(a.count + b.count, 1) * 4;
    const address = this.#alloc(bytes);
    const count = this.#core.exports.sets_union(a.address, a.count, b.address, b.count, address) >>> 0;
    return { address, count, bytes };
  }

  /** Releases a list after the action, also where that throws. */
  #releasing<T>(list: SeriesList, action: () => T): T {
    try {
      return action();
    } finally {
      this.release(list);
    }
  }

  release(list: SeriesList): void {
    this.#free(list.address, list.bytes);
  }

  /**
   * The series of a list in two lists, those that are wanted apart; their order stays. Takes the list. Nothing is
   * apart where none is wanted. Throws, with the list released, where memory is refused.
   */
  part(list: SeriesList, isWanted: (series: SeriesIndex) => boolean): { rest: SeriesList; wanted: SeriesList } {
    const indexes = [...this.indexes(list)] as SeriesIndex[];
    const wanted = indexes.filter(isWanted);
    if (wanted.length === 0) return { rest: list, wanted: { address: 0, count: 0, bytes: 0 } };
    const bytes = wanted.length * 4;
    const address = this.#releasingOnError(list, () => this.#alloc(bytes));
    this.#core.u32(address, wanted.length).set(wanted);
    const apart = new Set(wanted);
    const rest = indexes.filter((series) => !apart.has(series));
    this.#core.u32(list.address, rest.length).set(rest);
    return { rest: { ...list, count: rest.length }, wanted: { address, count: wanted.length, bytes } };
  }

  /** A list with numbers behind its own, ascending. Takes the list, and releases it where memory is refused. */
  extended(list: SeriesList, numbers: Uint32Array): SeriesList {
    if (numbers.length === 0) return list;
    const count = list.count + numbers.length;
    const address = this.#releasingOnError(list, () => this.#alloc(count * 4));
    this.#core.u32(address, list.count).set(this.indexes(list));
    this.#core.u32(address + list.count * 4, numbers.length).set(numbers);
    this.release(list);
    return { address, count, bytes: count * 4 };
  }

  #releasingOnError<T>(list: SeriesList, action: () => T): T {
    try {
      return action();
    } catch (error) {
      this.release(list);
      throw error;
    }
  }

  /** Series indexes of a list: lends. */
  indexes(list: SeriesList): Uint32Array {
    return this.#core.u32(list.address, list.count);
  }

  /** Distinct values of a label name over all series, sorted by bytes. */
  values(name: string): string[] {
    const found = this.#match(name, MATCH_ALL, '', false);
    const values: string[] = [];
    for (let i = 0; i < found.pairCount; i++)
      values.push(this.#pairValue(this.#core.view.getUint32(found.pairs + i * 4, true)));
    this.#free(found.pairs, found.pairCount * 4);
    return values.sort(compareStrings);
  }

  /** Whether any series has this value of a name. */
  hasValue(name: string, value: string): boolean {
    const found = this.#match(name, MATCH_EQUALS, value, false);
    this.#free(found.pairs, found.pairCount * 4);
    return found.total > 0;
  }

  /** Every label name with the number of its values and of the series that have it. */
  names(): { name: string; values: number; series: number }[] {
    const { exports } = this.#core;
    const names = [];
    for (let i = 0; i < exports.pairs_name_bound(); i++) {
      const series = exports.pairs_name_series(i) >>> 0;
      if (series > 0)
        names.push({ name: this.#symbol(exports.pairs_name(i)), values: exports.pairs_name_pairs(i) >>> 0, series });
    }
    return names.sort((a, b) => compareStrings(a.name, b.name));
  }

  /** Every value of a name with the number of its series. */
  valueCounts(name: string): { value: string; series: number }[] {
    const found = this.#match(name, MATCH_ALL, '', false);
    const counts = [];
    for (let i = 0; i < found.pairCount; i++) {
      const pair = this.#core.view.getUint32(found.pairs + i * 4, true);
      counts.push({ value: this.#pairValue(pair), series: this.#core.exports.pairs_count(pair) >>> 0 });
    }
    this.#free(found.pairs, found.pairCount * 4);
    return counts;
  }

  /** undefined where the matcher excludes nothing. */
  #condition(matcher: Matcher, check?: () => void): Condition | undefined {
    const test = compileMatcher(matcher);
    const inverted = test('');
    const isExact = matcher.op === '=' && !inverted;
    const condition = { ...this.#accepted(matcher, test, inverted, check), isExact };
    if (!inverted || condition.pairCount > 0) return condition;
    this.#free(condition.pairs, 0);
    return undefined;
  }

  /** The pairs whose value passes the matcher; with `inverted` those whose value does not. */
  #accepted(matcher: Matcher, test: (value: string) => boolean, inverted: boolean, check?: () => void): Accepted {
    const { name, op, value } = matcher;
    // What the fast forms find are the values *equal to* or *matching* the text.
    const flip = inverted !== (op === '!=' || op === '!~');
    if (op === '=' || op === '!=') return { ...this.#match(name, MATCH_EQUALS, value, flip), inverted };
    const form = analysePattern(value);
    switch (form.kind) {
      case 'literal':
        return { ...this.#match(name, MATCH_EQUALS, form.value, flip), inverted };
      case 'any':
      case 'nonEmpty':
        // Stored values are never empty, so both accept all of them.
        return flip ? { ...NO_PAIRS, name, inverted } : { ...this.#match(name, MATCH_ALL, '', false), inverted };
      case 'prefix':
        if (!form.more) return { ...this.#match(name, MATCH_PREFIX, form.value, flip), inverted };
        break;
      case 'suffix':
        if (!form.more) return { ...this.#match(name, MATCH_SUFFIX, form.value, flip), inverted };
        break;
      case 'contains':
        return { ...this.#match(name, MATCH_CONTAINS, form.value, flip), inverted };
      case 'set':
        if (!flip) return { ...this.#matchSet(name, form.values), inverted };
        break;
      case 'regex':
        break;
    }
    return { ...this.#matchTest(name, inverted ? (text) => !test(text) : test, check), inverted };
  }

  #match(name: string, kind: number, text: string, inverted: boolean): Omit<Accepted, 'inverted'> {
    const { exports } = this.#core;
    const isMatched = withString(this.#core, name, (nameAt, nameBytes) =>
      withString(this.#core, text, (textAt, textBytes) =>
        exports.select_match(nameAt, nameBytes, kind, textAt, textBytes, inverted),
      ),
    );
    if (!isMatched) throw new OutOfMemory();
    const pairCount = exports.select_matched_count() >>> 0;
    const pairs = this.#alloc(pairCount * 4);
    const matched = exports.select_matched_address() >>> 0;
    this.#core.bytes.copyWithin(pairs, matched, matched + pairCount * 4);
    return { name, pairs, pairCount, total: exports.select_matched_total() >>> 0 };
  }

  #matchSet(name: string, values: readonly string[]): Omit<Accepted, 'inverted'> {
    const numbers = values.flatMap((value) => {
      const found = this.#match(name, MATCH_EQUALS, value, false);
      const pairs = [...this.#core.u32(found.pairs, found.pairCount)];
      this.#free(found.pairs, found.pairCount * 4);
      return pairs;
    });
    return this.#fromNumbers(name, numbers);
  }

  /** The general way: the test runs on each distinct value of the name. */
  #matchTest(name: string, test: (value: string) => boolean, check: () => void = () => {}): Omit<Accepted, 'inverted'> {
    const every = this.#match(name, MATCH_ALL, '', false);
    const numbers: number[] = [];
    let untilCheck = CHECK_CHARACTERS;
    try {
      for (let i = 0; i < every.pairCount; i++) {
        const pair = this.#core.view.getUint32(every.pairs + i * 4, true);
        const value = this.#pairValue(pair);
        if (test(value)) numbers.push(pair);
        untilCheck -= 1 + value.length;
        if (untilCheck > 0) continue;
        untilCheck = CHECK_CHARACTERS;
        check();
      }
    } finally {
      this.#free(every.pairs, every.pairCount * 4);
    }
    return this.#fromNumbers(name, numbers);
  }

  #fromNumbers(name: string, numbers: readonly number[]): Omit<Accepted, 'inverted'> {
    const pairs = this.#alloc(numbers.length * 4);
    this.#core.u32(pairs, numbers.length).set(numbers);
    return {
      name,
      pairs,
      pairCount: numbers.length,
      total: this.#core.exports.select_total(pairs, numbers.length) >>> 0,
    };
  }

  #combine(conditions: readonly Condition[]): SeriesList {
    const positive = conditions.filter((condition) => !condition.inverted).sort((a, b) => a.total - b.total);
    const base = positive[0];
    let list = base === undefined ? this.#all() : this.#collect(base);
    const others = [...positive.slice(1), ...conditions.filter((condition) => condition.inverted)];
    try {
      for (const condition of others) {
        if (list.count === 0) break;
        list = this.#apply(list, condition);
      }
    } catch (error) {
      this.release(list);
      throw error;
    }
    const alive = this.#core.exports.select_drop_dead(list.address, list.count) >>> 0;
    return { ...list, count: alive };
  }

  #apply(list: SeriesList, condition: Condition): SeriesList {
    const { exports } = this.#core;
    if (list.count * LOOK_COST < condition.total) {
      const { pairs, pairCount, inverted } = condition;
      const count = withString(this.#core, condition.name, (name, nameBytes) =>
        exports.select_filter(list.address, list.count, name, nameBytes, pairs, pairCount, inverted),
      );
      if (count < 0) throw new OutOfMemory();
      return { ...list, count };
    }
    const other = this.#collect(condition);
    const merge = condition.inverted ? exports.sets_subtract : exports.sets_intersect;
    const count = merge(list.address, list.count, other.address, other.count, list.address) >>> 0;
    this.release(other);
    return { ...list, count };
  }

  #collect(condition: Condition): SeriesList {
    const bytes = Math.max(condition.total, 1) * 4;
    const address = this.#alloc(bytes);
    const scratch = condition.pairCount > 1 ? this.#core.exports.heap_alloc(Math.max(bytes, 16)) >>> 0 : 0;
    if (condition.pairCount > 1 && scratch === 0) {
      this.#free(address, bytes);
      throw new OutOfMemory();
    }
    const count = this.#core.exports.select_collect(condition.pairs, condition.pairCount, address, scratch) >>> 0;
    this.#free(scratch, bytes);
    return { address, count, bytes };
  }

  #all(): SeriesList {
    const bytes = Math.max(this.#core.exports.series_count() >>> 0, 1) * 4;
    const address = this.#alloc(bytes);
    return { address, count: this.#core.exports.select_all(address) >>> 0, bytes };
  }

  #pairValue(pair: number): string {
    return this.#symbol(this.#core.exports.pairs_value(pair));
  }

  #symbol(symbol: number): string {
    const { exports } = this.#core;
    const address = exports.symbols_address(symbol) >>> 0;
    return decoder.decode(this.#core.bytes.slice(address, address + (exports.symbols_length(symbol) >>> 0)));
  }

  #alloc(bytes: number): number {
    const address = this.#core.exports.heap_alloc(Math.max(bytes, 16)) >>> 0;
    if (address === 0) throw new OutOfMemory();
    return address;
  }

  #free(address: number, bytes: number): void {
    if (address !== 0) this.#core.exports.heap_free(address, Math.max(bytes, 16));
  }
}

const NO_PAIRS = { pairs: 0, pairCount: 0, total: 0 };
