// What somebody answered, JSON or XML, whose form nobody vouches for: read without believing in it.
//
//   tree.at('Service', 'Address').text     '' where there is no such thing
//   tree.at('Nodes').items                 [] likewise
//
// XML becomes a tree as well (xml.ts): elements by name, several of one name as a list, attributes as `@name`.

/** A part of an answer. Questions that it has no answer to are answered by nothing: empty text, no items. */
export class Tree {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** The part below some keys. */
  at(...keys: readonly string[]): Tree {
    let value = this.#value;
    for (const key of keys) {
      if (!isObject(value) || !Object.hasOwn(value, key)) return NOTHING;
      value = value[key];
    }
    return new Tree(value);
  }

  get exists(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  /** Text, or a number or boolean as it is written. */
  get text(): string {
    const value = isObject(this.#value) && Object.hasOwn(this.#value, TEXT) ? this.#value[TEXT] : this.#value;
    return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
  }

  /** 0 where it is none. */
  get number(): number {
    return Number(this.text) || 0;
  }

  get isText(): boolean {
    return typeof this.#value === 'string';
  }

  get isTrue(): boolean {
    return this.#value === true || this.#value === 'true';
  }

  get items(): Tree[] {
    return Array.isArray(this.#value) ? this.#value.map((item) => new Tree(item)) : [];
  }

  /** What is below some keys, be it one or several: XML does not tell a list of one from one. */
  all(...keys: readonly string[]): Tree[] {
    const below = this.at(...keys);
    if (!below.exists) return [];
    return Array.isArray(below.#value) ? below.items : [below];
  }

  /** Items as text. */
  get texts(): string[] {
    return this.items.map((item) => item.text);
  }

  /** Keys and values, in the order of the answer. */
  get entries(): [key: string, value: Tree][] {
    if (!isObject(this.#value)) return [];
    return Object.entries(this.#value).map(([key, value]) => [key, new Tree(value)]);
  }
}

const NOTHING = new Tree(undefined);

/** The key of the text of an element that has attributes too. */
export const TEXT = '#text';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The tree of a JSON text; throws a SyntaxError. */
export function parseJson(text: string): Tree {
  return new Tree(JSON.parse(text));
}
