// TLS for the door on node:http: its settings change under it without a restart, and
// clients that are not to be let in end before HTTP begins. It speaks HTTP/1.1 only.

import type { Server, ServerOptions } from 'node:http';
import { createServer, type Server as TlsHttpServer } from 'node:https';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { DoorTls } from './door.js';

/** `tls` is asked at each new connection. Connections that are there keep what they have agreed on. */
export function createTlsServer(tls: () => DoorTls, handshakeTimeoutMs: number, http: ServerOptions): Server {
  let used = tls();
  const server = createServer({
    ...http,
    ...contextOf(used),
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: used.asksClient,
    // Who is let in is decided below: Node's own way knows neither "any certificate" nor "a good one if any".
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  });
  // In front of Node's own listener, which takes the context of the server as it is then.
  server.prependListener('connection', () => {
    const now = tls();
    if (now === used) return;
    used = now;
    server.setSecureContext(contextOf(now));
    setAsksClient(server, now.asksClient);
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (!used.admits(socket.getPeerX509Certificate(), socket.authorized)) socket.destroy();
  });
  return server;
}

function contextOf(tls: DoorTls): SecureContextOptions {
  return {
    cert: tls.cert,
    key: tls.key,
    ...(tls.ca === undefined ? {} : { ca: [...tls.ca] }),
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    ...(tls.ciphers === '' ? {} : { ciphers: tls.ciphers }),
    ...(tls.curves === '' ? {} : { ecdhCurve: tls.curves }),
    honorCipherOrder: tls.serverChooses,
  };
}

/** Node reads it for each connection, and lets it be set when the server is made only. */
function setAsksClient(server: TlsHttpServer, asks: boolean): void {
  (server as TlsHttpServer & { requestCert: boolean }).requestCert = asks;
}
