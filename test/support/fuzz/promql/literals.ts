// The many ways to write the same thing in PromQL: strings, numbers, durations, labels,
// spaces, the case of keywords.

import type { Prng } from '../../../../src/base/prng.js';

const NUMBERS = [
  ...['0', '1', '2', '3', '10', '0.5', '.25', '5.', '1e3', '1E-3', '0x1F', '017', '1_000', '1.5e1', '100'],
  ...['Inf', '+Inf', '-Inf', 'NaN', 'inf', 'nan', '1e308', '5m', '1h30m', '-1', '-0.5', '+2', '0x_1', '1m30s', '90s'],
];
const SMALL_NUMBERS = ['0', '1', '2', '3', '5', '0.5', '1.5', '-1', '10'];
const QUANTILES = ['0', '0.5', '0.9', '0.99', '1', '.25', '-0.1', '1.5', 'NaN', '0.95', '0.1', '1e-3'];
const RANGES = ['30s', '1m', '2m', '5m', '10m', '20m', '1h', '7m30s', '300', '1m1ms', '0x12c', '90', '100s500ms'];
const OFFSETS = ['15s', '1m', '5m', '10m', '1m30s', '30', '1ms'];
const STEPS = ['15s', '30s', '1m', '47s', '5m', '60', '1m0s500ms'];

export class Literals {
  constructor(readonly random: Prng) {}

  number(): string {
    return this.random.pick(NUMBERS);
  }

  smallNumber(): string {
    return this.random.pick(SMALL_NUMBERS);
  }

  quantile(): string {
    return this.random.pick(QUANTILES);
  }

  range(): string {
    return this.#duration(RANGES);
  }

  step(): string {
    return this.#duration(STEPS);
  }

  offset(): string {
    const text = this.random.pick(OFFSETS);
    switch (this.random.int(12)) {
      case 0:
      case 1:
      case 2:
        return `-${text}`;
      case 3:
        return `(${text} ${this.random.pick(['+', '-', '*'])} ${this.random.pick(['1', '2', '30s'])})`;
      default:
        return text;
    }
  }

  /** Now and then arithmetic. */
  #duration(from: readonly string[]): string {
    const text = this.random.pick(from);
    if (this.random.int(12) !== 0) return text;
    const [op, by] = this.random.pick([
      ['*', '2'],
      ['+', '30s'],
      ['/', '2'],
      ['-', '1ms'],
      ['%', '7m'],
      ['^', '1'],
    ] as const);
    return this.random.int(2) === 0 ? `${text} ${op} ${by}` : `(${text}${op}${by})`;
  }

  /** A string literal in any of the three quotes, escaped as much as it needs, or more. */
  string(value: string): string {
    const quotes = value.includes('`') ? ['"', "'"] : ['"', '"', "'", '`'];
    const quote = this.random.pick(quotes);
    if (quote === '`') return `\`${value}\``;
    const generous = this.random.int(8) === 0;
    return quote + [...value].map((character) => this.#escape(character, quote, generous)).join('') + quote;
  }

  #escape(character: string, quote: string, generous: boolean): string {
    if (character === quote || character === '\\') return `\\${character}`;
    if (character === '\n') return '\\n';
    const code = character.codePointAt(0)!;
    if (!generous || this.random.int(2) === 0) return character;
    if (code > 0xffff) return `\\U${code.toString(16).padStart(8, '0')}`;
    if (code > 0x7f || this.random.int(2) === 0) return `\\u${code.toString(16).padStart(4, '0')}`;
    return this.random.int(2) === 0
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\${code.toString(8).padStart(3, '0')}`;
  }

  /** Where a space may stand: mostly nothing. */
  gap(): string {
    return this.random.int(10) === 0 ? this.random.pick([' ', '\n', '\t', '  ', ' # a note\n']) : '';
  }

  /** Keywords of operators and aggregations read the same in capitals. */
  keyword(word: string): string {
    return this.random.int(25) === 0 ? word.toUpperCase() : word;
  }

  /** A label's name in a list or a matcher: quoted where it must be. */
  label(name: string): string {
    return /^[A-Za-z_]\w*$/.test(name) ? name : this.string(name);
  }
}
