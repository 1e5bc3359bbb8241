// What somebody answered, JSON or XML, whose form nobody vouches for: read without believing in it.
//
//   tree.at('Service', 'Address').text     '' where there is no such thing
//   tree.at('Nodes').items                 [] likewise

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
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return NOTHING;
      value = (value as Record<string, unknown>)[key];
    }
    return new Tree(value);
  }

  get exists(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  /** Text, or a number or boolean as it is written. */
  get text(): string {
    return ['string', 'number', 'boolean'].includes(typeof this.#value) ? String(this.#value) : '';
  }

  /** 0 where it is none. */
  get number(): number {
    return Number(this.text) || 0;
  }

  get isTrue(): boolean {
    return this.#value === true || this.#value === 'true';
  }

  get items(): Tree[] {
    return Array.isArray(this.#value) ? this.#value.map((item) => new Tree(item)) : [];
  }

  /** Items as text. */
  get texts(): string[] {
    return this.items.map((item) => item.text);
  }

  /** Keys and values, in the order of the answer. */
  get entries(): [key: string, value: Tree][] {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value)) return [];
    return Object.entries(this.#value).map(([key, value]) => [key, new Tree(value)]);
  }
}

const NOTHING = new Tree(undefined);

/** The tree of a JSON text; throws a SyntaxError. */
export function parseJson(text: string): Tree {
  return new Tree(JSON.parse(text));
}
