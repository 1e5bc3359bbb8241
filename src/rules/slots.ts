// How many rules may be evaluated beside the ones that groups evaluate in order: over all groups.

export class EvaluationSlots {
  #free: number;

  constructor(most: number) {
    this.#free = most;
  }

  /** Whether one was free; to be given back. */
  take(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  give(): void {
    this.#free++;
  }
}
