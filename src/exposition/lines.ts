// Bytes that come in pieces, as lines: each a string with a character for each byte, so that places in it are places in
// the file, and a line that was seen before is found again without decoding it.

/** A longer line is no line of an exposition. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024;
const NEWLINE = 10;

/** Hears of each line without its end; `isWhole` is false where the text ended without one. */
export type OnLine = (line: string, isWhole: boolean) => void;

export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
  constructor() {
    super(`a line of more than ${LINE_BYTES_MAX} bytes`);
  }
}

export class Lines {
  readonly #onLine: OnLine;
  /** What came behind the last line's end. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  /** Borrows the bytes. Throws LineTooLong, and what the listener throws. */
  push(bytes: Uint8Array): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, from)) {
      const line = piece.toString('latin1', from, end);
      this.#onLine(this.#rest.length === 0 ? line : this.#takeRest() + line, true);
      from = end + 1;
    }
    if (from === piece.length) return;
    if (this.#rest.length + piece.length - from > LINE_BYTES_MAX) throw new LineTooLong();
    this.#rest = Buffer.concat([this.#rest, piece.subarray(from)]);
  }

  /** There are no more bytes. */
  end(): void {
    if (this.#rest.length > 0) this.#onLine(this.#takeRest(), false);
  }

  #takeRest(): string {
    const text = this.#rest.toString('latin1');
    this.#rest = Buffer.alloc(0);
    return text;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of such a string; undefined where its bytes are no UTF-8. */
export function textOf(bytes: string): string | undefined {
  // Most are ASCII.
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}
