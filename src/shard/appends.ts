// Main numbers the appends. The watermark is the highest number such that it and
// every earlier one is applied on all shards and in the log: what a query may see.
//
// A reader asks all shards for what was visible when it began. Until each of them has
// opened it, it holds its watermark: what was appended later is kept apart that long.
//
// Numbers are 32 bits and wrap around; they are compared by difference.

/** A watermark that a reader begins with. */
export interface Hold {
  readonly watermark: number;
  /** Every shard has opened the reader, or will not. Again is no matter. */
  release(): void;
}

export class Appends {
  #last = 0;
  #watermark = 0;
  /** Numbers given out and not done, or done while an earlier one is not, in order. */
  readonly #open: { readonly append: number; done: boolean }[] = [];
  #waiters: { readonly append: number; readonly resolve: () => void }[] = [];
  /** Held watermarks, oldest first. */
  readonly #holds: { readonly watermark: number; released: boolean }[] = [];
  readonly #onAdvance: (watermark: number, held: number) => void;

  /** `onAdvance` is told of each new watermark, and of the oldest that is held, which is the same where none is. */
  constructor(onAdvance: (watermark: number, held: number) => void) {
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
    this.#advance();
    if (this.#waiters.length > 0) this.#wake();
  }

  /** Resolves when all appends that have begun by now are over. */
  settled(): Promise<void> {
    return this.visible(this.#last);
  }

  /** For a reader that begins now. */
  hold(): Hold {
    const hold = { watermark: this.#watermark, released: false };
    this.#holds.push(hold);
    return {
      watermark: hold.watermark,
      release: () => {
        if (hold.released) return;
        hold.released = true;
        this.#dropReleased();
      },
    };
  }

  /** Resolves once the watermark has passed `append`: then its sender may be answered. */
  visible(append: number): Promise<void> {
    if (!isAfter(append, this.#watermark)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ append, resolve }));
  }

  #dropReleased(): void {
    let released = 0;
    while (released < this.#holds.length && this.#holds[released]!.released) released++;
    if (released === 0) return;
    this.#holds.splice(0, released);
    this.#advance();
  }

  #advance(): void {
    this.#onAdvance(this.#watermark, this.#holds[0]?.watermark ?? this.#watermark);
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
