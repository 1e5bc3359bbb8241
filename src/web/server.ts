// The HTTP door on uWebSockets.js: the default where its native binary loads.
//
// What this build (20.30) asks of us, learned by trying it:
//   - its parser accepts ambiguous lengths, so the guard walks every head and a refused
//     request ends with `close()`: after `end` the parser would run the smuggled one;
//   - a request object lives only during the callback: all we want is copied out;
//   - touching a response that was aborted or ended terminates the process, so every
//     path goes through `#live`;
//   - it listens beside another server on the same port unless told not to (see `listen`);
//   - an exception that leaves a callback terminates the process;
//   - its chunk parser takes sizes that are none, and a header without a name hides the ones
//     behind it, a Content-Length too: so a request whose length only the parser knows is
//     isolated (see `begin`);
//   - request line and headers over 4 KiB that come in two segments are dropped (the limit
//     is compiled in): `--web.http-engine=node` or a newer build are the ways out;
//   - it closes a connection that is idle for 10 s, and a pipelined request that comes
//     before the answer to the one before.

import type * as Uws from 'uWebSockets.js';
import { EndSignal } from '../base/ending.js';
import { BodyReader } from './body.js';
import {
  type BodyOutcome,
  type BodySink,
  checkHeaders,
  type Door,
  type DoorHandler,
  type DoorOptions,
  type DoorRequest,
  type DoorResponse,
  DRAINED_BODY_BYTES_MAX,
  type Header,
  STALL_TIMEOUT_MS,
  splitTarget,
} from './door.js';
import { type BodyLength, Guard } from './guard.js';
import { isBodiless, reasonOf } from './status.js';

/** Whole bodies up to this go out in one call that copies; larger ones as the client takes them. */
const COPIED_BODY_BYTES_MAX = 64 * 1024;

/** LIBUS_LISTEN_EXCLUSIVE_PORT */
const LISTEN_EXCLUSIVE = 1;

/** Loads the native module; undefined where there is none for this platform. */
export async function loadUws(): Promise<typeof Uws | undefined> {
  try {
    const module = (await import('uWebSockets.js')) as typeof Uws & { default?: typeof Uws };
    const uws = module.default ?? module;
    // The package falls back to a slow server in JavaScript that lacks tryEnd and onWritable; that one has no SSLApp.
    const native =
      typeof uws.SSLApp === 'function' && /\[native code\]/.test(Function.prototype.toString.call(uws.App));
    return native ? uws : undefined;
  } catch {
    return undefined;
  }
}

export async function openUwsDoor(uws: typeof Uws, options: DoorOptions): Promise<Door> {
  const app = uws.App();
  const running = new Running();
  let closing = false;

  app.any('/*', (res, req) => {
    try {
      if (closing || running.count >= options.connectionsMax) return void res.close();
      begin(res, req, options, running);
    } catch (error) {
      options.onError(error);
      res.close();
    }
  });

  const socket = await listen(app, options);
  const port = uws.us_socket_local_port(socket);

  return {
    engine: 'uws',
    port,
    async close(graceMs) {
      uws.us_listen_socket_close(socket);
      closing = true;
      await new Promise<void>((resolve) => {
        const force = options.clock.after(graceMs, resolve);
        running.whenNone(() => {
          force.cancel();
          resolve();
        });
      });
      // Missing in the type declarations of this build.
      (app as Uws.TemplatedApp & { close(): void }).close();
    },
  };
}

/**
 * Listens alone: by default (SO_REUSEPORT) two servers could share a port and its connections, and neither would know.
 * The call with a host and an option is missing in the type declarations of this build.
 */
function listen(app: Uws.TemplatedApp, { host, port }: DoorOptions): Promise<Uws.us_listen_socket> {
  type Listened = (socket: Uws.us_listen_socket | false) => void;
  const exclusive = app as unknown as { listen(host: string, port: number, options: number, listened: Listened): void };
  return new Promise((resolve, reject) => {
    exclusive.listen(host, port, LISTEN_EXCLUSIVE, (socket) => {
      if (socket !== false) resolve(socket);
      else reject(new Error(`listen on ${host}:${port}: address already in use, or not one of ours`));
    });
  });
}

/** Counts the requests under way. */
class Running {
  count = 0;
  #whenNone: (() => void) | undefined;

  begin(): void {
    this.count++;
  }

  end(): void {
    if (--this.count === 0) this.#whenNone?.();
  }

  whenNone(action: () => void): void {
    if (this.count === 0) action();
    else this.#whenNone = action;
  }
}

/** Copies out of a request what a handler may want, guards it, and starts the handler. */
function begin(res: Uws.HttpResponse, req: Uws.HttpRequest, options: DoorOptions, running: Running): void {
  const guard = new Guard();
  req.forEach((name, value) => {
    guard.header(name, value);
  });
  const verdict = guard.verdict();
  if ('refused' in verdict) return void res.close();

  const method = req.getCaseSensitiveMethod();
  const response = new UwsResponse(res, method, options, running);
  const body = new BodyReader(verdict.length, response.feed, options.clock);
  response.body = body;
  running.begin();
  res.onAborted(() => response.abort());
  const target = splitTarget(req.getUrl());
  const request = new UwsRequest(method, target.path, req.getQuery() ?? '', guard.headers, body, response);
  const start = () => void run(options.handler, request, response, options.onError);
  const deliver = (bytes: Uint8Array, isLast: boolean) => {
    body.push(bytes);
    if (isLast) body.finish();
  };
  if (!isIsolated(method, guard, verdict.length)) {
    if (verdict.length !== 0) res.onData((chunk, isLast) => deliver(new Uint8Array(chunk), isLast));
    start();
    return;
  }
  response.last = true;
  const soon = (action: () => void) => {
    options.clock.after(0, () => {
      if (!response.gone.aborted) action();
    });
  };
  res.onData((chunk, isLast) => {
    const copy = new Uint8Array(chunk.slice(0));
    soon(() => deliver(copy, isLast));
  });
  soon(start);
}

/**
 * Whether only uWebSockets' own parser knows where the request ends. The handler of such a request sees everything a
 * turn later, so it never answers while the parser is at work, and the connection ends with its answer. What the parser
 * takes for a next request is then always a pipelined one before an answer, for which it closes the connection: nothing
 * behind a wrong end is ever run.
 */
function isIsolated(method: string, guard: Guard, length: BodyLength): boolean {
  if (length === 'chunked') return true;
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS' && !guard.headers.has('content-length');
}

async function run(
  handler: DoorHandler,
  request: UwsRequest,
  response: UwsResponse,
  onError: (error: unknown) => void,
): Promise<void> {
  try {
    await handler(request, response);
    if (response.isOpen) throw new Error(`a handler left ${request.path} without an answer`);
  } catch (error) {
    onError(error);
    response.fail();
  }
}

const ADDRESS = new TextDecoder('latin1');

class UwsRequest implements DoorRequest {
  constructor(
    readonly method: string,
    readonly path: string,
    readonly query: string,
    readonly headers: ReadonlyMap<string, string>,
    readonly body: BodyReader,
    readonly response: UwsResponse,
  ) {}

  get remoteAddress(): string {
    return this.response.remoteAddress;
  }

  header(name: string): string {
    return this.headers.get(name) ?? '';
  }

  readBody(sink: BodySink, bytesMax: number): Promise<BodyOutcome> {
    return this.body.read(sink, bytesMax);
  }
}

class UwsResponse implements DoorResponse {
  body!: BodyReader;
  /** Whether the connection ends with this answer. */
  last = false;
  status = 0;
  bodyBytes = 0;
  readonly #res: Uws.HttpResponse;
  readonly #method: string;
  readonly #options: DoorOptions;
  readonly #running: Running;
  #headers: readonly Header[] = [];
  /** False once the answer is whole or the client is gone: from then on the native object must not be touched. */
  #live = true;
  #ended = false;
  #streaming = false;
  /** A write found the socket full, and no room has been reported since. */
  #full = false;
  #waiting: (() => void)[] = [];
  readonly gone = new EndSignal();
  #abort: AbortController | undefined;

  constructor(res: Uws.HttpResponse, method: string, options: DoorOptions, running: Running) {
    this.#res = res;
    this.#method = method;
    this.#options = options;
    this.#running = running;
  }

  readonly feed = {
    pause: () => void (this.#live && this.#res.pause()),
    resume: () => void (this.#live && this.#res.resume()),
    destroy: () => this.destroy(),
  };

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.gone.aborted) this.#abort.abort();
    return this.#abort.signal;
  }

  /** Empty once the answer is whole or the client is gone. */
  get remoteAddress(): string {
    return this.#live ? ADDRESS.decode(this.#res.getRemoteAddressAsText()) : '';
  }

  head(status: number, headers: readonly Header[]): void {
    checkHeaders(headers);
    this.status = status;
    this.#headers = headers;
  }

  write(piece: Uint8Array): boolean {
    if (!this.isOpen || piece.length === 0) return true;
    this.bodyBytes += piece.length;
    if (this.#method === 'HEAD') return true;
    let room = true;
    this.#res.cork(() => {
      if (!this.#streaming) this.#startStreaming();
      room = this.#res.write(unshared(piece));
    });
    this.#full = !room;
    return room;
  }

  drained(): Promise<void> {
    if (!this.#live || !this.#full) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length > 1) return;
      const stall = this.#options.clock.after(STALL_TIMEOUT_MS, () => this.destroy());
      this.#waiting.push(() => stall.cancel());
    });
  }

  /** Whether an answer is still owed. */
  get isOpen(): boolean {
    return this.#live && !this.#ended;
  }

  end(body?: Uint8Array | string): void {
    if (!this.isOpen) return;
    this.#ended = true;
    // A body that was not read has no reader from here on; this must come before the native end.
    const missingBytes = this.body.missingBytes;
    this.body.discard();
    if (this.#streaming) {
      this.#res.cork(() => this.#res.end(undefined, this.last));
      this.#finish();
      return;
    }
    const bytes = body === undefined ? NO_BYTES : typeof body === 'string' ? Buffer.from(body) : unshared(body);
    this.bodyBytes += bytes.length;
    // A body that nobody waited for would be read as the next request if it were cut short, so it ends the connection.
    const last = this.last || missingBytes > DRAINED_BODY_BYTES_MAX;
    if (isBodiless(this.status) && !last) {
      this.#res.cork(() => this.#writeHead().endWithoutBody());
      this.#finish();
      return;
    }
    if (this.#method === 'HEAD') {
      // Given a length, this build waits for that much body: it is told as a header instead.
      const length = String(this.bodyBytes);
      this.#res.cork(() => this.#writeHead().writeHeader('Content-Length', length).endWithoutBody());
      this.#finish();
      return;
    }
    if (bytes.length <= COPIED_BODY_BYTES_MAX || last) {
      this.#res.cork(() => this.#writeHead().end(bytes, last));
      this.#finish();
      return;
    }
    this.#res.cork(() => {
      this.#writeHead();
      this.#endGradually(bytes);
    });
  }

  destroy(): void {
    // The abort handler runs inside the call.
    if (this.#live) this.#res.close();
  }

  /** The handler threw: 500 where that can still be said. */
  fail(): void {
    if (!this.isOpen) return;
    if (this.#streaming) {
      this.destroy();
      return;
    }
    this.head(500, [['Content-Type', 'text/plain; charset=utf-8']]);
    this.end('Internal Server Error\n');
  }

  /** The client is gone; the native object with it. */
  abort(): void {
    this.#finish();
    this.body.abort();
    this.gone.abort();
    this.#abort?.abort();
  }

  #finish(): void {
    if (!this.#live) return;
    this.#live = false;
    this.#running.end();
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  #writeHead(): Uws.HttpResponse {
    const res = this.#res;
    res.writeStatus(`${this.status} ${reasonOf(this.status)}`);
    for (const [name, value] of this.#headers) res.writeHeader(name, value);
    return res;
  }

  #startStreaming(): void {
    this.#streaming = true;
    this.#writeHead();
    this.#res.onWritable(() => {
      this.#full = false;
      this.#wake();
      return true;
    });
  }

  /** Sends a large whole body as the client takes it, without a second copy of the rest in native memory. */
  #endGradually(bytes: Uint8Array): void {
    const [, done] = this.#res.tryEnd(bytes, bytes.length);
    if (done) {
      this.#finish();
      return;
    }
    let stall = this.#options.clock.after(STALL_TIMEOUT_MS, () => this.destroy());
    this.#waiting.push(() => stall.cancel());
    this.#res.onWritable((offset) => {
      stall.cancel();
      const [ok, isDone] = this.#res.tryEnd(bytes.subarray(offset), bytes.length);
      if (isDone) this.#finish();
      else stall = this.#options.clock.after(STALL_TIMEOUT_MS, () => this.destroy());
      return ok;
    });
  }
}

/** Native code takes plain buffers only. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes;
}

const NO_BYTES = new Uint8Array(0);
