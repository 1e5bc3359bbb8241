// Starts a server as a process of its own, on a free port of 127.0.0.1 and a data directory that goes away with it.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Meter, processMeter } from '../measure.js';
import type { Peer, PeerKind, PeerProcess, Place, StartOptions } from './peer.js';

const READY_TIMEOUT_MS = 300_000;
const READY_POLL_MS = 5;
const STOP_TIMEOUT_MS = 60_000;

/** Whether the binaries of a kind are here. */
export function isInstalled(kind: PeerKind): boolean {
  return kind.command({ port: 0, dataFolder: '', configFile: '' }) !== undefined;
}

export async function startProcess(kind: PeerKind, options: StartOptions): Promise<Peer> {
  const server = new ServerProcess(kind, options, await freePort());
  try {
    await server.start();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

class ServerProcess implements Peer, PeerProcess {
  readonly name: string;
  readonly url: string;
  readonly version: string;
  readonly writePath: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'narthex-bench-'));
  readonly #kind: PeerKind;
  readonly #place: Place;
  #child: ChildProcess | undefined;

  constructor(kind: PeerKind, options: StartOptions, port: number) {
    const configFile = join(this.#folder, 'prometheus.yml');
    writeFileSync(configFile, options.config);
    this.#kind = kind;
    this.#place = { port, configFile, dataFolder: join(this.#folder, 'data'), profileFolder: options.profileFolder };
    this.name = kind.name;
    this.url = `http://127.0.0.1:${port}`;
    this.writePath = kind.writePath;
    this.version = kind.version();
  }

  get process(): PeerProcess {
    return this;
  }

  /** Of the process that runs now: ask again after a restart. */
  get meter(): Meter {
    return processMeter(this.#child!.pid!);
  }

  settle(): Promise<void> {
    return this.#kind.settle(this.url);
  }

  async start(): Promise<number> {
    const { file, args } = this.#command();
    const log = openSync(join(this.#folder, 'log'), 'a');
    const started = performance.now();
    this.#child = spawn(file, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    await this.#ready(started + READY_TIMEOUT_MS);
    return (performance.now() - started) / 1000;
  }

  restart(): Promise<number> {
    return this.start();
  }

  async kill(): Promise<void> {
    await end(this.#child!, 'SIGKILL');
  }

  async close(): Promise<void> {
    if (this.#child) await end(this.#child, 'SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  dataBytes(): number {
    return bytesBelow(this.#place.dataFolder);
  }

  restingBytesPerSample(samples: number): number {
    const folder = this.#place.dataFolder;
    if (!existsSync(join(folder, 'wal'))) return this.dataBytes() / samples;
    let bytes = 0;
    let resting = 0;
    for (const entry of readdirSync(folder)) {
      const meta = join(folder, entry, 'meta.json');
      if (!existsSync(meta)) continue;
      bytes += bytesBelow(join(folder, entry));
      resting += (JSON.parse(readFileSync(meta, 'utf8')) as { stats: { numSamples: number } }).stats.numSamples;
    }
    return resting === 0 ? Number.NaN : bytes / resting;
  }

  #command() {
    const command = this.#kind.command(this.#place);
    if (!command) throw new Error(`${this.name} is not on this machine`);
    return command;
  }

  async #ready(deadline: number): Promise<void> {
    while (performance.now() < deadline) {
      if (this.#child!.exitCode !== null) throw new Error(`${this.name} ended at once:\n${this.#lastLog()}`);
      const response = await fetch(`${this.url}/-/ready`).catch(() => undefined);
      await response?.arrayBuffer();
      if (response?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    throw new Error(`${this.name} is not ready after ${READY_TIMEOUT_MS / 1000} s:\n${this.#lastLog()}`);
  }

  #lastLog(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timeout = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(timeout);
}

/** Bytes on the disk: holes and preallocated tails count as they are stored. */
function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += bytesBelow(path);
    else if (entry.isFile()) bytes += statSync(path).blocks * 512;
  }
  return bytes;
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
