// CPU time of fetching one scrape body of 256 KB from loopback: the fast path, by framing.
//
//   node dist/bench/kernels/scrape-client.js [scrapes]
//
// The target runs in a process of its own, so what is counted is the client's time only.

import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { realClock } from '../../src/base/clock.js';
import { gunzipInto } from '../../src/base/gzip.js';
import { type BodySink, HttpClient } from '../../src/base/http.js';

const BODY_BYTES = 256 * 1024;

/** Exposition text, about as repetitive as an exporter's. */
function exposition(bytes: number) {
  let text = '';
  for (let i = 0; text.length < bytes; i++) {
    if (i % 50 === 0) text += `# HELP metric_${i} Some help of a metric.\n# TYPE metric_${i} counter\n`;
    text += `metric_${i - (i % 50)}{instance_id="id-${i % 50}",path="/api/v1/resource/${i % 7}",code="${200 + (i % 5)}"} ${(i * 7919) % 1000003}\n`;
  }
  return Buffer.from(text).subarray(0, bytes);
}

function answers(): Map<string, Uint8Array> {
  const body = exposition(BODY_BYTES);
  const type = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n';
  const sized = (head: string, bytes: Uint8Array) =>
    Buffer.concat([Buffer.from(`${head}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
  const chunked = (size: number) => {
    const parts = [Buffer.from(`${type}Transfer-Encoding: chunked\r\n\r\n`)];
    for (let at = 0; at < body.length; at += size) {
      const chunk = body.subarray(at, at + size);
      parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
    }
    return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
  };
  return new Map([
    ['/identity', sized(type, body)],
    ['/tiny', sized(type, body.subarray(0, 1024))],
    ['/chunked-4k', chunked(4096)],
    ['/chunked-64k', chunked(65536)],
    ['/gzip', sized(`${type}Content-Encoding: gzip\r\n`, gzipSync(body))],
  ]);
}

/** The target: knows what it answers, does nothing else. */
function serve(): void {
  const known = answers();
  const server = createServer((socket) => {
    socket.on('data', (request) => socket.write(known.get(request.toString('latin1').split(' ')[1]!)!));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as { port: number }).port));
  process.on('disconnect', () => process.exit());
}

async function measure(): Promise<void> {
  const scrapes = Number(process.argv[2] ?? 2000);
  const target = fork(fileURLToPath(import.meta.url), ['serve']);
  const port = await new Promise<number>((resolve) => target.once('message', (message) => resolve(message as number)));

  const memory = new WebAssembly.Memory({ initial: 64, maximum: 128, shared: true });
  const slot = new Uint8Array(memory.buffer, 65536, 1024 * 1024);
  const sink: BodySink = { reserve: (bytes) => (bytes <= slot.length ? slot : undefined) };

  console.log(`${'answer'.padEnd(28)}${'CPU µs'.padStart(8)}${'wall µs'.padStart(9)}`);
  const report = async (name: string, path: string, after?: (bytes: Uint8Array) => void) => {
    const client = new HttpClient({}, realClock);
    const request = { url: `http://127.0.0.1:${port}${path}` };
    const once = async () => {
      const answer = await client.send(request, { sink, timeoutMs: 10_000 });
      after?.(slot.subarray(0, answer.bodyBytes));
    };
    for (let i = 0; i < scrapes / 4; i++) await once();
    const started = performance.now();
    const before = process.cpuUsage();
    for (let i = 0; i < scrapes; i++) await once();
    const cpu = process.cpuUsage(before);
    const wallMs = performance.now() - started;
    client.close();
    const cpuUs = (cpu.user + cpu.system) / scrapes;
    console.log(
      `${name.padEnd(28)}${cpuUs.toFixed(0).padStart(8)}${((wallMs * 1000) / scrapes).toFixed(0).padStart(9)}`,
    );
  };
  await report('identity', '/identity');
  await report('identity, 1 KB', '/tiny');
  await report('chunked by 4 KB', '/chunked-4k');
  await report('chunked by 64 KB', '/chunked-64k');
  await report('gzip, not inflated', '/gzip');
  const text = new Uint8Array(memory.buffer, 65536 + slot.length, 1024 * 1024);
  await report('gzip, inflated', '/gzip', (bytes) => void gunzipInto(bytes, { reserve: () => text }, text.length));
  await report('gzip, gunzipSync and a copy', '/gzip', (bytes) => {
    text.set(gunzipSync(bytes, { maxOutputLength: text.length }));
  });
  target.disconnect();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv[2] === 'serve') serve();
  else await measure();
}
