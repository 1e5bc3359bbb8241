// The two that are compared: a real Prometheus with the generated series, and our own
// API handlers over our own engine in this process, without a socket between.

import { Agent, request } from 'node:http';
import { compress } from 'snappyjs';
import { realClock } from '../../../../src/base/clock.js';
import { EndSignal } from '../../../../src/base/ending.js';
import type { Source } from '../../../../src/promql/exec/source.js';
import { ALL_PARSE_OPTIONS } from '../../../../src/promql/syntax/parse.js';
import { type EngineOptions, QueryEngine } from '../../../../src/query/engine.js';
import { createApp } from '../../../../src/web/app.js';
import type { DoorHandler, DoorResponse } from '../../../../src/web/door.js';
import { type Server, startPeer } from '../../servers.js';
import { fakeDeps } from '../../web.js';
import { type Batch, encodeBatch } from './load.js';
import type { Answerer, Reply, ReplyBody } from './question.js';

const FEATURES = ['promql-experimental-functions', 'promql-duration-expr', 'native-histograms'];

export class Peer implements Answerer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(binary: string, delayedNames: boolean): Promise<Peer> {
    const features = delayedNames ? [...FEATURES, 'promql-delayed-name-removal'] : FEATURES;
    const server = await startPeer(binary, {
      flags: [
        `--enable-feature=${features.join(',')}`,
        '--web.enable-remote-write-receiver',
        '--storage.tsdb.retention.time=20y',
      ],
    });
    return new Peer(server);
  }

  async write(batch: Batch): Promise<void> {
    await remoteWrite(this.#server.url, batch);
  }

  async ask(path: string, params: URLSearchParams): Promise<Reply> {
    return askServer(this.#server.url, path, params);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

export async function remoteWrite(url: string, batch: Batch): Promise<void> {
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    body: compress(encodeBatch(batch)),
    headers: { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf' },
  });
  if (response.status !== 204) throw new Error(`a write was answered ${response.status}: ${await response.text()}`);
}

/** As many as a Prometheus evaluates at once. */
const agent = new Agent({ keepAlive: true, maxSockets: 20 });

/** Plain requests: fetch would have each answer zipped, and takes longer than its evaluation. */
export function askServer(url: string, path: string, params: URLSearchParams): Promise<Reply> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/api/v1/${path}`, { method: 'POST', headers, agent }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        try {
          const body = JSON.parse(Buffer.concat(pieces).toString()) as ReplyBody;
          resolve({ status: response.statusCode!, body });
        } catch (error) {
          reject(error);
        }
      });
    });
    asked.on('error', reject);
    asked.end(params.toString());
  });
}

/** What our engines differ in. */
export type AnswererOptions = Pick<EngineOptions, 'delayedNames' | 'wholeGroups'>;

const ENGINE_OPTIONS: Omit<EngineOptions, 'delayedNames'> = {
  timeoutMs: 120_000,
  samplesMax: 50_000_000,
  concurrency: 20,
  lookbackMs: 300_000,
  subqueryStepMs: 60_000,
  parse: ALL_PARSE_OPTIONS,
};

export class OurAnswerer implements Answerer {
  readonly #handler: DoorHandler;

  constructor(open: () => Source, options: AnswererOptions) {
    const engine = new QueryEngine(open, realClock, { ...ENGINE_OPTIONS, ...options });
    const query = { instant: engine.instant.bind(engine), range: engine.range.bind(engine) };
    this.#handler = createApp(fakeDeps({ query }), { routePrefix: '/' });
  }

  async ask(path: string, params: URLSearchParams): Promise<Reply> {
    const response = new GatheredResponse();
    await this.#handler(
      {
        method: 'GET',
        path: `/api/v1/${path}`,
        query: params.toString(),
        remoteAddress: '127.0.0.1',
        header: () => '',
        readBody: async () => ({ kind: 'whole', bytes: new Uint8Array(0) }),
      },
      response,
    );
    return { status: response.status, body: JSON.parse(response.text) as ReplyBody };
  }
}

/** An answer kept in memory. */
class GatheredResponse implements DoorResponse {
  readonly gone = new EndSignal();
  readonly signal = new AbortController().signal;
  status = 0;
  text = '';
  readonly bodyBytes = 0;

  head(status: number): void {
    this.status = status;
  }

  write(piece: Uint8Array): boolean {
    this.text += Buffer.from(piece).toString();
    return true;
  }

  async drained(): Promise<void> {}

  end(body: Uint8Array | string = ''): void {
    this.text += typeof body === 'string' ? body : Buffer.from(body).toString();
  }

  destroy(): void {
    throw new Error('the answer was cut short');
  }
}
