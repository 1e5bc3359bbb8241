// What an RE2 pattern of a matcher amounts to, so that most matchers never run a
// regular expression:
//
//   node-1          literal      a|b|c, node-[12]   set
//   api-.*          prefix       .*-prod            suffix
//   .*err.*         contains     .*  .+             any, non-empty
//
// A pattern matches the whole value, and `.` matches a newline too. The forms are
// data, because the head's postings index has a fast path for each of them as well.
//
// We read a small part of RE2's syntax: literals, escaped punctuation, `.*`, `.+`,
// groups, alternatives, `?`, and classes of ASCII characters. Whatever else appears
// makes the whole pattern a `regex`. Bad patterns do too: only the real engine says
// what is wrong with them.

export type PatternForm =
  | { readonly kind: 'literal'; readonly value: string }
  /** Two or more values, each once, in written order. */
  | { readonly kind: 'set'; readonly values: readonly string[] }
  /** With `more`, something must follow: `a.+`. */
  | { readonly kind: 'prefix'; readonly value: string; readonly more: boolean }
  /** With `more`, something must come before: `.+a`. */
  | { readonly kind: 'suffix'; readonly value: string; readonly more: boolean }
  | { readonly kind: 'contains'; readonly value: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'nonEmpty' }
  | { readonly kind: 'regex' };

const REGEX: PatternForm = { kind: 'regex' };

/** Most values that combining groups and classes may give; written alternatives are bounded by the text. */
const PRODUCT_MAX = 1000;

/** Groups nested deeper than this are left to the engine. */
const DEPTH_MAX = 16;

/** A part of a sequence: some strings to choose from, or `.*`, or `.+`. */
type Piece = readonly string[] | 'any' | 'some';

export function analysePattern(pattern: string): PatternForm {
  const reader = new PatternReader(pattern);
  const pieces = reader.alternatives(0);
  return pieces === undefined || !reader.atEnd ? REGEX : formOf(pieces);
}

function formOf(pieces: readonly Piece[]): PatternForm {
  const [first, second, third] = pieces;
  switch (pieces.length) {
    case 0:
      return { kind: 'literal', value: '' };
    case 1:
      if (first === 'any') return { kind: 'any' };
      if (first === 'some') return { kind: 'nonEmpty' };
      return chosen(first!);
    case 2:
      if (isWild(second) && isSingle(first)) return { kind: 'prefix', value: first[0]!, more: second === 'some' };
      if (isWild(first) && isSingle(second)) return { kind: 'suffix', value: second[0]!, more: first === 'some' };
      return REGEX;
    case 3:
      if (first === 'any' && isSingle(second) && third === 'any') return { kind: 'contains', value: second[0]! };
      return REGEX;
    default:
      return REGEX;
  }
}

function chosen(values: readonly string[]): PatternForm {
  return values.length === 1 ? { kind: 'literal', value: values[0]! } : { kind: 'set', values };
}

function isWild(piece: Piece | undefined): piece is 'any' | 'some' {
  return piece === 'any' || piece === 'some';
}

function isSingle(piece: Piece | undefined): piece is readonly [string] {
  return Array.isArray(piece) && piece.length === 1;
}

/** Recursive descent over the small syntax; every method gives undefined for what is beyond it. */
class PatternReader {
  #at = 0;

  constructor(readonly pattern: string) {}

  get atEnd(): boolean {
    return this.#at === this.pattern.length;
  }

  /** `a|b|c`, up to the end or a closing parenthesis. */
  alternatives(depth: number): Piece[] | undefined {
    if (depth > DEPTH_MAX) return undefined;
    const first = this.#sequence(depth);
    if (first === undefined || this.#peek() !== '|') return first;
    const values = new Set(finite(first));
    if (values.size === 0) return undefined;
    while (this.#take('|')) {
      const next = this.#sequence(depth);
      const more = next && finite(next);
      if (more === undefined) return undefined;
      for (const value of more) values.add(value);
    }
    return [[...values]];
  }

  #sequence(depth: number): Piece[] | undefined {
    const pieces: Piece[] = [];
    // The whole value is matched anyway, so anchors at the ends of a top-level branch say nothing.
    if (depth === 0) this.#take('^');
    for (;;) {
      const character = this.#peek();
      if (character === undefined || character === '|' || character === ')') return pieces;
      if (depth === 0 && character === '$') {
        this.#at++;
        const next = this.#peek();
        return next === undefined || next === '|' ? pieces : undefined;
      }
      const atom = this.#atom(depth);
      if (atom === undefined) return undefined;
      for (const piece of atom) if (!append(pieces, piece)) return undefined;
    }
  }

  /** One character, class or group with its quantifier. */
  #atom(depth: number): readonly Piece[] | undefined {
    const character = this.#next();
    if (character === '.') return this.#wildcard();
    const pieces =
      character === '(' ? this.#group(depth) : character === '[' ? this.#class() : literal(character, this);
    if (pieces === undefined) return undefined;
    return this.#optional(pieces);
  }

  #wildcard(): readonly Piece[] | undefined {
    const quantifier = this.#next();
    if (quantifier !== '*' && quantifier !== '+') return undefined;
    this.#take('?');
    return this.#atQuantifier() ? undefined : [quantifier === '*' ? 'any' : 'some'];
  }

  #optional(pieces: readonly Piece[]): readonly Piece[] | undefined {
    if (!this.#take('?')) return this.#atQuantifier() ? undefined : pieces;
    this.#take('?');
    const values = finite(pieces);
    if (values === undefined || this.#atQuantifier()) return undefined;
    return [[...new Set([...values, ''])]];
  }

  #group(depth: number): readonly Piece[] | undefined {
    if (this.#take('?') && !this.#take(':')) return undefined;
    const pieces = this.alternatives(depth + 1);
    return pieces !== undefined && this.#take(')') ? pieces : undefined;
  }

  /** `[abc]`, `[0-9]`, `[.]`: letters, digits, `_` and what stands for itself in addresses and paths; never negated. */
  #class(): readonly Piece[] | undefined {
    const end = this.pattern.indexOf(']', this.#at);
    const body = end < 0 ? '' : this.pattern.slice(this.#at, end);
    if (!/^(\w(-\w)?|[.:/])+$/.test(body)) return undefined;
    this.#at = end + 1;
    const values = new Set<string>();
    for (let i = 0; i < body.length; i++) {
      const first = body.charCodeAt(i);
      const last = body[i + 1] === '-' ? body.charCodeAt((i += 2)) : first;
      if (last < first) return undefined;
      for (let code = first; code <= last; code++) values.add(String.fromCharCode(code));
    }
    return [[...values]];
  }

  #atQuantifier(): boolean {
    const character = this.#peek();
    return character !== undefined && '*+?{'.includes(character);
  }

  /** The character after a backslash, if the two stand for that character. */
  escaped(): string | undefined {
    const character = this.#next();
    return character !== undefined && /[\x21-\x7e]/.test(character) && !/[0-9A-Za-z]/.test(character)
      ? character
      : undefined;
  }

  #peek(): string | undefined {
    return this.pattern[this.#at];
  }

  /** Consumes one code point, so that a quantifier never applies to half of one. */
  #next(): string | undefined {
    const code = this.pattern.codePointAt(this.#at);
    if (code === undefined) return undefined;
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }

  #take(character: string): boolean {
    if (this.pattern[this.#at] !== character) return false;
    this.#at++;
    return true;
  }
}

function literal(character: string | undefined, reader: PatternReader): readonly Piece[] | undefined {
  const value = character === '\\' ? reader.escaped() : character;
  if (value === undefined || (character !== '\\' && '*+?{}]^$'.includes(value))) return undefined;
  return [[value]];
}

/** The strings of a sequence without wildcards. */
function finite(pieces: readonly Piece[]): readonly string[] | undefined {
  if (pieces.length === 0) return [''];
  const [only] = pieces;
  return pieces.length === 1 && !isWild(only) ? only : undefined;
}

/** Adds a piece behind the others, merged with the last one where two of a kind meet. False where it gets too large. */
function append(pieces: Piece[], piece: Piece): boolean {
  const last = pieces.at(-1);
  if (last === undefined || isWild(last) !== isWild(piece)) {
    pieces.push(piece);
    return true;
  }
  if (isWild(last) || isWild(piece)) {
    // `.+.+` wants two characters, which is none of our forms.
    if (last === 'some' && piece === 'some') return false;
    pieces[pieces.length - 1] = last === 'some' || piece === 'some' ? 'some' : 'any';
    return true;
  }
  if (last.length > 1 && piece.length > 1 && last.length * piece.length > PRODUCT_MAX) return false;
  const combined = last.length === 1 && piece.length === 1 ? [last[0]! + piece[0]!] : product(last, piece);
  pieces[pieces.length - 1] = combined;
  return true;
}

function product(heads: readonly string[], tails: readonly string[]): string[] {
  return [...new Set(heads.flatMap((head) => tails.map((tail) => head + tail)))];
}
