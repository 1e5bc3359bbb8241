// What one request and its answer are, whichever transport carries them.

import { HttpError, quoted } from './error.js';
import type { ResponseHead } from './head.js';

/**
 * Memory that a caller lends for one body, for instance a slot in a shard's linear memory.
 * The body comes to lie in it in one piece, from the first byte of the view on.
 */
export interface BodySink {
  /**
   * Gives a view of at least `bytes` bytes; it may be longer. Asked again when a body turns out longer:
   * the first `kept` bytes of the earlier view are then to be in the new one, and the earlier one is not
   * used any more. undefined where there is no room for that much.
   */
  reserve(bytes: number, kept: number): Uint8Array | undefined;

  /**
   * For answers that are read while they come. Told of each piece of a body of unknown length: the first `filled` bytes
   * of the view are what is there. Gives how many of them stay, which it has moved to the front; the body goes on behind.
   */
  pass?(filled: number): number;
}

/** One request, ready to be sent as often as wanted. */
export interface OutgoingRequest {
  readonly method: string;
  /** Path and query, as the request line has them. */
  readonly path: string;
  /** Names and values, alternating; `Host` among them. */
  readonly headers: readonly string[];
  readonly body?: Uint8Array;
  /** The URL as errors name it; without user and password. */
  readonly shownUrl: string;
}

export interface ExchangeOptions {
  readonly sink: BodySink;
  /** A longer body is an error `body-limit`; counted as it comes, before any decompression. */
  readonly bodyBytesMax: number;
  /** How long a body of unknown length probably is; 0 where nobody knows. */
  readonly bodyBytesHint: number;
  /** Whether the body of this answer goes to the sink; otherwise it is skipped. */
  wantsBody(head: ResponseHead): boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Code and reason, like `200 OK`. */
  readonly statusText: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body, from the start of the sink's last view on. */
  readonly bodyBytes: number;
}

/** Carries requests to one origin, one at a time. */
export interface Transport {
  /** Rejects with an HttpError only. Nothing is written into the sink after the promise has settled. */
  exchange(request: OutgoingRequest, options: ExchangeOptions): Promise<HttpAnswer>;
  /** Ends the exchange under way with `reason` and drops the connection; the next exchange makes a new one. */
  abort(reason: HttpError): void;
}

/** What goes before the reason when no head had come, as Go's client words it. */
export function inRequest(request: Pick<OutgoingRequest, 'method' | 'shownUrl'>, error: HttpError): HttpError {
  const method = `${request.method[0]}${request.method.slice(1).toLowerCase()}`;
  return new HttpError(error.code, `${method} ${quoted(request.shownUrl)}: ${error.message}`, error);
}

const encoded = new WeakMap<OutgoingRequest, Buffer>();

/** A request's bytes, made once: the same one is sent at every scrape. */
export function wireBytes(request: OutgoingRequest): Buffer {
  let bytes = encoded.get(request);
  if (bytes === undefined) {
    let head = `${request.method} ${request.path} HTTP/1.1\r\n`;
    for (let i = 0; i < request.headers.length; i += 2) head += `${request.headers[i]}: ${request.headers[i + 1]}\r\n`;
    const parts = [Buffer.from(`${head}\r\n`, 'latin1')];
    if (request.body !== undefined) parts.push(Buffer.from(request.body));
    bytes = Buffer.concat(parts);
    encoded.set(request, bytes);
  }
  return bytes;
}
