// The real servers that tests compare with, if they are on this machine: below $PEERS_DIR
// (by default `peers` in the folder for temporary files), one folder for each.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function peerBinary(name: string): string | undefined {
  const path = join(process.env.PEERS_DIR ?? join(tmpdir(), 'peers'), 'x', name, 'usr/bin', name);
  return existsSync(path) ? path : undefined;
}

/** What to say when a test is skipped for want of a peer. */
export function missing(name: string): string {
  return `SKIPPED: no ${name} below $PEERS_DIR, so nothing was compared with the real one`;
}

export interface Peer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  stop(): Promise<void>;
}

/** A real Prometheus that scrapes nothing, on the data directory `data`, or else an empty one. */
export async function startPrometheus(binary: string, flags: readonly string[] = [], data?: string): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-peer-'));
  writeFileSync(join(folder, 'prometheus.yml'), 'global: {scrape_interval: 1h}\n');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    binary,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${data ?? join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
      ...flags,
    ],
    { stdio: 'ignore' },
  );
  await ready(child, `${url}/-/ready`);
  return {
    url,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the peer ended with code ${child.exitCode}`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the peer does not answer at ${url}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
