// Servers that outlive a run, with what was written to them: loading six hours takes longer than asking about them.
//
//   <temporary files>/narthex-bench-kept/<kind>-<load>[-<checkout>]/
//     data/ prometheus.yml log     as of any server
//     server.json                  which process it is
//     load.json                    what was written; there once that is done and was found right

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess, isRunning } from './pid.js';

const HOME = join(tmpdir(), 'narthex-bench-kept');

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** Of the program it runs: another one means another start. */
  readonly build: string;
}

export class KeptFolder {
  readonly path: string;

  /** `name` says all that makes a load another one. */
  constructor(name: string) {
    this.path = join(HOME, name);
    mkdirSync(this.path, { recursive: true });
  }

  /** The process that runs on it, if one does. */
  get server(): RunningServer | undefined {
    const server = this.#read('server.json') as RunningServer | undefined;
    return server !== undefined && isRunning(server.pid, this.path) ? server : undefined;
  }

  set server(server: RunningServer) {
    this.#write('server.json', server);
  }

  get load(): unknown {
    return this.#read('load.json');
  }

  set load(load: unknown) {
    this.#write('load.json', load);
  }

  /** Ends the server, the data stay. */
  async end(): Promise<void> {
    const { server } = this;
    if (server) await endProcess(server.pid, 'SIGTERM');
  }

  /** Ends the server and forgets everything. */
  async drop(): Promise<void> {
    await this.end();
    rmSync(this.path, { recursive: true, force: true });
  }

  #read(name: string): unknown {
    const file = join(this.path, name);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  }

  #write(name: string, value: unknown): void {
    writeFileSync(join(this.path, name), JSON.stringify(value));
  }
}

/** All that are kept of some kinds. */
export function keptFolders(kinds: readonly string[], checkout: string): KeptFolder[] {
  if (!existsSync(HOME)) return [];
  const ours = readdirSync(HOME).filter((name) =>
    kinds.some((kind) => name.startsWith(`${kind}-`) && (!name.includes('@') || name.endsWith(`@${digest(checkout)}`))),
  );
  return ours.map((name) => new KeptFolder(name));
}

/** Of a server that is built in a checkout, and not the same in another one. */
export function ofCheckout(name: string, checkout: string): string {
  return `${name}@${digest(checkout)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
