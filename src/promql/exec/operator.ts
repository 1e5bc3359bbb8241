// What operators are handed beside their inputs.

import type { Annotations } from './annotations.js';
import type { Steps } from './source.js';
import type { Names } from './value.js';

export interface OperatorContext {
  readonly names: Names;
  /** Those of the operator's place in the query. */
  readonly annotations: Annotations;
  readonly steps: Steps;
  readonly pace: Pace;
}

/** Cells between two looks: a tenth of a millisecond or so. */
const STRIDE = 4096;

/** Lets a query end in the middle of an operator: loops say how far they got, and every so often it is asked. */
export class Pace {
  readonly #check: () => void;
  #left = STRIDE;

  /** `check` throws where the query is to end. */
  constructor(check: () => void) {
    this.#check = check;
  }

  /** To be called between rows, with the cells (and rows) worked on since the last time. */
  spend(cells: number): void {
    this.#left -= cells;
    if (this.#left > 0) return;
    this.#left = STRIDE;
    this.#check();
  }
}
