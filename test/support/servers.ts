// Narthex and real Prometheus servers as processes of their own, for tests of the whole.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface LaunchOptions {
  /** The configuration file's text; without it, nothing is scraped. */
  readonly config?: string;
  readonly flags?: readonly string[];
  /** Data directory; without it, an empty one that goes when the server stops. */
  readonly data?: string;
  /** What a shell says first, of limits: `ulimit -n 256`. */
  readonly limits?: string;
  /** The path that answers 200 when the test may begin: `/-/ready` without it. */
  readonly waitFor?: string;
  /** A free one without it. */
  readonly port?: number;
  /** Asks instead of a plain GET, where that is not let in. */
  readonly isReady?: () => Promise<boolean>;
}

export interface Server {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly pid: number;
  /** Sends a signal, waits for the end, and gives the exit code: undefined where the signal ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | undefined>;
  /** SIGTERM, and what the server left is removed. */
  stop(): Promise<void>;
  /** What the server has said so far. */
  log(): string;
  /** Writes its configuration file anew; it reads it when told to. */
  configure(config: string): void;
}

const NO_JOBS = 'global: {scrape_interval: 1h}\n';
const READY_TRIES = 1200;
const READY_EVERY_MS = 50;
const mainFile = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export function startNarthex(options: LaunchOptions = {}): Promise<Server> {
  return launch(process.execPath, [mainFile], options);
}

export function startPeer(binary: string, options: LaunchOptions = {}): Promise<Server> {
  return launch(binary, [], options);
}

async function launch(program: string, args: readonly string[], options: LaunchOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-e2e-'));
  const configFile = join(folder, 'prometheus.yml');
  const logFile = join(folder, 'log');
  writeFileSync(configFile, options.config ?? NO_JOBS);
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const output = openSync(logFile, 'w');
  const shell = options.limits === undefined ? [] : ['bash', '-c', `${options.limits}; exec "$@"`, 'bash'];
  const [first, ...rest] = [...shell, program, ...args];
  const child = spawn(
    first!,
    [
      ...rest,
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${options.data ?? join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      ...(options.flags ?? []),
    ],
    { stdio: ['ignore', output, output] },
  );
  closeSync(output);
  // A process that ends early leaves no server behind.
  const orphaned = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', orphaned);
  child.once('exit', () => process.off('exit', orphaned));
  const ended = new Promise<number | undefined>((resolve) =>
    child.once('exit', (code) => resolve(code === null ? undefined : code)),
  );
  const server: Server = {
    url,
    pid: child.pid!,
    log: () => readFileSync(logFile, 'utf8'),
    configure: (config) => writeFileSync(configFile, config),
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    const plain = () => fetch(`${url}${options.waitFor ?? '/-/ready'}`).then(({ ok }) => ok);
    await ready(child, url, options.isReady ?? plain);
  } catch (error) {
    const said = server.log();
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`${(error as Error).message}; it said:\n${said.slice(-4000)}`);
  }
  return server;
}

async function ready(child: ChildProcess, url: string, isReady: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < READY_TRIES && child.exitCode === null; attempt++) {
    if (await isReady().catch(() => false)) return;
    await sleep(READY_EVERY_MS);
  }
  throw new Error(
    child.exitCode === null ? `no server is ready at ${url}` : `the server ended with code ${child.exitCode}`,
  );
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Tries again until `check` passes; its last error where it never does. */
export async function eventually(check: () => Promise<void>, timeoutMs = 40_000): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > endMs) throw error;
    }
    await sleep(100);
  }
}

// --- The HTTP API ---

export type Metric = Record<string, string>;

export interface VectorSample {
  readonly metric: Metric;
  readonly value: [seconds: number, value: string];
  readonly histogram?: [seconds: number, value: unknown];
}

export interface MatrixSeries {
  readonly metric: Metric;
  readonly values: [seconds: number, value: string][];
  readonly histograms?: [seconds: number, value: unknown][];
}

/** An API answer's data; throws where its status is not success. Adds to the warnings. */
export async function api<T>(
  url: string,
  path: string,
  params: Record<string, string> = {},
  warnings: string[] = [],
): Promise<T> {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`);
  const text = await response.text();
  const body = JSON.parse(text) as { status: string; data: T; error?: string; warnings?: string[] };
  if (body.status !== 'success') throw new Error(`${path} ${JSON.stringify(params)}: ${response.status} ${body.error}`);
  warnings.push(...(body.warnings ?? []));
  return body.data;
}

export async function instant(url: string, query: string, seconds?: number): Promise<VectorSample[]> {
  const at: Record<string, string> = seconds === undefined ? {} : { time: String(seconds) };
  return (await api<{ result: VectorSample[] }>(url, 'query', { query, ...at })).result;
}

/** The answer to a range selector: raw samples. */
export async function raw(url: string, query: string, seconds?: number): Promise<MatrixSeries[]> {
  const at: Record<string, string> = seconds === undefined ? {} : { time: String(seconds) };
  return (await api<{ result: MatrixSeries[] }>(url, 'query', { query, ...at })).result;
}

/** A label set as one comparable text. */
export function metricText(metric: Metric): string {
  return Object.keys(metric)
    .sort()
    .map((name) => `${name}=${JSON.stringify(metric[name])}`)
    .join(',');
}
