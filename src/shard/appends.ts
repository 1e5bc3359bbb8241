// Main numbers the appends. The watermark is the highest number such that it and
// every earlier one is applied on all shards and in the log: what a query may see.
//
// Numbers are 32 bits and wrap around; they are compared by difference.

export class Appends {
  #last = 0;
  #watermark = 0;
  /** Numbers given out and not done, or done while an earlier one is not, in order. */
  readonly #open: { readonly append: number; done: boolean }[] = [];
  #waiters: { readonly append: number; readonly resolve: () => void }[] = [];
  readonly #onAdvance: (watermark: number) => void;

  /** `onAdvance` is told of each new watermark. */
  constructor(onAdvance: (watermark: number) => void) {
    this.#onAdvance = onAdvance;
  }

  get watermark(): number {
    return this.#watermark;
  }

  /** Appends under way. */
  get pending(): number {
    return this.#open.length;
  }

  begin(): number {
    this.#last = (this.#last + 1) >>> 0;
    this.#open.push({ append: this.#last, done: false });
    return this.#last;
  }

  /** The append is applied everywhere and in the log, or has failed without a trace. */
  done(append: number): void {
    const first = this.#open[0];
    if (first === undefined) throw new Error(`append ${append} is not open`);
    const entry = this.#open[(append - first.append) >>> 0];
    if (entry === undefined || entry.append !== append || entry.done) throw new Error(`append ${append} is not open`);
    entry.done = true;
    let passed = 0;
    while (passed < this.#open.length && this.#open[passed]!.done) passed++;
    if (passed === 0) return;
    this.#watermark = this.#open[passed - 1]!.append;
    this.#open.splice(0, passed);
    this.#onAdvance(this.#watermark);
    if (this.#waiters.length > 0) this.#wake();
  }

  /** Resolves once the watermark has passed `append`: then its sender may be answered. */
  visible(append: number): Promise<void> {
    if (!isAfter(append, this.#watermark)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ append, resolve }));
  }

  #wake(): void {
    const waiting = this.#waiters;
    this.#waiters = waiting.filter((waiter) => isAfter(waiter.append, this.#watermark));
    for (const waiter of waiting) if (!isAfter(waiter.append, this.#watermark)) waiter.resolve();
  }
}

/** Whether `a` was numbered after `b`. */
export function isAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
