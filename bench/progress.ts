// What is going on, on stderr: one line that changes on a terminal, else a line every few seconds.

const LINE_EVERY_MS = 5000;

export class Progress {
  readonly #terminal = process.stderr.isTTY;
  #lastMs = 0;
  #task = '';

  /** Begins something. */
  task(text: string): void {
    this.#task = text;
    this.#write(text, true);
  }

  /** How far it is. */
  at(detail: string): void {
    this.#write(`${this.#task}: ${detail}`, false);
  }

  /** Clears the line, so that something can be printed. */
  clear(): void {
    if (this.#terminal) process.stderr.write('\r\x1b[K');
  }

  #write(text: string, force: boolean): void {
    const now = performance.now();
    if (this.#terminal) {
      process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 120) - 1)}`);
    } else if (force || now - this.#lastMs > LINE_EVERY_MS) {
      process.stderr.write(`${text}\n`);
      this.#lastMs = now;
    }
  }
}
