// The HTTP door: what the rest of the server knows of HTTP.
//
// Two engines stand behind it, uWebSockets (server.ts is its only user) and
// node:http (node-server.ts). A handler sees one request and one response:
//
//   request   method, path, query, headers, and a body that it asks for;
//   response  a head, then either one whole body (`end`) or pieces (`write`, `end`).
//
// Rules both engines keep
//   - the head of a request has passed the guard (guard.ts) before a handler runs;
//   - a handler that throws answers 500 where nothing was sent, else the connection ends;
//   - after the client is gone, every call on the response does nothing.

import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { Ending } from '../base/ending.js';

/** Most bytes of request line and headers that node:http takes. */
export const NODE_HEAD_BYTES_MAX = 64 * 1024;
/** The same for uWebSockets 20.30: its buffer for a head that arrives in several segments. Fixed when it was compiled. */
export const UWS_HEAD_BYTES_MAX = 4096;
/** A head has to be whole this soon after its connection opened or its first byte came. */
export const HEAD_TIMEOUT_MS = 10_000;
/** An idle connection is kept this long for a next request. */
export const IDLE_TIMEOUT_MS = 65_000;
/** A body has to bring this many bytes in each such span, which is 1 KB/s. */
export const BODY_PACE = { bytes: 10_000, spanMs: 10_000 } as const;
/** A client has to take something of an answer this often, or its connection ends. */
export const STALL_TIMEOUT_MS = 30_000;
/** More unread request body than this is not waited for: the connection ends with the answer. */
export const DRAINED_BODY_BYTES_MAX = 64 * 1024;

export type Header = readonly [name: string, value: string];

/**
 * Where a body goes. `reserve` is called once per body, when its length is known, and lends at least that many
 * bytes; undefined refuses it. The lent bytes may be a view on shared memory of the core, so a body is copied once,
 * from the socket's buffer to where it is parsed. Structurally the same as the sink of outgoing requests.
 */
export interface BodySink {
  reserve(bytes: number): Uint8Array | undefined;
}

export type BodyOutcome =
  /** All of it, at the start of what the sink lent. */
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  /** More than the limit; the rest is not read. Answer 413; the connection ends after it. */
  | { readonly kind: 'too-large' }
  /** The sink lent nothing. Answer 503; the connection ends after it. */
  | { readonly kind: 'refused' }
  /** The client went away or was too slow; nothing can be answered. */
  | { readonly kind: 'cut' };

export interface DoorRequest {
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  /** As sent: percent-encoded, without the query; begins with a slash (or is `*`). */
  readonly path: string;
  /** What follows the first `?`, as sent; empty where there is none. */
  readonly query: string;
  /** The address of the client, as text; ask before the answer ends. */
  readonly remoteAddress: string;
  /** The value of a header given by its lower-case name, several joined by `, `; empty where there is none. */
  header(name: string): string;
  /** Reads the body, once. A body of no bytes is `whole` and empty. */
  readBody(sink: BodySink, bytesMax: number): Promise<BodyOutcome>;
}

export interface DoorResponse {
  /** Aborts when the client is gone before the answer is whole. */
  readonly gone: Ending;
  /** The same for those who need the real one. */
  readonly signal: AbortSignal;
  /** The status given to `head`; 0 before that. */
  readonly status: number;
  /** Bytes of body handed over so far. */
  readonly bodyBytes: number;
  /** Sets status and headers; nothing leaves before the first `write` or `end`. Content-Length is the door's business. */
  head(status: number, headers: readonly Header[]): void;
  /**
   * Hands over a piece of a streamed body; copies. False asks to wait for `drained()` before the next piece:
   * that is what bounds the memory behind a slow client.
   */
  write(piece: Uint8Array): boolean;
  /** Resolves when the client has taken what was written, or is gone: look at `signal`. */
  drained(): Promise<void>;
  /** Ends the answer: alone with a whole body (takes the bytes), after `write` without. */
  end(body?: Uint8Array | string): void;
  /** Ends the connection without (the rest of) an answer: the way to say that a streamed body is not whole. */
  destroy(): void;
}

/** Has ended (or destroyed) the answer when it returns or what it returns resolves. */
export type DoorHandler = (request: DoorRequest, response: DoorResponse) => void | Promise<void>;

export type HttpEngine = 'uws' | 'node';

/** What a door with TLS presents to clients, and asks of them. */
export interface DoorTls {
  /** PEM, the chain of the certificate included. */
  readonly cert: string;
  readonly key: string;
  /** Whose client certificates are good; the system's authorities where not given. */
  readonly ca?: readonly string[];
  readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's names, joined by colons; empty leaves it the choice. */
  readonly ciphers: string;
  readonly curves: string;
  readonly serverChooses: boolean;
  readonly asksClient: boolean;
  /** Whether a client is let in, by the certificate it has shown and whether an authority vouches for it. */
  admits(client: X509Certificate | undefined, isVerified: boolean): boolean;
}

export interface DoorOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Open connections (node:http) or requests under way (uWebSockets, which tells nothing about connections). */
  readonly connectionsMax: number;
  /** On node:http only; HEAD_TIMEOUT_MS unless given. uWebSockets has 10 s compiled in. */
  readonly headTimeoutMs?: number;
  readonly clock: Clock;
  readonly handler: DoorHandler;
  /** For TLS, on node:http only: asked at each new connection, and gives the same object until something has changed. */
  readonly tls?: (() => DoorTls) | undefined;
  /** Told of errors that a handler threw: a fault of ours. */
  readonly onError: (error: unknown) => void;
}

export interface Door {
  readonly engine: HttpEngine;
  readonly port: number;
  /** Takes no new requests, waits up to `graceMs` for those under way, then ends every connection. */
  close(graceMs: number): Promise<void>;
}

/** A header value of ours never holds a line break; one that did would split the response. Both engines ask before sending. */
export function checkHeaders(headers: readonly Header[]): void {
  for (const [name, value] of headers) {
    if (/[\r\n\0]/.test(value)) throw new Error(`the response header ${name} has a line break`);
  }
}

/** A sink that allocates; for bodies that JavaScript reads. */
export const heapSink: BodySink = { reserve: (bytes) => new Uint8Array(bytes) };

/** `/path?query` or `http://host/path?query` into its parts. */
export function splitTarget(target: string): { path: string; query: string } {
  const start = target.startsWith('/') ? 0 : pathStart(target);
  const mark = target.indexOf('?', start);
  const path = target.slice(start, mark < 0 ? undefined : mark);
  return { path: path === '' ? '/' : path, query: mark < 0 ? '' : target.slice(mark + 1) };
}

/** The absolute form of a target, which proxies send, has its path after the authority. */
function pathStart(target: string): number {
  const scheme = target.indexOf('://');
  if (scheme < 0) return 0;
  const length = target.slice(scheme + 3).search(/[/?]/);
  return length < 0 ? target.length : scheme + 3 + length;
}
