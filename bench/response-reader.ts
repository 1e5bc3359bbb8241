// Finds the end of one HTTP/1.1 answer in the pieces a socket gives: by Content-Length or by chunks. Servers of the
// benchmark are trusted; what is not understood is an error.

const HEAD_END = '\r\n\r\n';
const LINE_END = '\r\n';
/** So many bytes are looked at as text at once: a chunk that follows a line may be long. */
const TEXT_BYTES = { [HEAD_END]: 4096, [LINE_END]: 32 };

/** What the next bytes are. */
enum Part {
  Head,
  /** `#left` bytes of a body of known length. */
  Body,
  /** A line with the length of a chunk. */
  ChunkHead,
  /** `#left` bytes of a chunk and the line end behind it. */
  Chunk,
  /** What follows the last chunk. */
  Trailer,
  Done,
}

export class ResponseReader {
  status = 0;
  readonly #keepBody: boolean;
  readonly #bodyParts: Buffer[] = [];
  #part = Part.Head;
  #left = 0;
  /** Of a head or a line that has not ended yet. */
  #text = '';

  constructor(keepBody: boolean) {
    this.#keepBody = keepBody;
  }

  /** Takes the next bytes; true once the answer is whole. */
  push(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length && this.#part !== Part.Done) at = this.#take(bytes, at);
    if (at < bytes.length) throw new Error(`${bytes.length - at} bytes behind the answer`);
    return this.#part === Part.Done;
  }

  body(): Buffer {
    return Buffer.concat(this.#bodyParts);
  }

  /** Takes what is of the present part, and gives where the next begins. */
  #take(bytes: Buffer, at: number): number {
    switch (this.#part) {
      case Part.Head:
        return this.#takeText(bytes, at, HEAD_END, (head) => this.#beginBody(head));
      case Part.ChunkHead:
        return this.#takeText(bytes, at, LINE_END, (line) => this.#beginChunk(line));
      case Part.Trailer:
        return this.#takeText(bytes, at, LINE_END, (line) => {
          if (line === '') this.#part = Part.Done;
        });
      default:
        return this.#takeBytes(bytes, at);
    }
  }

  #takeText(bytes: Buffer, at: number, ending: keyof typeof TEXT_BYTES, then: (text: string) => void): number {
    const before = this.#text.length;
    const until = Math.min(bytes.length, at + TEXT_BYTES[ending]!);
    const text = this.#text + bytes.toString('latin1', at, until);
    const end = text.indexOf(ending, Math.max(0, before - ending.length));
    if (end < 0) {
      this.#text = text;
      return until;
    }
    this.#text = '';
    then(text.slice(0, end));
    return at + end + ending.length - before;
  }

  #takeBytes(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    const lineEnd = this.#part === Part.Chunk ? LINE_END.length : 0;
    if (this.#keepBody) {
      const behind = Math.max(0, lineEnd - this.#left);
      if (end - behind > at) this.#bodyParts.push(bytes.subarray(at, end - behind));
    }
    if (this.#left === 0) this.#part = this.#part === Part.Chunk ? Part.ChunkHead : Part.Done;
    return end;
  }

  #beginBody(head: string): void {
    this.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#part = Part.ChunkHead;
    else if (length === undefined) throw new Error(`an answer without a length: ${head}`);
    else {
      this.#left = Number(length);
      this.#part = this.#left === 0 ? Part.Done : Part.Body;
    }
  }

  #beginChunk(line: string): void {
    const length = Number.parseInt(line, 16);
    if (!(length >= 0)) throw new Error(`not the length of a chunk: ${line}`);
    this.#left = length + LINE_END.length;
    this.#part = length === 0 ? Part.Trailer : Part.Chunk;
  }
}
