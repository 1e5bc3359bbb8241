// Starts a server as a process of its own, on a free port of 127.0.0.1 and a data directory that goes away with it,
// unless both are to be kept (kept.ts).

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
import type { KeptFolder } from './kept.js';
import type { Peer, PeerKind, PeerProcess, Place, StartOptions } from './peer.js';
import { endProcess } from './pid.js';

const READY_TIMEOUT_MS = 300_000;
const READY_POLL_MS = 5;

/** Whether the binaries of a kind are here. */
export function isInstalled(kind: PeerKind): boolean {
  return kind.command({ port: 0, dataFolder: '', configFile: '' }) !== undefined;
}

export async function startProcess(kind: PeerKind, options: StartOptions): Promise<Peer> {
  const server = new ServerProcess(kind, options, await freePort());
  try {
    await server.begin();
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
  readonly kept: KeptFolder | undefined;
  readonly #folder: string;
  readonly #kind: PeerKind;
  readonly #place: Place;
  #pid = 0;
  /** Undefined for a process that an earlier run started. */
  #child: ChildProcess | undefined;

  constructor(kind: PeerKind, { config, profileFolder, shards, kept }: StartOptions, freePort: number) {
    this.#folder = kept?.path ?? mkdtempSync(join(tmpdir(), 'narthex-bench-'));
    const configFile = join(this.#folder, 'prometheus.yml');
    writeFileSync(configFile, config);
    const found = profileFolder === undefined && kept?.server?.build === kind.build() ? kept.server : undefined;
    this.#pid = found?.pid ?? 0;
    const port = found?.port ?? freePort;
    this.#kind = kind;
    this.#place = { port, configFile, dataFolder: join(this.#folder, 'data'), profileFolder, shards };
    this.kept = kept;
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
    return processMeter(this.#pid);
  }

  settle(): Promise<void> {
    return this.#kind.settle(this.url);
  }

  /** Starts it, unless a process that was kept runs what would be started. */
  async begin(): Promise<void> {
    if (this.#pid !== 0) return;
    await this.kept?.end();
    if (this.kept?.load === undefined) rmSync(this.#place.dataFolder, { recursive: true, force: true });
    await this.start();
  }

  async start(): Promise<number> {
    const { file, args, env } = this.#command();
    const log = openSync(join(this.#folder, 'log'), 'a');
    const started = performance.now();
    this.#child = spawn(file, args, {
      stdio: ['ignore', log, log],
      detached: this.kept !== undefined,
      env: { ...env, ...process.env },
    });
    this.#pid = this.#child.pid ?? 0;
    closeSync(log);
    await this.#ready(started + READY_TIMEOUT_MS);
    return (performance.now() - started) / 1000;
  }

  restart(): Promise<number> {
    return this.start();
  }

  reload(config: string): void {
    writeFileSync(this.#place.configFile, config);
    process.kill(this.#pid, 'SIGHUP');
  }

  async kill(): Promise<void> {
    await endProcess(this.#pid, 'SIGKILL');
  }

  async close(): Promise<void> {
    const profiled = this.#place.profileFolder !== undefined;
    if (this.kept?.load !== undefined && !profiled) {
      this.kept.server = { pid: this.#pid, port: this.#place.port, build: this.#kind.build() };
      this.#child?.unref();
      return;
    }
    if (this.#pid !== 0) await endProcess(this.#pid, 'SIGTERM');
    if (this.kept?.load === undefined) rmSync(this.#folder, { recursive: true, force: true });
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
      if (this.#child?.exitCode != null) throw new Error(`${this.name} ended at once:\n${this.#lastLog()}`);
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
