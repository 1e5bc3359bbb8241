// Selectors over the generated series: mostly such that something matches.

import type { Prng } from '../../../../src/base/prng.js';
import { DATA_MS, DATA_START_MS, type Family, type FamilyKind, type FuzzData } from './data.js';
import { Literals } from './literals.js';

const PLAIN_NAME = /^[A-Za-z_:][\w:]*$/;
/** Words that cannot stand for a metric outside of braces. */
const RESERVED = new Set(['bool', 'on', 'ignoring', 'group_left', 'group_right']);
const SEVERAL = ['{__name__=~"twin:."}', '{__name__=~"latency_seconds.*"}', '{__name__=~"up|bare",job!="x"}'];

export class Selectors {
  readonly #random: Prng;
  readonly #literals: Literals;
  readonly #data: FuzzData;

  constructor(random: Prng, data: FuzzData) {
    this.#random = random;
    this.#literals = new Literals(random);
    this.#data = data;
  }

  family(...kinds: FamilyKind[]): Family {
    const { families } = this.#data;
    return this.#random.pick(kinds.length === 0 ? families : families.filter(({ kind }) => kinds.includes(kind)));
  }

  /** Name and matchers, without modifiers. */
  selector(family: Family = this.family()): string {
    const random = this.#random;
    switch (random.int(40)) {
      case 0:
        return random.pick(SEVERAL);
      case 1:
        return random.pick(['missing', 'missing{job="api"}', 'up{nope="x"}']);
      case 2:
        return `{${this.#literals.string(family.name)}}`;
    }
    const matchers = this.#matchers(family);
    const quoted = !PLAIN_NAME.test(family.name) || RESERVED.has(family.name);
    if (quoted) matchers.unshift(this.#literals.string(family.name));
    else if (random.int(15) === 0) matchers.push(`__name__=${this.#literals.string(family.name)}`);
    const name = quoted || matchers.some((text) => text.startsWith('__name__')) ? '' : family.name;
    if (matchers.length === 0) return random.int(8) === 0 ? `${name}{}` : name;
    const comma = random.int(10) === 0 ? ',' : '';
    const gap = this.#literals.gap();
    return `${name}${gap.includes('#') ? ' ' : gap}{${matchers.join(random.pick([',', ', ']))}${comma}}`;
  }

  #matchers({ labels }: Family): string[] {
    const random = this.#random;
    const matchers: string[] = [];
    for (const [name, values] of labels) if (random.int(5) === 0) matchers.push(this.#matcher(name, values));
    if (random.int(20) === 0) matchers.push(random.pick(['nope=""', 'nope!~".+"', 'nope=~"|x"', 'nope!="y"']));
    return matchers;
  }

  #matcher(name: string, values: readonly string[]): string {
    const random = this.#random;
    const label = this.#literals.label(name);
    const value = random.pick(values);
    switch (random.int(5)) {
      case 0:
        return `${label}!=${this.#literals.string(value)}`;
      case 1:
        return `${label}=~${this.#literals.string(this.#pattern(values))}`;
      case 2:
        return `${label}!~${this.#literals.string(random.pick(['zzz.*', escaped(value)]))}`;
      default:
        return `${label}=${this.#literals.string(value)}`;
    }
  }

  #pattern(values: readonly string[]): string {
    const random = this.#random;
    const [a, b] = [escaped(random.pick(values)), escaped(random.pick(values))];
    return random.pick([`${a}|${b}`, '.*', '.+', `(${a})`, `${a}.*`, `(?i:${a.toUpperCase()})`, `.*${b}`, `[^x]*`]);
  }

  /** `offset` and `@`, in either order; mostly neither. */
  modifiers(): string {
    const random = this.#random;
    if (random.int(5) !== 0) return '';
    const offset = ` ${this.#literals.keyword('offset')} ${this.#literals.offset()}`;
    const at = ` @ ${this.#at()}`;
    return random.pick([offset, offset, at, offset + at, at + offset]);
  }

  #at(): string {
    const random = this.#random;
    const ms = DATA_START_MS + random.int(DATA_MS);
    return random.pick([
      'start()',
      'end()',
      `${Math.floor(ms / 1000)}`,
      `${ms / 1000}`,
      `${(ms / 1e12).toFixed(9)}e9`,
      'START()',
    ]);
  }

  matchedLabels(family: Family): readonly string[] {
    return [...family.labels.keys()];
  }
}

function escaped(value: string): string {
  return value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
