// The part of ZooKeeper's protocol that a reader needs. Numbers are big-endian.
//
//   frame     │ length i32 │ payload │
//   connect   │ version i32 │ last zxid i64 │ timeout i32 │ session i64 │ password bytes │ read only u8 │
//   request   │ xid i32 │ operation i32 │ path string │ watch u8 │
//   reply     │ xid i32 │ zxid i64 │ error i32 │ body │
//   event     │ xid -1, zxid, error │ type i32 │ state i32 │ path string │
//
// A string or some bytes: length i32 (-1 for none), then so many bytes. A list: count i32, then its items.

export enum Operation {
  Exists = 3,
  GetData = 4,
  GetChildren = 8,
  Ping = 11,
}

export const PING_XID = -2;
export const EVENT_XID = -1;
/** There is nothing at the path. */
export const NO_NODE = -101;

const PASSWORD_BYTES = 16;

export function connectFrame(timeoutMs: number): Buffer {
  const payload = Buffer.alloc(4 + 8 + 4 + 8 + 4 + PASSWORD_BYTES + 1);
  payload.writeInt32BE(timeoutMs, 12);
  payload.writeInt32BE(PASSWORD_BYTES, 24);
  return framed(payload);
}

export function requestFrame(xid: number, operation: Operation, path: string): Buffer {
  const name = Buffer.from(path);
  const payload = Buffer.alloc(4 + 4 + 4 + name.length + 1);
  payload.writeInt32BE(xid, 0);
  payload.writeInt32BE(operation, 4);
  payload.writeInt32BE(name.length, 8);
  name.copy(payload, 12);
  // Always with a watch: that is what we are here for.
  payload.writeUInt8(1, 12 + name.length);
  return framed(payload);
}

export function pingFrame(): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeInt32BE(PING_XID, 0);
  payload.writeInt32BE(Operation.Ping, 4);
  return framed(payload);
}

function framed(payload: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

/** Longer frames are no answer to what we ask. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** Cuts a stream into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are whole by now. Throws for what cannot be a frame. */
  take(bytes: Uint8Array): Payload[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Payload[] = [];
    while (this.#rest.length >= 4) {
      const length = this.#rest.readInt32BE(0);
      if (length < 0 || length > FRAME_BYTES_MAX) throw new Error(`a frame of ${length} bytes`);
      if (this.#rest.length < 4 + length) break;
      frames.push(new Payload(this.#rest.subarray(4, 4 + length)));
      this.#rest = this.#rest.subarray(4 + length);
    }
    return frames;
  }
}

/** Reads a frame from front to back. Throws a RangeError at its end. */
export class Payload {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  skipLong(): void {
    this.#at += 8;
  }

  /** undefined where there are none. */
  bytes(): Buffer | undefined {
    const length = this.int();
    if (length < 0) return undefined;
    if (this.#at + length > this.#bytes.length) throw new RangeError('the frame ends within a value');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes()?.toString() ?? '';
  }

  texts(): string[] {
    const count = this.int();
    if (count * 4 > this.#bytes.length) throw new RangeError('the frame ends within a list');
    return Array.from({ length: Math.max(0, count) }, () => this.text());
  }
}
