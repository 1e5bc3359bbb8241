// One connection to one ZooKeeper server: questions with their answers, pings, events of watches.

import type { Clock, Timer } from '../../../base/clock.js';
import { openTcp, type TcpSocket } from '../../../base/socket.js';
import {
  connectFrame,
  EVENT_XID,
  FrameReader,
  NO_NODE,
  Operation,
  type Payload,
  PING_XID,
  pingFrame,
  requestFrame,
} from './protocol.js';

export interface ClientOptions {
  /** `host:port`. */
  readonly server: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Something at or below a watched path has changed. */
  readonly onChange: (path: string) => void;
  /** The connection is gone, and its watches with it. */
  readonly onEnd: (reason: Error) => void;
}

const PORT = 2181;

interface Asked {
  resolve(body: Payload | undefined): void;
  reject(reason: Error): void;
}

export class ZooKeeperClient {
  readonly #options: ClientOptions;
  readonly #socket: TcpSocket;
  readonly #frames = new FrameReader();
  readonly #asked = new Map<number, Asked>();
  #xid = 0;
  #isConnected = false;
  #isOver = false;
  #heardMs: number;
  #timeoutMs: number;
  #timer: Timer | undefined;
  readonly #connected: Promise<void>;
  #onConnected: Asked | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs;
    this.#heardMs = options.clock.monotonicMs();
    const colon = options.server.lastIndexOf(':');
    const host = colon < 0 ? options.server : options.server.slice(0, colon).replace(/^\[|\]$/g, '');
    const port = colon < 0 ? PORT : Number(options.server.slice(colon + 1));
    this.#connected = new Promise((resolve, reject) => {
      this.#onConnected = { resolve: () => resolve(), reject };
    });
    this.#socket = openTcp(host, port, {
      onConnect: () => this.#socket.write(connectFrame(options.timeoutMs)),
      onBytes: (bytes) => this.#onBytes(bytes),
      onEnd: (reason) => this.#end(reason),
    });
    this.#keepAlive();
  }

  /** Data at a path, from now on watched; undefined where there is nothing. */
  async data(path: string): Promise<string | undefined> {
    const body = await this.#ask(Operation.GetData, path);
    return body && (body.bytes()?.toString() ?? '');
  }

  /** Names of what is below a path, from now on watched; undefined where there is no such path. */
  async children(path: string): Promise<string[] | undefined> {
    return (await this.#ask(Operation.GetChildren, path))?.texts();
  }

  /** Whether there is anything at a path; its coming or going is watched. */
  async exists(path: string): Promise<boolean> {
    return (await this.#ask(Operation.Exists, path)) !== undefined;
  }

  close(): void {
    this.#end(new Error('closed'), false);
  }

  async #ask(operation: Operation, path: string): Promise<Payload | undefined> {
    await this.#connected;
    if (this.#isOver) throw new Error('connection closed');
    const xid = ++this.#xid;
    return new Promise((resolve, reject) => {
      this.#asked.set(xid, { resolve, reject });
      this.#socket.write(requestFrame(xid, operation, path));
    });
  }

  #onBytes(bytes: Uint8Array): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    try {
      for (const frame of this.#frames.take(bytes)) this.#onFrame(frame);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #onFrame(frame: Payload): void {
    if (!this.#isConnected) {
      frame.int();
      const timeoutMs = frame.int();
      if (timeoutMs <= 0) throw new Error('the session was refused');
      this.#timeoutMs = timeoutMs;
      this.#isConnected = true;
      this.#onConnected!.resolve(undefined);
      return;
    }
    const xid = frame.int();
    frame.skipLong();
    const error = frame.int();
    if (xid === PING_XID) return;
    if (xid === EVENT_XID) {
      frame.int();
      frame.int();
      this.#options.onChange(frame.text());
      return;
    }
    const asked = this.#asked.get(xid);
    this.#asked.delete(xid);
    if (error === 0) asked?.resolve(frame);
    else if (error === NO_NODE) asked?.resolve(undefined);
    else asked?.reject(new Error(`zookeeper error ${error}`));
  }

  /** A session lives as long as each side hears of the other in time. */
  #keepAlive(): void {
    const { clock } = this.#options;
    this.#timer = clock.after(this.#timeoutMs / 3, () => {
      if (clock.monotonicMs() - this.#heardMs > this.#timeoutMs) this.#end(new Error('nothing heard in time'));
      else {
        if (this.#isConnected) this.#socket.write(pingFrame());
        this.#keepAlive();
      }
    });
  }

  #end(reason: Error, isNews = true): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#socket.close();
    this.#connected.catch(() => {});
    this.#onConnected!.reject(reason);
    for (const { reject } of this.#asked.values()) reject(reason);
    this.#asked.clear();
    if (isNews) this.#options.onEnd(reason);
  }
}
