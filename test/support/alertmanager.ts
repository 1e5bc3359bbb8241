// Alertmanagers for tests: one of ours, which behaves as it is told, and the real one.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { missing } from './peers.js';
import { freePort } from './servers.js';

/** An alert as it arrives. */
export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  /** Left out where there are none. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
}

/** What it answers: a status, nothing at all, or a cut connection. */
export type Behaviour = number | 'hang' | 'cut';

export class FakeAlertmanager {
  behaviour: Behaviour = 200;
  readonly batches: PostedAlert[][] = [];
  /** Heads of requests: method, path, and headers. */
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
  }[] = [];
  port = 0;
  #server: Server | undefined;

  static async start(port = 0): Promise<FakeAlertmanager> {
    const fake = new FakeAlertmanager();
    await fake.listen(port);
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get alerts(): readonly PostedAlert[] {
    return this.batches.flat();
  }

  async listen(port = this.port): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.port = (server.address() as { port: number }).port;
    server.unref();
  }

  /** Connections are cut; nobody listens any more. */
  async die(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    this.requests.push({ method: request.method!, path: request.url!, headers: request.headers });
    if (this.behaviour === 'hang') return;
    if (this.behaviour === 'cut') {
      request.socket.destroy();
      return;
    }
    if (this.behaviour < 300) this.batches.push(JSON.parse(Buffer.concat(pieces).toString('utf8')));
    response.writeHead(this.behaviour).end();
  }
}

/** A program that has another folder, the first argument, in place of /usr/share. */
const OWN_SHARE = ['--map-root-user', '--mount', 'sh', '-c', 'mount --bind "$0" /usr/share && exec "$@"'];

/** Why the real one cannot be run here; undefined where it can. */
export function alertmanagerMissing(binary: string | undefined): string | undefined {
  if (binary === undefined) return missing('prometheus-alertmanager');
  const share = join(dirname(dirname(binary)), 'share');
  const { status } = spawnSync('unshare', [...OWN_SHARE, share, 'true']);
  return status === 0 ? undefined : 'SKIPPED: no mount of its own for the real Alertmanager, so nothing was compared';
}

/** A real one, in a process of its own; it tells a webhook of what it groups. */
export class RealAlertmanager {
  readonly port: number;
  readonly #binary: string;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(binary: string, port: number, folder: string) {
    this.#binary = binary;
    this.port = port;
    this.#folder = folder;
  }

  static async start(binary: string, webhookUrl: string): Promise<RealAlertmanager> {
    const folder = mkdtempSync(join(tmpdir(), 'narthex-alertmanager-'));
    const config = {
      route: {
        receiver: 'hook',
        group_by: ['alertname'],
        group_wait: '1s',
        group_interval: '1s',
        repeat_interval: '1h',
      },
      receivers: [{ name: 'hook', webhook_configs: [{ url: webhookUrl, send_resolved: true }] }],
    };
    writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
    const alertmanager = new RealAlertmanager(binary, await freePort(), folder);
    await alertmanager.run();
    return alertmanager;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async run(): Promise<void> {
    // Debian's looks for its templates below /usr/share, where they are only if it is installed.
    const share = join(dirname(dirname(this.#binary)), 'share');
    const child = spawn(
      'unshare',
      [
        ...OWN_SHARE,
        share,
        this.#binary,
        `--config.file=${this.#folder}/config.yml`,
        `--storage.path=${this.#folder}/data`,
        `--web.listen-address=${this.address}`,
        '--cluster.listen-address=',
      ],
      { stdio: 'ignore' },
    );
    this.#process = child;
    const orphaned = () => child.kill('SIGKILL');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    for (let tries = 0; ; tries++) {
      const ready = await fetch(`http://${this.address}/-/ready`).catch(() => undefined);
      if (ready?.ok) return;
      if (tries > 200) throw new Error('the real Alertmanager does not start');
      await pause(50);
    }
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    this.#process = undefined;
  }

  async alerts(): Promise<readonly (PostedAlert & { readonly status: { readonly state: string } })[]> {
    const answer = await fetch(`http://${this.address}/api/v2/alerts`);
    return (await answer.json()) as (PostedAlert & { status: { state: string } })[];
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What an Alertmanager tells a webhook of a group. */
export interface Notification {
  readonly status: 'firing' | 'resolved';
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

/** A webhook that remembers. */
export async function webhook(): Promise<{ url: string; notifications: Notification[]; close(): Promise<void> }> {
  const notifications: Notification[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    notifications.push(JSON.parse(Buffer.concat(pieces).toString('utf8')) as Notification);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}/`, notifications, close };
}

/** Waits until something holds; `what` says what, where it does not. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await pause(20);
  }
}
