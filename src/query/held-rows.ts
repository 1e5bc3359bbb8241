// Rows of a large result on their way out: memory until the client has taken them, or until
// the query ends for another reason.

import type { RenderedRows } from '../promql/exec/source.js';

export class HeldRows implements RenderedRows {
  readonly rowCount: number;
  readonly signal: AbortSignal;
  /** Resolves when nothing of them is needed any more. */
  readonly done: Promise<void>;
  #rows: RenderedRows | undefined;
  /** The rows once all pieces have been taken. */
  #spent: RenderedRows | undefined;
  #finish!: () => void;

  /** Takes the rows. */
  constructor(rows: RenderedRows, signal: AbortSignal) {
    this.rowCount = rows.rowCount;
    this.signal = signal;
    this.#rows = rows;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    signal.addEventListener('abort', this.#drop, { once: true });
    if (signal.aborted) this.#drop();
  }

  /** To be asked for once. */
  async *pieces(limit: number): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of this.#rows?.pieces(limit) ?? []) {
        this.signal.throwIfAborted();
        yield piece;
      }
      this.signal.throwIfAborted();
      this.#spent = this.#rows;
    } finally {
      this.signal.removeEventListener('abort', this.#drop);
      this.#drop();
    }
  }

  free(): void {
    this.#spent?.free?.();
  }

  readonly #drop = (): void => {
    this.#rows = undefined;
    this.#finish();
  };
}
