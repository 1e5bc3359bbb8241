// The HTTP door on node:http: where uWebSockets has no native binary, and by
// `--web.http-engine=node`. It takes heads up to 64 KiB and knows its connections,
// so it can end the ones that idle when the limit comes near.

import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { EndSignal } from '../base/ending.js';
import { BodyReader } from './body.js';
import {
  type BodyOutcome,
  type BodySink,
  checkHeaders,
  type Door,
  type DoorOptions,
  type DoorRequest,
  type DoorResponse,
  DRAINED_BODY_BYTES_MAX,
  HEAD_TIMEOUT_MS,
  type Header,
  IDLE_TIMEOUT_MS,
  NODE_HEAD_BYTES_MAX,
  STALL_TIMEOUT_MS,
  splitTarget,
} from './door.js';
import { Guard } from './guard.js';
import { createTlsServer } from './node-tls.js';
import { isBodiless, reasonOf } from './status.js';

/** Node counts some bytes of its own; a head of exactly the limit has to pass. */
const HEAD_BYTES_SLACK = 1024;
/** Node looks this often, as a share of the timeout, for heads that take too long. */
const TIMEOUT_LOOK_SHARE = 0.1;
/** From this share of the connections on, the one that has been idle longest makes room. */
const CROWDED_SHARE = 0.8;
/** Unsent bytes behind one response from which on a writer is asked to wait. */
const UNSENT_BYTES_MAX = 256 * 1024;

export async function openNodeDoor(options: DoorOptions): Promise<Door> {
  const connections = new Connections(options.connectionsMax);
  const running = new Set<NodeResponse>();
  const server = serverFor(options, {
    maxHeaderSize: NODE_HEAD_BYTES_MAX + HEAD_BYTES_SLACK,
    headersTimeout: options.headTimeoutMs ?? HEAD_TIMEOUT_MS,
    // Bodies are bounded by their pace (body.ts), not by a total that large uploads on slow lines would miss.
    requestTimeout: 0,
    connectionsCheckingInterval: (options.headTimeoutMs ?? HEAD_TIMEOUT_MS) * TIMEOUT_LOOK_SHARE,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    highWaterMark: UNSENT_BYTES_MAX,
    noDelay: true,
  });
  server.maxConnections = options.connectionsMax;
  server.maxHeadersCount = 0;
  server.on('connection', (socket) => connections.open(socket));
  // Behind TLS a connection counts when its handshake is done, which has as long as a head.
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => connections.add(socket));
  server.on('checkContinue', (message, reply) => {
    reply.writeContinue();
    server.emit('request', message, reply);
  });
  server.on('request', (message, reply) => {
    if (connections.isRefused(message.socket)) return;
    connections.busy(message.socket);
    reply.once('close', () => connections.idle(message.socket));
    begin(message, reply, options, connections, running);
  });
  // CONNECT and Upgrade are nobody's here: they go the way of every other request.
  server.on('connect', (_message, socket) => socket.destroy());

  await listen(server, options);
  const port = (server.address() as AddressInfo).port;
  return {
    engine: 'node',
    port,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // Node knows those that have begun to speak HTTP; others may be in the middle of a handshake.
      const force = options.clock.after(graceMs, () => connections.destroyAll());
      for (const response of running) response.closeAfter();
      await closed;
      force.cancel();
    },
  };
}

function serverFor({ tls, headTimeoutMs }: DoorOptions, http: ServerOptions): Server {
  return tls === undefined ? createServer(http) : createTlsServer(tls, headTimeoutMs ?? HEAD_TIMEOUT_MS, http);
}

function listen(server: Server, options: DoorOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Error(`listen on ${options.host}:${options.port}: ${error.message}`, { cause: error }));
    });
    server.listen(options.port, options.host, resolve);
  });
}

function begin(
  message: IncomingMessage,
  reply: ServerResponse,
  options: DoorOptions,
  connections: Connections,
  running: Set<NodeResponse>,
): void {
  const guard = new Guard();
  const lines = message.rawHeaders;
  for (let i = 0; i < lines.length; i += 2) guard.header(lines[i]!, lines[i + 1]!);
  const verdict = guard.verdict();
  // Without a version a request is HTTP/0.9, which has no headers to guard.
  if ('refused' in verdict || message.httpVersionMajor !== 1) {
    connections.refuse(message.socket, reply);
    return;
  }

  const response = new NodeResponse(reply, message, options);
  const body = new BodyReader(verdict.length, response.feed, options.clock);
  response.body = body;
  running.add(response);
  reply.once('close', () => {
    running.delete(response);
    response.closed();
  });
  void run(new NodeRequest(message, guard.headers, body), response, options);
}

async function run(request: NodeRequest, response: NodeResponse, options: DoorOptions): Promise<void> {
  try {
    await options.handler(request, response);
    if (response.isOpen) throw new Error(`a handler left ${request.path} without an answer`);
  } catch (error) {
    options.onError(error);
    response.fail();
  }
}

/** Who is connected, and who of them only waits. */
class Connections {
  /** As the system has them, below TLS where there is any. */
  readonly #open = new Set<Socket>();
  /** Insertion order is the order of becoming idle. */
  readonly #idle = new Set<Socket>();
  readonly #all = new Set<Socket>();
  readonly #refused = new WeakSet<Socket>();
  readonly #crowded: number;

  constructor(max: number) {
    this.#crowded = Math.max(1, Math.floor(max * CROWDED_SHARE));
  }

  open(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  add(socket: Socket): void {
    this.#all.add(socket);
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#all.delete(socket);
      this.#idle.delete(socket);
    });
    if (this.#all.size <= this.#crowded) return;
    const [longest] = this.#idle;
    if (longest !== socket) longest?.destroy();
  }

  busy(socket: Socket): void {
    this.#idle.delete(socket);
  }

  idle(socket: Socket): void {
    if (!socket.destroyed) this.#idle.add(socket);
  }

  /** Ends a connection whose bytes cannot be trusted: what its parser still finds in them is not run. */
  refuse(socket: Socket, reply: ServerResponse): void {
    this.#refused.add(socket);
    reply.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
    reply.end('400 Bad Request');
  }

  isRefused(socket: Socket): boolean {
    return this.#refused.has(socket);
  }
}

class NodeRequest implements DoorRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly #message: IncomingMessage;
  readonly #headers: ReadonlyMap<string, string>;
  readonly #body: BodyReader;

  constructor(message: IncomingMessage, headers: ReadonlyMap<string, string>, body: BodyReader) {
    const target = splitTarget(message.url ?? '/');
    this.method = message.method ?? 'GET';
    this.path = target.path;
    this.query = target.query;
    this.remoteAddress = message.socket.remoteAddress ?? '';
    this.#message = message;
    this.#headers = headers;
    this.#body = body;
  }

  header(name: string): string {
    return this.#headers.get(name) ?? '';
  }

  readBody(sink: BodySink, bytesMax: number): Promise<BodyOutcome> {
    const message = this.#message;
    const body = this.#body;
    const outcome = body.read(sink, bytesMax);
    message.on('data', (chunk: Buffer) => body.push(chunk));
    message.once('end', () => body.finish());
    message.once('close', () => body.abort());
    return outcome;
  }
}

class NodeResponse implements DoorResponse {
  body!: BodyReader;
  status = 0;
  bodyBytes = 0;
  readonly #reply: ServerResponse;
  readonly #message: IncomingMessage;
  readonly #options: DoorOptions;
  #headers: readonly Header[] = [];
  readonly gone = new EndSignal();
  #abort: AbortController | undefined;
  #ended = false;
  /** The operating system has all of it. */
  #sent = false;

  constructor(reply: ServerResponse, message: IncomingMessage, options: DoorOptions) {
    this.#reply = reply;
    this.#message = message;
    this.#options = options;
    reply.once('finish', () => {
      this.#sent = true;
    });
  }

  readonly feed = {
    pause: () => void this.#message.pause(),
    resume: () => void this.#message.resume(),
    destroy: () => this.destroy(),
  };

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.gone.aborted) this.#abort.abort();
    return this.#abort.signal;
  }

  head(status: number, headers: readonly Header[]): void {
    checkHeaders(headers);
    this.status = status;
    this.#headers = headers;
  }

  write(piece: Uint8Array): boolean {
    if (!this.isOpen || piece.length === 0) return true;
    this.bodyBytes += piece.length;
    if (!this.#reply.headersSent) this.#writeHead();
    // Node keeps a reference until the bytes are sent, and the caller may reuse them at once.
    return this.#reply.write(Buffer.from(piece));
  }

  drained(): Promise<void> {
    const reply = this.#reply;
    if (this.#over() || !reply.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const stall = this.#options.clock.after(STALL_TIMEOUT_MS, () => this.destroy());
      const settle = () => {
        stall.cancel();
        reply.off('drain', settle);
        reply.off('close', settle);
        resolve();
      };
      reply.once('drain', settle);
      reply.once('close', settle);
    });
  }

  /** Whether an answer is still owed. */
  get isOpen(): boolean {
    return !this.#ended && !this.#over();
  }

  end(body?: Uint8Array | string): void {
    if (!this.isOpen) return;
    this.#ended = true;
    this.body.discard();
    if (this.#reply.headersSent) {
      this.#reply.end();
      this.#watchEnd();
      return;
    }
    const bytes = body === undefined ? NO_BYTES : typeof body === 'string' ? Buffer.from(body) : body;
    this.bodyBytes += bytes.length;
    this.#writeHead(this.bodyBytes);
    if (bytes.length > UNSENT_BYTES_MAX && this.#message.method !== 'HEAD') {
      void this.#endGradually(bytes);
      return;
    }
    this.#reply.end(bytes);
    this.#watchEnd();
  }

  destroy(): void {
    this.#message.socket.destroy();
  }

  fail(): void {
    if (!this.isOpen) return;
    if (this.#reply.headersSent) {
      this.destroy();
      return;
    }
    this.head(500, [['Content-Type', 'text/plain; charset=utf-8']]);
    this.end('Internal Server Error\n');
  }

  /** Makes this the last answer of its connection: the door closes. */
  closeAfter(): void {
    this.#reply.shouldKeepAlive = false;
  }

  /** The answer is sent, or the client is gone. */
  closed(): void {
    if (this.#sent) return;
    this.body.abort();
    this.gone.abort();
    this.#abort?.abort();
  }

  #over(): boolean {
    // A reply hears of its socket's end a turn later.
    return this.gone.aborted || this.#reply.writableEnded || this.#reply.destroyed || this.#message.socket.destroyed;
  }

  #writeHead(length?: number): void {
    const lines: string[] = [];
    for (const [name, value] of this.#headers) lines.push(name, value);
    if (length !== undefined && !isBodiless(this.status)) lines.push('Content-Length', String(length));
    // What still comes of an unread body would keep the connection from its next request.
    if (this.body.missingBytes > DRAINED_BODY_BYTES_MAX) lines.push('Connection', 'close');
    this.#reply.writeHead(this.status, reasonOf(this.status), lines);
  }

  /** Sends a large whole body as the client takes it: each piece taken is a sign of life. */
  async #endGradually(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#over(); at += UNSENT_BYTES_MAX) {
      if (!this.#reply.write(bytes.subarray(at, at + UNSENT_BYTES_MAX))) await this.drained();
    }
    if (!this.#over()) this.#reply.end();
  }

  /** The rest of an answer is in our buffer; a client that takes none of it for too long is let go. */
  #watchEnd(): void {
    if (this.#message.socket.writableLength === 0) return;
    const stall = this.#options.clock.after(STALL_TIMEOUT_MS, () => {
      if (!this.#sent) this.destroy();
    });
    this.#reply.once('close', () => stall.cancel());
  }
}

const NO_BYTES = new Uint8Array(0);
