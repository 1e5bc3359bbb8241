// One sorted table of the strings of several shards, each once, and for each shard the numbers of its symbols in it.
//
//   shard 0   7 "job"  9 "node"  …  ┐   sorted, equal ones joined      ┌ 0 "api"  1 "job"  2 "node" …
//   shard 1   0 "job"  1 "api"   …  ┘ ───────────────────────────────► └ numbers[0][7] = 1, numbers[1][0] = 1 …
//
// Of a million strings: their bytes three times (as they came, joined, sorted), and 24 bytes each.

import type { SymbolTable } from '../block/contract.js';
import { SEQUENCE_END, sortSequences } from './sort.js';

/** What sorting looks at in one go: three bytes, and how many of them there are. */
const KEY_BYTES = 3;

export interface MergedSymbols {
  readonly table: SymbolTable;
  /** By shard: from its numbers to those of the table. Of symbols that were not taken it says nothing. */
  readonly numbers: readonly Uint32Array[];
}

/** A run of consecutive symbols of one shard. */
interface Run {
  readonly shard: number;
  readonly first: number;
  readonly lengths: Uint32Array;
  readonly bytes: Uint8Array;
}

export class SymbolMerger {
  readonly #runs: Run[] = [];
  readonly #bounds: number[];

  constructor(shards: number) {
    this.#bounds = Array.from({ length: shards }, () => 0);
  }

  /** The next symbols of a shard, from where its last ended; takes the arrays. */
  add(shard: number, lengths: Uint32Array, bytes: Uint8Array): void {
    const first = this.#bounds[shard]!;
    this.#runs.push({ shard, first, lengths, bytes });
    this.#bounds[shard] = first + lengths.length;
  }

  /** Merges those that `isUsed`. */
  merge(isUsed: (shard: number, symbol: number) => boolean): MergedSymbols {
    const strings = this.#gather(isUsed);
    const order = Uint32Array.from(strings.from.subarray(0, strings.count), (_, i) => i);
    sortSequences(order, (string, depth) => strings.keyAt(string, depth));
    const numbers = this.#bounds.map((bound) => new Uint32Array(bound));
    const bytes = new Uint8Array(strings.bytes.length);
    const ends = new Uint32Array(strings.count);
    let count = 0;
    let length = 0;
    let before: number | undefined;
    for (const string of order) {
      if (before === undefined || !strings.areEqual(before, string)) {
        bytes.set(strings.at(string), length);
        length += strings.lengthOf(string);
        ends[count++] = length;
        before = string;
      }
      numbers[strings.shardOf[string]!]![strings.symbolOf[string]!] = count - 1;
    }
    return { table: { bytes: bytes.slice(0, length), ends: ends.slice(0, count) }, numbers };
  }

  /** The strings in use, one after the other. */
  #gather(isUsed: (shard: number, symbol: number) => boolean): Strings {
    const each = (take: (run: Run, symbol: number, from: number, length: number) => void): void => {
      for (const run of this.#runs) {
        let from = 0;
        run.lengths.forEach((length, i) => {
          if (isUsed(run.shard, run.first + i)) take(run, run.first + i, from, length);
          from += length;
        });
      }
    };
    let count = 0;
    let bytes = 0;
    each((_run, _symbol, _from, length) => {
      count++;
      bytes += length;
    });
    const strings = new Strings(count, bytes);
    each((run, symbol, from, length) => strings.push(run.shard, symbol, run.bytes.subarray(from, from + length)));
    this.#runs.length = 0;
    return strings;
  }
}

class Strings {
  readonly bytes: Uint8Array;
  /** Where each begins, and where the last ends. */
  readonly from: Uint32Array;
  readonly shardOf: Uint16Array;
  readonly symbolOf: Uint32Array;
  count = 0;

  constructor(count: number, bytes: number) {
    this.bytes = new Uint8Array(bytes);
    this.from = new Uint32Array(count + 1);
    this.shardOf = new Uint16Array(count);
    this.symbolOf = new Uint32Array(count);
  }

  push(shard: number, symbol: number, string: Uint8Array): void {
    const at = this.from[this.count]!;
    this.bytes.set(string, at);
    this.shardOf[this.count] = shard;
    this.symbolOf[this.count] = symbol;
    this.from[++this.count] = at + string.length;
  }

  at(string: number): Uint8Array {
    return this.bytes.subarray(this.from[string]!, this.from[string + 1]!);
  }

  lengthOf(string: number): number {
    return this.from[string + 1]! - this.from[string]!;
  }

  /** Shorter strings come before what they begin: behind the bytes, the key counts them. */
  keyAt(string: number, depth: number): number {
    const at = this.from[string]! + depth * KEY_BYTES;
    const left = this.from[string + 1]! - at;
    if (left <= 0) return SEQUENCE_END;
    const { bytes } = this;
    if (left >= KEY_BYTES) return (bytes[at]! << 18) | (bytes[at + 1]! << 10) | (bytes[at + 2]! << 2) | KEY_BYTES;
    return (bytes[at]! << 18) | (left > 1 ? bytes[at + 1]! << 10 : 0) | left;
  }

  areEqual(a: number, b: number): boolean {
    const length = this.lengthOf(a);
    if (length !== this.lengthOf(b)) return false;
    const [from, other] = [this.from[a]!, this.from[b]!];
    for (let i = 0; i < length; i++) if (this.bytes[from + i] !== this.bytes[other + i]) return false;
    return true;
  }
}
