// The series of a head cut: whose they are, and their label sets as runs of symbol numbers, sorted without a string.
//
//   run     ┌───────┬────────┬────────┬─────────┬─────────┬─
//           │ shard │ series │ schema │ value 0 │ value 1 │ …     first the shard's numbers, then those of the block
//           └───────┴────────┴────────┴─────────┴─────────┴─
//   blocks of words ─► runs one after the other, none in two      where ─► the word at which each series' run begins
//
// A series takes 16 bytes and 4 for each label: 56 MB of a million with ten.

import type { MergedSymbols } from './merged-symbols.js';
import { SEQUENCE_END, sortSequences } from './sort.js';

/** Words of a block; a longer run has a block of its own. */
const BLOCK_LOG2 = 18;
const BLOCK_WORDS = 1 << BLOCK_LOG2;
const RUN_HEAD = 3;
const SCHEMA = 2;

/** A schema's names, by number. */
type Schemas = readonly Uint32Array[];

/** Somebody's series: of which shard, under which number there. */
export interface CutSeriesPlace {
  readonly shard: number;
  readonly series: number;
}

export class CutSeries {
  readonly #blocks: Uint32Array[] = [];
  #filled = BLOCK_WORDS;
  #where = new Uint32Array(1024);
  #count = 0;
  /** Of each shard as it has them, then all of them with the block's symbols. */
  readonly #schemasOf: Schemas[];
  #schemas: Schemas = [];
  readonly #used: Bits[];

  constructor(shards: number) {
    this.#schemasOf = Array.from({ length: shards }, () => []);
    this.#used = Array.from({ length: shards }, () => new Bits());
  }

  get count(): number {
    return this.#count;
  }

  /** The names of a shard's schemas, as assembly/head/export.ts writes them: before its series that have them. */
  setSchemas(shard: number, page: Uint32Array): void {
    const schemas: Uint32Array[] = [];
    for (let at = 0; at < page.length; ) {
      const count = page[at]!;
      schemas.push(page.subarray(at + 1, at + 1 + count));
      at += 1 + count;
    }
    this.#schemasOf[shard] = schemas;
  }

  /** Series of a shard, likewise. */
  add(shard: number, page: Uint32Array): void {
    const schemas = this.#schemasOf[shard]!;
    const used = this.#used[shard]!;
    for (let at = 0; at < page.length; ) {
      const schema = page[at + 1]!;
      const names = schemas[schema]!;
      const words = 2 + names.length;
      const run = this.#room(1 + words);
      run[0] = shard;
      run.set(page.subarray(at, at + words), 1);
      for (let i = 0; i < names.length; i++) {
        used.set(names[i]!);
        used.set(run[RUN_HEAD + i]!);
      }
      at += words;
    }
  }

  /** Whether a label set of a shard has the symbol. */
  isUsed(shard: number, symbol: number): boolean {
    return this.#used[shard]!.has(symbol);
  }

  /** Goes over to the block's symbols, and sorts. Afterwards series are named by their place in label order. */
  sort({ numbers }: MergedSymbols): void {
    const joined = new JoinedSchemas();
    const schemaNumbers = this.#schemasOf.map((schemas, shard) =>
      schemas.map((names) => joined.add(names.map((name) => numbers[shard]![name]!))),
    );
    this.#schemas = joined.all;
    for (let i = 0; i < this.#count; i++) {
      const at = this.#where[i]!;
      const block = this.#blocks[at >>> BLOCK_LOG2]!;
      const from = at & (BLOCK_WORDS - 1);
      const shard = block[from]!;
      const schema = schemaNumbers[shard]![block[from + SCHEMA]!]!;
      block[from + SCHEMA] = schema;
      const end = from + RUN_HEAD + this.#schemas[schema]!.length;
      for (let word = from + RUN_HEAD; word < end; word++) block[word] = numbers[shard]![block[word]!]!;
    }
    sortSequences(this.#where.subarray(0, this.#count), (at, depth) => this.#keyAt(at, depth));
  }

  /** The i-th series in label order. */
  place(i: number): CutSeriesPlace {
    const { block, from } = this.#run(i);
    return { shard: block[from]!, series: block[from + 1]! };
  }

  /** Its label set, by the block's symbols: name, value, name, value, … */
  labels(i: number): Uint32Array {
    const { block, from } = this.#run(i);
    const names = this.#schemas[block[from + SCHEMA]!]!;
    const labels = new Uint32Array(2 * names.length);
    for (let label = 0; label < names.length; label++) {
      labels[2 * label] = names[label]!;
      labels[2 * label + 1] = block[from + RUN_HEAD + label]!;
    }
    return labels;
  }

  #run(i: number): { block: Uint32Array; from: number } {
    const at = this.#where[i]!;
    return { block: this.#blocks[at >>> BLOCK_LOG2]!, from: at & (BLOCK_WORDS - 1) };
  }

  /** Names and values in turn, each one higher than its number. */
  #keyAt(at: number, depth: number): number {
    const block = this.#blocks[at >>> BLOCK_LOG2]!;
    const from = at & (BLOCK_WORDS - 1);
    const names = this.#schemas[block[from + SCHEMA]!]!;
    const label = depth >>> 1;
    if (label === names.length) return SEQUENCE_END;
    return ((depth & 1) === 0 ? names[label]! : block[from + RUN_HEAD + label]!) + 1;
  }

  /** The words of a run for one more series. */
  #room(words: number): Uint32Array {
    if (words > BLOCK_WORDS) throw new RangeError(`a label set of ${words} labels`);
    if (this.#filled + words > BLOCK_WORDS) {
      this.#blocks.push(new Uint32Array(BLOCK_WORDS));
      this.#filled = 0;
    }
    const block = this.#blocks.length - 1;
    if (this.#count === this.#where.length) {
      const larger = new Uint32Array(2 * this.#count);
      larger.set(this.#where);
      this.#where = larger;
    }
    this.#where[this.#count++] = block * BLOCK_WORDS + this.#filled;
    this.#filled += words;
    return this.#blocks[block]!.subarray(this.#filled - words, this.#filled);
  }
}

/** Shards have schemas of the same names under numbers of their own. */
class JoinedSchemas {
  readonly all: Uint32Array[] = [];
  readonly #numbers = new Map<string, number>();

  add(names: Uint32Array): number {
    const key = names.join(' ');
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.all.length);
    return this.all.push(names) - 1;
  }
}

/** A set of small numbers. */
class Bits {
  #words = new Uint32Array(1024);

  set(number: number): void {
    const word = number >>> 5;
    if (word >= this.#words.length) {
      const larger = new Uint32Array(Math.max(2 * this.#words.length, word + 1));
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[word]! |= 1 << (number & 31);
  }

  has(number: number): boolean {
    const word = number >>> 5;
    return word < this.#words.length && (this.#words[word]! & (1 << (number & 31))) !== 0;
  }
}
