// Go's Sprintf: `%5.2f of %[1]v`. What does not fit is not an error, but shows in the text:
// `%!d(string=hi)`, `%!s(MISSING)`, `%!(EXTRA int=1)`.

import { BudgetFault, TEXT_CHARACTERS_MAX } from '../budget.js';
import { Int, typeOf, type Value } from '../value.js';
import { display, formatValue } from './print.js';
import { type Flags, noFlags, smallNumber } from './verb.js';

const FLAGS = /[-+# 0]*/y;
const INDEX = /\[([^\]]*)\]?/y;
const DIGITS = /\d*/y;

export function printf(format: string, args: readonly Value[]): string {
  return new Printer(format, args).print();
}

class Printer {
  readonly #format: string;
  readonly #args: readonly Value[];
  #at = 0;
  #next = 0;
  /** An index was used: what is left over is no mistake. */
  #indexed = false;
  #goodIndex = true;

  constructor(format: string, args: readonly Value[]) {
    this.#format = format;
    this.#args = args;
  }

  print(): string {
    let text = '';
    for (;;) {
      const percent = this.#format.indexOf('%', this.#at);
      if (percent < 0) break;
      text += this.#format.slice(this.#at, percent);
      this.#at = percent + 1;
      text += this.#verb();
      if (text.length > TEXT_CHARACTERS_MAX) throw new BudgetFault('a text of the template is too long');
    }
    return text + this.#format.slice(this.#at) + this.#extra();
  }

  #verb(): string {
    const flags = noFlags();
    this.#goodIndex = true;
    for (const flag of this.#match(FLAGS)[0]) setFlag(flags, flag);
    let afterIndex = this.#index();
    let text = '';
    if (this.#accept('*')) {
      text += this.#starWidth(flags);
      afterIndex = false;
    } else {
      const digits = this.#match(DIGITS)[0];
      if (digits !== '') {
        flags.width = smallNumber(digits);
        // `%[3]2d` has the index in the wrong place.
        if (afterIndex) this.#goodIndex = false;
      }
    }
    if (this.#accept('.')) {
      if (afterIndex) this.#goodIndex = false;
      afterIndex = this.#index();
      if (this.#accept('*')) {
        text += this.#starPrecision(flags);
        afterIndex = false;
      } else {
        flags.precision = smallNumber(this.#match(DIGITS)[0]);
      }
    }
    if (!afterIndex) this.#index();
    return text + this.#finish(flags);
  }

  #finish(flags: Flags): string {
    const code = this.#format.codePointAt(this.#at);
    if (code === undefined) return '%!(NOVERB)';
    const verb = String.fromCodePoint(code);
    this.#at += verb.length;
    if (verb === '%') return '%';
    if (!this.#goodIndex) return `%!${verb}(BADINDEX)`;
    if (this.#next >= this.#args.length) return `%!${verb}(MISSING)`;
    flags.named = verb === 'v' && flags.plus;
    return formatValue(this.#args[this.#next++], verb, flags);
  }

  #starWidth(flags: Flags): string {
    const width = this.#number();
    if (width === undefined) return '%!(BADWIDTH)';
    flags.width = Math.abs(width);
    if (width < 0) flags.left = true;
    return '';
  }

  #starPrecision(flags: Flags): string {
    const precision = this.#number();
    if (precision === undefined) return '%!(BADPREC)';
    if (precision >= 0) flags.precision = precision;
    return precision < 0 ? '%!(BADPREC)' : '';
  }

  /** An argument that is a number of the format itself. */
  #number(): number | undefined {
    const value = this.#next < this.#args.length ? this.#args[this.#next++] : undefined;
    if (!(value instanceof Int)) return undefined;
    const size = value.value < 0n ? -value.value : value.value;
    const small = smallNumber(String(size));
    return small === undefined || value.value >= 0n ? small : -small;
  }

  /** `[2]`: the argument to go on with. */
  #index(): boolean {
    if (this.#format[this.#at] !== '[') return false;
    this.#indexed = true;
    const start = this.#at;
    const [whole, digits] = this.#match(INDEX);
    if (!whole.endsWith(']')) this.#at = start + 1;
    const index = whole.endsWith(']') && /^\d+$/.test(digits!) ? smallNumber(digits!) : undefined;
    if (index !== undefined && index >= 1 && index <= this.#args.length) this.#next = index - 1;
    else this.#goodIndex = false;
    return index !== undefined;
  }

  /** What no verb asked for. */
  #extra(): string {
    if (this.#indexed || this.#next >= this.#args.length) return '';
    const texts = this.#args.slice(this.#next).map((arg) => {
      return arg === undefined ? '<nil>' : `${typeOf(arg)}=${display(arg)}`;
    });
    return `%!(EXTRA ${texts.join(', ')})`;
  }

  #accept(character: string): boolean {
    if (this.#format[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#format)!;
    this.#at += match[0].length;
    return match;
  }
}

function setFlag(flags: Flags, flag: string): void {
  switch (flag) {
    case '-':
      flags.left = true;
      break;
    case '+':
      flags.plus = true;
      break;
    case '#':
      flags.sharp = true;
      break;
    case ' ':
      flags.space = true;
      break;
    case '0':
      flags.zero = true;
  }
}
