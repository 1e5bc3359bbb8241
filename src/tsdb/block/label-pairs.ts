// The label pairs of an index, each a number of its own: a hash table of (name, value) pairs of symbol numbers.

const SLOTS_MIN = 1024;

export class LabelPairs {
  /** Pair + 1, or 0: open addressing, at most half full. */
  #slots = new Uint32Array(SLOTS_MIN);
  #names = new Uint32Array(SLOTS_MIN / 2);
  #values = new Uint32Array(SLOTS_MIN / 2);
  #counts = new Uint32Array(SLOTS_MIN / 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  nameOf(pair: number): number {
    return this.#names[pair]!;
  }

  valueOf(pair: number): number {
    return this.#values[pair]!;
  }

  /** How often the pair was counted. */
  countOf(pair: number): number {
    return this.#counts[pair]!;
  }

  /** The pair's number: the next one for a new pair. Counts it. */
  count(name: number, value: number): number {
    const pair = this.#find(name, value);
    this.#counts[pair]!++;
    return pair;
  }

  /** All pairs by name, then value. */
  sorted(): Uint32Array {
    const words = new Uint32Array(this.#size * 2);
    for (let pair = 0; pair < this.#size; pair++) {
      words[pair * 2] = this.#values[pair]!;
      words[pair * 2 + 1] = this.#names[pair]!;
    }
    // Little-endian: the name is the high half.
    new BigUint64Array(words.buffer).sort();
    const pairs = new Uint32Array(this.#size);
    for (let rank = 0; rank < pairs.length; rank++) {
      pairs[rank] = this.#find(words[rank * 2 + 1]!, words[rank * 2]!);
    }
    return pairs;
  }

  #find(name: number, value: number): number {
    let slot = this.#slotFor(name, value);
    const known = this.#slots[slot]!;
    if (known !== 0) return known - 1;
    if (this.#size === this.#names.length) {
      this.#grow();
      slot = this.#slotFor(name, value);
    }
    this.#names[this.#size] = name;
    this.#values[this.#size] = value;
    this.#slots[slot] = ++this.#size;
    return this.#size - 1;
  }

  /** The slot that holds the pair, or the free one where it belongs. */
  #slotFor(name: number, value: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(name, value) & mask;
    for (;;) {
      const pair = this.#slots[slot]! - 1;
      if (pair < 0 || (this.#names[pair] === name && this.#values[pair] === value)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    this.#names = doubled(this.#names);
    this.#values = doubled(this.#values);
    this.#counts = doubled(this.#counts);
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let pair = 0; pair < this.#size; pair++) {
      this.#slots[this.#slotFor(this.#names[pair]!, this.#values[pair]!)] = pair + 1;
    }
  }
}

function doubled(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(numbers.length * 2);
  grown.set(numbers);
  return grown;
}

/** Symbol numbers are dense and nobody's choice, so mixing them well is all that is needed. */
function hash(name: number, value: number): number {
  const mixed = Math.imul(value ^ Math.imul(name, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
