// A client that sends exactly the bytes a test wants, in the segments it wants.

import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly statuses: number[];
  readonly text: string;
  readonly closed: boolean;
}

export interface RawOptions {
  /** Stop when this many whole answers came. */
  readonly answers?: number;
  /** Stop when nothing has come for so long. */
  readonly quietMs?: number;
}

export function rawConnect(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends the segments, each as a packet of its own, and collects what comes back. */
export async function rawExchange(
  port: number,
  segments: readonly (string | Uint8Array)[],
  options: RawOptions = {},
): Promise<RawAnswer> {
  const socket = await rawConnect(port);
  const answer = collect(socket, options);
  for (const [index, segment] of segments.entries()) {
    if (index > 0) await turns(3);
    if (!socket.destroyed) socket.write(typeof segment === 'string' ? Buffer.from(segment, 'latin1') : segment);
  }
  return answer;
}

/** Lets the event loop read its sockets a few times. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function collect(socket: Socket, options: RawOptions): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = '';
    let closed = false;
    let timer: NodeJS.Timeout | undefined;
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ statuses: statusesOf(text), text, closed });
    };
    const arm = () => {
      clearTimeout(timer);
      timer = setTimeout(finish, options.quietMs ?? 2000);
    };
    arm();
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (
        options.answers !== undefined &&
        statusesOf(text).filter((status) => status >= 200).length >= options.answers
      ) {
        finish();
      } else arm();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      closed = true;
      finish();
    });
  });
}

/** The statuses of the whole answers in a stream of them. */
export function statusesOf(text: string): number[] {
  const statuses: number[] = [];
  let at = 0;
  for (;;) {
    const head = /^HTTP\/1\.[01] (\d{3})/.exec(text.slice(at, at + 12));
    const end = text.indexOf('\r\n\r\n', at);
    if (head === null || end < 0) return statuses;
    const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(at, end));
    const bytes = length === null ? 0 : Number(length[1]);
    if (text.length < end + 4 + bytes) return statuses;
    statuses.push(Number(head[1]));
    at = end + 4 + bytes;
  }
}
