// A reader: a thread that helps a shard with its queries, on the shard's memory.
//
// It runs a module of its own, which holds nothing but reading and evaluating (assembly/reader.ts), sleeps until the
// shard calls, and touches that memory only while the shard waits for it: assembly/query/round.ts says how.

import { instantiateSync } from '@assemblyscript/loader';
import { ROUND_BYTES, ROUND_CALL, ROUND_FAILED } from '../../assembly/layout.js';
import type { __AdaptedExports } from '../../build/reader.js';
import { type CoreBuild, compile, defaultBuild, trapsOf } from './core.js';

/** What a reader has to know; as it crosses to its thread. */
export interface ReaderSetup {
  readonly memory: WebAssembly.Memory;
  /** Of the shard's round, in its memory. */
  readonly round: number;
  /** Its lane: from 1 on, as the shard itself has the first. */
  readonly number: number;
  readonly build: CoreBuild | undefined;
}

/** How often a reader looks for the next round before it sleeps: some 50 µs. */
const LOOKS = 10_000;

export class Reader {
  readonly #exports: typeof __AdaptedExports;
  readonly #setup: ReaderSetup;
  readonly #words: Int32Array;

  constructor(setup: ReaderSetup) {
    const { memory, round, build = defaultBuild() } = setup;
    const imports = { env: { memory, abort: trapsOf(memory) } };
    const { exports } = instantiateSync(compile('reader', build), imports as never);
    this.#exports = exports as unknown as typeof __AdaptedExports;
    this.#setup = setup;
    this.#words = new Int32Array(memory.buffer, round, ROUND_BYTES / 4);
  }

  /** Helps whenever it is called, for ever: ends with its thread, or by a trap, of which the shard is told. */
  run(): never {
    const call = ROUND_CALL / 4;
    let heard = Atomics.load(this.#words, call);
    for (;;) {
      this.#help();
      // Rounds follow each other at once: falling asleep and waking up would take longer.
      for (let look = 0; look < LOOKS && Atomics.load(this.#words, call) === heard; look++);
      Atomics.wait(this.#words, call, heard);
      heard = Atomics.load(this.#words, call);
    }
  }

  #help(): void {
    const { round, number } = this.#setup;
    try {
      this.#exports.reader_help(round, number);
    } catch (error) {
      Atomics.store(this.#words, ROUND_FAILED / 4, 1);
      this.#exports.reader_leave(round);
      throw error;
    }
  }
}
