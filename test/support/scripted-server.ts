// A TCP server that says exactly the bytes it is told, split where it is told, and hangs up when it is told.

import { createServer, type Server, type Socket } from 'node:net';

/** What a connection does for one request: a list of things to do, in order. */
export type Script = readonly Step[];

export type Step =
  /** Says bytes; a string is latin1. Steps in a row reach the client in reads of their own. */
  | string
  | Uint8Array
  /** Ends the connection in order, or resets it: in a read of its own, or at once. */
  | 'end'
  | 'reset'
  | { readonly thenReset: string }
  /** Says nothing more, forever. */
  | 'hang'
  /** Says the same bytes again and again until the client goes. */
  | { readonly forever: string }
  /** Says one byte after the other. */
  | { readonly drip: string; readonly everyMs: number };

export interface ScriptedServer {
  readonly port: number;
  readonly url: string;
  /** Requests as they came, heads only. */
  readonly requests: string[];
  /** Connections accepted so far. */
  connections: number;
  /** Bytes said since the start. */
  saidBytes: number;
  close(): Promise<void>;
}

/** `answer` is given the head of a request and the number of the request, from 0. */
export async function scriptedServer(answer: (request: string, index: number) => Script): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    self.connections++;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.unref();
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let pending = '';
    socket.on('data', (bytes) => {
      pending += bytes.toString('latin1');
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const request = pending.slice(0, end);
      pending = pending.slice(end + 4);
      self.requests.push(request);
      void play(socket, answer(request, self.requests.length - 1), self);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A failed test should not keep the process alive.
  server.unref();
  const { port } = server.address() as { port: number };
  const self: ScriptedServer = {
    port,
    url: `http://127.0.0.1:${port}`,
    requests: [],
    connections: 0,
    saidBytes: 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return self;
}

async function play(socket: Socket, script: Script, server: ScriptedServer): Promise<void> {
  for (const step of script) {
    if (socket.destroyed) return;
    if (step === 'end') socket.end();
    else if (step === 'reset') socket.resetAndDestroy();
    else if (step === 'hang') return;
    else if (typeof step === 'object' && 'thenReset' in step) {
      socket.write(step.thenReset, 'latin1');
      socket.resetAndDestroy();
    } else if (typeof step === 'object' && 'forever' in step) {
      const bytes = Buffer.from(step.forever, 'latin1');
      while (!socket.destroyed) await say(socket, bytes, server);
    } else if (typeof step === 'object' && 'drip' in step) {
      for (let at = 0; at < step.drip.length && !socket.destroyed; at++) {
        await say(socket, Buffer.from(step.drip[at]!, 'latin1'), server);
        await new Promise((resolve) => setTimeout(resolve, step.everyMs).unref());
      }
    } else await say(socket, typeof step === 'string' ? Buffer.from(step, 'latin1') : step, server);
  }
}

/** Writes and lets the other side, which lives in this process, read before going on. */
async function say(socket: Socket, bytes: Uint8Array, server: ScriptedServer): Promise<void> {
  server.saidBytes += bytes.length;
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A sink of ordinary memory with a budget, which remembers what it was asked. */
export class TestSink {
  view = new Uint8Array(0);
  readonly asked: number[] = [];

  constructor(readonly bytesMax = 64 * 1024 * 1024) {}

  reserve(bytes: number, kept: number): Uint8Array | undefined {
    this.asked.push(bytes);
    if (bytes > this.bytesMax) return undefined;
    if (bytes > this.view.length) {
      const larger = new Uint8Array(bytes);
      larger.set(this.view.subarray(0, kept));
      this.view = larger;
    }
    return this.view;
  }

  text(bytes: number): string {
    return Buffer.from(this.view.subarray(0, bytes)).toString('latin1');
  }
}
