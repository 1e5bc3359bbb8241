// Which policy a series of a block comes under, by symbols: a value is tested once, however many series have it.

import { compileMatcher, type Matcher, type StringTest } from '../../model/matcher.js';
import type { SymbolTable } from '../block/contract.js';
import type { Policy } from './policies.js';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** A matcher against the symbols of one block. */
interface SymbolMatcher {
  readonly name: number | undefined;
  readonly test: StringTest;
  readonly matchesEmpty: boolean;
  /** By value. */
  readonly known: Map<number, boolean>;
}

export class PolicyMatch {
  readonly #symbols: SymbolTable;
  readonly #policies: readonly (readonly (readonly SymbolMatcher[])[])[];

  constructor(symbols: SymbolTable, policies: readonly Policy[]) {
    this.#symbols = symbols;
    const numbers = new Map<string, number>();
    const wanted = new Set(policies.flatMap(({ selectors }) => selectors.flat().map(({ name }) => name)));
    for (let symbol = 0; symbol < symbols.ends.length && numbers.size < wanted.size; symbol++) {
      const text = this.textOf(symbol);
      if (wanted.has(text)) numbers.set(text, symbol);
    }
    const compiled = (matcher: Matcher): SymbolMatcher => {
      const test = compileMatcher(matcher);
      return { name: numbers.get(matcher.name), test, matchesEmpty: test(''), known: new Map() };
    };
    this.#policies = policies.map(({ selectors }) => selectors.map((matchers) => matchers.map(compiled)));
  }

  /** The number of the first policy that takes the label set; -1 where none does. */
  of(labels: Uint32Array): number {
    return this.#policies.findIndex((selectors) =>
      selectors.some((matchers) => matchers.every((matcher) => this.#matches(matcher, labels))),
    );
  }

  textOf(symbol: number): string {
    const { bytes, ends } = this.#symbols;
    return utf8.decode(bytes.subarray(symbol === 0 ? 0 : ends[symbol - 1]!, ends[symbol]!));
  }

  /** The value of a label whose name is at hand as text; empty where the set has none. */
  valueOf(labels: Uint32Array, name: string): string {
    for (let i = 0; i < labels.length; i += 2) if (this.textOf(labels[i]!) === name) return this.textOf(labels[i + 1]!);
    return '';
  }

  #matches({ name, test, matchesEmpty, known }: SymbolMatcher, labels: Uint32Array): boolean {
    for (let i = 0; name !== undefined && i < labels.length; i += 2) {
      if (labels[i] !== name) continue;
      const value = labels[i + 1]!;
      let answer = known.get(value);
      if (answer === undefined) {
        answer = test(this.textOf(value));
        known.set(value, answer);
      }
      return answer;
    }
    return matchesEmpty;
  }
}
