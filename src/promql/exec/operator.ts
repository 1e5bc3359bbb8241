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
  /** Reserves memory for the query, or gives it back where negative; see QueryContext. */
  readonly reserve: Reserve;
}

export type Reserve = (bytes: number) => void;

/**
 * What `work` gives. The memory that it asks for before it takes it is held as long as it runs: what is handed on is
 * reserved by who gets it.
 */
export function holding<T>(reserve: Reserve, work: (hold: Reserve) => T): T {
  let held = 0;
  try {
    return work((bytes) => {
      reserve(bytes);
      held += bytes;
    });
  } finally {
    reserve(-held);
  }
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
