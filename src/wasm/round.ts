// What main tells a shard while it works, by a word in its memory: the shard's round has it (assembly/query/round.ts).

import { ROUND_HURRY } from '../../assembly/layout.js';

/** Says whether others wait for the shard: then a long query hands over early. */
export class Hurry {
  readonly #word: Int32Array;

  constructor({ memory, round }: { readonly memory: WebAssembly.Memory; readonly round: number }) {
    this.#word = new Int32Array(memory.buffer, round + ROUND_HURRY, 1);
  }

  set(isHurried: boolean): void {
    Atomics.store(this.#word, 0, Number(isHurried));
  }
}
