// A server that answers everything at once with the same few bytes: what is timed there is the client.
// It says `{ port }` once it listens.

import { type AddressInfo, createServer } from 'node:net';

const BODY = JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [] } });
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

if (process.send) {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', () => socket.write(ANSWER));
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
  process.on('disconnect', () => process.exit());
}
