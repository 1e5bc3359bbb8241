// The targets of the side-by-side: one server behind two ports, one of which is closed now and then. Whoever asks is
// told apart by the User-Agent, and each client has pages of its own.
//
//   /<kind>/<tid>        the next page of that target, for this client

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Kind, pageOf } from './pages.js';

export const CLIENTS = ['narthex', 'prometheus'] as const;
export type Client = (typeof CLIENTS)[number];

export class World {
  readonly #asked = new Map<string, number>();
  readonly #steady: Server;
  #flapping: Server | undefined;
  #flappingPort = 0;

  private constructor() {
    this.#steady = createServer((request, response) => this.#answer(request, response));
  }

  static async open(): Promise<World> {
    const world = new World();
    await listen(world.#steady, 0);
    await world.raise();
    return world;
  }

  /** `host:port` of the server that is always there. */
  get steady(): string {
    return `127.0.0.1:${(this.#steady.address() as AddressInfo).port}`;
  }

  /** That of the one that comes and goes. */
  get flapping(): string {
    return `127.0.0.1:${this.#flappingPort}`;
  }

  /** How many pages of a target a client has asked for. */
  asked(client: Client, tid: number): number {
    return this.#asked.get(`${client} ${tid}`) ?? 0;
  }

  /** Opens the port that comes and goes. */
  async raise(): Promise<void> {
    this.#flapping = createServer((request, response) => this.#answer(request, response));
    await listen(this.#flapping, this.#flappingPort);
    this.#flappingPort = (this.#flapping.address() as AddressInfo).port;
  }

  /** Closes it, and all connections with it. */
  lower(): void {
    this.#flapping?.close();
    this.#flapping?.closeAllConnections();
    this.#flapping = undefined;
  }

  close(): void {
    this.lower();
    this.#steady.close();
    this.#steady.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const client: Client = request.headers['user-agent']?.startsWith('Prometheus/') ? 'prometheus' : 'narthex';
    const [, kind, number] = (request.url ?? '').split(/[/?]/);
    const tid = Number(number);
    const key = `${client} ${tid}`;
    const n = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, n);
    const { status, headers, body, fault } = pageOf(kind as Kind, tid, n);
    if (fault === 'end') return void request.socket.destroy();
    if (fault === 'silence') return;
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
    if (fault !== 'cut') return void response.end(body);
    response.write(body.slice(0, body.length - 1));
    response.write('', () => request.socket.destroy());
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
    server.unref();
  });
}
