// How large the program of an RE2 pattern gets, told from its text before the engine
// sees it: some ten characters can ask for millions of steps, `((a{100}){10}b){9}`.
//
// A step is about one instruction of the compiled program: a character, a class, a
// branch. Repetition in braces multiplies. Bad patterns have some size, too; what is
// wrong with them is for the engine to say.

/** Compiling takes 2 to 7 µs a step: 20 to 70 ms. RE2 itself gives up where a program takes more than 8 MiB. */
export const PATTERN_STEPS_MAX = 10_000;

/** Classes of Unicode have hundreds of ranges: measured, compiling one takes as long as five characters. */
const UNICODE_CLASS_STEPS = 5;

/**
 * Characters, escaped punctuation and dots, each with `*`, `+` or `?` at most, in alternatives: a pattern
 * of these only is well-formed. Each character fits one branch, so this never backtracks.
 */
const PLAIN = /^(?:(?:[\w .:/=@,~%&"'!#;<>-]|\\[.*+?()[\]{}^$/-])[*+?]?|\|)*$/;

/** Of a plain pattern: an alternative all of whose parts may be missing. */
const EMPTY_ALTERNATIVE = /(?:^|\|)(?:(?:\\.|[^\\|*+?])[*?])*(?:\||$)/;

/** Whether the engine would have nothing to complain about. False where that is not seen at a glance. */
export function isPlainPattern(pattern: string): boolean {
  return PLAIN.test(pattern);
}

/** Whether a plain pattern matches the empty text. */
export function plainMatchesEmpty(pattern: string): boolean {
  return EMPTY_ALTERNATIVE.test(pattern);
}

/** The steps of a pattern, about. */
export function patternSteps(pattern: string): number {
  return new StepCounter(pattern).count();
}

class StepCounter {
  /** Steps of what is done in each open group, the innermost last. */
  readonly #groups: number[] = [];
  #done = 0;
  /** Steps of the part read last, which a quantifier would be about. */
  #last = 0;
  #at = 0;

  constructor(readonly pattern: string) {}

  count(): number {
    while (this.#at < this.pattern.length) this.#part();
    let steps = this.#done + this.#last;
    for (const outer of this.#groups) steps += outer;
    return steps;
  }

  #part(): void {
    const character = this.pattern[this.#at++]!;
    switch (character) {
      case '(':
        this.#begin(0);
        this.#groups.push(this.#done);
        this.#done = 0;
        break;
      case ')': {
        // Two steps say where the group begins and ends.
        const inner = this.#done + this.#last + 2;
        this.#done = this.#groups.pop() ?? 0;
        this.#last = inner;
        break;
      }
      case '|':
        this.#begin(1);
        break;
      case '*':
      case '+':
      case '?':
        this.#last++;
        break;
      case '{':
        this.#last *= this.#repetitions();
        break;
      case '[':
        this.#begin(this.#classSteps());
        break;
      case '\\':
        if (this.pattern[this.#at] === 'Q') this.#quoted();
        else this.#begin(this.#escapeSteps());
        break;
      default:
        this.#begin(1);
    }
  }

  /** `\Q…\E`, or up to the end: characters that stand for themselves, of which a quantifier is about the last one. */
  #quoted(): void {
    const start = this.#at + 1;
    const end = this.pattern.indexOf('\\E', start);
    const characters = (end < 0 ? this.pattern.length : end) - start;
    this.#at = end < 0 ? this.pattern.length : end + 2;
    if (characters > 1) this.#begin(characters - 1);
    if (characters > 0) this.#begin(1);
  }

  /** A new part of so many steps. */
  #begin(steps: number): void {
    this.#done += this.#last;
    this.#last = steps;
  }

  /** Behind `{`; 1 where that is no quantifier. */
  #repetitions(): number {
    const braces = /(\d{1,9})(?:,(\d{0,9}))?\}/y;
    braces.lastIndex = this.#at;
    const match = braces.exec(this.pattern);
    if (match === null) return 1;
    this.#at = braces.lastIndex;
    return Math.max(1, Number(match[1]), Number(match[2] ?? 0));
  }

  /** Behind a backslash. */
  #escapeSteps(): number {
    const character = this.pattern[this.#at++];
    if (character === 'x' && this.pattern[this.#at] === '{') {
      // The number in `\x{10000}` is no repetition.
      this.#skipBraces();
      return 1;
    }
    if (character !== 'p' && character !== 'P') return 1;
    // `\pL` or `\p{Greek}`
    if (this.pattern[this.#at] === '{') this.#skipBraces();
    else this.#at++;
    return UNICODE_CLASS_STEPS;
  }

  /** From `{` to behind the `}`, or the end where there is none. */
  #skipBraces(): void {
    const end = this.pattern.indexOf('}', this.#at);
    this.#at = end < 0 ? this.pattern.length : end + 1;
  }

  /** Behind `[`, up to the bracket that ends the class. */
  #classSteps(): number {
    const { pattern } = this;
    let steps = 1;
    if (pattern[this.#at] === '^') this.#at++;
    // A bracket that comes first stands for itself.
    if (pattern[this.#at] === ']') this.#at++;
    while (this.#at < pattern.length) {
      const character = pattern[this.#at++];
      if (character === ']') break;
      if (character === '\\') steps += this.#escapeSteps() - 1;
      else if (character === '[' && pattern[this.#at] === ':') this.#skipNamedClass();
    }
    return steps;
  }

  /** `[:alpha:]` in a class. */
  #skipNamedClass(): void {
    const named = /:\^?\w{1,10}:\]/y;
    named.lastIndex = this.#at;
    if (named.test(this.pattern)) this.#at = named.lastIndex;
  }
}
