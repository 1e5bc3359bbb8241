// Protocol buffers, writing: fields that are empty are left out, as Go has it.

export class Message {
  #pieces: Uint8Array[] = [];

  /** A whole number from 0 on, or a time. */
  number(field: number, value: number): void {
    if (value === 0) return;
    this.#varint(BigInt(field << 3));
    this.#varint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): void {
    if (Object.is(value, 0)) return;
    this.#varint(BigInt((field << 3) | 1));
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#pieces.push(bytes);
  }

  text(field: number, text: string): void {
    if (text !== '') this.#content(field, new TextEncoder().encode(text));
  }

  message(field: number, fill: (inner: Message) => void): void {
    const inner = new Message();
    fill(inner);
    this.#content(field, inner.bytes());
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }

  #content(field: number, bytes: Uint8Array): void {
    this.#varint(BigInt((field << 3) | 2));
    this.#varint(BigInt(bytes.length));
    this.#pieces.push(bytes);
  }

  #varint(value: bigint): void {
    const bytes: number[] = [];
    let left = value;
    for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
    bytes.push(Number(left));
    this.#pieces.push(Uint8Array.from(bytes));
  }
}
