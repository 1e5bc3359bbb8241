// Protobuf messages of requests, field by field: for what the core does not read itself.

/** The body is no request: something that was not looked at before. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** The fields of a message, one after the other; each is good until the next. */
export class Fields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #start = 0;
  #kind = 0;
  number = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  *[Symbol.iterator](): Generator<this> {
    while (this.#at < this.#bytes.length) {
      const tag = this.#varint();
      this.number = Math.floor(tag / 8);
      this.#kind = tag % 8;
      this.#start = this.#at;
      this.#skip();
      yield this;
    }
  }

  /** Content of a field with a length. */
  get bytes(): Uint8Array {
    if (this.#kind !== 2) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#read(() => {
      const length = this.#varint();
      return this.#bytes.subarray(this.#at, this.#at + length);
    });
  }

  get varint(): number {
    if (this.#kind !== 0) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#read(() => this.#varint());
  }

  /** A varint of 64 bits in two's complement. */
  get signed(): number {
    const value = this.varint;
    if (value < 2 ** 63) return value;
    // Exact: the high bits are ones, which a double would round away.
    return Number(this.int64);
  }

  /** The same, whole. */
  get int64(): bigint {
    const value = this.varint;
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    return this.#read(() => {
      let bits = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = this.#bytes[this.#at++]!;
        bits |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return BigInt.asIntN(64, bits);
      }
    });
  }

  get fixed64(): bigint {
    if (this.#kind !== 1) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#view.getBigUint64(this.#start, true);
  }

  /** Content of a field of eight bytes, as it is. */
  get raw(): Uint8Array {
    if (this.#kind !== 1) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#bytes.subarray(this.#start, this.#at);
  }

  get double(): number {
    if (this.#kind !== 1) throw new WireError(`wrong wire type of field ${this.number}`);
    return this.#view.getFloat64(this.#start, true);
  }

  /** Packed, or one of them. */
  get fixed64s(): bigint[] {
    if (this.#kind === 1) return [this.fixed64];
    const { bytes } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length % 8 !== 0) throw new WireError(`field ${this.number} holds no numbers of eight bytes`);
    return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, true));
  }

  /** Packed, or one of them. */
  get varints(): number[] {
    if (this.#kind === 0) return [this.varint];
    const packed = new Fields(this.bytes);
    const values: number[] = [];
    while (packed.#at < packed.#bytes.length) values.push(packed.#varint());
    return values;
  }

  get doubles(): number[] {
    if (this.#kind === 1) return [this.double];
    const { bytes } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length % 8 !== 0) throw new WireError(`field ${this.number} holds no doubles`);
    return Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(i * 8, true));
  }

  /** Reads the field under way again. */
  #read<T>(action: () => T): T {
    const end = this.#at;
    this.#at = this.#start;
    const value = action();
    this.#at = end;
    return value;
  }

  #skip(): void {
    if (this.#kind === 0) this.#varint();
    else if (this.#kind === 1) this.#at += 8;
    else if (this.#kind === 5) this.#at += 4;
    else if (this.#kind === 2) {
      const length = this.#varint();
      this.#at += length;
    } else throw new WireError(`illegal wire type ${this.#kind}`);
    if (this.#at > this.#bytes.length) throw new WireError('unexpected end');
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new WireError('unexpected end');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new WireError('bad varint');
  }
}

export function unzigzag(value: number): number {
  return value % 2 === 1 ? -((value + 1) / 2) : value / 2;
}
