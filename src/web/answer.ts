// Answers: whole ones and streamed ones, compressed where the client takes that
// and it is worth it.

import { promisify } from 'node:util';
import { constants, createDeflate, createGzip, type Deflate, deflate, type Gzip, gzip } from 'node:zlib';
import type { Ending } from '../base/ending.js';
import type { DoorRequest, DoorResponse, Header } from './door.js';
import { type ContentCoding, chooseCoding } from './negotiate.js';
import { isBodiless } from './status.js';

/** Below this a whole answer fits into one packet, compressed or not. */
const COMPRESSED_BYTES_MIN = 1400;
/** The fastest level: answers compress to about the same at the others, for a multiple of the time. */
const ZLIB = { level: constants.Z_BEST_SPEED } as const;

export const TEXT_TYPE = 'text/plain; charset=utf-8';

const compressWhole = {
  gzip: promisify<Uint8Array, object, Buffer>(gzip),
  deflate: promisify<Uint8Array, object, Buffer>(deflate),
};

const NO_SNIFFING: Header = ['X-Content-Type-Options', 'nosniff'];

/** One request with its answer under way: what handlers write to. */
export class Answer {
  readonly #request: DoorRequest;
  readonly #response: DoorResponse;
  /** Sent with whatever the handler answers. */
  readonly #headers: Header[] = [NO_SNIFFING];

  constructor(request: DoorRequest, response: DoorResponse) {
    this.#request = request;
    this.#response = response;
  }

  /** Aborts when the client is gone. */
  get signal(): AbortSignal {
    return this.#response.signal;
  }

  /** The address of the client, as text. */
  get client(): string {
    return this.#request.remoteAddress;
  }

  /** The same, for less. */
  get gone(): Ending {
    return this.#response.gone;
  }

  get status(): number {
    return this.#response.status;
  }

  get bodyBytes(): number {
    return this.#response.bodyBytes;
  }

  header(name: string, value: string): void {
    this.#headers.push([name, value]);
  }

  /** A whole answer without a body. */
  empty(status: number): void {
    this.#response.head(status, this.#headers);
    this.#response.end();
  }

  /** A whole answer; takes the bytes. */
  async whole(status: number, contentType: string, body: Uint8Array | string): Promise<void> {
    let bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.header('Content-Type', contentType);
    const coding = bytes.length < COMPRESSED_BYTES_MIN || isBodiless(status) ? 'identity' : this.#coding();
    if (coding !== 'identity') {
      bytes = await compressWhole[coding](bytes, ZLIB);
      this.#announce(coding);
    }
    this.#response.head(status, this.#headers);
    this.#response.end(bytes);
  }

  /** A whole answer in the coding that it has. */
  asIs(status: number, contentType: string, body: Uint8Array): void {
    this.header('Content-Type', contentType);
    this.#response.head(status, this.#headers);
    this.#response.end(body);
  }

  text(status: number, body: string): Promise<void> {
    return this.whole(status, TEXT_TYPE, body);
  }

  /** Errors outside of the API, as Go's http.Error writes them. */
  error(status: number, message: string): Promise<void> {
    return this.whole(status, TEXT_TYPE, `${message}\n`);
  }

  /** A streamed answer: nothing can be said about errors any more from here on, but by `BodyStream.fail`. */
  stream(status: number, contentType: string): BodyStream {
    this.header('Content-Type', contentType);
    const coding = this.#coding();
    if (coding !== 'identity') this.#announce(coding);
    this.#response.head(status, this.#headers);
    return coding === 'identity' ? new PlainStream(this.#response) : new CompressedStream(this.#response, coding);
  }

  /** A stream of server-sent events: not compressed, because a compressor would keep them until there are more. */
  events(): BodyStream {
    return this.streamAsIs(200, 'text/event-stream');
  }

  /** A stream whose content says itself how it is coded. */
  streamAsIs(status: number, contentType: string): BodyStream {
    this.header('Content-Type', contentType);
    this.#response.head(status, this.#headers);
    return new PlainStream(this.#response);
  }

  #coding(): ContentCoding {
    return chooseCoding(this.#request.header('accept-encoding'));
  }

  #announce(coding: ContentCoding): void {
    this.header('Content-Encoding', coding);
    this.header('Vary', 'Accept-Encoding');
  }
}

export interface BodyStream {
  /** Resolves when the next piece may come: at once unless the client is slow. Borrows the bytes until then. */
  write(piece: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** Ends the connection, so that the client knows the answer is not whole. */
  fail(): void;
}

class PlainStream implements BodyStream {
  readonly #response: DoorResponse;

  constructor(response: DoorResponse) {
    this.#response = response;
  }

  async write(piece: Uint8Array): Promise<void> {
    if (!this.#response.write(piece)) await this.#response.drained();
  }

  async end(): Promise<void> {
    this.#response.end();
  }

  fail(): void {
    this.#response.destroy();
  }
}

class CompressedStream implements BodyStream {
  readonly #response: DoorResponse;
  readonly #encoder: Gzip | Deflate;
  #full = false;

  constructor(response: DoorResponse, coding: 'gzip' | 'deflate') {
    this.#response = response;
    this.#encoder = coding === 'gzip' ? createGzip(ZLIB) : createDeflate(ZLIB);
    this.#encoder.on('data', (bytes: Buffer) => {
      if (!response.write(bytes)) this.#full = true;
    });
  }

  async write(piece: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#encoder.write(piece, (error) => (error ? reject(error) : resolve()));
    });
    if (!this.#full) return;
    this.#full = false;
    await this.#response.drained();
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#encoder.once('end', resolve).once('error', reject).end();
    });
    this.#response.end();
  }

  fail(): void {
    this.#encoder.destroy();
    this.#response.destroy();
  }
}
