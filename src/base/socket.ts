// The door to plain TCP, for protocols that are not HTTP.

import { connect } from 'node:net';

export interface TcpHandlers {
  onConnect(): void;
  /** Bytes as they come; good for the call only. */
  onBytes(bytes: Uint8Array): void;
  /** Once, whatever the end was: refused, reset, closed by either side. Nothing is called after it. */
  onEnd(reason: Error): void;
}

export interface TcpSocket {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** Connects, or tells `onEnd` why not. */
export function openTcp(host: string, port: number, handlers: TcpHandlers): TcpSocket {
  let isOver = false;
  let reason = new Error('connection closed');
  const socket = connect({ host, port, noDelay: true });
  socket.on('connect', () => isOver || handlers.onConnect());
  socket.on('data', (bytes) => isOver || handlers.onBytes(bytes));
  socket.on('error', (error) => {
    reason = error;
  });
  socket.on('close', () => {
    if (isOver) return;
    isOver = true;
    handlers.onEnd(reason);
  });
  return {
    write: (bytes) => void socket.write(bytes),
    close() {
      isOver = true;
      socket.destroy();
    },
  };
}
