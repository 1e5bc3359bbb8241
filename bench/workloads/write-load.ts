// A process that writes: a fixed amount of samples over several connections, each sending its next request when the last
// was answered. `node dist/bench/workloads/write-load.js '<WriteSpec as JSON>'`
//
// It says `{ ready }` when its requests are encoded, starts at the next message, tells its progress, and ends with a
// `{ done }`. An answer other than 2xx ends it.
//
// Requests of a step are dealt to the connections in turn, so a series always goes over the same one; no connection is
// more than two steps ahead of another, or a server would see some samples as too old.

import { connect, type Socket } from 'node:net';
import { Fleet, type FleetSize } from './fleet.js';
import { WriteBody } from './write-body.js';

export interface WriteSpec {
  readonly url: string;
  readonly path: string;
  readonly seed: number;
  readonly fleet: FleetSize;
  readonly steps: number;
  /** Values of the first step are those of this one. */
  readonly firstStep: number;
  readonly stepMs: number;
  /** Time of the last step. */
  readonly endMs: number;
  readonly samplesPerRequest: number;
  readonly connections: number;
  /**
   * Of the first pods. Another one makes other series of the same values: for servers that hold what was written
   * before.
   */
  readonly generation: number;
  /** After these steps a part of the requests goes on with other pods; none where empty. */
  readonly churn?: { readonly afterSteps: readonly number[]; readonly parts: number };
}

export interface WriteDone {
  readonly samples: number;
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export type LoadMessage =
  | { readonly ready: { readonly bytes: number } }
  | { readonly samples: number }
  | { readonly done: WriteDone }
  | { readonly failed: string };

const LEAD_STEPS = 2;

/** The pods of `batch` at `step`: how many times it was replaced before. */
export function generationOf(spec: Pick<WriteSpec, 'generation' | 'churn'>, batch: number, step: number): number {
  if (!spec.churn) return spec.generation;
  const { afterSteps, parts } = spec.churn;
  const replaced = afterSteps.filter((after, round) => step >= after && batch % parts === round % parts);
  return spec.generation + replaced.length;
}

export async function runLoad(spec: WriteSpec, tell: (message: LoadMessage) => void, go: Promise<unknown>) {
  const fleet = new Fleet(spec.fleet, spec.seed);
  const batches = Math.ceil(spec.fleet.series / spec.samplesPerRequest);
  const body = (batch: number, generation: number) => {
    const first = batch * spec.samplesPerRequest;
    const count = Math.min(spec.samplesPerRequest, spec.fleet.series - first);
    return new WriteBody(fleet, first, count, spec.path, generation);
  };
  const bodies = Array.from({ length: batches }, (_, batch) => body(batch, spec.generation));
  const generations = new Array<number>(batches).fill(spec.generation);
  tell({ ready: { bytes: bodies.reduce((sum, each) => sum + each.request.length, 0) } });
  await go;

  const lanes = await Promise.all(Array.from({ length: spec.connections }, () => Lane.open(spec.url)));
  const pace = new Pace(spec.connections);
  const latencies: number[] = [];
  let samples = 0;
  let bytes = 0;
  const started = performance.now();
  const ticker = setInterval(() => tell({ samples }), 500);
  await Promise.all(
    lanes.map(async (lane, index) => {
      for (let step = 0; step < spec.steps; step++) {
        await pace.begin(index, step);
        for (let batch = index; batch < batches; batch += spec.connections) {
          const generation = generationOf(spec, batch, step);
          if (generation !== generations[batch]) {
            bodies[batch] = body(batch, generation);
            generations[batch] = generation;
          }
          const next = bodies[batch]!;
          next.fill(spec.firstStep + step, spec.endMs - (spec.steps - 1 - step) * spec.stepMs);
          const sent = performance.now();
          await lane.send(next.request);
          latencies.push(performance.now() - sent);
          samples += next.samples;
          bytes += next.request.length;
        }
      }
      pace.end(index);
      lane.close();
    }),
  );
  clearInterval(ticker);
  const seconds = (performance.now() - started) / 1000;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))]!;
  const [p50Ms, p99Ms, maxMs] = [quantile(0.5), quantile(0.99), quantile(1)];
  tell({ done: { samples, requests: latencies.length, seconds, bytes, p50Ms, p99Ms, maxMs } });
}

/** Holds back who is ahead. */
class Pace {
  readonly #steps: number[];
  #waiting: (() => void)[] = [];

  constructor(lanes: number) {
    this.#steps = new Array<number>(lanes).fill(0);
  }

  async begin(lane: number, step: number): Promise<void> {
    this.#move(lane, step);
    while (step > Math.min(...this.#steps) + LEAD_STEPS)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  end(lane: number): void {
    this.#move(lane, Number.POSITIVE_INFINITY);
  }

  #move(lane: number, step: number): void {
    this.#steps[lane] = step;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

/** One connection, one request at a time, read with as little work as an answer without chunks allows. */
class Lane {
  #answered: ((failure: Error | undefined) => void) | undefined;
  #text = '';

  private constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => this.#read(bytes.toString('latin1')));
    socket.on('error', (error) => this.#answer(error));
    socket.on('close', () => this.#answer(new Error(`the server closed the connection: ${this.#text}`)));
  }

  static open(url: string): Promise<Lane> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port || 80), noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Lane(socket)));
    });
  }

  send(request: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered = (failure) => (failure ? reject(failure) : resolve());
      this.socket.write(request);
    });
  }

  close(): void {
    this.#answered = undefined;
    this.socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#text.slice(0, end))?.[1];
    if (this.#text.length < end + 4 + Number(length ?? 0)) return;
    const answer = this.#text;
    this.#text = '';
    const status = Number(answer.slice(9, 12));
    this.#answer(status >= 200 && status < 300 ? undefined : new Error(`answered ${answer}`));
  }

  #answer(failure: Error | undefined): void {
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(failure);
  }
}

if (process.send) {
  const tell = (message: LoadMessage) => void process.send!(message);
  const go = new Promise((resolve) => process.once('message', resolve));
  process.on('disconnect', () => process.exit());
  await runLoad(JSON.parse(process.argv[2]!) as WriteSpec, tell, go).catch((error: unknown) =>
    tell({ failed: error instanceof Error ? error.message : String(error) }),
  );
}
