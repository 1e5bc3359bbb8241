// A long list of u32 numbers that grows by pieces: nothing is ever copied to make room.

const PIECE_NUMBERS = 256 * 1024;

export class NumberList {
  readonly #pieces: Uint32Array[] = [];
  #last = new Uint32Array(0);
  #filled = 0;

  push(value: number): void {
    if (this.#filled === this.#last.length) {
      this.#last = new Uint32Array(PIECE_NUMBERS);
      this.#pieces.push(this.#last);
      this.#filled = 0;
    }
    this.#last[this.#filled++] = value;
  }

  get length(): number {
    return this.#pieces.length === 0 ? 0 : (this.#pieces.length - 1) * PIECE_NUMBERS + this.#filled;
  }

  at(index: number): number {
    return this.#pieces[Math.floor(index / PIECE_NUMBERS)]![index % PIECE_NUMBERS]!;
  }

  /** The numbers in their order, as views. */
  *pieces(): Generator<Uint32Array> {
    for (const piece of this.#pieces) yield piece === this.#last ? piece.subarray(0, this.#filled) : piece;
  }
}
