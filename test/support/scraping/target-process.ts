// A process of scrape targets, for tests whose server must not share its processor time with them unseen.
//
//   node dist/test/support/scraping/target-process.js '<TargetsSpec as JSON>'
//
// It says `{ addresses }` once all listen, and answers each message with `{ asked }`: when each target was asked, by
// the monotonic clock of this process.

import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { openMetricsPage, type PageFamily } from '../exposition-page.js';
import { protobufPage } from '../protobuf-page.js';
import { scriptedServer } from '../scripted-server.js';
import { HOSTILE } from './hostile-targets.js';

export interface TargetsSpec {
  /** `hostile`: those of HOSTILE, a port each. `healthy`: `count` of them behind one port, told apart by their paths. */
  readonly kind: 'hostile' | 'healthy';
  readonly count: number;
}

export interface TargetsListen {
  /** `host:port`: one for each hostile target, one for all healthy ones. */
  readonly addresses: string[];
}

export interface TargetsAsked {
  /** Milliseconds, by target. */
  readonly asked: number[][];
}

/** What a healthy target measures besides the number of its page. */
const SERIES = 50;

/** The n-th page of a healthy target, from 1. */
function familiesOf(n: number): PageFamily[] {
  return [
    { name: 'page', type: 'gauge', metrics: [{ value: n }] },
    {
      name: 'work',
      type: 'counter',
      metrics: Array.from({ length: SERIES }, (_, i) => ({ labels: { part: `${i}` }, value: n * i })),
    },
  ];
}

const WRITERS: readonly (readonly [contentType: string, write: (n: number) => string | Uint8Array, gzip: boolean])[] = [
  ['text/plain; version=0.0.4', (n) => openMetricsPage(familiesOf(n)).replace('# EOF\n', ''), false],
  ['application/openmetrics-text; version=1.0.0', (n) => openMetricsPage(familiesOf(n)), false],
  [
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    (n) => protobufPage(familiesOf(n)),
    false,
  ],
  ['text/plain; version=0.0.4', (n) => openMetricsPage(familiesOf(n)).replace('# EOF\n', ''), true],
];

async function healthy(count: number, asked: number[][]): Promise<string[]> {
  const server = createServer((request, response) => {
    const index = Number((request.url ?? '').slice(1));
    const times = asked[index];
    if (times === undefined) return void request.socket.destroy();
    times.push(performance.now());
    const [contentType, write, gzip] = WRITERS[index % WRITERS.length]!;
    const page = write(times.length);
    response.setHeader('Content-Type', contentType);
    if (gzip) response.setHeader('Content-Encoding', 'gzip');
    response.end(gzip ? gzipSync(page) : page);
  });
  for (let index = 0; index < count; index++) asked.push([]);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return [`127.0.0.1:${(server.address() as { port: number }).port}`];
}

async function hostile(asked: number[][]): Promise<string[]> {
  const servers = HOSTILE.map(({ script }) => {
    const times: number[] = [];
    asked.push(times);
    return scriptedServer((_, nth) => {
      times.push(performance.now());
      return script(nth);
    });
  });
  return (await Promise.all(servers)).map(({ port }) => `127.0.0.1:${port}`);
}

if (process.send) {
  process.on('disconnect', () => process.exit());
  const { kind, count } = JSON.parse(process.argv[2]!) as TargetsSpec;
  const asked: number[][] = [];
  process.on('message', () => process.send!({ asked } satisfies TargetsAsked));
  const addresses = kind === 'hostile' ? await hostile(asked) : await healthy(count, asked);
  process.send({ addresses } satisfies TargetsListen);
}
