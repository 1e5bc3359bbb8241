// What a tool prints, gathered into large pieces: a dump is millions of lines.

const PIECE_CHARACTERS = 64 * 1024;

/** Nobody reads any more, as behind `| head`: no fault of anybody. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

export class Output {
  readonly #write: (text: string) => boolean;
  #pieces: string[] = [];
  #characters = 0;

  /** `write` takes all it is given before it comes back, and says false where nobody wants it. */
  constructor(write: (text: string) => boolean) {
    this.#write = write;
  }

  line(text: string): void {
    this.text(`${text}\n`);
  }

  /** Without an end of a line. */
  text(text: string): void {
    this.#pieces.push(text);
    this.#characters += text.length;
    if (this.#characters >= PIECE_CHARACTERS) this.flush();
  }

  /** Throws OutputClosed. */
  flush(): void {
    if (this.#pieces.length === 0) return;
    const text = this.#pieces.join('');
    this.#pieces = [];
    this.#characters = 0;
    if (!this.#write(text)) throw new OutputClosed();
  }
}
