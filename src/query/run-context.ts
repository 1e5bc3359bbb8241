// What a query's readings and operators are told of the query that they work for.

import type { QueryContext } from '../promql/exec/source.js';
import type { MemoryShare, SampleBudget } from './budget.js';
import type { Place } from './gate.js';
import type { RunningQuery } from './running.js';

/** A query that takes more morsels than this, some 20 ms in a shard, is large. */
const SMALL_TURNS = 8;
/** So is one that has read so much before it is done. */
const SMALL_BYTES = 8 * 2 ** 20;

/** What a query has of what all share. */
export interface Held {
  readonly samples: SampleBudget;
  readonly memory: MemoryShare;
  readonly place: Place;
}

/** A class, because object literals with accessors cost microseconds each, which small queries notice. */
export class RunContext implements QueryContext {
  readonly #running: RunningQuery;
  readonly #held: Held;
  #faults: Set<string> | undefined;
  #turns = 0;

  constructor(running: RunningQuery, held: Held) {
    this.#running = running;
    this.#held = held;
  }

  /** Warnings, each once; undefined where there is none. */
  get faults(): ReadonlySet<string> | undefined {
    return this.#faults;
  }

  warn(text: string): void {
    this.#faults ??= new Set();
    this.#faults.add(text);
  }

  get signal(): AbortSignal {
    return this.#running.signal;
  }

  charge(samples: number): void {
    this.#held.samples.charge(samples);
  }

  check(): void {
    this.#running.check();
  }

  reserve(bytes: number): void {
    this.#held.memory.reserve(bytes);
  }

  get words(): SharedArrayBuffer {
    return this.#held.memory.shared.own;
  }

  turn(): Promise<void> | undefined {
    const { memory, place } = this.#held;
    return ++this.#turns > SMALL_TURNS || memory.heldBytes > SMALL_BYTES || place.isLost ? this.grow() : undefined;
  }

  /** The query turned out large; waits where too many are. */
  grow(): Promise<void> {
    this.#running.noteClient();
    return this.#held.place.grow();
  }
}
