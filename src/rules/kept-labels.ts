// What is made of label sets that come again with each evaluation: once for each of them, until it comes no more.

import { keyOf, type Labels } from '../model/labels.js';

/** Evaluations after which label sets that did not come since are let go of. */
const ROUNDS = 20;

export class KeptLabels<T> {
  readonly #make: (labels: Labels) => T;
  #recent = new Map<string, T>();
  #before: ReadonlyMap<string, T> = new Map();
  #rounds = 0;

  constructor(make: (labels: Labels) => T) {
    this.#make = make;
  }

  of(labels: Labels): T {
    const key = keyOf(labels);
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    const made = this.#before.get(key) ?? this.#make(labels);
    this.#recent.set(key, made);
    return made;
  }

  /** Begins an evaluation. */
  beginRound(): void {
    if (++this.#rounds % ROUNDS !== 0) return;
    this.#before = this.#recent;
    this.#recent = new Map();
  }
}
