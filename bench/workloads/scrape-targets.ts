// A process of scrape targets: each listens on a port of its own and answers every GET with its next page.
//
//   node dist/bench/workloads/scrape-targets.js '<ScrapeSpec as JSON>'
//
// It says `{ ports }` when it listens, and answers each message with `{ served }`: pages by target.

import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Fleet } from './fleet.js';
import { Page, type TargetPage } from './page.js';
import { ProtobufPage } from './page-protobuf.js';

/** What the pages of targets are written in. */
export type PageFormat = 'text' | 'openmetrics' | 'protobuf';

export interface ScrapeSpec {
  readonly targets: number;
  readonly series: number;
  readonly gzip: boolean;
  /** Without it, text. */
  readonly format?: PageFormat;
  readonly seed: number;
}

/** Compressing costs more than serving, so a target has so many compressed pages and repeats them. */
export const GZIP_PAGES = 8;

export type TargetsMessage = { readonly ports: number[] } | { readonly served: number[] };

/** The step of the values on a target's `nth` page. */
export function stepOfPage(spec: ScrapeSpec, nth: number): number {
  return spec.gzip ? nth % GZIP_PAGES : nth;
}

export function scrapeFleet(spec: ScrapeSpec): Fleet {
  return new Fleet({ series: spec.targets * spec.series, perInstance: spec.series }, spec.seed);
}

function pageOf(fleet: Fleet, target: number, format: PageFormat = 'text'): TargetPage {
  return format === 'protobuf' ? new ProtobufPage(fleet, target) : new Page(fleet, target, format === 'openmetrics');
}

function answer(body: Uint8Array, contentType: string, encoding: string): Buffer[] {
  const head =
    `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\n` + `${encoding}Content-Length: ${body.length}\r\n\r\n`;
  return [Buffer.from(head, 'latin1'), Buffer.from(body.buffer, body.byteOffset, body.length)];
}

async function serve(spec: ScrapeSpec): Promise<void> {
  const fleet = scrapeFleet(spec);
  const served = new Array<number>(spec.targets).fill(0);
  const ports: number[] = [];
  for (let target = 0; target < spec.targets; target++) {
    const page = pageOf(fleet, target, spec.format);
    const packed = spec.gzip ? Array.from({ length: GZIP_PAGES }, (_, step) => gzipSync(page.at(step))) : undefined;
    ports.push(
      await listen((socket) => {
        const step = stepOfPage(spec, served[target]!++);
        const parts = packed
          ? answer(packed[step]!, page.contentType, 'Content-Encoding: gzip\r\n')
          : answer(page.at(step), page.contentType, '');
        socket.cork();
        for (const part of parts) socket.write(part);
        socket.uncork();
      }),
    );
  }
  process.on('message', () => process.send!({ served } satisfies TargetsMessage));
  process.send!({ ports } satisfies TargetsMessage);
}

/** Listens on a free port and calls `respond` for each request; a request has no body. */
function listen(respond: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    let tail = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      tail += bytes.toString('latin1');
      for (let end = tail.indexOf('\r\n\r\n'); end >= 0; end = tail.indexOf('\r\n\r\n')) {
        tail = tail.slice(end + 4);
        respond(socket);
      }
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

if (process.send) {
  process.on('disconnect', () => process.exit());
  await serve(JSON.parse(process.argv[2]!) as ScrapeSpec);
}
