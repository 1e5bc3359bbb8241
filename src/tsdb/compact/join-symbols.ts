// One sorted table of the symbols of several blocks, each string once, and for each block the new numbers of its symbols.
//
//   block 0   api job node       ┐        api  cpu  job  node
//   block 1   cpu job            ┘ ──►    0    1    2    3        numbers  [0 2 3] [1 2]
//
// Tables are sorted, so this is one pass, and numbers keep their order: label sets stay sorted when they are renumbered.

import type { SymbolTable } from '../block/contract.js';

export interface JoinedSymbols {
  readonly table: SymbolTable;
  /** By block: from its numbers to those of the table. */
  readonly numbers: readonly Uint32Array[];
}

export function joinSymbols(tables: readonly SymbolTable[]): JoinedSymbols {
  const sources = tables.map((table) => new Source(table));
  const bytes = new Uint8Array(sum(tables.map((table) => table.bytes.length)));
  const ends = new Uint32Array(sum(tables.map((table) => table.ends.length)));
  let length = 0;
  let count = 0;
  for (;;) {
    const least = leastOf(sources);
    if (least === undefined) break;
    bytes.set(least.bytes.subarray(least.from, least.to), length);
    length += least.to - least.from;
    ends[count] = length;
    // The one that gave the string last, since the others are compared with it.
    for (const source of sources) if (source !== least && compare(source, least) === 0) source.take(count);
    least.take(count++);
  }
  return {
    table: { bytes: bytes.slice(0, length), ends: ends.slice(0, count) },
    numbers: sources.map((source) => source.numbers),
  };
}

/** A table that is read from front to back. */
class Source {
  readonly bytes: Uint8Array;
  readonly numbers: Uint32Array;
  readonly #ends: Uint32Array;
  #next = 0;
  /** Where the string at hand is. */
  from = 0;
  to = 0;

  constructor({ bytes, ends }: SymbolTable) {
    this.bytes = bytes;
    this.#ends = ends;
    this.numbers = new Uint32Array(ends.length);
    this.to = ends[0] ?? 0;
  }

  get isAtEnd(): boolean {
    return this.#next === this.#ends.length;
  }

  /** Gives the string at hand its number and goes on. */
  take(number: number): void {
    this.numbers[this.#next++] = number;
    this.from = this.to;
    this.to = this.#ends[this.#next] ?? this.from;
  }
}

function leastOf(sources: readonly Source[]): Source | undefined {
  let least: Source | undefined;
  for (const source of sources) {
    if (!source.isAtEnd && (least === undefined || compare(source, least) < 0)) least = source;
  }
  return least;
}

/** By bytes; a source at its end is behind all. */
function compare(a: Source, b: Source): number {
  if (a.isAtEnd || b.isAtEnd) return a.isAtEnd ? 1 : -1;
  const length = Math.min(a.to - a.from, b.to - b.from);
  for (let i = 0; i < length; i++) {
    const order = a.bytes[a.from + i]! - b.bytes[b.from + i]!;
    if (order !== 0) return order;
  }
  return a.to - a.from - (b.to - b.from);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
