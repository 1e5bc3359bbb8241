// The strings of one block among those of many: marked, then numbered anew in their order.

import type { SymbolTable } from '../block/contract.js';

export class SymbolsInUse {
  readonly #all: SymbolTable;
  readonly #isUsed: Uint8Array;
  #numbers = new Uint32Array(0);

  constructor(all: SymbolTable) {
    this.#all = all;
    this.#isUsed = new Uint8Array(all.ends.length);
  }

  mark(labels: Uint32Array): void {
    for (const symbol of labels) this.#isUsed[symbol] = 1;
  }

  /** Those that were marked. */
  table(): SymbolTable {
    const { bytes, ends } = this.#all;
    this.#numbers = new Uint32Array(ends.length);
    let count = 0;
    let length = 0;
    for (let symbol = 0; symbol < ends.length; symbol++) {
      if (this.#isUsed[symbol] === 0) continue;
      length += ends[symbol]! - startOf(ends, symbol);
      this.#numbers[symbol] = count++;
    }
    const table = { bytes: new Uint8Array(length), ends: new Uint32Array(count) };
    let at = 0;
    for (let symbol = 0, number = 0; symbol < ends.length; symbol++) {
      if (this.#isUsed[symbol] === 0) continue;
      table.bytes.set(bytes.subarray(startOf(ends, symbol), ends[symbol]!), at);
      table.ends[number++] = at += ends[symbol]! - startOf(ends, symbol);
    }
    return table;
  }

  /** A label set by the numbers of the last table(). */
  renumbered(labels: Uint32Array): Uint32Array {
    return labels.map((symbol) => this.#numbers[symbol]!);
  }
}

function startOf(ends: Uint32Array, symbol: number): number {
  return symbol === 0 ? 0 : ends[symbol - 1]!;
}
